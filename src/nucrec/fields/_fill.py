"""Filling of outlines with pixels."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec.errors import ImageError

Array = npt.NDArray[Any]
Labels = npt.NDArray[np.int32]

_FARTHEST = 1e6  # pixels
_AT_ONCE = 1 << 20  # maximum number of crossings of edges and rows in memory


class Drawing:
    """A label image to draw objects into, later ones over earlier ones.

    Parameters
    ----------
    shape : tuple of int
        Height and width in pixels.
    name : str
        The name of the file of outlines in error messages.
    """

    def __init__(self, shape: tuple[int, int], name: str) -> None:
        self.labels: Labels = np.zeros(shape, np.int32)
        self._name = name

    def add(self, label: int, paths: Sequence[Array]) -> None:
        """Draw an object.

        Parameters
        ----------
        label : int
            The label of the object.
        paths : sequence of ndarray of shape (n, 2)
            The outlines as x and y of their corners, in pixels from the outer corner of the first
            pixel; an outline within another is a hole.

        Raises
        ------
        ImageError
            An outline extends far outside the image.
        """
        closed = [path for path in paths if len(path) >= 3]
        if not closed:
            return
        corners = np.concatenate(closed)
        height, width = self.labels.shape
        if not self._is_inside(corners):
            raise ImageError(
                f"{self._name}: object {label} lies outside the field ({width} x {height} "
                "pixels): its outlines belong to another image, or are not in pixels"
            )
        top, bottom = _span(corners[:, 1], height)
        left, right = _span(corners[:, 0], width)
        if top < bottom and left < right:
            inside = _inside([path - (left, top) for path in closed], bottom - top, right - left)
            self.labels[top:bottom, left:right][inside] = label

    def _is_inside(self, corners: Array) -> bool:
        """Return whether a part of an object lies inside the image, and none far outside it."""
        height, width = self.labels.shape
        low, high = corners.min(axis=0), corners.max(axis=0)
        near = bool((abs(corners) <= _FARTHEST).all())  # False for NaN
        return near and bool(((low < (width, height)) & (high > 0)).all())


def _span(values: Array, most: int) -> tuple[int, int]:
    """Return the first pixel that values reach within an image, and the one after the last."""
    low, high = np.clip((np.floor(values.min()), np.ceil(values.max())), 0, most)
    return int(low), int(high)


def _inside(paths: Iterable[Array], height: int, width: int) -> Array:
    """Return the pixels whose centre lies inside an odd number of outlines."""
    crossings = np.zeros((height, width + 1), np.int64)
    for path in paths:
        for rows, x in _edges_at_rows(np.asarray(path, np.float64), height):
            columns = np.clip(np.ceil(x - 0.5), 0, width).astype(np.int64)
            np.add.at(crossings, (rows, columns), 1)
    return np.asarray(np.cumsum(crossings, axis=1)[:, :width] % 2 == 1)


def _edges_at_rows(path: Array, height: int) -> Iterator[tuple[Array, Array]]:
    """Yield, in parts, the rows whose middle line a closed outline crosses, and the crossings."""
    x0, y0 = path.T
    x1, y1 = np.roll(path, -1, axis=0).T
    first, last = (
        np.clip(np.ceil(y - 0.5), 0, height).astype(np.int64)
        for y in (np.minimum(y0, y1), np.maximum(y0, y1))
    )
    n = last - first
    part = np.cumsum(n) // _AT_ONCE
    for edges in np.split(np.arange(len(path)), np.flatnonzero(np.diff(part)) + 1):
        of = n[edges]
        edge = np.repeat(edges, of)
        rows = first[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(of) - of, of)
        share = (rows + 0.5 - y0[edge]) / (y1 - y0)[edge]
        yield rows, x0[edge] + share * (x1 - x0)[edge]
