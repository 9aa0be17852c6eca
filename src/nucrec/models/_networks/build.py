"""Assembly of networks from Keras's own layers, so that saved networks need no code of ours."""

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
_CNN_MOMENTUM = 0.8  # with small data sets, the statistics have few steps to converge
_GREY, _SPREAD = 127.5, 64.0  # mean and standard deviation that images are standardised to


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
        Whether to standardise each image first, so that brightness and contrast have no effect.
    dropout : float
        Share of the embedding that dropout sets to 0 in training.
    precision : {"float32", "bfloat16"}
        Number format of the feature maps. Weights and the layers before and after the backbone stay
        float32.

    Returns
    -------
    network : keras.Model
        The network from images with values from 0 to 255 to probabilities of shape (n, n_classes).
        Its layer "embedding" has outputs of shape (n, n_features).
    inner : keras.Model
        The part of the network that receives ImageNet weights.
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
    """Return a plain convolutional network: four blocks of two convolutions and a pooling layer."""
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
    """Return a copy of the network that is independent of any strategy."""
    with layer_seeds(0):  # a trained network does not need these
        copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    return copy


def head(network: keras.Model) -> keras.Model:
    """Return the part of the network from the embedding to the classes, with the same weights."""
    layer = network.get_layer(CLASSES)
    inputs = keras.Input((layer.kernel.shape[0],))
    return keras.Model(inputs, layer(network.get_layer("dropout")(inputs)))


def set_trainable(network: keras.Model, *, batch_norm: bool, frozen: float) -> None:
    """Make the layers trainable, except those that the recipe freezes.

    Frozen batch normalisation uses its original statistics. Statistics of a few small batches do
    not suit inference: validation losses then diverge while training goes well. The first layers
    detect edges and spots, in cells as in photographs, and are the most expensive to train.
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
