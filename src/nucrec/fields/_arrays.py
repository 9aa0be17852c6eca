"""Validation of pixels and label images from users and files."""

from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._validation import check_finite, check_unmasked, invalid
from nucrec.errors import ImageError

Array = npt.NDArray[Any]
Labels = npt.NDArray[np.int32]

LARGE_NUCLEUS = 0.4
"""Share of a field's shorter side from which a nuclear diameter is remarked on: it is mostly wrong."""

LARGEST_NUCLEUS = 0.5
"""Share from which an image is refused: fewer than four such nuclei would fit, so that it is a crop."""

_MIN_SIDE = 16  # pixels
_CROP_SIDE = 128  # in pixels; the largest of the shipped crops has 126
_LARGEST_LABEL = np.iinfo(np.int32).max


def label_image(name: str, labels: object, shape: tuple[int, ...] | None = None) -> Labels:
    """Return a label image as int32.

    Parameters
    ----------
    name : str
        The parameter's name in error messages.
    labels : array_like of shape (H, W)
        Whole numbers: 0 for the background, and one label per object.
    shape : tuple of int, optional
        The expected shape: that of its field.

    Returns
    -------
    ndarray of shape (H, W), int32
        The label image; `labels` itself if it already has this type.

    Raises
    ------
    InvalidParameterError
        `labels` is not a label image, or has another shape.
    """
    check_unmasked(name, labels)
    array = np.asarray(labels)
    if array.ndim != 2 or array.dtype.kind not in "bui":
        raise invalid(name, "a label image (H, W) of whole numbers", described(array))
    if shape is not None and array.shape != shape:
        raise invalid(name, f"a label image of the field's shape, {shape}", described(array))
    low, high = int(array.min(initial=0)), int(array.max(initial=0))
    if low < 0 or high > _LARGEST_LABEL:
        raise invalid(name, f"labels from 0 to {_LARGEST_LABEL}", low if low < 0 else high)
    return array.astype(np.int32, copy=False)


def check_pixels(name: str, pixels: Array) -> None:
    """Raise unless an array is a usable field: grey, finite, large enough and not constant.

    Raises
    ------
    InvalidParameterError
        The array is not real and finite, or not of shape (H, W).
    ImageError
        The array is less than 16 pixels across, or constant.
    """
    if pixels.ndim != 2 or pixels.dtype.kind not in "buif":
        raise invalid(name, "a real array of shape (H, W)", described(pixels))
    check_finite(name, pixels)
    _check_least(name, pixels.shape)
    if pixels.min() == pixels.max():
        raise ImageError(
            f"{name}: every pixel is {pixels.flat[0]}, so the image is empty: the shutter was "
            "closed, or this is another channel"
        )


def check_size(name: str, shape: tuple[int, ...]) -> None:
    """Raise unless an image is large enough to be a field of view.

    Raises
    ------
    ImageError
        The image is too small, or looks like a crop of a single nucleus.
    """
    _check_least(name, shape)
    if max(shape) < _CROP_SIDE:
        height, width = shape
        raise ImageError(
            f"{name}: {width} x {height} pixels: this looks like a crop of a single nucleus, "
            "not a field of view. Use nucrec predict or nucrec.datasets for crops"
        )


def described(array: Array) -> str:
    """Return dtype and shape for error messages."""
    return f"{array.dtype} of shape {array.shape}"


def _check_least(name: str, shape: tuple[int, ...]) -> None:
    height, width = shape
    if min(shape) < _MIN_SIDE:
        raise ImageError(f"{name}: {width} x {height} pixels are too few for a field of view")
