"""Measurements of the appearance of an image: intensity, sharpness, colour and bright objects."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nucrec._pixels.image import ImageSource
from nucrec._pixels.intensity import as_dtype, to_channels

Array = npt.NDArray[Any]

_THUMBNAIL = 256  # length in pixels of the longer side at which objects are sought
_LARGE_OBJECT = 0.25  # as a share of the largest object's area
_ALIKE = 0.95  # correlation from which two channels show the same picture; lossy files lower it
_BRIGHTEST = 99.9  # percentile above which pixels are clipped: debris, hot pixels
_CENTRE = 6  # the centre of an image reaches a sixth of its shorter side to each side
_FAINT = 0.05  # a channel has content from this share of the largest standard deviation


class Measures(NamedTuple):
    """The measurements of one image: sizes in pixels, intensities and extent from 0 to 1."""

    height: int
    width: int
    brightness: float
    background: float
    sharpness: float
    extent: float


class Objects(NamedTuple):
    """The bright objects of one image.

    Attributes
    ----------
    n : int
        The number of objects that have at least a quarter of the area of the largest.
    largest : float
        The diameter of a circle with the area of the largest, as a share of the longer side.
    """

    n: int
    largest: float


def measure(grey: Array) -> Measures:
    """Measure an image that `grey_of` returned."""
    last = grey.size - 1
    places = [last // 2, last * 99 // 100]
    median, high = np.partition(grey, places, axis=None)[places].tolist()
    height, width = grey.shape
    sharpness = _sharpness(grey.astype(np.float32))
    return Measures(height, width, high / 255, median / 255, sharpness, _extent(grey))


def grey_of(source: ImageSource) -> Array:
    """Return the image as models receive it: grey, uint8."""
    return as_dtype(to_channels(source.in_grey().read(), 1)[..., 0], "uint8")


def n_pictures(source: ImageSource) -> int:
    """Return how many channels show different pictures; 1 for grey and for images of one colour."""
    if len(source.shape) == 2 or source.shape[2] < 3 or source.in_grey() is not source:
        return 1
    bands = np.moveaxis(source.read()[..., :3], -1, 0).reshape(3, -1).astype(float)
    contrast = bands.std(axis=1)
    filled = bands[(contrast > 0) & (contrast >= _FAINT * contrast.max())]
    different = 0
    for k, alike in enumerate(np.atleast_2d(np.corrcoef(filled)) if len(filled) else ()):
        different += bool((np.abs(alike[:k]) < _ALIKE).all())
    return max(different, 1)


def _sharpness(grey: Array) -> float:
    """Return the mean squared Laplacian divided by the mean squared gradient; 0 for a flat image."""
    if min(grey.shape) < 3:
        return 0.0
    across, down = np.diff(grey, axis=1), np.diff(grey, axis=0)
    gradient = _mean_square(across) + _mean_square(down)
    laplacian = np.diff(across, axis=1)[1:-1] + np.diff(down, axis=0)[:, 1:-1]
    return _mean_square(laplacian) / gradient if gradient else 0.0


def _mean_square(values: Array) -> float:
    return float(np.vdot(values, values)) / values.size


def _extent(grey: Array) -> float:
    """Return the share of the height or width, whichever is larger, that the central object spans."""
    from scipy import ndimage

    pixels = _thumbnail(grey).round().astype(np.uint8) if max(grey.shape) > _THUMBNAIL else grey
    labels, n = ndimage.label(pixels > _otsu(np.bincount(pixels.ravel(), minlength=256)))
    height, width = pixels.shape
    reach = max(1, min(height, width) // _CENTRE)
    rows, columns = (slice(max(0, k // 2 - reach), k // 2 + reach + 1) for k in (height, width))
    counts = np.bincount(labels[rows, columns].ravel(), minlength=n + 1)
    counts[0] = 0
    if not counts.any():
        return 0.0
    central = labels == counts.argmax()
    across, down = _span(central.any(axis=0)), _span(central.any(axis=1))
    return float(max(across / width, down / height))


def _span(is_in: Array) -> int:
    """Return the distance from the first to the last true value, both included."""
    places = np.flatnonzero(is_in)
    return int(places[-1] - places[0] + 1)


def find_objects(grey: Array) -> Objects:
    """Find bright objects not much smaller than the largest: nuclei rather than micronuclei."""
    from scipy import ndimage

    smooth = ndimage.uniform_filter(_thumbnail(grey), 3)
    clipped = np.minimum(smooth, np.percentile(smooth, _BRIGHTEST))
    counts, edges = np.histogram(clipped, 256)
    dark = _otsu(counts)
    labels, n = ndimage.label(clipped > edges[dark] / 2 + edges[dark + 1] / 2)
    if not n:
        return Objects(0, 0.0)
    areas = np.bincount(labels.ravel(), minlength=n + 1)[1:]
    diameter = 2 * np.sqrt(areas.max() / np.pi)
    n_large = int((areas >= _LARGE_OBJECT * areas.max()).sum())
    return Objects(n_large, float(diameter / max(smooth.shape)))


def _thumbnail(grey: Array) -> Array:
    """Return block means of the image, at most 256 per row."""
    side = -(-max(grey.shape) // _THUMBNAIL)
    rows, columns = (max(length // side, 1) for length in grey.shape)
    cut = grey[: rows * side, : columns * side].astype(np.float32)
    blocks = cut.reshape(rows, cut.shape[0] // rows, columns, cut.shape[1] // columns)
    return np.asarray(blocks.mean(axis=(1, 3)))


def _otsu(counts: Array) -> int:
    """Return Otsu's threshold of a histogram: the last bin of the dark pixels.

    N. Otsu, "A threshold selection method from gray-level histograms", IEEE Transactions on Systems,
    Man, and Cybernetics 9, 1979.
    """
    levels = np.arange(len(counts))
    dark, total = np.cumsum(counts, dtype=float), np.cumsum(counts * levels, dtype=float)
    both = dark * (dark[-1] - dark)
    apart = (total * dark[-1] - total[-1] * dark) ** 2 / np.maximum(both, 1)
    return int(apart[:-1].argmax())
