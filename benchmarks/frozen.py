"""Training the classes on a frozen backbone: its features computed once, or in each epoch."""

import time
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from benchmarks.timing import Comparison, Elsewhere
from nucrec._keras import layer_seeds
from nucrec.augment import Flip, Pipeline, Rotate, Zoom
from nucrec.datasets import ImageDataset, load_mnfinder_crops, split
from nucrec.models import ImageClassifier
from nucrec.models._networks.build import build_network
from nucrec.models._training.loop import make_optimizer
from nucrec.models._training.recipes import HEAD_BATCH_SIZE, HEAD_RECIPE
from nucrec.models._weights import BACKBONES, load_weights

Array = npt.NDArray[Any]

EPOCHS, COPIES = 100, 4
SHARE = 0.02
"""How many of its epochs the plain loop is timed for; its time is divided by it."""


def comparisons() -> Iterator[Comparison]:
    """Yield `mode="features"` against a loop that runs the frozen backbone in each epoch."""
    _check_equal()
    train, test = split(load_mnfinder_crops("paper"), random_state=0)
    pipeline = Pipeline([Flip(), Rotate(), Zoom()], random_state=0)

    def ours() -> None:
        _classifier(pipeline, 224).fit(train, validation=test)

    work = (
        f"EfficientNet-Lite0 frozen, 224 pixels, {EPOCHS} epochs of {len(train)} crops with {COPIES} "
        "augmented copies each"
    )
    peer = f"plain Keras loop ({SHARE:.0%} of the epochs timed)"
    theirs = Elsewhere(_timed_loop, train, test, pipeline)
    yield Comparison(work, peer, ours, theirs, 3, goal=40, warm=False)


def _timed_loop(train: ImageDataset, test: ImageDataset, pipeline: Pipeline) -> float:
    started = time.perf_counter()
    _plain_loop(train, test, pipeline, 224, round(EPOCHS * SHARE))
    return (time.perf_counter() - started) / SHARE


def _classifier(pipeline: Pipeline, size: int) -> ImageClassifier:
    return ImageClassifier(
        mode="features", augment=pipeline, image_size=size, epochs=EPOCHS, random_state=0
    )


def _check_equal() -> None:
    """Raise unless both ways end with the same predictions, on few small images."""
    train, test = split(load_mnfinder_crops("paper")[::6], random_state=0)
    pipeline = Pipeline([Flip(), Rotate(), Zoom()], random_state=0)
    ours = _classifier(pipeline, 64).fit(train, validation=test).validation_proba_[-1]
    theirs = _plain_loop(train, test, pipeline, 64, EPOCHS)
    assert np.abs(ours - theirs).max() < 1e-3, np.abs(ours - theirs).max()


def _plain_loop(
    train: ImageDataset, test: ImageDataset, pipeline: Pipeline, size: int, epochs: int
) -> Array:
    """Train as tutorials do: the whole network in each step, its backbone not trainable."""
    name = "efficientnet-lite0"
    with layer_seeds(0):
        network, backbone = build_network(
            BACKBONES[name],
            image_size=size,
            channels=1,
            n_classes=2,
            standardise=True,
            dropout=0.2,
        )
    load_weights(backbone, BACKBONES[name], "imagenet")
    backbone.trainable = False
    parts = [train.to_array(size, 1, "uint8")]
    for copy in range(COPIES):
        changed = train.batches(size, 64, pipeline, channels=1, dtype="uint8", epoch=copy)
        parts += [images for images, _ in changed]
    images = np.concatenate(parts)
    labels = np.tile(np.eye(2, dtype=np.float32)[train.labels], (1 + COPIES, 1))
    steps = -(-len(images) // HEAD_BATCH_SIZE)
    optimizer = make_optimizer(HEAD_RECIPE, steps * EPOCHS)
    loss = keras.losses.CategoricalCrossentropy()

    def step(inputs: tf.Tensor, truth: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            value = loss(truth, network(inputs, training=True))
        variables = network.trainable_variables
        optimizer.apply(tape.gradient(value, variables), variables)

    like = [tf.TensorSpec((None, size, size, 1), tf.uint8), tf.TensorSpec((None, 2), tf.float32)]
    compiled = tf.function(step, input_signature=like)
    resized = test.to_array(size, 1, "uint8")
    for epoch in range(epochs):
        order = np.random.default_rng([0, epoch]).permutation(len(images))
        for chosen in np.split(order, range(HEAD_BATCH_SIZE, len(order), HEAD_BATCH_SIZE)):
            compiled(images[chosen], labels[chosen])
        probabilities = network.predict(resized, verbose=0)
    return np.asarray(probabilities)
