"""Small images and small networks, which tests of training share."""

import keras
import numpy as np

from nucrec.augment import Pipeline
from nucrec.datasets import ImageDataset
from nucrec.models import ImageClassifier, transfer

SIDE = 16
"""Height and width of the images of `noise`, in pixels."""


def spots(n: int, seed: int, size: int = 24, dtype: str = "uint8", shape=()) -> ImageDataset:
    """Return images of a disc, half of which have a small second spot beside it."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    images = []
    for i in range(n):
        image = rng.normal(20, 3, (size, size))
        image[(x - 12) ** 2 + (y - 12) ** 2 < 36] += 120
        if i % 2:
            corner = rng.choice([2, size - 6], 2)
            image[corner[0] : corner[0] + 4, corner[1] : corner[1] + 4] += 120
        image = np.clip(image, 0, 255) * (257 if dtype == "uint16" else 1)
        images.append(np.broadcast_to(image[(..., *([None] * len(shape)))], (size, size, *shape)))
    return ImageDataset([i.astype(dtype) for i in images], np.arange(n) % 2)


def noise(n: int, seed: int = 0) -> ImageDataset:
    """Return grey noise, brighter and darker, each image of one of three classes at random."""
    rng = np.random.default_rng(seed)
    brightest = rng.integers(40, 256, (n, 1, 1))
    images = (rng.random((n, SIDE, SIDE)) * brightest).astype(np.uint8)
    return ImageDataset(images, rng.integers(0, 3, n), ("a", "b", "c"))


def convolution(filters: int = 4) -> keras.Model:
    """Return one convolution, with weights that never change from call to call."""
    start = keras.initializers.GlorotUniform(seed=1)
    images = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.Rescaling(1 / 25.5, -5)(images)
    x = keras.layers.Conv2D(filters, 3, 2, activation="relu", kernel_initializer=start)(x)
    return keras.Model(images, x)


def normalised() -> keras.Model:
    """Return two convolutions, each with batch normalisation; the first is in the first fifth."""
    x = images = keras.Input((SIDE, SIDE, 3))
    for name in "ab":
        start = keras.initializers.GlorotUniform(seed=ord(name))
        convolve = keras.layers.Conv2D(
            4, 3, 2, use_bias=False, kernel_initializer=start, name=f"convolution_{name}"
        )
        x = convolve(x)
        x = keras.layers.BatchNormalization(momentum=0.8, name=f"norm_{name}")(x)
        x = keras.layers.ReLU(name=f"relu_{name}")(x)
    return keras.Model(images, x)


def plainly(backbone, **options) -> ImageClassifier:
    """Return a classifier that trains as plain Keras does: Adam at one rate, nothing before it."""
    return transfer(backbone, **{"recipe": "paper", "random_state": 0, **options})


class Beginning(keras.callbacks.Callback):
    """Keeps the weights that the last stage of a training begins with."""

    weights: list[np.ndarray]

    def on_train_begin(self, logs=None):
        self.weights = self.model.get_weights()


def trained_by_keras(
    backbone: keras.Model,
    begin: list[np.ndarray],
    images: ImageDataset,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float | list[float],
    class_weight: dict[int, float] | None = None,
    augment: Pipeline | None = None,
) -> list[np.ndarray]:
    """Return the weights that Keras alone ends with, where `plainly` begins with some.

    The learning rate may be one for each epoch.
    """
    inputs = keras.Input((SIDE, SIDE, 1))
    maps = backbone(keras.layers.Concatenate()([inputs] * 3))
    means = keras.layers.GlobalAveragePooling2D()(maps)
    classes = keras.layers.Dense(len(images.class_names), activation="softmax")(means)
    network = keras.Model(inputs, classes)
    network.set_weights(begin)
    network.compile(keras.optimizers.Adam(), "sparse_categorical_crossentropy")
    for epoch, rate in enumerate(np.broadcast_to(learning_rate, epochs)):
        network.optimizer.learning_rate = float(rate)
        for pixels, labels in images.batches(
            SIDE, batch_size, augment, shuffle=True, random_state=0, epoch=epoch
        ):
            network.train_on_batch(pixels, labels, class_weight=class_weight)
    return network.get_weights()
