"""Find pairs of windows that were cut from the same place and overlap."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from nucrec._threads import available_cores
from nucrec.audit._thumbnails import gaussian_matrix, grey, projected, standardised

Array = npt.NDArray[Any]

_FINE, _COARSE = 0.8, 1.6  # blur, in pixels
_REACH = 4  # pixels that a spot keeps from the border; also half of the patch around it
_APART = 2  # pixels to each side in which a spot is the strongest
_SPOTS = 24
_LEAST = 0.01  # grey levels by which a spot stands out
_CLOSE = 0.12  # distance of patches of length 1: they correlate by 0.993
_DIMENSIONS = 12
_SLACK = 2.0  # a neighbour up to three times as far as the nearest may stand for it
_QUERIES = 5000
_NEIGHBOURS = (8, 40, 200)
_SAME = 0.97
"""Correlation of two windows where they overlap; noise included, they show the same pixels."""
_SAME_DETAIL = 0.9
"""That of what a blur takes away."""


class Overlaps(NamedTuple):
    """Pairs of windows, by their indices.

    Attributes
    ----------
    a, b : ndarray of int, shape (n,)
        Indices; a < b.
    similarity : ndarray of float, shape (n,)
        Correlation of the overlapping parts.
    share : ndarray of float, shape (n,)
        The overlap, as a share of the smaller window.
    """

    a: Array
    b: Array
    similarity: Array
    share: Array


class _Spots(NamedTuple):
    """Salient spots of images: the surrounding patch, the image, and the position."""

    patches: Array
    image: Array
    row: Array
    column: Array


class _Overlap(NamedTuple):
    """The overlap of two images: its position in each, its size, and its share of the smaller."""

    first: tuple[int, int]
    second: tuple[int, int]
    height: int
    width: int
    share: float

    @classmethod
    def of(cls, a: tuple[int, ...], b: tuple[int, ...], down: int, right: int) -> "_Overlap":
        """Compute the overlap of two image shapes, the second shifted down and right."""
        top, left = max(0, down), max(0, right)
        height = max(0, min(a[0], b[0] + down) - top)
        width = max(0, min(a[1], b[1] + right) - left)
        share = height * width / min(a[0] * a[1], b[0] * b[1])
        return cls((top, left), (top - down, left - right), height, width, share)

    def cut(self, a: Array, b: Array) -> tuple[Array, Array]:
        """Return the overlapping part of both images, in greyscale."""
        corners = zip((a, b), (self.first, self.second), strict=True)
        first, second = (
            grey(image)[top : top + self.height, left : left + self.width]
            for image, (top, left) in corners
        )
        return first, second


def match_windows(
    images: Callable[[int], Array],
    shapes: Sequence[tuple[int, ...]],
    min_overlap: float,
    step: Callable[[int], None],
) -> Overlaps:
    """Return the pairs of images that are windows of one picture at the same scale.

    Salient spots are located in each image. If two images have a spot in common, they are aligned at
    it and compared pixel by pixel.

    Parameters
    ----------
    images : callable
        Returns the image with a given index.
    shapes : sequence of tuple of int
        (H, W) or (H, W, C) of each image.
    min_overlap : float
        The smallest overlap, as a share of the smaller window.
    step : callable
        Called with the number of images that have been processed.
    """
    spots = _find_spots((images(i) for i in range(len(shapes))), step)
    found: dict[tuple[int, int], tuple[float, float]] = {}
    for a, b, down, right in _displacements(spots):
        if (a, b) in found:
            continue
        overlap = _Overlap.of(shapes[a], shapes[b], down, right)
        if overlap.share < min_overlap or min(overlap.height, overlap.width) < 2 * _REACH:
            continue
        first, second = overlap.cut(images(a), images(b))
        similarity = _correlation(first, second)
        if similarity >= _SAME and _correlation(*map(_detail, (first, second))) >= _SAME_DETAIL:
            found[a, b] = similarity, overlap.share
    pairs = np.array(list(found), int).reshape(-1, 2)
    values = np.array(list(found.values()), float).reshape(-1, 2)
    return Overlaps(pairs[:, 0], pairs[:, 1], values[:, 0], values[:, 1])


def _find_spots(images: Iterable[Array], step: Callable[[int], None]) -> _Spots:
    none = np.zeros(0, int)
    parts = [_Spots(np.zeros((0, (2 * _REACH + 1) ** 2), np.float32), none, none, none)]
    for i, image in enumerate(images):
        row, column, patches = _spots_of(grey(image))
        parts.append(_Spots(patches, np.full(len(row), i), row, column))
        step(i + 1)
    patches, owner, row, column = (np.concatenate(each) for each in zip(*parts, strict=True))
    return _Spots(patches, owner, row, column)


def _spots_of(image: Array) -> tuple[Array, Array, Array]:
    """Return rows and columns of the strongest bright and dark spots, and the patches around them."""
    from scipy.ndimage import maximum_filter

    side = 2 * _REACH + 1
    if min(image.shape) < side + 2 * _APART:
        return np.zeros(0, int), np.zeros(0, int), np.zeros((0, side**2), np.float32)
    response = np.abs(_blurred(image, _FINE) - _blurred(image, _COARSE))
    response = response[_REACH:-_REACH, _REACH:-_REACH]
    around = maximum_filter(response, 2 * _APART + 1, mode="constant")
    row, column = np.nonzero((response >= around) & (response > _LEAST))
    strongest = np.argsort(-response[row, column], kind="stable")[:_SPOTS]
    row, column = row[strongest], column[strongest]
    patches = standardised(sliding_window_view(image, (side, side))[row, column])
    return row, column, patches.reshape(-1, side**2)


def _displacements(spots: _Spots) -> Iterator[tuple[int, int, int, int]]:
    """Yield (a, b, down, right): two images with a common spot, and the offset of b from a.

    Offsets that most spots agree on come first.
    """
    from scipy.spatial import KDTree

    if len(spots.patches) < 2:
        return
    points = projected(spots.patches, _DIMENSIONS)
    tree = KDTree(points)
    parts = []
    for start in range(0, len(points), _QUERIES):
        i, j = _alike(spots.patches, points, tree, range(start, min(start + _QUERIES, len(points))))
        i, j = i[spots.image[i] != spots.image[j]], j[spots.image[i] != spots.image[j]]
        i, j = np.where(spots.image[i] < spots.image[j], [i, j], [j, i])
        down, right = spots.row[i] - spots.row[j], spots.column[i] - spots.column[j]
        parts.append(np.stack([spots.image[i], spots.image[j], down, right], axis=1))
    found, count = np.unique(np.concatenate(parts), axis=0, return_counts=True)
    for a, b, down, right in found[np.argsort(-count, kind="stable")].tolist():
        yield a, b, down, right


def _alike(patches: Array, points: Array, tree: Any, spots: Iterable[int]) -> tuple[Array, Array]:
    """Return pairs of spots with similar patches: each query with its nearest neighbours.

    The number of neighbours is limited, so that the cost of a spot does not grow with the number of
    images. Identical pixels are always nearest, so merely similar ones cannot hide them.
    """
    asked = np.asarray(spots)
    found = [(np.zeros(0, int), np.zeros(0, int))]
    for neighbours in _NEIGHBOURS:
        k = min(neighbours, len(points))
        # projected patches are no further apart than the patches themselves
        _, nearest = tree.query(
            points[asked],
            np.arange(1, k + 1),
            eps=_SLACK,
            distance_upper_bound=_CLOSE,
            workers=available_cores(),
        )
        row, column = np.nonzero(nearest < len(points))
        i, j = asked[row], nearest[row, column]
        close = np.linalg.norm(patches[i] - patches[j], axis=1) <= _CLOSE
        all_close = np.bincount(row[close], minlength=len(asked)) == k
        done = close & (~all_close[row] | (neighbours == _NEIGHBOURS[-1]))
        found.append((i[done], j[done]))
        asked = asked[all_close]
        if not len(asked):
            break
    first, second = (np.concatenate(each) for each in zip(*found, strict=True))
    return first, second


def _correlation(first: Array, second: Array) -> float:
    return round(float((standardised(first) * standardised(second)).sum()), 5)


def _detail(image: Array) -> Array:
    return np.asarray(image - _blurred(image, _COARSE))


def _blurred(image: Array, sigma: float) -> Array:
    down, right = (gaussian_matrix(length, sigma) for length in image.shape)
    return np.asarray(down @ image @ right.T)
