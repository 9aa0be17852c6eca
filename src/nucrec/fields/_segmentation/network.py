"""The network: an encoder pre-trained on photographs, and a decoder that restores the resolution.

It is a U-Net (O. Ronneberger, P. Fischer and T. Brox, MICCAI 2015, pp. 234-241) with the first
eleven blocks of EfficientNet-Lite0 (M. Tan and Q. V. Le, ICML 2019) as encoder. A few filters at
full resolution preserve detail that a stride of two would lose: a micronucleus is about seven
pixels across.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nucrec._keras import keras_defaults
from nucrec._quiet import no_retracing_warnings
from nucrec.errors import ModelFileError
from nucrec.models import load_backbone

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[Any]

ENCODER = "efficientnet-lite0"
CLASSES = 4
_LEVELS = ("block0_project_norm", "block2_add", "block4_add", "block10_add")
"""The last layers of the encoder at strides of 2, 4, 8 and 16."""
_FILTERS = (64, 48, 32)  # of the decoder, at strides of 8, 4 and 2
_DEEPEST, _FINE, _LAST = 96, 16, (24, 16)
_MOMENTUM = 0.97  # trainings are short: the statistics must converge in a few hundred steps


def build_network(weights: str | None = None) -> "keras.Model":
    """Return the network.

    Parameters
    ----------
    weights : "imagenet" or None
        The weights of the encoder; None for random ones.

    Returns
    -------
    keras.Model
        The network from (n, h, w, 3), with h and w multiples of 16, to logits (n, h, w, 4).
    """
    import keras
    from keras import layers

    inputs = keras.Input((None, None, 3), name="field")
    whole = load_backbone(ENCODER, weights=weights)
    levels = [whole.get_layer(name).output for name in _LEVELS]
    encoder = keras.Model(whole.input, levels, name="encoder")
    for layer in encoder.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = _MOMENTUM
    *skips, deepest = encoder(inputs)
    fine = _convolved(_convolved(inputs, _FINE, 3), _FINE, 3)
    x = _convolved(deepest, _DEEPEST, 1)
    for skip, filters in zip(reversed(skips), _FILTERS, strict=True):
        x = _convolved(_joined(x, skip), filters, 3)
    x = _joined(x, fine)
    for filters in _LAST:
        x = _convolved(x, filters, 3)
    return keras.Model(inputs, layers.Conv2D(CLASSES, 1, name="classes")(x), name="fields")


def _convolved(x: Any, filters: int, size: int) -> Any:
    from keras import layers

    x = layers.Conv2D(filters, size, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=_MOMENTUM, epsilon=1e-3)(x)
    return layers.ReLU()(x)


def _joined(x: Any, skip: Any) -> Any:
    from keras import layers

    return layers.Concatenate()([layers.UpSampling2D()(x), skip])


def inference(network: "keras.Model") -> Callable[[Array], Array]:
    """Return the function that computes the probabilities of a batch, compiled once for any tile size.

    Parameters
    ----------
    network : keras.Model
        A network from `build_network`.

    Returns
    -------
    callable
        The function from (n, h, w, 3) float32 to (n, h, w, 4) float32.
    """
    import keras
    import tensorflow as tf

    def probabilities(tiles: Any) -> Any:
        return keras.ops.softmax(network(tiles, training=False))

    any_size = [tf.TensorSpec((None, None, None, 3), tf.float32)]
    compiled = tf.function(probabilities, input_signature=any_size)

    @keras_defaults()
    @no_retracing_warnings()
    def predict(tiles: Array) -> Array:
        return np.asarray(compiled(tiles))

    return predict


def set_weights(network: "keras.Model", weights: Sequence[Array], name: str) -> None:
    """Assign the weights from a file to the network.

    Raises
    ------
    ModelFileError
        The weights do not fit the network.
    """
    wanted = [tuple(weight.shape) for weight in network.weights]
    if [weight.shape for weight in weights] != wanted:
        raise ModelFileError(
            f"{name} is damaged, or belongs to another network: its weights do not fit"
        )
    network.set_weights(weights)
