"""Conversion of images to feature rows for classical classifiers."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from nucrec._validation import check_int, invalid
from nucrec.datasets import ImageDataset
from nucrec.models._domain import TrainingDomain
from nucrec.models._inputs import as_images

Array = npt.NDArray[Any]


class PixelFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Convert images to rows of pixel values: resized, in grey or colour, from 0 to 1.

    Rows of numbers are passed through unchanged, so features computed once can go through the same
    pipeline.

    Parameters
    ----------
    size : int, default=32
        Height and width that each image is resized to, in pixels.
    channels : {1, 3}, default=1
        1 for grey (ITU-R BT.601), 3 for colour.

    Attributes
    ----------
    n_features_in_ : int
        Length of a row: ``size * size * channels``, or the length of the rows passed to ``fit``.
    domain_ : TrainingDomain or None
        The range of properties of the training images; None for rows. `predict_folder` uses it to
        recognise images that are unlike the training images of a classifier that begins with this
        step.

    Examples
    --------
    >>> from nucrec.datasets import load_mnfinder_crops
    >>> from nucrec.models import PixelFeatures
    >>> PixelFeatures(size=16).fit_transform(load_mnfinder_crops()).shape
    (306, 256)
    """

    def __init__(self, size: int = 32, channels: int = 1) -> None:
        self.size = size
        self.channels = channels

    def fit(self, X: ImageDataset | npt.ArrayLike, y: object = None) -> Self:
        """Learn the row length and the properties of the training images.

        Parameters
        ----------
        X : ImageDataset, array of shape (n, H, W) or (n, H, W, C), list of images, or rows (n, m)
            The training images, or rows of features.
        y : ignored
            Present for compatibility with scikit-learn.

        Returns
        -------
        PixelFeatures
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

    def transform(self, X: ImageDataset | npt.ArrayLike) -> Array:
        """Return one row of float32 per image, or the rows unchanged.

        Parameters
        ----------
        X : as for `fit`
            The images or rows to transform.

        Returns
        -------
        ndarray of shape (n, n_features_in_)
            Pixel values in row-major order: 8-bit images divided by 255, all others scaled by their
            percentiles, as by `nucrec.datasets.rescale_intensity`.

        Raises
        ------
        ValueError
            The rows are not finite numbers, or differ in length from those passed to `fit`.
        """
        check_is_fitted(self)
        images = as_images(X)
        if images is None:
            return np.asarray(validate_data(self, X, reset=False))
        if self.n_features_in_ != self.size * self.size * self.channels:
            raise ValueError(
                f"X has images, but was fitted on rows of {self.n_features_in_} numbers"
            )
        pixels = images.to_array(self.size, self.channels, "float32")
        return pixels.reshape(len(images), -1)

    def _learn_length(self, X: ImageDataset | npt.ArrayLike) -> ImageDataset | None:
        """Learn everything `transform` needs; return the images, or None for rows."""
        self._check_parameters()
        images = as_images(X)
        if images is None:
            validate_data(self, X)
        else:
            self.n_features_in_ = self.size * self.size * self.channels
        return images

    def _check_parameters(self) -> None:
        check_int("size", self.size, low=1, high=4096)
        if self.channels not in (1, 3):
            raise invalid("channels", "1 or 3", self.channels)
