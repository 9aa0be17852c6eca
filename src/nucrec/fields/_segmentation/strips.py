"""Filters of a large image a strip at a time, so that their memory does not grow with the image."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec.fields._objects import bands

Array = npt.NDArray[Any]


def filtered(function: Callable[..., Array], *images: Array, reach: int, dtype: Any) -> Array:
    """Return what a filter gives, applied to strips of rows.

    Parameters
    ----------
    function : callable
        From strips of the images to an array of the same shape.
    *images : ndarray of shape (H, W)
        What it takes.
    reach : int
        Rows beyond which a pixel has no influence: the result is that of the whole image.
    dtype : dtype
        Of the result.
    """
    result = np.empty(images[0].shape, dtype)
    for rows in bands(result):
        low = max(0, rows.start - reach)
        strip = function(*(image[low : rows.stop + reach] for image in images))
        result[rows] = strip[rows.start - low : rows.stop - low]
    return result


def count_pixels(labels: Array, n: int, where: Array | None = None) -> Array:
    """Return the number of pixels of the labels 0 to n, in all the image or where it says so."""
    counts = np.zeros(n + 1, np.int64)
    for rows in bands(labels):
        part = labels[rows] if where is None else labels[rows][where[rows]]
        counts += np.bincount(part.ravel(), minlength=n + 1)
    return counts


def largest_values(labels: Array, n: int, values: Array) -> Array:
    """Return the largest value of each of the labels 0 to n; 0 for labels without a pixel."""
    largest = np.zeros(n + 1, values.dtype)
    for rows in bands(labels):
        present = labels[rows] > 0
        np.maximum.at(largest, labels[rows][present], values[rows][present])
    return largest
