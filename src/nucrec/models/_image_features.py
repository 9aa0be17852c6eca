"""The base of all transformers from images to feature rows."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from nucrec.datasets import ImageDataset
from nucrec.models._domain import TrainingDomain, learn_domain, refuse_fields
from nucrec.models._inputs import Images, as_images, check_classes

Array = npt.NDArray[Any]


class ImageFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Convert images to feature rows, and pass rows of numbers through unchanged.

    A subclass defines the valid parameters, and the length and content of a row.

    Attributes
    ----------
    n_features_in_ : int
        The row length.
    domain_ : TrainingDomain or None
        Properties of the images passed to `fit`; None for rows.
    """

    n_features_in_: int
    domain_: TrainingDomain | None

    def fit(self, X: Images, y: Any = None) -> Self:
        """Learn the row length and the properties of the training images.

        Parameters
        ----------
        X : ImageDataset, array of shape (n, H, W) or (n, H, W, C), list of images, or rows (n, m)
            The training images, or rows of features.
        y : array_like of shape (n,), optional
            The classes of images, which are only checked; ignored for rows.

        Returns
        -------
        self
            The fitted transformer itself.

        Raises
        ------
        InvalidParameterError
            A parameter is out of range, `X` contains an item that is not an image, or all images
            are of one class.
        MissingExtraError
            `X` contains images, and a package that the features need is not installed.
        ValueError
            The rows are not finite numbers.

        Warns
        -----
        LeakageWarning
            A property of the files alone predicts the class (`nucrec.datasets.find_shortcuts`).
        DataWarning
            Training images look like whole fields of view, or images with identical pixels have
            different labels.
        """
        self._check_parameters()
        images = as_images(X)
        if images is None:
            validate_data(self, X)
        else:
            self._check_installed()
            check_classes(images, y)
            self.n_features_in_ = self._row_length()
        self._learn_colour(images)
        self.domain_ = learn_domain(images) if images is not None and len(images) else None
        return self

    def transform(self, X: Images) -> Array:
        """Return one row per image, or the rows unchanged.

        Parameters
        ----------
        X : as for `fit`
            The images or rows to transform.

        Returns
        -------
        ndarray of float32, shape (n, n_features_in_)
            One row per image.

        Raises
        ------
        ImageError
            An image looks like a whole field of view, and the training images are crops of cells.
        ValueError
            The rows are not finite numbers, or differ in length from those passed to `fit`.
        """
        check_is_fitted(self)
        images = as_images(X)
        if images is None:
            return np.asarray(validate_data(self, X, reset=False))
        refuse_fields(getattr(self, "domain_", None), images, f"the {type(self).__name__}")
        return self._rows_of(images)

    def fit_transform(self, X: Images, y: Any = None) -> Array:
        """Fit, and return one row per training image, or the rows unchanged.

        Parameters
        ----------
        X, y : as for `fit`
            The training images, or rows of features.

        Returns
        -------
        ndarray of float32, shape (n, n_features_in_)
            One row per image; fields of view among the training images are no error.
        """
        images = as_images(X)
        if images is None:
            return np.asarray(super().fit_transform(X))
        return self.fit(images, y)._rows_of(images)

    def _rows_of(self, images: ImageDataset) -> Array:
        if self.n_features_in_ != self._row_length():
            raise ValueError(
                f"X has images, but was fitted on rows of {self.n_features_in_} numbers"
            )
        return self._rows(images)

    def _check_parameters(self) -> None:
        raise NotImplementedError

    def _check_installed(self) -> None:
        """Raise if a package that the features need is not installed."""

    def _learn_colour(self, images: ImageDataset | None) -> None:
        """Learn whether colour is used; `images` is None for rows."""

    def _row_length(self) -> int:
        raise NotImplementedError

    def _rows(self, images: ImageDataset) -> Array:
        raise NotImplementedError
