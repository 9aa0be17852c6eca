"""The connected pieces of each label in a mask."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_LEAST_PIXELS = 4
_LEAST_SHARE = 0.05  # share of the largest piece of a label; smaller pieces are stray pixels
_FAR = 2.5  # extent of a label with pieces far apart, in diameters of its largest piece


@dataclass(frozen=True)
class Pieces:
    """The number of 8-connected pieces of each label.

    Attributes
    ----------
    labels : ndarray of shape (n,)
        The labels, ascending.
    counts : ndarray of shape (n,)
        The numbers of pieces, without stray pixels.
    scattered : ndarray of shape (n,), bool
        Whether the pieces of a label lie farther apart than those of one broken nucleus.
    """

    labels: Array
    counts: Array
    scattered: Array

    @classmethod
    def of(cls, image: Array) -> "Pieces":
        """Return the pieces of a label image of shape (H, W)."""
        runs = _Runs.of(image)
        piece = runs.components()
        n = int(piece.max(initial=-1)) + 1
        areas = np.bincount(piece, runs.lengths, minlength=n)
        label_of = np.zeros(n, runs.values.dtype)
        label_of[piece] = runs.values
        labels, owner = np.unique(label_of, return_inverse=True)
        largest = np.zeros(len(labels))
        np.maximum.at(largest, owner, areas)
        counted = areas >= np.maximum(_LEAST_SHARE * largest, _LEAST_PIXELS)[owner]
        counts = np.maximum(np.bincount(owner[counted], minlength=len(labels)), 1)
        extents = runs.extents(owner[piece], counted[piece], len(labels))
        far = extents > _FAR * np.sqrt(4 / np.pi * largest)
        return cls(labels, counts, (counts > 1) & far)


@dataclass(frozen=True)
class _Runs:
    """Runs of adjacent pixels with the same label, by rows from left to right."""

    rows: Array
    starts: Array
    stops: Array
    values: Array
    width: int

    @classmethod
    def of(cls, image: Array) -> "_Runs":
        change = image[:, 1:] != image[:, :-1]
        edge = np.ones((len(image), 1), bool)
        rows, starts = np.nonzero(np.hstack([edge, change]) & (image > 0))
        _, last = np.nonzero(np.hstack([change, edge]) & (image > 0))
        return cls(rows, starts, last + 1, image[rows, starts], image.shape[1])

    @property
    def lengths(self) -> Array:
        return self.stops - self.starts

    def components(self) -> Array:
        """Return, for each run, the number of its piece, counted from 0."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        above, below = self._neighbours()
        alike = self.values[above] == self.values[below]
        pairs = above[alike], below[alike]
        graph = coo_array((np.ones(len(pairs[0]), bool), pairs), shape=(len(self.rows),) * 2)
        return np.asarray(connected_components(graph, directed=False)[1])

    def _neighbours(self) -> tuple[Array, Array]:
        """Return pairs of runs in which the second touches the first from the row below."""
        stride = self.width + 2  # separates the ends of consecutive rows
        row_below = (self.rows + 1) * stride
        first = np.searchsorted(self.rows * stride + self.stops, row_below + self.starts)
        end = np.searchsorted(self.rows * stride + self.starts, row_below + self.stops, "right")
        n = np.maximum(end - first, 0)
        above = np.repeat(np.arange(len(n)), n)
        offsets = np.arange(len(above)) - np.repeat(np.cumsum(n) - n, n)
        return above, np.repeat(first, n) + offsets

    def extents(self, owner: Array, kept: Array, n: int) -> Array:
        """Return the longer side of the box around the kept runs of each owner, in pixels."""
        sides = []
        for low, high in ((self.rows, self.rows + 1), (self.starts, self.stops)):
            least, most = np.full(n, np.iinfo(np.int64).max), np.zeros(n, np.int64)
            np.minimum.at(least, owner[kept], low[kept])
            np.maximum.at(most, owner[kept], high[kept])
            sides.append(most - least)
        return np.asarray(np.maximum(*sides))
