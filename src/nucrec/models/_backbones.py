"""The backbones of a classifier: those known by name, and the user's own networks."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, Union

from nucrec._keras import keras_defaults, start_tensorflow
from nucrec._notebook import Facts
from nucrec._spelling import did_you_mean
from nucrec._validation import check_choice, invalid
from nucrec.models._weights.loading import load_weights
from nucrec.models._weights.registry import BACKBONES, Backbone, Body

if TYPE_CHECKING:
    import keras

CNN = "cnn"
"""The name of the small convolutional network, which has no pre-trained weights."""

OwnBackbone: TypeAlias = Union["keras.Model", Callable[[int], "keras.Model"]]

LEAST_SIZE = 16
"""Smallest height and width of images, in pixels, of the CNN and of a network of the user's own."""

_OWN = "own "
_AGAIN = (
    "A model that was loaded does not hold the backbone of your own that it began with: pass it again, "
    "set_params(backbone=...)."
)
_WANTED = (
    "a Keras model, or a function from the image size to one, that takes images of shape "
    "(size, size, 3), 0 to 255, and ends in feature maps of shape (h, w, channels)"
)


@dataclass(frozen=True)
class BackboneInfo(Facts):
    """A pre-trained network that `transfer`, `ImageClassifier` and `Embeddings` accept by name.

    Attributes
    ----------
    name : str
        The name to pass as ``backbone``.
    image_size : int
        Default height and width of the images, in pixels.
    min_image_size : int
        Smallest height and width, in pixels.
    n_features : int
        Length of the embedding.
    weights_from : str
        The source of the ImageNet weights: a package to install, or a download by Keras.
    weights_file : str
        The file name of the weights, for ``weights=PATH`` on a machine without a network connection.
    licence : str
        The licence of the weights.
    reference : str
        The publication that describes the network.

    Examples
    --------
    >>> from nucrec.models import backbones
    >>> info = backbones()["efficientnet-lite0"]
    >>> info.image_size, info.n_features, info.licence
    (96, 1280, 'Apache-2.0')
    """

    name: str
    image_size: int
    min_image_size: int
    n_features: int
    weights_from: str
    weights_file: str
    licence: str
    reference: str


def backbones() -> dict[str, BackboneInfo]:
    """List the pre-trained networks that are available by name.

    Returns
    -------
    dict of str to BackboneInfo
        One entry per network, keyed by name. The first is the default.

    Examples
    --------
    >>> from nucrec.models import backbones
    >>> list(backbones())[:2]
    ['efficientnet-lite0', 'inception-resnet-v2']
    >>> backbones()["inception-resnet-v2"].image_size
    299
    """
    return {name: _info(entry) for name, entry in BACKBONES.items()}


def _info(entry: Backbone) -> BackboneInfo:
    source = "Keras downloads them on first use"
    if entry.weights.package:
        source = f"installed with the package {entry.weights.package[0].replace('_', '-')}"
    return BackboneInfo(
        name=entry.name,
        image_size=entry.image_size,
        min_image_size=entry.minimum,
        n_features=entry.n_features,
        weights_from=source,
        weights_file=entry.weights.name,
        licence=entry.weights.licence,
        reference=entry.reference,
    )


def load_backbone(
    name: str, *, image_size: int | None = None, weights: str | os.PathLike[str] | None = "imagenet"
) -> "keras.Model":
    """Return a pre-trained network as a Keras model, to build your own network on.

    Parameters
    ----------
    name : str
        A name listed by `backbones`.
    image_size : int, optional
        Height and width of the images, in pixels; by default the network takes any size.
    weights : "imagenet", path or None, default="imagenet"
        As for `transfer`; None for random weights.

    Returns
    -------
    keras.Model
        The network from preprocessed images of shape (n, h, w, 3) to the last feature maps.
        EfficientNet-Lite0 expects RGB values from 0 to 255 scaled as (x - 127) / 128; for the
        others, see the Keras documentation.

    Raises
    ------
    InvalidParameterError
        No network has this name.
    WeightsError
        The weights cannot be obtained, or do not fit the network.

    Examples
    --------
    >>> from nucrec.models import load_backbone
    >>> network = load_backbone("efficientnet-lite0", image_size=96, weights=None)
    >>> network.output_shape
    (None, 3, 3, 1280)
    """
    check_choice("name", name, BACKBONES)
    backbone = BACKBONES[name]
    with keras_defaults():
        network = backbone.build(image_size)  # type: ignore[arg-type]  # None is any size
        load_weights(network, backbone, weights)
    return network


