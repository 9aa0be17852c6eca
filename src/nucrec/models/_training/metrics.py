"""Metrics of an epoch, as computed by Keras and under Keras's names."""

from typing import Any

import keras
import numpy.typing as npt
import tensorflow as tf
from keras import ops

Array = npt.NDArray[Any]


class EpochMetrics:
    """Compute the loss and the metrics of an epoch's batches, compiled once.

    ``reset()`` discards all batches.

    Keras's precision and recall of a two-unit softmax at threshold 0.5 count both units, so both
    equal the accuracy. The means over the classes are therefore added under separate names.

    Parameters
    ----------
    n_classes : int
        Number of classes.
    """

    def __init__(self, n_classes: int) -> None:
        self._mean = keras.metrics.Mean("loss")
        self._others = [
            keras.metrics.CategoricalAccuracy("accuracy"),
            keras.metrics.Precision(name="precision"),
            keras.metrics.Recall(name="recall"),
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
        """Return the loss and the metrics of only these one-hot labels and probabilities."""
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
    """Macro-averaged precision, recall and F1; a ratio with denominator 0 counts as 0."""

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
            "precision_macro": ops.mean(ops.divide_no_nan(hits, predicted)),
            "recall_macro": ops.mean(ops.divide_no_nan(hits, true)),
            "f1_macro": ops.mean(ops.divide_no_nan(2 * hits, true + predicted)),
        }
