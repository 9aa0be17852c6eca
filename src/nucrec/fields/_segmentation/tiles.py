"""Prediction of a field in overlapping tiles, with bounded memory and without seams."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nucrec.fields._segmentation.contrast import network_input

Array = npt.NDArray[Any]

STRIDE = 16
"""The network halves a tile four times: its sides are multiples of this, and so are its places."""

_TILE = 1024  # in pixels; a field of up to this size is one tile
_MARGIN = 96  # margin in pixels around the part of a tile that is kept

NUCLEUS, BORDER, MICRONUCLEUS = 1, 2, 3
"""Classes of pixels that the network tells from the background, 0."""


class Maps(NamedTuple):
    """The class probabilities of each pixel, as uint8 maps of shape (H, W) from 0 to 255."""

    nucleus: Array
    border: Array
    micronucleus: Array


def predict_maps(network: Callable[[Array], Array], field: Array) -> Maps:
    """Return the class probabilities of each pixel.

    Parameters
    ----------
    network : callable
        The network from (1, h, w, 3) float32, with h and w multiples of `STRIDE`, to probabilities
        (1, h, w, 4).
    field : ndarray of shape (H, W)
        float32, 0 for the background and 1 for a nucleus, at the scale of the network.
    """
    maps = np.empty((3, *field.shape), np.uint8)
    for seen, answered in _tiles(field.shape):
        maps[:, *answered.field] = _answer(network, field[seen])[:, *answered.tile]
    return Maps(*maps)


class _Part(NamedTuple):
    """The kept part of a tile, in coordinates of the field and of the tile."""

    field: tuple[slice, slice]
    tile: tuple[slice, slice]


def _tiles(shape: tuple[int, ...]) -> Iterator[tuple[tuple[slice, slice], _Part]]:
    for rows, row_part, row_tile in _spans(shape[0]):
        for columns, column_part, column_tile in _spans(shape[1]):
            part = _Part((row_part, column_part), (row_tile, column_tile))
            yield (rows, columns), part


def _spans(length: int) -> Iterator[tuple[slice, slice, slice]]:
    """Yield the span of each tile, its kept part, and the position of that part in the tile."""
    if length <= _TILE + 2 * _MARGIN:
        yield slice(0, length), slice(0, length), slice(0, length)
        return
    for start in range(0, length, _TILE):
        stop = min(start + _TILE, length)
        low, high = max(0, start - _MARGIN), min(length, stop + _MARGIN)
        yield slice(low, high), slice(start, stop), slice(start - low, stop - low)


def _answer(network: Callable[[Array], Array], tile: Array) -> Array:
    height, width = tile.shape
    padding = ((0, -height % STRIDE), (0, -width % STRIDE))
    padded = np.pad(tile, padding, mode="symmetric")
    found = network(network_input(padded)[np.newaxis])[0, :height, :width, 1:]
    answer: Array = np.moveaxis(np.rint(found * 255), -1, 0).astype(np.uint8)
    return answer
