"""Measurements of an image cytometrist, as features for classical classifiers."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from nucrec._optional import require
from nucrec._validation import check_int
from nucrec.datasets import ImageDataset
from nucrec.models._image_features import ImageFeatures
from nucrec.models._inputs import Images
from nucrec.models._measures import nucleus, spots
from nucrec.models._measures.scene import Scene

Array = npt.NDArray[Any]

_DESCRIPTIONS = {**nucleus.DESCRIPTIONS, **spots.DESCRIPTIONS}


class MorphologyFeatures(ImageFeatures):
    """Convert images of single cells to measurements of shape, intensity, texture and spots.

    The nucleus is the object in the centre, segmented at a threshold half-way between background and
    nucleus, or at another one if that merges it with a neighbour. Intensities are scaled to 0 in the
    background and 1 in the nucleus, and lengths are in diameters of the nucleus. The measurements are
    therefore independent of intensity range and orientation; image size has an effect only through
    interpolation. The images are assumed to be optical, with edges blurred by about a pixel. Candidate
    micronuclei are sought outside nuclei: the three highest spots of a top-hat transform, differences
    of Gaussians at four scales, and small separate objects above four thresholds. `descriptions`
    explains each measurement.

    Requires scikit-image (``pip install "nucrec[morphology]"``). Rows of numbers are passed through
    unchanged, so measurements made once can go through the same pipeline.

    Parameters
    ----------
    size : int, default=64
        Length that the longer side of each image is resized to before it is measured, in pixels.

    Attributes
    ----------
    n_features_in_ : int
        Length of a row: the number of measurements, or the length of the rows passed to ``fit``.
    domain_ : TrainingDomain or None
        As for `PixelFeatures`.

    References
    ----------
    - R. M. Haralick, K. Shanmugam, I. Dinstein, "Textural features for image classification", IEEE
      Transactions on Systems, Man, and Cybernetics 3, 1973, pp. 610-621.
    - T. Ojala, M. Pietikäinen, T. Mäenpää, "Multiresolution gray-scale and rotation invariant texture
      classification with local binary patterns", IEEE Transactions on Pattern Analysis and Machine
      Intelligence 24, 2002, pp. 971-987.
    - T. Lindeberg, "Feature detection with automatic scale selection", International Journal of
      Computer Vision 30, 1998, pp. 79-116: blob detection, which differences of Gaussians approximate.
    - S. van der Walt et al., "scikit-image: image processing in Python", PeerJ 2:e453, 2014.

    Examples
    --------
    >>> from nucrec.datasets import load_mnfinder_crops
    >>> from nucrec.models import MorphologyFeatures
    >>> crops = load_mnfinder_crops()[:5]
    >>> measured = MorphologyFeatures().fit(crops)
    >>> names = measured.get_feature_names_out()
    >>> measured.transform(crops).shape == (5, len(names))
    True
    >>> MorphologyFeatures.descriptions()["solidity"]
    'Area as a share of its convex hull'
    """

    def __init__(self, size: int = 64) -> None:
        self.size = size

    @staticmethod
    def descriptions() -> dict[str, str]:
        """Return the description of each measurement, by name, in column order.

        Returns
        -------
        dict of str to str
            The names and descriptions.
        """
        return dict(_DESCRIPTIONS)

    def transform(self, X: Images) -> Array:
        """Return one row of measurements per image, or the rows unchanged.

        Parameters
        ----------
        X : as for `fit`
            The images or rows to transform.

        Returns
        -------
        ndarray of float32, shape (n, n_features_in_)
            Finite values, with columns in the order of `descriptions`.

        Raises
        ------
        MissingExtraError
            `X` contains images, and scikit-image is not installed.
        ImageError
            An image looks like a whole field of view, and the training images are crops of cells.
        ValueError
            The rows are not finite numbers, or differ in length from those passed to `fit`.
        """
        return super().transform(X)

    def get_feature_names_out(self, input_features: npt.ArrayLike | None = None) -> Array:
        """Return the name of each column.

        Parameters
        ----------
        input_features : array_like of str, optional
            Column names of rows that are passed through; ignored for images.

        Returns
        -------
        ndarray of str objects, shape (n_features_in_,)
            The names in `descriptions`; for rows of another length the given names, or "x0", "x1",
            ...
        """
        check_is_fitted(self)
        if self.n_features_in_ == len(_DESCRIPTIONS):
            return np.array(list(_DESCRIPTIONS), dtype=object)
        given = [f"x{k}" for k in range(self.n_features_in_)]
        return np.array(given if input_features is None else input_features, dtype=object)

    def _check_parameters(self) -> None:
        check_int("size", self.size, low=32, high=512)

    def _check_installed(self) -> None:
        require("skimage", extra="morphology")

    def _row_length(self) -> int:
        return len(_DESCRIPTIONS)

    def _rows(self, images: ImageDataset) -> Array:
        rows = np.zeros((len(images), len(_DESCRIPTIONS)), np.float32)
        for row, image in zip(rows, images.images, strict=True):
            row[:] = list(_measured(np.asarray(image), self.size))
        return rows


def _measured(image: Array, size: int) -> Iterator[float]:
    """Yield the measurements of one image, in the order of their descriptions."""
    scene = Scene.of(image, size)
    found = nucleus.measure_nucleus(scene) | spots.measure_spots(scene)
    return (found[name] for name in _DESCRIPTIONS)
