"""From images to rows of numbers that classical classifiers take."""

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
    """Turn images into rows of pixel values: one size, grey or colour, from 0 to 1.

    A row of numbers that is no image is passed on as it is, so that features computed once can go
    through the same pipeline.

    Parameters
    ----------
    size : int, default=32
        Height and width that each image is resized to, in pixels.
    channels : {1, 3}, default=1
        1 for grey (ITU-R BT.601), 3 for colour.

    Attributes
    ----------
    n_features_in_ : int
        Length of a row: ``size * size * channels``, or that of the rows that were passed.
    domain_ : TrainingDomain or None
        What the images look like that it was fitted on; None for rows. By that `predict_folder` tells
        which images are unlike the training images of a classifier that begins with this step.

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
        """Learn the length of a row, and what the images look like.

        Parameters
        ----------
        X : ImageDataset, array of shape (n, H, W) or (n, H, W, C), list of images, or rows (n, m)
            What will be transformed.
        y : ignored
            For scikit-learn.

        Returns
        -------
        PixelFeatures
            This object.

        Raises
        ------
        InvalidParameterError
            A parameter is out of range, or X holds something that is no image.
        ValueError
            The rows are not finite numbers.
        """
        images = self._learn_length(X)
        self.domain_ = TrainingDomain.of(images) if images is not None and len(images) else None
        return self

    def transform(self, X: ImageDataset | npt.ArrayLike) -> Array:
        """Return one row of float32 for each image, or the rows as they are.

        Parameters
        ----------
        X : as for `fit`
            What to transform.

        Returns
        -------
        ndarray of shape (n, n_features_in_)
            Pixels in rows from the upper left, 8-bit images divided by 255, all others scaled by
            their percentiles as `nucrec.datasets.rescale_intensity` does.

        Raises
        ------
        ValueError
            As in `fit`, or the rows are not as long as in `fit`.
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
        """Learn all that `transform` needs; return the images, or None for rows."""
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
