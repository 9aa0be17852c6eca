"""The objects of a label image, numbered 1 to n, each within its own window.

Computations avoid whole images, since each copy would take as much memory as the image.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Window = tuple[slice, slice]

_MOST_FOR_A_LOOK_UP = 2**22
_PIXELS_AT_A_TIME = 2**22


@dataclass(frozen=True, eq=False)
class Objects:
    """The objects of a label image.

    Attributes
    ----------
    image : ndarray of shape (H, W), int32
        The numbers 1 to n of the objects, in the order of their labels; 0 is background.
    labels : ndarray of shape (n,), int64
        Their labels in the original image, ascending.
    """

    image: Array
    labels: Array

    @classmethod
    def of(cls, labels: Array) -> "Objects":
        """Return the objects of a label image with any positive labels."""
        there = _labels_in(labels)
        if len(there) == there.max(initial=0) and labels.dtype == np.int32:
            return cls(labels, there)
        image = np.empty(labels.shape, np.int32)
        for rows in bands(labels):
            image[rows] = np.searchsorted(there, labels[rows], side="right")
        return cls(image, there)

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def windows(self) -> list[Window]:
        """The smallest window that holds each object."""
        from scipy import ndimage

        return list(ndimage.find_objects(self.image, max_label=len(self)))

    @cached_property
    def areas(self) -> Array:
        """The area of each object, in pixels."""
        return np.array([np.count_nonzero(self.mask(k)) for k in range(len(self))], np.int64)

    @property
    def diameters(self) -> Array:
        """The equivalent circle diameter of each object, in pixels."""
        return np.sqrt(4 / np.pi * self.areas)

    @property
    def median_diameter(self) -> float:
        """The median diameter in pixels; NaN without objects."""
        return float(np.median(self.diameters)) if len(self) else float("nan")

    def mask(self, number: int) -> Array:
        """Return the pixels of an object within its window; objects are counted from 0."""
        return np.equal(self.image[self.windows[number]], number + 1)

    def wider(self, number: int, by: int) -> Window:
        """Return the window of an object, widened on each side within the image."""
        rows, columns = self.windows[number]
        return (
            slice(max(0, rows.start - by), rows.stop + by),
            slice(max(0, columns.start - by), columns.stop + by),
        )

    @cached_property
    def outlines(self) -> list[Array]:
        """The pixels (row, column) of each object with a neighbour outside it."""
        return [self._outline(number) for number in range(len(self))]

    def _outline(self, number: int) -> Array:
        rows, columns = self.windows[number]
        padded = np.pad(self.mask(number), 1)
        inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
        pixels = np.argwhere(padded[1:-1, 1:-1] & ~inner)
        return np.add(pixels, (rows.start, columns.start))


def _labels_in(labels: Array) -> Array:
    """Return the labels in the image, ascending."""
    if labels.max(initial=0) <= _MOST_FOR_A_LOOK_UP:
        there = np.zeros(int(labels.max(initial=0)) + 1, bool)
        for rows in bands(labels):
            there[labels[rows]] = True
        there[0] = False
        return np.flatnonzero(there)
    found = np.unique(np.concatenate([np.unique(labels[rows]) for rows in bands(labels)]))
    return found[found > 0].astype(np.int64)


def bands(image: Array) -> Iterator[slice]:
    """Yield the rows of an image in bands."""
    height, width = image.shape
    step = max(1, _PIXELS_AT_A_TIME // max(1, width))
    for start in range(0, height, step):
        yield slice(start, start + step)
