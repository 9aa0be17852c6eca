"""Sizes, shapes and brightness of objects in a field."""

from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec.fields._objects import Objects

Array = npt.NDArray[Any]


def centroids(objects: Objects) -> tuple[Array, Array]:
    """Return x (the column) and y (the row) of the centre of each object; pixel centres are whole."""
    rows, columns = _moments(objects)[:2]
    return columns, rows


def _moments(objects: Objects) -> tuple[Array, ...]:
    """Return the mean row and column of each object, and the variances and covariance of both."""
    pixels = np.flatnonzero(objects.image)
    number = objects.image.ravel()[pixels] - 1
    rows, columns = np.divmod(pixels, objects.image.shape[1])

    def mean(values: Array) -> Array:
        return np.bincount(number, values, len(objects)) / objects.areas

    row, column = mean(rows), mean(columns)
    down, right = rows - row[number], columns - column[number]
    return row, column, mean(down**2), mean(right**2), mean(down * right)


def eccentricities(objects: Objects) -> Array:
    """Return the eccentricity of each object: 0 is a circle, near 1 a line.

    That of the ellipse with the second moments of the object [1]_.

    References
    ----------
    .. [1] scikit-image, `skimage.measure.regionprops`.
    """
    _, _, rows, columns, both = _moments(objects)
    spread = np.sqrt((rows - columns) ** 2 / 4 + both**2)
    larger = (rows + columns) / 2 + spread
    found = np.zeros(len(objects))  # a single pixel is as good as round
    np.divide(2 * spread, larger, out=found, where=larger > 0)
    return np.sqrt(found)


def solidities(objects: Objects) -> Array:
    """Return the area of each object over that of its convex hull: 1 is convex.

    The pixels of the hull are those whose centres lie in the convex hull of the midpoints of all
    sides of the object's pixels [1]_.

    References
    ----------
    .. [1] scikit-image, `skimage.morphology.convex_hull_image`.
    """
    hulls = [_hull_area(objects.mask(number)) for number in range(len(objects))]
    return objects.areas / np.array(hulls, np.float64)


def _hull_area(mask: Array) -> int:
    """Return how many pixels the convex hull of a mask has."""
    first = np.where(mask.any(axis=1), mask.argmax(axis=1), np.inf)
    last = mask.shape[1] - 1 - np.where(mask.any(axis=1), mask[:, ::-1].argmax(axis=1), np.inf)
    left = _lower_hull(first)
    right = -_lower_hull(-last)
    return int((np.floor(right + 1e-9) - np.ceil(left - 1e-9) + 1).clip(0).sum())


def _lower_hull(first: Array) -> Array:
    """Return where the convex hull begins in each row, of pixels that begin at `first`."""
    padded = np.concatenate([[np.inf], first, [np.inf]])
    x = np.empty(2 * len(first) + 1)
    x[::2], x[1::2] = (
        np.minimum(padded[:-1], padded[1:]),
        first - 0.5,
    )  # horizontal sides, left sides
    y = np.arange(len(x)) / 2 - 0.5
    there = np.isfinite(x)
    chain: list[tuple[float, float]] = []
    for point in zip(x[there].tolist(), y[there].tolist(), strict=True):
        while len(chain) > 1 and _is_no_corner(chain[-2], chain[-1], point):
            chain.pop()
        chain.append(point)
    corners = np.array(chain)
    return np.asarray(np.interp(np.arange(len(first)), corners[:, 1], corners[:, 0]))


def _is_no_corner(
    before: tuple[float, float], point: tuple[float, float], after: tuple[float, float]
) -> bool:
    """Tell whether a point lies on the line between its neighbours, or to the right of it."""
    along, down = after[0] - before[0], after[1] - before[1]
    return (point[0] - before[0]) * down >= along * (point[1] - before[1])


def mean_intensities(objects: Objects, image: Array) -> Array:
    """Return the mean of the pixels of each object."""
    total = np.bincount(objects.image.ravel(), image.ravel(), len(objects) + 1)[1:]
    return np.asarray(total / objects.areas)


def background(objects: Objects, image: Array) -> float:
    """Return the median of the pixels that belong to no object; 0 where there are none."""
    outside = image[objects.image == 0]
    return float(np.median(outside)) if outside.size else 0.0
