"""What a network in a model file may consist of."""

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


def unlisted(config: Any) -> list[str]:
    """Return the classes that a network's configuration asks for and that are not listed."""
    asked_for = dict.fromkeys(_asked_for(config))
    return [f"{module}.{name}" for module, name in asked_for if name not in _LISTED.get(module, ())]


def _asked_for(config: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(config, dict):
        if "class_name" in config:
            yield config.get("module"), config["class_name"]
        config = list(config.values())
    if isinstance(config, list):
        for part in config:
            yield from _asked_for(part)
