"""Filtering of large images in strips, so that memory does not grow with the image."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec.fields._objects import bands

Array = npt.NDArray[Any]


def filtered(function: Callable[..., Array], *images: Array, reach: int, dtype: Any) -> Array:
    """Apply a filter to strips of rows, and return the whole result.

    Parameters
    ----------
    function : callable
        The filter, from strips of the images to an array of the same shape.
    *images : ndarray of shape (H, W)
        The arguments of the filter.
    reach : int
        Number of rows beyond which a pixel has no influence, so that strips give the same result as
        the whole image.
    dtype : dtype
        The dtype of the result.
    """
    result = np.empty(images[0].shape, dtype)
    for rows in bands(result):
        low = max(0, rows.start - reach)
        strip = function(*(image[low : rows.stop + reach] for image in images))
        result[rows] = strip[rows.start - low : rows.stop - low]
    return result


def count_pixels(labels: Array, n: int, where: Array | None = None) -> Array:
    """Return the number of pixels with each of the labels 0 to n, in the whole image or a part."""
    counts = np.zeros(n + 1, np.int64)
    for rows in bands(labels):
        part = labels[rows] if where is None else labels[rows][where[rows]]
        counts += np.bincount(part.ravel(), minlength=n + 1)
    return counts


def largest_values(labels: Array, n: int, values: Array) -> Array:
    """Return the largest value for each of the labels 0 to n; 0 for labels without pixels."""
    largest = np.zeros(n + 1, values.dtype)
    for rows in bands(labels):
        present = labels[rows] > 0
        np.maximum.at(largest, labels[rows][present], values[rows][present])
    return largest
