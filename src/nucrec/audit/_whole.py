"""Find pairs of whole images that are duplicates."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nucrec.audit._thumbnails import Thumbnails, directions, invariants, projected, symmetries

Array = npt.NDArray[Any]

_DIMENSIONS, _DIMENSIONS_TURNED = 64, 64
_CELLS_AT_ONCE = 2**23  # of the table of distances, to bound memory
_ROUNDING = 1e-5  # of half a squared distance; candidates are compared again
_PAIRS = 20_000
_AT_ONCE = 8192  # pictures
_PLAIN_SLACK = 0.5
"""How far from 1 the correlation of the thumbnails may be, relative to that of their detail."""
_USUAL_RESIDUAL = 6.0
"""Grey levels that differ in each pixel, between different images that are much alike."""
_MOST_TOLERANT = 2.0


class Match(NamedTuple):
    """Pairs of pictures, by their indices.

    Attributes
    ----------
    a, b : ndarray of int, shape (n,)
        Indices; a < b.
    similarity : ndarray of float, shape (n,)
        Correlation of the detail under the best symmetry.
    symmetry : ndarray of int, shape (n,)
        The best symmetry, numbered as in `symmetries`; 0 is the identity.
    """

    a: Array
    b: Array
    similarity: Array
    symmetry: Array


def match_whole(thumbnails: Thumbnails, similarity: float, step: Callable[[int], None]) -> Match:
    """Return the pairs of thumbnails that reach a similarity under any of the 8 symmetries.

    The correlation of the detail must reach `similarity`, and that of the plain thumbnails a higher
    value, because any two round nuclei look alike as a whole. The threshold is lower if the images
    differ by a few grey levels only, as a faint image does from itself after lossy compression.

    Parameters
    ----------
    thumbnails : Thumbnails
        Thumbnails of different images.
    similarity : float
        The threshold, from 0 to 1.
    step : callable
        Called with the number of images that have been looked up.
    """
    found = [
        _verified(thumbnails, a, b, similarity)
        for a, b in _candidates(thumbnails, similarity, step)
    ]
    empty = Match(*(np.zeros(0, dtype) for dtype in (int, int, float, int)))
    return Match(*map(np.concatenate, zip(empty, *found, strict=True)))


def _candidates(
    thumbnails: Thumbnails, similarity: float, step: Callable[[int], None]
) -> Iterator[tuple[Array, Array]]:
    """Yield candidate pairs of indices, which include every pair that is similar enough."""
    varied = np.flatnonzero(thumbnails.detail.any(axis=(1, 2)))
    if len(varied) < 2:
        return
    detail = thumbnails.detail[varied]
    radius = _distance(1 - _MOST_TOLERANT * (1 - similarity)) + 1e-6
    # few numbers for each of the 8 positions: no two pictures are further apart by them than they are
    few = directions(detail.reshape(len(detail), -1), _DIMENSIONS_TURNED)
    starts = range(_AT_ONCE, len(detail), _AT_ONCE)
    parts = np.split(detail, starts)  # there are eight of each picture for a moment
    turned = np.concatenate([_turned(part) @ few for part in parts], axis=1)
    points = projected(np.concatenate([invariants(part) for part in parts]), _DIMENSIONS)
    for a, b, done in _within(points, radius):
        for first in range(0, len(a), _PAIRS):
            i, j = a[first : first + _PAIRS], b[first : first + _PAIRS]
            apart = ((turned[:, i] - turned[0, j]) ** 2).sum(axis=2).min(axis=0)
            close = apart <= radius**2
            yield varied[i[close]], varied[j[close]]
        step(done)


def _turned(pictures: Array) -> Array:
    """Return pictures of shape (n, s, s) in all 8 symmetries, as rows: (8, n, s * s)."""
    return np.stack([each.reshape(len(pictures), -1) for each in symmetries(pictures)])


def _within(points: Array, radius: float) -> Iterator[tuple[Array, Array, int]]:
    """Yield index pairs, a < b, of points within a radius, and the number of points looked up.

    All distances are computed as matrix products: in so many dimensions, a search tree would visit
    most points anyway, one by one.
    """
    half = (points**2).sum(axis=1) / 2
    start = 0
    while start < len(points):
        stop = start + max(1, _CELLS_AT_ONCE // (len(points) - start))
        distance = half[start:] - points[start:stop] @ points[start:].T
        distance += half[start:stop, np.newaxis]
        a, b = np.nonzero(distance <= radius**2 / 2 + _ROUNDING)
        yield a[a < b] + start, b[a < b] + start, min(stop, len(points))
        start = stop


def _verified(thumbnails: Thumbnails, a: Array, b: Array, similarity: float) -> Match:
    plain, detail = (
        np.stack(
            [np.einsum("nij,nij->n", turned, pictures[b]) for turned in symmetries(pictures[a])]
        )
        for pictures in (thumbnails.plain, thumbnails.detail)
    )
    best = np.argmax(plain + detail, axis=0)
    one = np.arange(len(a))
    alike = np.clip(detail[best, one].astype(float), 0, 1)
    contrast = np.minimum(thumbnails.contrast[a], thumbnails.contrast[b])
    residual = np.sqrt(1 - alike**2) * contrast
    tolerance = np.sqrt(_USUAL_RESIDUAL / np.maximum(residual, 1e-6))
    tolerated = (1 - similarity) * np.minimum(tolerance, _MOST_TOLERANT)
    kept = (1 - alike <= tolerated) & (1 - plain[best, one] <= _PLAIN_SLACK * tolerated)
    return Match(a[kept], b[kept], alike[kept], best[kept])


def _distance(correlation: float) -> float:
    """Return the distance between two pictures of length 1 with the given correlation."""
    return float(np.sqrt(2 * (1 - correlation)))
