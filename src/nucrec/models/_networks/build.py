"""Assembling networks from Keras's own layers, so that a saved one needs no code of ours."""

from collections.abc import Iterator

import keras
from keras import layers

from nucrec._keras import keras_defaults, layer_seeds
from nucrec.models._training.recipes import Precision
from nucrec.models._weights.registry import Body

EMBEDDING = "embedding"
CLASSES = "classes"
BODY = "backbone"
_POLICIES: dict[Precision, str] = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
_CNN_FILTERS = (16, 32, 64, 128)
_CNN_MOMENTUM = 0.8  # small sets have few steps for the statistics to settle in
_GREY, _SPREAD = 127.5, 64.0  # where standardised intensities are put in the range 0 to 255


@keras_defaults()
def build_network(
    backbone: Body | None,
    *,
    image_size: int,
    channels: int,
    n_classes: int,
    standardise: bool,
    dropout: float,
    precision: Precision = "float32",
) -> tuple[keras.Model, keras.Model]:
    """Return a network with random weights.

    Parameters
    ----------
    backbone : Body or None
        The network up to its last feature maps; None for the small CNN.
    image_size, channels, n_classes : int
        Shape of the images, (image_size, image_size, channels), and number of classes.
    standardise : bool
        Whether each image is brought to one mean and one standard deviation first, so that its
        brightness and contrast do not matter.
    dropout : float
        Share of the embedding that is left out in training.
    precision : {"float32", "bfloat16"}
        Of the feature maps. Weights, what comes before the backbone and what comes after it
        stay float32.

    Returns
    -------
    network : keras.Model
        From images of range 0 to 255 to probabilities, (n, n_classes). Its layer "embedding" gives
        (n, n_features).
    inner : keras.Model
        The part of it that takes ImageNet weights.
    """
    inputs = keras.Input((image_size, image_size, channels), name="images")
    x = inputs
    if standardise:
        x = layers.LayerNormalization(
            axis=(1, 2, 3), epsilon=1e-3, center=False, scale=False, name="standardise"
        )(x)
        x = layers.Rescaling(_SPREAD, _GREY, name="to_range")(x)
    if backbone is None:
        with keras_defaults(_POLICIES[precision]):
            inner = _cnn(image_size, channels)
        x = layers.Rescaling(1 / 127.5, -1.0, name="preprocess")(x)
    else:
        x = x if channels == 3 else layers.Concatenate(name="to_colour")([x, x, x])
        with keras_defaults(_POLICIES[precision]):
            inner = backbone.build(image_size)
        x = backbone.preprocess(x)
    inner.name = BODY
    x = layers.GlobalAveragePooling2D(name=EMBEDDING)(inner(x))
    x = layers.Dropout(dropout, name="dropout")(x)
    outputs = layers.Dense(n_classes, activation="softmax", name=CLASSES, dtype="float32")(x)
    return keras.Model(inputs, outputs, name="nucrec"), inner


def _cnn(size: int, channels: int) -> keras.Model:
    """Return a plain convolutional network: four times two convolutions and a halving."""
    inputs = keras.Input((size, size, channels))
    x = inputs
    for n, filters in enumerate(_CNN_FILTERS):
        for part in "ab":
            name = f"block{n}{part}"
            x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
            x = layers.BatchNormalization(momentum=_CNN_MOMENTUM, name=f"{name}_norm")(x)
            x = layers.ReLU(name=f"{name}_relu")(x)
            if part == "a":
                x = layers.MaxPooling2D(padding="same", name=f"block{n}_pool")(x)
    return keras.Model(inputs, x)


@keras_defaults()
def embedder(network: keras.Model) -> keras.Model:
    """Return the part of the network from images to the embedding."""
    return keras.Model(network.input, network.get_layer(EMBEDDING).output)


@keras_defaults()
def on_one_device(network: keras.Model) -> keras.Model:
    """Return a copy of the network that no strategy has a hold on."""
    with layer_seeds(0):  # which are of no use to a trained network
        copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    return copy


def head(network: keras.Model) -> keras.Model:
    """Return the part of the network from the embedding to the classes, with the same weights."""
    layer = network.get_layer(CLASSES)
    inputs = keras.Input((layer.kernel.shape[0],))
    return keras.Model(inputs, layer(network.get_layer("dropout")(inputs)))


def set_trainable(network: keras.Model, *, batch_norm: bool, frozen: float) -> None:
    """Let the network learn, but for what a recipe keeps as it is.

    Frozen batch normalisation uses the statistics it came with. Those of a few small batches do not fit
    inference: validation losses then run wild while training goes well. The first layers see edges
    and spots, in cells as in photographs, and are the most expensive to train.
    """
    network.trainable = True
    parts = list(layers_of(network.get_layer(BODY)))
    for i, layer in enumerate(parts):
        is_norm = isinstance(layer, layers.BatchNormalization)
        layer.trainable = i >= frozen * len(parts) and (batch_norm or not is_norm)


def layers_of(network: keras.Model) -> Iterator[layers.Layer]:
    """Yield the layers of a network and of the networks within it, in order."""
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from layers_of(layer)
        else:
            yield layer
