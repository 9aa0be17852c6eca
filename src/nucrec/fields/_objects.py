"""The objects of a label image, numbered 1 to n, each with the part of the image that holds it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_MOST_FOR_A_LOOK_UP = 2**22


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
        """Return the objects of a label image, whose labels may be any positive numbers."""
        if labels.max(initial=0) <= _MOST_FOR_A_LOOK_UP:
            there = np.bincount(labels.ravel()) > 0
            there[:1] = False
            numbers = np.cumsum(there, dtype=np.int32) * there
            return cls(numbers.astype(np.int32)[labels], np.flatnonzero(there))
        found, image = np.unique(labels, return_inverse=True)
        known = found[found > 0].astype(np.int64)
        shift = len(found) - len(known)  # 1 where there is background
        return cls((image.reshape(labels.shape) + 1 - shift).astype(np.int32), known)

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def boxes(self) -> list[tuple[slice, slice]]:
        """The smallest window that holds each object."""
        from scipy import ndimage

        return list(ndimage.find_objects(self.image, max_label=len(self)))

    @cached_property
    def areas(self) -> Array:
        """The number of pixels of each object."""
        return np.bincount(self.image.ravel(), minlength=len(self) + 1)[1:]

    @property
    def diameters(self) -> Array:
        """The diameter of the circle of the same area, of each object, in pixels."""
        return np.sqrt(4 / np.pi * self.areas)

    def mask(self, number: int) -> Array:
        """Return the pixels of an object within its window, numbered from 0."""
        return np.equal(self.image[self.boxes[number]], number + 1)

    @cached_property
    def outlines(self) -> list[Array]:
        """The pixels (row, column) of each object that have a neighbour outside of it."""
        return [self._outline(number) for number in range(len(self))]

    def _outline(self, number: int) -> Array:
        rows, columns = self.boxes[number]
        padded = np.pad(self.mask(number), 1)
        inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
        pixels = np.argwhere(padded[1:-1, 1:-1] & ~inner)
        return np.add(pixels, (rows.start, columns.start))
