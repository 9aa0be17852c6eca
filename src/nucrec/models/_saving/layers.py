"""The layers that a network in a model file may contain."""

from collections.abc import Iterator
from typing import Any

_LISTED = {
    "keras": {"DTypePolicy", "Sequential"},
    "keras.initializers": {
        *("GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal"),
        *("LecunUniform", "Ones", "RandomNormal", "RandomUniform", "TruncatedNormal"),
        *("VarianceScaling", "Zeros"),
    },
    "keras.layers": {
        *("Activation", "Add", "Average", "AveragePooling2D", "BatchNormalization", "Concatenate"),
        *("Conv2D", "Conv2DTranspose", "Cropping2D", "Dense", "DepthwiseConv2D", "Dropout", "ELU"),
        *("GaussianDropout", "GaussianNoise", "GlobalAveragePooling2D", "GlobalMaxPooling2D"),
        *("GroupNormalization", "Identity", "InputLayer", "LayerNormalization", "LeakyReLU"),
        *("MaxPooling2D", "Maximum", "Minimum", "Multiply", "Normalization", "PReLU", "ReLU"),
        *("Rescaling", "Reshape", "SeparableConv2D", "Softmax", "SpatialDropout2D", "Subtract"),
        *("UnitNormalization", "UpSampling2D", "ZeroPadding2D"),
    },
    "keras.regularizers": {"L1", "L1L2", "L2"},
    "keras.src.applications.inception_resnet_v2": {"CustomScaleLayer"},
    "keras.src.models.functional": {"Functional"},
    "keras.src.ops.numpy": {"Add", "Flip", "Multiply", "Subtract", "TrueDivide"},
    None: {"__keras_tensor__"},
}
"""Classes of Keras that compute and do nothing else, by module. All others are refused."""


_NUMBERS_OF_WEIGHTS = ("units", "filters", "depth_multiplier")
_EXTENTS = ("kernel_size", "size", "padding", "pool_size", "strides", "dilation_rate", "cropping")
_LARGEST_EXTENT = 1024


def unlisted(config: Any) -> list[str]:
    """Return the classes that a network's configuration requests and that are not listed.

    Keras first looks up a class by its registered name, which must be the class's own.
    """
    found = []
    for part in _dicts(config):
        if "class_name" not in part:
            continue
        module, name, registered = (
            part.get(k) for k in ("module", "class_name", "registered_name")
        )
        if not isinstance(name, str) or name not in _LISTED.get(module, ()):
            found.append(f"{module}.{name}")
        elif registered not in (None, name):
            found.append(f"{module}.{name} registered as {registered}")
    return list(dict.fromkeys(found))


def larger_than(config: Any, size: int) -> list[str]:
    """Return the layers in a configuration whose weights would not fit into `size` bytes.

    Layers without weights, such as padding, have a separate limit.
    """
    found = []
    for part in _dicts(config):
        limits = {**dict.fromkeys(_NUMBERS_OF_WEIGHTS, size // 4)}
        limits.update(dict.fromkeys(_EXTENTS, _LARGEST_EXTENT))
        for name in limits.keys() & part.keys():
            if any(number > limits[name] for number in _numbers(part[name])):
                found.append(f"{name} = {part[name]}")
    return found


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, int | float):
        yield value
    elif isinstance(value, list):
        for part in value:
            yield from _numbers(part)


def _dicts(config: Any) -> Iterator[dict[str, Any]]:
    if isinstance(config, dict):
        yield config
        config = list(config.values())
    if isinstance(config, list):
        for part in config:
            yield from _dicts(part)
