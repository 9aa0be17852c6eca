"""Running a network on images, batch by batch."""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from nucrec._keras import keras_defaults
from nucrec._progress import Progress, silent
from nucrec._quiet import no_retracing_warnings
from nucrec._threads import ahead
from nucrec.augment import Pipeline
from nucrec.datasets import ImageDataset
from nucrec.models._networks.replicas import shared

Array = npt.NDArray[Any]
BatchFunction: TypeAlias = Callable[[Array], Array]
"""From a batch of images to one row of the network's output for each."""

BATCH_SIZE = 64


def batch_function(model: keras.Model) -> BatchFunction:
    """Return a function that runs a model on a batch, shared among the replicas of its strategy."""
    strategy = model.distribute_strategy
    if strategy.num_replicas_in_sync == 1:
        return model.predict_on_batch  # type: ignore[no-any-return]
    # Keras would run the whole batch on each replica

    def infer(part: tf.Tensor) -> tf.Tensor:
        return model(part, training=False)

    compiled = tf.function(lambda images: shared(strategy, infer, images), reduce_retracing=True)
    return lambda images: np.asarray(compiled(tf.constant(images)))


def over_views(run_batch: BatchFunction) -> BatchFunction:
    """Return a function that averages over the eight views of each image in a batch.

    The views are the four quarter turns of arrays of shape (n, H, H, C) and their mirror images.
    """

    def run(batch: Array) -> Array:
        turned = [np.rot90(batch, k, axes=(1, 2)) for k in range(4)]
        views = [view for each in turned for view in (each, each[:, :, ::-1])]
        found = [np.asarray(run_batch(np.ascontiguousarray(view))) for view in views]
        return np.asarray(np.mean(found, axis=0, dtype=np.float32))

    return run


def run_model(
    run_batch: BatchFunction,
    images: ImageDataset,
    size: int,
    channels: int,
    *,
    augment: Pipeline | None = None,
    copy: int = 0,
    batch_size: int = BATCH_SIZE,
    show: Progress = silent,
    what: str = "predicting",
) -> Array:
    """Return the outputs of a network for images, or for one augmented copy of each."""
    batches = images.batches(
        size, batch_size, augment, channels=channels, dtype="uint8", epoch=copy
    )
    inputs = (batch for batch, _ in batches)
    return _run(run_batch, inputs, len(images), batch_size, show, what)


def run_arrays(run_batch: BatchFunction, images: Array) -> Array:
    """Return the outputs of a network for images in memory that already have its size."""
    starts = range(0, len(images), BATCH_SIZE)
    batches = (images[start : start + BATCH_SIZE] for start in starts)
    return _run(run_batch, batches, len(images), BATCH_SIZE, silent, "")


def _run(
    run_batch: BatchFunction,
    batches: Iterator[Array],
    n_images: int,
    batch_size: int,
    show: Progress,
    what: str,
) -> Array:
    found: Array | None = None
    total = -(-n_images // batch_size)
    with keras_defaults(), no_retracing_warnings():
        for done, batch in enumerate(ahead(batches), start=1):
            missing = batch_size - len(batch) if total > 1 else 0
            # padded, since another shape would compile the network once more
            full = np.pad(batch, [(0, missing), (0, 0), (0, 0), (0, 0)], mode="edge")
            part = np.asarray(run_batch(full))[: len(batch)]
            if found is None:
                found = np.empty((n_images, *part.shape[1:]), part.dtype)
            start = (done - 1) * batch_size
            found[start : start + len(part)] = part
            show(done, total, what)
    if found is None:
        raise ValueError("there are no images to run the network on")
    return found
