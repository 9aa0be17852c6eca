"""Conversion of images to feature rows for classical classifiers."""

from typing import Any

import numpy.typing as npt

from nucrec._validation import check_int, invalid
from nucrec.datasets import ImageDataset
from nucrec.models._image_features import ImageFeatures
from nucrec.models._inputs import Images

Array = npt.NDArray[Any]


class PixelFeatures(ImageFeatures):
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

    def transform(self, X: Images) -> Array:
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
        ImageError
            An image looks like a whole field of view, and the training images are crops of cells.
        ValueError
            The rows are not finite numbers, or differ in length from those passed to `fit`.
        """
        return super().transform(X)

    def _check_parameters(self) -> None:
        check_int("size", self.size, low=1, high=4096)
        if self.channels not in (1, 3):
            raise invalid("channels", "1 or 3", self.channels)

    def _row_length(self) -> int:
        return self.size * self.size * self.channels

    def _rows(self, images: ImageDataset) -> Array:
        pixels = images.to_array(self.size, self.channels, "float32")
        return pixels.reshape(len(images), -1)
