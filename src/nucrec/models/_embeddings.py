"""Embeddings of images by a frozen pre-trained network, as features for classical classifiers."""

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nucrec._keras import keras_defaults, layer_seeds
from nucrec._validation import check_choice, check_int
from nucrec.datasets import ImageDataset
from nucrec.models._image_features import ImageFeatures
from nucrec.models._inputs import Images
from nucrec.models._training.recipes import Precision
from nucrec.models._weights import BACKBONES, find_weights, load_weights

if TYPE_CHECKING:
    from nucrec.models._networks.inference import BatchFunction

Array = npt.NDArray[Any]


class Embeddings(ImageFeatures):
    """Convert images to embeddings: the last feature maps of a network, averaged over the image.

    Each image is standardised, so brightness and contrast have no effect. If all images seen by
    ``fit`` are grey or of a single colour, such as the blue of a DAPI stain, colour has no effect
    either: single-colour images are reduced to their one channel, and others to their luma. Rows of
    numbers are passed through unchanged, so embeddings computed once can go through the same
    pipeline.

    Parameters
    ----------
    backbone : str, default="efficientnet-lite0"
        As for `transfer`.
    weights : "imagenet", path or None, default="imagenet"
        As for `transfer`.
    image_size : int, optional
        Height and width in pixels that images are resized to; by default the backbone's own size.
    precision : {"float32", "bfloat16"}, default="float32"
        As for `ImageClassifier`.

    Attributes
    ----------
    n_features_in_ : int
        Length of a row: the embedding's length, or that of the rows passed to ``fit``.
    channels_ : {1, 3}
        1 if colour is ignored, 3 if it is used.
    domain_ : TrainingDomain or None
        As for `PixelFeatures`.

    Examples
    --------
    >>> from nucrec.datasets import load_mnfinder_crops
    >>> from nucrec.models import Embeddings
    >>> Embeddings(image_size=64).fit_transform(load_mnfinder_crops()[:10]).shape
    (10, 1280)
    """

    def __init__(
        self,
        backbone: str = "efficientnet-lite0",
        weights: str | os.PathLike[str] | None = "imagenet",
        image_size: int | None = None,
        precision: Precision = "float32",
    ) -> None:
        self.backbone = backbone
        self.weights = weights
        self.image_size = image_size
        self.precision = precision

    def transform(self, X: Images) -> Array:
        """Return one embedding per image, or the rows unchanged.

        Parameters
        ----------
        X : as for `fit`
            The images or rows to transform.

        Returns
        -------
        ndarray of float32, shape (n, n_features_in_)
            The embeddings.

        Raises
        ------
        WeightsNotAvailableError, WeightsError
            The weights cannot be obtained, or are damaged.
        ImageError
            An image looks like a whole field of view, and the training images are crops of cells.
        ValueError
            The rows are not finite numbers, or differ in length from those passed to `fit`.
        """
        return super().transform(X)

    def _check_parameters(self) -> None:
        check_choice("backbone", self.backbone, BACKBONES)
        check_choice("precision", self.precision, ("float32", "bfloat16"))
        if self.image_size is not None:
            low = BACKBONES[self.backbone].minimum
            check_int("image_size", self.image_size, low=low, high=4096)

    def _learn_colour(self, images: ImageDataset | None) -> None:
        self.channels_ = 3 if images is None else images.channels

    def _row_length(self) -> int:
        return BACKBONES[self.backbone].n_features

    def _rows(self, images: ImageDataset) -> Array:
        size = self.image_size or BACKBONES[self.backbone].image_size
        file = find_weights(BACKBONES[self.backbone], self.weights)
        changed = None if file is None else file.stat().st_mtime_ns
        run_batch = _network(self.backbone, file, changed, size, self.precision)
        from nucrec.models._networks.inference import run_model

        channels = getattr(self, "channels_", 3)  # missing from files written by 0.1.0
        return run_model(lambda batch: run_batch(_in_colour(batch)), images, size, channels)


def _in_colour(batch: Array) -> Array:
    """Return grey or colour images as colour."""
    return batch if batch.shape[3] == 3 else np.repeat(batch, 3, axis=3)


@functools.lru_cache(maxsize=1)
@keras_defaults()
def _network(
    name: str,
    weights: Path | None,
    changed: int | None,  # noqa: ARG001 - another time of change, another file
    size: int,
    precision: Precision,
) -> "BatchFunction":
    """Return the function that embeds a batch. The last one is cached: building it takes seconds."""
    from nucrec.models._networks.build import build_network, embedder

    with layer_seeds(0):
        network, inner = build_network(
            BACKBONES[name],
            image_size=size,
            channels=3,
            n_classes=2,
            standardise=True,
            dropout=0.0,
            precision=precision,
        )
    load_weights(inner, BACKBONES[name], weights)
    run_batch: BatchFunction = embedder(network).predict_on_batch
    return run_batch
