"""Assignment of each micronucleus to the nucleus whose edge is nearest."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nucrec.fields._objects import Objects

Array = npt.NDArray[Any]

MAX_DISTANCE = 1.25
"""Nuclear diameters between a micronucleus and its nucleus, at most.

Of 2,140 micronuclei that annotators linked to a nucleus, 99.8 % lie within; of 24 that they linked to
none, 3 lie beyond.
"""
_ALMOST_AS_NEAR = 0.6
_BLUR = 0.05  # uncertainty of an outline, in nuclear diameters
_SMALLEST_PARENT = 1 / 5  # share of the median diameter


class Parents(NamedTuple):
    """The nuclei to which micronuclei are assigned.

    Attributes
    ----------
    number : ndarray of shape (m,), int64
        The position of the nucleus of each micronucleus; -1 if none is near enough.
    distance : ndarray of shape (m,), float64
        The gap between both outlines in pixels: 0 if they touch or overlap; infinite if no nucleus
        is within reach.
    ambiguous : ndarray of shape (m,), bool
        Whether another nucleus is almost as near.
    """

    number: Array
    distance: Array
    ambiguous: Array


def assign(
    nuclei: Objects,
    micronuclei: Objects,
    diameter: float,
    *,
    max_distance: float = MAX_DISTANCE,
) -> Parents:
    """Assign each micronucleus to the nucleus whose edge is nearest.

    Of two nuclei at the same distance, the one nearer to the centre of the micronucleus is chosen.
    Objects smaller than a fifth of the median diameter are ignored as debris. In the annotated
    fields, this agrees with the annotators for 95.5 % of the 2,140 micronuclei that they linked to
    a nucleus.

    A micronucleus is ambiguous if the nearest nucleus is more than 0.6 times as far away as the
    second, after 0.05 diameters have been added to both distances for the uncertainty of outlines.
    In the annotated fields, 8.5 % are ambiguous, and 98.0 % of the others are assigned as by the
    annotators.

    Parameters
    ----------
    nuclei, micronuclei : Objects
        The objects found in a field.
    diameter : float
        The median diameter of the nuclei, in pixels.
    max_distance : float, default=1.25
        The largest gap to a nucleus, in diameters.
    """
    number = np.full(len(micronuclei), -1)
    distance = np.full(len(micronuclei), np.inf)
    ambiguous = np.zeros(len(micronuclei), bool)
    bounds = _bounds(nuclei)
    for k, near in enumerate(_in_reach(nuclei, micronuclei, diameter, max_distance)):
        outline = micronuclei.outlines[k]
        nearest, second = _two_nearest(nuclei, near, _to_boxes(bounds[near], outline), outline)
        if nearest.gap <= max_distance * diameter:
            number[k], distance[k] = nearest.number, nearest.gap
            ambiguous[k] = _is_close_call(nearest.gap / diameter, second.gap / diameter)
    return Parents(number, distance, ambiguous)


def _in_reach(
    nuclei: Objects, micronuclei: Objects, diameter: float, max_distance: float
) -> list[Array]:
    """Return, for each micronucleus, the nuclei that it may belong to or that make it ambiguous."""
    from scipy.spatial import cKDTree

    possible = np.flatnonzero(nuclei.diameters >= _SMALLEST_PARENT * diameter)
    if not len(possible) or not len(micronuclei):
        return [possible] * len(micronuclei)
    middles, reaches = _middles(nuclei)
    spots, radii = _middles(micronuclei)
    farthest = (max_distance + _BLUR) / _ALMOST_AS_NEAR * diameter + 1
    tree = cKDTree(middles[possible])
    found = tree.query_ball_point(spots, farthest + reaches[possible].max() + radii)
    return [possible[np.array(each, np.int64)] for each in found]


def _middles(objects: Objects) -> tuple[Array, Array]:
    """Return the centre of each object's window, and the distance of its corners from it."""
    bounds = _bounds(objects).reshape(-1, 2, 2)
    return bounds.mean(axis=2), np.hypot(*np.diff(bounds, axis=2)[..., 0].T) / 2


def _bounds(objects: Objects) -> Array:
    """Return the first and last row, first and last column of each object, of shape (n, 4)."""
    boxes = [(r.start, r.stop - 1, c.start, c.stop - 1) for r, c in objects.windows]
    return np.array(boxes, np.int64).reshape(-1, 4)


def _to_boxes(boxes: Array, pixels: Array) -> Array:
    """Return the gap between pixels and each box, a lower bound for the objects inside."""
    (top, left), (bottom, right) = pixels.min(axis=0), pixels.max(axis=0)
    rows = np.maximum(boxes[:, 0] - bottom, top - boxes[:, 1]).clip(0)
    columns = np.maximum(boxes[:, 2] - right, left - boxes[:, 3]).clip(0)
    return np.asarray(np.hypot(rows, columns)) - 1


class _Nucleus(NamedTuple):
    """A nucleus as seen from a micronucleus; the nearer one is the smaller tuple."""

    gap: float
    to_middle: float
    number: int


_NONE = _Nucleus(np.inf, np.inf, -1)


def _two_nearest(
    nuclei: Objects, possible: Array, at_least: Array, outline: Array
) -> tuple[_Nucleus, _Nucleus]:
    """Return the nearest and the second nearest nucleus, without examining boxes too far away."""
    nearest = second = _NONE
    for i in np.argsort(at_least):
        if at_least[i] > second.gap:
            break
        seen = _seen_from(outline, nuclei, int(possible[i]))
        nearest, second, _ = sorted((nearest, second, seen))
    return nearest, second


def _seen_from(outline: Array, nuclei: Objects, number: int) -> _Nucleus:
    from scipy.spatial.distance import cdist

    middle = outline.mean(axis=0, keepdims=True)
    apart = cdist(np.concatenate([outline, middle]), nuclei.outlines[number])
    inside = (nuclei.image[outline[:, 0], outline[:, 1]] == number + 1).any()
    gap = 0.0 if inside else max(0.0, float(apart[:-1].min()) - 1)  # adjacent pixels are 1 apart
    return _Nucleus(gap, float(apart[-1].min()), number)


def _is_close_call(nearest: float, second: float) -> bool:
    return nearest + _BLUR > _ALMOST_AS_NEAR * (second + _BLUR)
