"""Measurement of the size, shape and brightness of objects in a field."""

from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec.fields._objects import Objects

Array = npt.NDArray[Any]

_PIXELS_FOR_A_MEDIAN = 2**18


def shapes(objects: Objects) -> dict[str, Array]:
    """Return the centre of each object, x (column) and y (row), and its eccentricity.

    Pixel centres have whole coordinates. The eccentricity is that of the ellipse with the same
    second moments as the object [1]_: 0 for a circle, near 1 for a line.

    References
    ----------
    .. [1] scikit-image, `skimage.measure.regionprops`.
    """
    rows = [_shape(objects, number) for number in range(len(objects))]
    x, y, eccentricity = np.array(rows, np.float64).reshape(-1, 3).T
    return {"x": x, "y": y, "eccentricity": eccentricity}


def _shape(objects: Objects, number: int) -> tuple[float, float, float]:
    rows, columns = np.nonzero(objects.mask(number))
    row, column = rows.mean(), columns.mean()
    down, right = rows - row, columns - column
    high, wide, both = np.mean(down * down), np.mean(right * right), np.mean(down * right)
    spread = np.sqrt((high - wide) ** 2 / 4 + both**2)
    larger = (high + wide) / 2 + spread
    eccentricity = np.sqrt(2 * spread / larger) if larger > 0 else 0.0  # moment of one pixel
    top, left = (each.start for each in objects.windows[number])
    return left + column, top + row, eccentricity


def solidities(objects: Objects) -> Array:
    """Return the area of each object divided by that of its convex hull: 1 if it is convex.

    The hull consists of the pixels whose centres lie in the convex hull of the midpoints of all
    sides of the object's pixels [1]_.

    References
    ----------
    .. [1] scikit-image, `skimage.morphology.convex_hull_image`.
    """
    hulls = [_hull_area(objects.mask(number)) for number in range(len(objects))]
    return objects.areas / np.array(hulls, np.float64)


def _hull_area(mask: Array) -> int:
    """Return the number of pixels in the convex hull of a mask."""
    first = np.where(mask.any(axis=1), mask.argmax(axis=1), np.inf)
    last = mask.shape[1] - 1 - np.where(mask.any(axis=1), mask[:, ::-1].argmax(axis=1), np.inf)
    left = _lower_hull(first)
    right = -_lower_hull(-last)
    return int((np.floor(right + 1e-9) - np.ceil(left - 1e-9) + 1).clip(0).sum())


def _lower_hull(first: Array) -> Array:
    """Return the start of the convex hull in each row, for pixels that start at `first`."""
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
    """Return whether a point lies on the line between its neighbours, or to the right of it."""
    along, down = after[0] - before[0], after[1] - before[1]
    return (point[0] - before[0]) * down >= along * (point[1] - before[1])


def mean_intensities(objects: Objects, image: Array) -> Array:
    """Return the mean intensity of each object."""
    means = [
        image[window][objects.mask(number)].mean(dtype=np.float64)
        for number, window in enumerate(objects.windows)
    ]
    return np.array(means, np.float64)


def background(objects: Objects, image: Array) -> float:
    """Return the median of the pixels outside all objects; 0 if there are none.

    For a large image, it is computed from some hundred thousand evenly spaced pixels.
    """
    step = max(1, round((image.size / _PIXELS_FOR_A_MEDIAN) ** 0.5))
    some = image[::step, ::step]
    outside = some[objects.image[::step, ::step] == 0]
    return float(np.median(outside)) if outside.size else 0.0
