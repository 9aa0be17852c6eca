"""EfficientNet-Lite0, and its ImageNet weights from the tensors of the PyTorch port.

The Lite variants of EfficientNet (Tan and Le 2019) drop squeeze-and-excitation and use ReLU6.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nucrec.errors import WeightsError

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[Any]


class _Stage(NamedTuple):
    """A sequence of inverted bottlenecks, the first of which has the stride."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    filters: int


_STAGES = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)
_STEM, _HEAD = 32, 1280


def build_efficientnet_lite0(size: int | None = None) -> "keras.Model":
    """Return EfficientNet-Lite0 with random weights.

    Parameters
    ----------
    size : int, optional
        Height and width of the images; by default the network takes any size.

    Returns
    -------
    keras.Model
        The network from RGB images of shape (n, size, size, 3), scaled as (x - 127) / 128, to the
        last feature maps, of shape (n, ceil(size / 32), ceil(size / 32), 1280).
    """
    import keras
    from keras import layers

    inputs = keras.Input((size, size, 3))
    x = layers.Conv2D(_STEM, 3, 2, "same", use_bias=False, name="stem")(inputs)
    x = _normalise(x, "stem", relu=True)
    n = 0
    for stage in _STAGES:
        for i in range(stage.repeats):
            x = _bottleneck(x, stage, stage.stride if i == 0 else 1, f"block{n}")
            n += 1
    x = layers.Conv2D(_HEAD, 1, use_bias=False, name="head")(x)
    x = _normalise(x, "head", relu=True)
    return keras.Model(inputs, x, name="efficientnet_lite0")


def _bottleneck(x: Any, stage: _Stage, stride: int, name: str) -> Any:
    """Expand, filter each channel and project; add the input if it has the same shape."""
    from keras import layers

    before, channels = x, x.shape[-1]
    if stage.expansion > 1:
        expanded = channels * stage.expansion
        x = layers.Conv2D(expanded, 1, use_bias=False, name=f"{name}_expand")(x)
        x = _normalise(x, f"{name}_expand", relu=True)
    x = layers.DepthwiseConv2D(
        stage.kernel, stride, "same", use_bias=False, name=f"{name}_depthwise"
    )(x)
    x = _normalise(x, f"{name}_depthwise", relu=True)
    x = layers.Conv2D(stage.filters, 1, use_bias=False, name=f"{name}_project")(x)
    x = _normalise(x, f"{name}_project", relu=False)
    if stride == 1 and channels == stage.filters:
        x = layers.Add(name=f"{name}_add")([before, x])
    return x


def _normalise(x: Any, name: str, *, relu: bool) -> Any:
    from keras import layers

    x = layers.BatchNormalization(momentum=0.99, epsilon=1e-3, name=f"{name}_norm")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x) if relu else x


def assign_torch_tensors(model: "keras.Model", tensors: Mapping[str, Array]) -> None:
    """Assign the weights of the PyTorch port to the model, with axes in Keras's order.

    Parameters
    ----------
    model : keras.Model
        A model from `build_efficientnet_lite0`.
    tensors : mapping of str to ndarray
        The tensors under the names of the port, such as "_blocks.0._bn1.weight". Those of the
        classification layer remain unused.

    Raises
    ------
    WeightsError
        A tensor is missing, has another shape, or is not finite.
    """
    for layer in model.layers:
        if layer.weights:
            layer.set_weights(_weights_of(layer, tensors))


def _weights_of(layer: Any, tensors: Mapping[str, Array]) -> list[Array]:
    found = []
    for name, axes in _sources(layer.name):
        if name not in tensors:
            raise WeightsError(f"the weights of EfficientNet-Lite0 lack the tensor {name!r}")
        array = tensors[name]
        found.append(array.transpose(axes) if axes and array.ndim == len(axes) else array)
    wanted = [tuple(weight.shape) for weight in layer.weights]
    shapes = [array.shape for array in found]
    if shapes != wanted or not all(np.isfinite(array).all() for array in found):
        raise WeightsError(
            f"the weights of EfficientNet-Lite0 do not fit layer {layer.name!r}: expected finite "
            f"values of shapes {wanted}, received {shapes}"
        )
    return found


_OUT_LAST = (2, 3, 1, 0)  # (out, in, height, width) -> (height, width, in, out)
_DEPTHWISE = (2, 3, 0, 1)  # (channels, 1, height, width) -> (height, width, channels, 1)
_MEMBERS = ("weight", "bias", "running_mean", "running_var")


def _sources(name: str) -> list[tuple[str, tuple[int, ...] | None]]:
    """Return, for each weight of a layer, its source tensor and the permutation of its axes."""
    part = name.removesuffix("_norm")
    block, _, role = part.partition("_")
    prefix = f"_blocks.{block.removeprefix('block')}." if role else ""
    norm, conv = {
        "stem": ("_bn0", "_conv_stem"),
        "head": ("_bn1", "_conv_head"),
        "expand": ("_bn0", "_expand_conv"),
        "depthwise": ("_bn1", "_depthwise_conv"),
        "project": ("_bn2", "_project_conv"),
    }[role or part]
    if name.endswith("_norm"):
        return [(f"{prefix}{norm}.{member}", None) for member in _MEMBERS]
    return [(f"{prefix}{conv}.weight", _DEPTHWISE if role == "depthwise" else _OUT_LAST)]
