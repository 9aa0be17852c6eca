"""The scale of a field: its nuclear diameter in pixels."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from nucrec._pixels.resample import resize

Array = npt.NDArray[Any]

DIAMETER = 40.0
"""Nuclear diameter, in pixels, at the scale at which a network is trained."""

TYPICAL = 14.0
"""Nuclear diameter, in um, assumed at first in a field of known pixel size."""

_MOST_PIXELS = 4e5
_ROUND = 2.5  # maximum area relative to the largest inscribed circle; larger objects are clumps
_LEAST = 4.0  # in pixels: smaller specks are noise


def estimate_diameter(field: Array) -> float:
    """Estimate the nuclear diameter from bright round objects.

    Parameters
    ----------
    field : ndarray of shape (H, W)
        float32, 0 for the background and 1 for a nucleus.

    Returns
    -------
    float
        The diameter in pixels; NaN if nothing is bright. Half the area of roundish objects is in
        larger ones.
    """
    shrink = max(1.0, float(np.sqrt(field.size / _MOST_PIXELS)))
    small = at_scale(field, 1 / shrink)
    bodies, n = ndimage.label(ndimage.gaussian_filter(small, 1.0) > 0.5)
    if n == 0:
        return float("nan")
    areas = np.bincount(bodies.ravel(), minlength=n + 1)[1:]
    depth = ndimage.distance_transform_edt(bodies > 0)
    radii = np.asarray(ndimage.maximum(depth, bodies, np.arange(1, n + 1)))
    diameters = 2 * np.sqrt(areas / np.pi)
    roundish = (areas < _ROUND * np.pi * radii**2) & (diameters >= _LEAST)
    if not roundish.any():
        return float(2 * radii.max() * shrink)
    return _weighted_median(diameters[roundish], areas[roundish]) * shrink


def _weighted_median(values: Array, weights: Array) -> float:
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, reached[-1] / 2)])


def at_scale(image: Array, factor: float) -> Array:
    """Return a float32 image enlarged by a factor; for factors below 1, it is averaged first."""
    height, width = (max(1, round(side * factor)) for side in image.shape)
    if factor < 1:
        image = ndimage.gaussian_filter(image, 0.4 * (1 / factor - 1) + 0.2)
    return resize(image, (height, width))


def labels_at(labels: Array, shape: tuple[int, ...]) -> Array:
    """Return a label image resampled to another shape: for each pixel, the label at its centre."""
    rows, columns = (
        ((np.arange(to) + 0.5) * (old / to)).astype(int)
        for old, to in zip(labels.shape, shape, strict=True)
    )
    return labels[np.ix_(rows, columns)].astype(np.int32)
