"""Embeddings of images by a frozen pre-trained network, as features for classical classifiers."""

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from nucrec._keras import keras_defaults, layer_seeds
from nucrec._validation import check_choice, check_int
from nucrec.datasets import ImageDataset
from nucrec.models._domain import TrainingDomain
from nucrec.models._inputs import Images, as_images
from nucrec.models._training.recipes import Precision
from nucrec.models._weights import BACKBONES, find_weights, load_weights

if TYPE_CHECKING:
    from nucrec.models._networks.inference import BatchFunction

Array = npt.NDArray[Any]


class Embeddings(TransformerMixin, BaseEstimator):  # type: ignore[misc]
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

    def fit(self, X: Images, y: object = None) -> Self:
        """Learn the row length, whether to use colour, and the properties of the training images.

        Parameters
        ----------
        X : ImageDataset, array of shape (n, H, W) or (n, H, W, C), list of images, or rows (n, m)
            The training images, or rows of features.
        y : ignored
            Present for compatibility with scikit-learn.

        Returns
        -------
        Embeddings
            The fitted transformer itself.

        Raises
        ------
        InvalidParameterError
            A parameter is out of range, or `X` contains an item that is not an image.
        ValueError
            The rows are not finite numbers.
        """
        images = self._learn_length(X)
        self.domain_ = TrainingDomain.of(images) if images is not None and len(images) else None
        return self

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
        ValueError
            The rows are not finite numbers, or differ in length from those passed to `fit`.
        """
        check_is_fitted(self)
        images = as_images(X)
        if images is None:
            return np.asarray(validate_data(self, X, reset=False))
        backbone = BACKBONES[self.backbone]
        if self.n_features_in_ != backbone.n_features:
            raise ValueError(
                f"X has images, but was fitted on rows of {self.n_features_in_} numbers"
            )

        size = self.image_size or backbone.image_size
        file = find_weights(backbone, self.weights)
        changed = None if file is None else file.stat().st_mtime_ns
        run_batch = _network(self.backbone, file, changed, size, self.precision)
        from nucrec.models._networks.inference import run_model

        channels = getattr(self, "channels_", 3)  # missing from files written by 0.1.0
        return run_model(lambda batch: run_batch(_in_colour(batch)), images, size, channels)

    def _learn_length(self, X: Images) -> ImageDataset | None:
        """Learn everything `transform` needs; return the images, or None for rows."""
        check_choice("backbone", self.backbone, BACKBONES)
        check_choice("precision", self.precision, ("float32", "bfloat16"))
        if self.image_size is not None:
            low = BACKBONES[self.backbone].minimum
            check_int("image_size", self.image_size, low=low, high=4096)
        images = as_images(X)
        if images is None:
            validate_data(self, X)
        else:
            self.n_features_in_ = BACKBONES[self.backbone].n_features
        self.channels_ = 3 if images is None else images.channels
        return images


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
