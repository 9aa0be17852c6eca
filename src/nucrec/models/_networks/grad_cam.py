"""Grad-CAM: the positions in a network's feature maps that raise the score of a class."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from nucrec._keras import keras_defaults
from nucrec.models._networks.build import BODY, CLASSES, EMBEDDING
from nucrec.models._networks.inference import BatchFunction

Array = npt.NDArray[Any]

LEAST_PLACES = 6
"""Along each side of the feature maps; with fewer, heat says little of where."""


class GradCam:
    """Compute Grad-CAM heat and class scores, compiled once for all classes.

    R. R. Selvaraju et al., "Grad-CAM: visual explanations from deep networks via gradient-based
    localization", ICCV 2017.

    Parameters
    ----------
    network : keras.Model
        A network as `build_network` returns it: a layer "backbone", a layer "embedding" that pools its
        feature maps over the image, and a layer "classes".
    """

    @keras_defaults()
    def __init__(self, network: keras.Model) -> None:
        body = network.get_layer(BODY)
        before = network.operations[network.operations.index(body) - 1].output
        maps = _maps_with_places(body)
        self._before = keras.Model(network.input, before)
        self._body = keras.Model(body.input, [maps, body.output])
        self._pool = network.get_layer(EMBEDDING)
        self._classes = network.get_layer(CLASSES)
        self._shape = maps.shape[1:3]
        images = tf.TensorSpec((None, *network.input_shape[1:]), tf.float32)
        like = [images, tf.TensorSpec((), tf.int64)]
        self._compiled = tf.function(self._heat, input_signature=like)

    def of(self, target: int | None) -> BatchFunction:
        """Return the function from a batch to heat (by default of predicted classes) and scores."""

        def packed(images: Array) -> Array:
            heat, scores = self._compiled(
                images.astype(np.float32), -1 if target is None else target
            )
            return np.concatenate([np.reshape(heat, (len(images), -1)), scores], axis=1)

        return packed

    def unpacked(self, rows: Array) -> tuple[Array, Array]:
        """Return heat of shape (n, h, w), and scores of shape (n, n_classes)."""
        heat, scores = np.split(rows, [np.prod(self._shape)], axis=1)
        return heat.reshape(-1, *self._shape), scores

    def _heat(self, images: tf.Tensor, target: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            inputs = self._before(images)
            tape.watch(inputs)
            maps, last = self._body(inputs, training=False)
            embedding = self._pool(tf.cast(last, tf.float32))
            scores = embedding @ self._classes.kernel + self._classes.bias
            chosen = tf.where(target < 0, tf.argmax(scores, axis=1), target)
            score = tf.reduce_sum(tf.gather(scores, chosen, axis=1, batch_dims=1))
        gradient = tf.cast(tape.gradient(score, maps), tf.float32)
        weights = tf.reduce_mean(gradient, axis=(1, 2), keepdims=True)
        return tf.nn.relu(tf.reduce_sum(weights * tf.cast(maps, tf.float32), axis=-1)), scores


def _maps_with_places(body: keras.Model) -> Any:
    """Return the last feature maps with enough positions, or the first ones if all have too few."""
    maps = [tensor for tensor in _bottlenecks(body) if len(tensor.shape) == 4]
    enough = [tensor for tensor in maps if min(tensor.shape[1:3]) >= LEAST_PLACES]
    return enough[-1] if enough else maps[0]


def _bottlenecks(body: keras.Model) -> Iterator[Any]:
    """Yield, in order, the tensors on which alone all later layers depend."""
    operations = body.operations
    last_use = {
        id(tensor): i
        for i, operation in enumerate(operations)
        for tensor in keras.tree.flatten(operation.input)
    }
    needed_until = 0
    for i, operation in enumerate(operations):
        is_pass = isinstance(operation, keras.layers.InputLayer | keras.layers.ZeroPadding2D)
        if needed_until <= i and not is_pass:
            yield operation.output
        needed_until = max(needed_until, last_use.get(id(operation.output), len(operations)))
