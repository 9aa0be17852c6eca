"""Filters of a large image a strip at a time, so that their memory does not grow with the image."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_ROWS = 1024


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
    height = images[0].shape[0]
    result = np.empty(images[0].shape, dtype)
    for start in range(0, height, _ROWS):
        stop, low = min(start + _ROWS, height), max(0, start - reach)
        strip = function(*(image[low : stop + reach] for image in images))
        result[start:stop] = strip[start - low : stop - low]
    return result


def count_pixels(labels: Array, n: int, where: Array | None = None) -> Array:
    """Return the number of pixels of the labels 0 to n, in all the image or where it says so."""
    counts = np.zeros(n + 1, np.int64)
    for rows in _strips(labels):
        part = labels[rows] if where is None else labels[rows][where[rows]]
        counts += np.bincount(part.ravel(), minlength=n + 1)
    return counts


def largest_values(labels: Array, n: int, values: Array) -> Array:
    """Return the largest value of each of the labels 0 to n; 0 for labels without a pixel."""
    largest = np.zeros(n + 1, values.dtype)
    for rows in _strips(labels):
        present = labels[rows] > 0
        np.maximum.at(largest, labels[rows][present], values[rows][present])
    return largest


def _strips(image: Array) -> Iterator[slice]:
    for start in range(0, image.shape[0], _ROWS):
        yield slice(start, start + _ROWS)
