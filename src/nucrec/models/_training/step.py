"""Training steps, and the paper's metrics as Keras computes them."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from keras import layers, ops

from nucrec.models._networks.replicas import average, shared

Array = npt.NDArray[Any]


class Steps:
    """Steps of training with the cross-entropy, compiled once, whatever the size of a batch.

    Keras's own `train_on_batch` forgets the metrics of the batches before, and `fit` reads arrays
    through TensorFlow's pipelines, which took half as long again.

    Each replica of the model's strategy trains on a part of each batch; gradients, which the optimizer
    adds up, and metrics are those of the whole.

    Parameters
    ----------
    model : keras.Model
        What is trained: to probabilities.
    optimizer : keras.optimizers.Optimizer
        Made in the scope of the model's strategy; not yet used.
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
        self._metrics = PaperMetrics(n_classes)
        self._average = tf.function(self._average_statistics)
        self._compiled: Any = None

    def start_epoch(self) -> None:
        """Forget the metrics of what was trained on before."""
        self._metrics.reset()

    def run(self, inputs: Array, labels: Array) -> None:
        """Train on a batch of inputs and one-hot labels."""
        if self._compiled is None:
            like = [(inputs, inputs.dtype), (labels, np.float32), (labels[:, 0], np.float32)]
            signature = [tf.TensorSpec((None, *array.shape[1:]), dtype) for array, dtype in like]
            self._compiled = tf.function(self._step, input_signature=signature)
        self._compiled(inputs, labels, labels @ self._weights / np.float32(len(labels)))

    def metrics(self) -> dict[str, float]:
        """Return the loss and the metrics of the epoch so far, each over all its images."""
        return self._metrics.values()

    def end_epoch(self) -> dict[str, float]:
        """Make the replicas the same again, and return the metrics of the epoch."""
        self._average()
        return self.metrics()

    def _step(self, inputs: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor) -> None:
        probabilities = shared(self._strategy, self._learn, inputs, labels, weights)
        self._metrics.update(labels, probabilities, _loss(labels, probabilities, weights))

    def _learn(self, inputs: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        """Return the probabilities of a part of the batch, after learning from it."""
        with tf.GradientTape() as tape:
            probabilities = self._model(inputs, training=True)
            loss = _loss(labels, probabilities, weights)
        variables = self._model.trainable_variables
        self._optimizer.apply(tape.gradient(loss, variables), variables)
        return probabilities

    def _average_statistics(self) -> None:
        # moving averages of averages are averages of moving averages: once an epoch is enough
        found = [v.value for norm in _live_norms(self._model) for v in norm.non_trainable_variables]
        average(self._strategy, found)


def _loss(labels: tf.Tensor, probabilities: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """Return the weighted sum of the cross-entropies."""
    return ops.sum(weights * keras.losses.categorical_crossentropy(labels, probabilities))


def _live_norms(model: keras.Model) -> Iterator[layers.Layer]:
    """Yield the layers, at any depth, that keep statistics of the batches."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _live_norms(layer)
        elif isinstance(layer, layers.BatchNormalization) and layer.trainable:
            yield layer


class PaperMetrics:
    """The loss and the paper's metrics of many batches, compiled once.

    ``reset()`` forgets all batches.

    Precision and recall of a softmax of two units at threshold 0.5 count both units, so that both
    equal the accuracy. The means over the classes stand beside them under names of their own.

    Parameters
    ----------
    n_classes : int
        Number of classes.
    """

    def __init__(self, n_classes: int) -> None:
        self._mean = keras.metrics.Mean("loss")
        self._others = [
            keras.metrics.CategoricalAccuracy("acc"),
            keras.metrics.Precision(name="pre"),
            keras.metrics.Recall(name="rec"),
            keras.metrics.AUC(name="auc"),
            MacroMetrics(n_classes),
        ]
        like = tf.TensorSpec((None, n_classes), tf.float32)
        self._evaluated = tf.function(self._evaluate, input_signature=[like, like])
        self._results = tf.function(self._result)
        self.reset = tf.function(self._reset)

    def update(self, labels: tf.Tensor, probabilities: tf.Tensor, loss: tf.Tensor) -> None:
        """Add a batch of one-hot labels and probabilities, with its mean loss."""
        self._mean.update_state(loss, sample_weight=tf.shape(labels)[0])
        for metric in self._others:
            metric.update_state(labels, probabilities)

    def values(self) -> dict[str, float]:
        """Return the loss and the metrics of all batches so far."""
        return {name: float(value) for name, value in self._results().items()}

    def evaluate(self, labels: Array, probabilities: Array) -> dict[str, float]:
        """Return the loss and the metrics of these one-hot labels and probabilities alone."""
        self._evaluated(labels, probabilities)
        return self.values()

    def _reset(self) -> None:
        for metric in (self._mean, *self._others):
            metric.reset_state()

    def _evaluate(self, labels: tf.Tensor, probabilities: tf.Tensor) -> None:
        losses = keras.losses.categorical_crossentropy(labels, probabilities)
        self._reset()
        self.update(labels, probabilities, ops.mean(losses))

    def _result(self) -> dict[str, tf.Tensor]:
        found: dict[str, tf.Tensor] = {}
        for metric in (self._mean, *self._others):
            result = metric.result()
            found |= result if isinstance(result, dict) else {metric.name: result}
        return found


class MacroMetrics(keras.metrics.Metric):  # type: ignore[misc]
    """Precision, recall and F1: means over the classes. Nothing to divide by counts as 0."""

    def __init__(self, n_classes: int) -> None:
        super().__init__(name="macro")
        self.counts = self.add_variable((n_classes, n_classes), "zeros", name="counts")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: object = None) -> None:
        """Count true classes (rows) and predicted ones (columns)."""
        y_true, y_pred = ops.cast(y_true, "float32"), ops.convert_to_tensor(y_pred)
        predicted = ops.one_hot(ops.argmax(y_pred, axis=-1), y_pred.shape[-1])
        self.counts.assign_add(ops.matmul(ops.transpose(y_true), predicted))

    def result(self) -> dict[str, Any]:
        """Return the three means."""
        hits = ops.diagonal(self.counts)
        true, predicted = ops.sum(self.counts, axis=1), ops.sum(self.counts, axis=0)
        return {
            "pre_macro": ops.mean(ops.divide_no_nan(hits, predicted)),
            "rec_macro": ops.mean(ops.divide_no_nan(hits, true)),
            "f1_macro": ops.mean(ops.divide_no_nan(2 * hits, true + predicted)),
        }
