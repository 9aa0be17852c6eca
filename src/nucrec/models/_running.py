"""Running a network over images, batch by batch."""

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from nucrec._progress import Progress, silent
from nucrec.augment import Pipeline
from nucrec.datasets import ImageDataset

Array = npt.NDArray[Any]

BATCH_SIZE = 64


@contextlib.contextmanager
def no_retracing_warnings() -> Iterator[None]:
    """Keep TensorFlow from taking several networks in a row for one that is compiled too often."""

    def is_other(record: logging.LogRecord) -> bool:
        return "triggered tf.function retracing" not in record.getMessage()

    logger = logging.getLogger("tensorflow")
    logger.addFilter(is_other)
    try:
        yield
    finally:
        logger.removeFilter(is_other)


class Shown(keras.callbacks.Callback):  # type: ignore[misc]
    """Tells a progress function of each batch."""

    def __init__(self, show: Progress, done: int, total: int, label: str) -> None:
        super().__init__()
        self._show, self._done, self._total, self._label = show, done, total, label

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        """Tell of one more batch that was trained on."""
        self._show(self._done + batch + 1, self._total, self._label)

    def on_predict_batch_end(self, batch: int, logs: object = None) -> None:
        """Tell of one more batch that was predicted."""
        self._show(self._done + batch + 1, self._total, self._label)


def run_model(
    model: keras.Model,
    images: ImageDataset,
    size: int,
    channels: int,
    *,
    augment: Pipeline | None = None,
    copy: int = 0,
    show: Progress = silent,
    what: str = "predicting",
) -> Array:
    """Return what a network makes of images, or of one changed copy of each."""
    stream = images.stream(size, BATCH_SIZE, augment, channels=channels, dtype="uint8", epoch=copy)
    shown = Shown(show, 0, -(-len(images) // BATCH_SIZE), what)
    batches = stream.map(lambda batch, _: batch)
    with no_retracing_warnings():
        return np.asarray(model.predict(batches, callbacks=[shown], verbose=0))


def run_arrays(model: keras.Model, images: Array) -> Array:
    """Return what a network makes of images that are in memory, all of its size."""
    with no_retracing_warnings():
        return np.asarray(model.predict(images, batch_size=BATCH_SIZE, verbose=0))
