"""From crops to the tensor that enters the first convolution: resized, flipped, rotated, zoomed."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import albumentations
import cv2
import joblib
import keras
import numpy as np
import tensorflow as tf

from benchmarks.limits import copies
from benchmarks.timing import Comparison, Elsewhere
from nucrec._threads import ahead
from nucrec.augment import Flip, Pipeline, Rotate, Zoom
from nucrec.datasets import ImageDataset, load_mnfinder_crops

SIZE, BATCH = 299, 32


def comparisons() -> Iterator[Comparison]:
    """Yield nucrec's batches against albumentations and against Keras's layers."""
    crops = load_mnfinder_crops("paper")
    n = len(crops)
    ours = _nucrec(crops)
    memory = ("copying the tensors", copies(n * SIZE * SIZE * 3 * 4))
    work = f"{n} crops to batches of {BATCH} x {SIZE} x {SIZE} x 3, flipped, rotated, zoomed"
    threads = f"albumentations, {joblib.cpu_count()} threads"
    yield Comparison(work, threads, ours, Elsewhere(_epoch, "albumentations"), 15, n, 2, memory)
    yield Comparison(
        work, "Keras's layers in tf.data", ours, Elsewhere(_epoch, "keras"), 15, n, goal=6
    )


def _epoch(peer: str) -> None:
    """Do what users of a peer do."""
    _peer(peer)()


@cache
def _peer(name: str) -> Callable[[], None]:
    arrays = [np.asarray(image) for image in load_mnfinder_crops("paper").images]
    return _albumentations(arrays) if name == "albumentations" else _keras(arrays)


def _enter(images: tf.Tensor) -> tf.Tensor:
    """Return grey images as what the first convolution takes: three channels from -1 to 1."""
    shape = tf.concat([tf.shape(images)[:3], [3]], axis=0)
    return tf.broadcast_to(tf.cast(images, tf.float32) / 127.5 - 1.0, shape)


def _nucrec(crops: ImageDataset) -> Callable[[], None]:
    pipeline = Pipeline([Flip(), Rotate((-180.0, 180.0)), Zoom((0.8, 1.2))], random_state=0)
    signature = [tf.TensorSpec((None, SIZE, SIZE, 1), tf.uint8)]
    enter = tf.function(_enter, input_signature=signature, jit_compile=True)

    def run() -> None:
        for images, _ in ahead(crops.batches(SIZE, BATCH, pipeline, channels=1, dtype="uint8")):
            enter(images)

    return run


def _albumentations(arrays: list[Any]) -> Callable[[], None]:
    cv2.setNumThreads(1)  # the threads work on different images
    change = albumentations.Compose(
        [
            albumentations.Resize(SIZE, SIZE),
            albumentations.HorizontalFlip(p=0.5),
            albumentations.VerticalFlip(p=0.5),
            albumentations.Affine(rotate=(-180, 180), scale=(0.8, 1.2), p=1.0),
            albumentations.Normalize(mean=(0.5,), std=(0.5,)),
        ]
    )

    def one(array: Any) -> Any:
        return change(image=array[..., np.newaxis])["image"]

    def run() -> None:
        with ThreadPoolExecutor(joblib.cpu_count()) as pool:
            for start in range(0, len(arrays), BATCH):
                grey = np.stack(list(pool.map(one, arrays[start : start + BATCH])))
                tf.convert_to_tensor(np.repeat(grey, 3, axis=3))

    return run


def _keras(arrays: list[Any]) -> Callable[[], None]:
    change = [
        keras.layers.RandomFlip(),
        keras.layers.RandomRotation(0.5),
        keras.layers.RandomZoom(0.2),
        keras.layers.Rescaling(1 / 127.5, -1.0),
    ]

    def resized(i: Any) -> Any:
        image = tf.numpy_function(lambda k: arrays[int(k)][..., np.newaxis], [i], tf.uint8)
        image.set_shape((None, None, 1))
        return tf.image.resize(image, (SIZE, SIZE))

    def changed(images: Any) -> Any:
        for layer in change:
            images = layer(images, training=True)
        return tf.image.grayscale_to_rgb(images)

    parallel = {"num_parallel_calls": tf.data.AUTOTUNE}

    def run() -> None:
        data = tf.data.Dataset.range(len(arrays)).map(resized, **parallel)
        for _ in data.batch(BATCH).map(changed, **parallel).prefetch(tf.data.AUTOTUNE):
            pass

    return run
