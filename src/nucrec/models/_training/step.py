"""One training step: forward pass, loss, gradients and update, compiled once."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from keras import layers, ops

from nucrec.models._networks.build import layers_of
from nucrec.models._networks.replicas import average, shared
from nucrec.models._training.metrics import EpochMetrics

Array = npt.NDArray[Any]


class TrainingStep:
    """A training step on the cross-entropy, compiled once for batches of any size.

    Keras's own `train_on_batch` discards the metrics of earlier batches, and `fit` reads arrays
    through TensorFlow's pipelines, which took half as long again.

    Each replica of the model's strategy trains on a part of each batch. The optimizer sums the
    gradients, and gradients and metrics are those of the whole batch.

    Parameters
    ----------
    model : keras.Model
        The model to train, which returns probabilities.
    optimizer : keras.optimizers.Optimizer
        The optimizer, created in the scope of the model's strategy and not yet used.
    class_weight : dict of int to float, or None
        Weight of each class in the loss.
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        class_weight: dict[int, float] | None,
    ) -> None:
        n_classes = model.output.shape[-1]
        weights = [(class_weight or {}).get(k, 1.0) for k in range(n_classes)]
        self._strategy = model.distribute_strategy
        with self._strategy.scope():
            optimizer.build(model.trainable_variables)
        self._model, self._optimizer = model, optimizer
        self._weights = np.array(weights, np.float32)
        self._metrics = EpochMetrics(n_classes)
        self._average = tf.function(self._average_statistics)
        self._compiled: Any = None

    def start_epoch(self) -> None:
        """Discard the metrics of earlier training."""
        self._metrics.reset()

    def run(self, inputs: Array, labels: Array) -> None:
        """Train on a batch of inputs and one-hot labels."""
        if self._compiled is None:
            like = [(inputs, inputs.dtype), (labels, np.float32), (labels[:, 0], np.float32)]
            signature = [tf.TensorSpec((None, *array.shape[1:]), dtype) for array, dtype in like]
            self._compiled = tf.function(self._step, input_signature=signature)
        self._compiled(inputs, labels, labels @ self._weights / np.float32(len(labels)))

    def metrics(self) -> dict[str, float]:
        """Return the loss and the metrics over all images of the epoch so far."""
        return self._metrics.values()

    def end_epoch(self) -> dict[str, float]:
        """Synchronise the replicas, and return the metrics of the epoch."""
        self._average()
        return self.metrics()

    def _step(self, inputs: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor) -> None:
        probabilities = shared(self._strategy, self._learn, inputs, labels, weights)
        self._metrics.update(labels, probabilities, _loss(labels, probabilities, weights))

    def _learn(self, inputs: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        """Train on a part of the batch, and return its probabilities."""
        with tf.GradientTape() as tape:
            probabilities = self._model(inputs, training=True)
            loss = _loss(labels, probabilities, weights) + self._penalties()
        variables = self._model.trainable_variables
        self._optimizer.apply(tape.gradient(loss, variables), variables)
        return probabilities

    def _penalties(self) -> tf.Tensor:
        """Return this replica's share of the layers' regularisation losses."""
        found = self._model.losses
        return ops.sum(found) / self._strategy.num_replicas_in_sync if found else 0.0

    def _average_statistics(self) -> None:
        # averaging commutes with moving averages, so once per epoch is enough
        live = [
            layer
            for layer in layers_of(self._model)
            if isinstance(layer, layers.BatchNormalization) and layer.trainable
        ]
        found = [v.value for norm in live for v in norm.non_trainable_variables]
        average(self._strategy, found)


def _loss(labels: tf.Tensor, probabilities: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """Return the weighted sum of the cross-entropies."""
    return ops.sum(weights * keras.losses.categorical_crossentropy(labels, probabilities))