def find_backbone(given: str | OwnBackbone) -> Body | None:
    """Return the backbone of this name, or wrap the user's own network; return None for the small CNN.

    Raises
    ------
    InvalidParameterError
        No backbone has this name, or the network has another input or output.
    """
    if not callable(given):
        _check_name(given)
        return BACKBONES.get(given)
    start_tensorflow()
    import keras

    return _of_model(given) if isinstance(given, keras.Model) else _of_function(given)


def name_of(given: str | OwnBackbone) -> str:
    """Return the name of a backbone, whether it was given as a name or as a network.

    The user's own network is never reported under a name from `backbones`, whatever Keras calls it.
    """
    if isinstance(given, str):
        return given
    name = str(getattr(given, "name", None) or getattr(given, "__name__", type(given).__name__))
    return f"{_OWN}{name}" if name in (CNN, *BACKBONES) else name


def _check_name(given: object) -> None:
    """Raise unless this is the name of a backbone."""
    known = (CNN, *BACKBONES)
    if not isinstance(given, str) or given not in known:
        hint = "" if str(given).startswith(_OWN) else did_you_mean(given, known)
        raise invalid("backbone", "one of " + ", ".join(map(repr, known)), given, hint or _AGAIN)


def _of_model(model: "keras.Model") -> Body:
    _check_shapes(model)
    return _own(model, model.inputs[0].shape[1], lambda image_size: _copy(model, image_size))


def _of_function(function: "Callable[[int], keras.Model]") -> Body:
    def build(image_size: int) -> "keras.Model":
        model = function(image_size)
        _check_shapes(model)
        return _copy(model, image_size)

    return _own(function, None, build)


def _own(given: OwnBackbone, image_size: int | None, build: "Callable[[int], keras.Model]") -> Body:
    return Body(
        name=name_of(given),
        image_size=image_size,
        minimum=LEAST_SIZE,
        build=build,
        preprocess=lambda images: images,
    )


def _copy(model: "keras.Model", image_size: int) -> "keras.Model":
    """Return a trainable copy for one image size, which computes under Keras's present dtype policy.

    The user's own network is never changed.
    """
    import keras

    size = model.inputs[0].shape[1]
    if size not in (image_size, None):
        raise invalid("image_size", f"{size}, the size that the backbone takes", image_size)
    policy = keras.config.dtype_policy().name

    def copied(layer: Any) -> Any:
        if isinstance(layer, keras.layers.Lambda):  # Keras cannot copy these
            return layer
        of_layer = {"dtype": policy} if isinstance(layer, keras.Layer) else {}
        return type(layer).from_config({**layer.get_config(), **of_layer})

    images = keras.Input((image_size, image_size, 3), dtype="float32")
    copy = keras.models.clone_model(
        model, input_tensors=images, clone_function=copied, recursive=True
    )
    copy.set_weights(model.get_weights())
    return keras.Model(copy.inputs[0], copy.outputs[0])


def _check_shapes(model: Any) -> None:
    """Raise unless a network takes colour images and returns feature maps."""
    import keras

    is_network = isinstance(model, keras.Model) and bool(getattr(model, "inputs", None))
    if not is_network or len(model.inputs) != 1 or len(model.outputs) != 1:
        raise invalid("backbone", _WANTED, model)
    taken, given = model.inputs[0].shape, model.outputs[0].shape
    if len(taken) != 4 or taken[1] != taken[2] or taken[3] != 3 or len(given) != 4:
        raise invalid("backbone", _WANTED, f"a network from {taken} to {given}")


def digest(network: "keras.Model") -> str:
    """Return a hash of a network's layers and weights that does not depend on the layers' names."""
    names = {name: str(k) for k, name in enumerate(_names(network))}
    total = hashlib.sha256(json.dumps(_renamed(network.get_config(), names), default=str).encode())
    for weights in network.get_weights():
        total.update(weights.tobytes())
    return total.hexdigest()


def _names(layer: Any) -> Iterator[str]:
    """Yield the names of a layer and its sublayers, which Keras numbers in order of creation."""
    yield layer.name
    for part in getattr(layer, "layers", ()):
        yield from _names(part)


def _renamed(config: Any, names: Mapping[str, str]) -> Any:
    if isinstance(config, dict):
        return {key: _renamed(value, names) for key, value in config.items()}
    if isinstance(config, list | tuple):
        return [_renamed(value, names) for value in config]
    return names.get(config, config) if isinstance(config, str) else config
