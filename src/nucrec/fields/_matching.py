"""One-to-one matching of the objects in two label images by the overlap of their pixels."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class Overlaps(NamedTuple):
    """The pairs of objects in two label images that share a pixel.

    Attributes
    ----------
    left, right : ndarray of int, shape (n_pairs,)
        The labels of each pair.
    iou : ndarray of float, shape (n_pairs,)
        The intersection over union of each pair.
    """

    left: Array
    right: Array
    iou: Array


def areas_of(image: Array) -> tuple[Array, Array]:
    """Return the labels in a label image, ascending, and their areas in pixels."""
    return np.unique(image[image > 0], return_counts=True)


def find_overlaps(left: Array, right: Array) -> Overlaps:
    """Return the overlaps of the objects in two label images of the same shape."""
    both = (left > 0) & (right > 0)
    size = int(right.max(initial=0)) + 1
    codes, shared = np.unique(left[both].astype(np.int64) * size + right[both], return_counts=True)
    first, second = np.divmod(codes, size)
    area, other = (
        areas[np.searchsorted(labels, wanted)]
        for wanted, (labels, areas) in zip(
            (first, second), map(areas_of, (left, right)), strict=True
        )
    )
    return Overlaps(first, second, shared / (area + other - shared))


def match(left: Array, right: Array, min_iou: float) -> tuple[Array, Array]:
    """Match the objects of two label images one to one, and return their labels.

    Among all one-to-one matchings of pairs with an intersection over union of at least `min_iou`,
    the result has the most pairs and, among those, the largest sum of intersections over union.

    Parameters
    ----------
    left, right : ndarray of int, shape (H, W)
        Label images; 0 is background.
    min_iou : float
        Greater than 0 and at most 1.

    Returns
    -------
    ndarray of int, shape (n_matches,)
        The labels in `left`, ascending.
    ndarray of int, shape (n_matches,)
        The matching labels in `right`.
    """
    pairs = find_overlaps(left, right)
    good = pairs.iou >= min_iou
    first, second, iou = (part[good] for part in pairs)
    kept = _best_pairs(first, second, iou)
    order = np.argsort(first[kept])
    return first[kept][order], second[kept][order]


def _best_pairs(left: Array, right: Array, iou: Array) -> Array:
    """Return the positions of the pairs that are kept so that no object is in two."""
    alone = _occurs_once(left) & _occurs_once(right)
    contested = np.flatnonzero(~alone)
    chosen = [np.flatnonzero(alone)]
    for group in _connected(left[contested], right[contested]):
        pairs = contested[group]
        chosen.append(pairs[_assign(left[pairs], right[pairs], iou[pairs])])
    return np.concatenate(chosen)


def _occurs_once(values: Array) -> Array:
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray(counts[places] == 1)


def _connected(left: Array, right: Array) -> list[Array]:
    """Return the positions of the pairs, grouped by connected objects."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not left.size:
        return []
    (names, a), (others, b) = (np.unique(v, return_inverse=True) for v in (left, right))
    n = len(names) + len(others)
    graph = coo_array((np.ones(len(a)), (a, b + len(names))), shape=(n, n))
    group = connected_components(graph, directed=False)[1][a]
    return [np.flatnonzero(group == number) for number in np.unique(group)]


def _assign(left: Array, right: Array, iou: Array) -> Array:
    """Return the positions of the matched pairs of a group of objects."""
    from scipy.optimize import linear_sum_assignment

    (names, a), (others, b) = (np.unique(v, return_inverse=True) for v in (left, right))
    most = min(len(names), len(others))
    weights = np.zeros((len(names), len(others)))
    weights[a, b] = most + iou  # one pair more outweighs any sum of overlaps
    rows, columns = linear_sum_assignment(weights, maximize=True)
    taken = np.zeros(weights.shape, bool)
    taken[rows, columns] = True
    return np.flatnonzero(taken[a, b])
