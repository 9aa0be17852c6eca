"""The contrast of a field: the brightness of background and nuclei."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from nucrec.fields._segmentation.strips import filtered

Array = npt.NDArray[Any]

_BINS = 256
_BRIGHTEST = 99.8  # percentile, so that a few bright mitoses do not determine the scale
_TINY = float(np.finfo(np.float32).tiny)
_FAINTEST = 6.0  # in units of the noise
_HOT, _STEEP = 0.3, 1.5  # minimum excess over the brightest neighbour: in nuclei, as a ratio
_NEIGHBOURS = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], bool)
_NEAR = 10.0  # in pixels: standard deviation of the filter for a pixel's surroundings


class Contrast(NamedTuple):
    """The intensities of a field, in its own units.

    Attributes
    ----------
    background : float
        Median of the pixels below Otsu's threshold.
    nuclei : float
        Median of the pixels above the threshold.
    noise : float
        Standard deviation of a background pixel relative to its neighbours.
    bright_share : float
        Share of the pixels above the threshold.
    """

    background: float
    nuclei: float
    noise: float
    bright_share: float

    @property
    def signal_to_noise(self) -> float:
        """The contrast of nuclei to background, in units of the noise."""
        span = self.nuclei - self.background
        return span / max(self.noise, 1e-9 * span, _TINY)


def measure_contrast(pixels: Array) -> Contrast:
    """Return the contrast of a field.

    Parameters
    ----------
    pixels : ndarray of shape (H, W)
        The field, of any real dtype.

    Notes
    -----
    The threshold is that of N. Otsu, IEEE Trans. Syst. Man Cybern. 9 (1979), pp. 62-66.
    """
    step = max(1, int(np.sqrt(pixels.size / 4e6)))  # for a very large field, evenly spaced rows
    smooth = ndimage.uniform_filter(pixels[:, ::step].astype(np.float32), 3)[::2, ::2]
    low, high = np.percentile(smooth, [0.1, _BRIGHTEST])
    bright = smooth > _otsu(np.clip(smooth, low, high))
    background = float(np.median(smooth[~bright] if not bright.all() else smooth))
    nuclei = float(np.median(smooth[bright])) if bright.any() else background
    noise = _noise(pixels, nuclei, background)
    return Contrast(background, nuclei, noise, float(bright.mean()))


def _otsu(values: Array) -> float:
    """Return Otsu's threshold, which maximises the between-class variance."""
    counts, edges = np.histogram(values, _BINS)
    centres = (edges[1:] + edges[:-1]) / 2
    below = np.cumsum(counts)[:-1]
    above = values.size - below
    sums = np.cumsum(counts * centres)
    means_below = sums[:-1] / np.maximum(below, 1)
    means_above = (sums[-1] - sums[:-1]) / np.maximum(above, 1)
    return float(centres[np.argmax(below * above * (means_above - means_below) ** 2)])


def _noise(pixels: Array, nuclei: float, background: float) -> float:
    """Estimate the noise from second differences of dark pixels, which are zero for smooth light."""
    rows = pixels[:: max(1, pixels.shape[0] // 256)].astype(np.float32)
    if rows.shape[1] < 3:
        return 0.0
    second = rows[:, 2:] - 2 * rows[:, 1:-1] + rows[:, :-2]
    dark = rows[:, 1:-1] < (nuclei + background) / 2
    found = np.abs(second[dark])
    return float(1.4826 * np.median(found) / np.sqrt(6)) if found.size else 0.0


def normalised(pixels: Array, contrast: Contrast) -> Array:
    """Return the field as float32, normalised to 0 for the background and 1 for a nucleus.

    Contrast of less than a multiple of the noise is not a nucleus, so a field without cells stays
    dark.
    """
    span = max(contrast.nuclei - contrast.background, _FAINTEST * contrast.noise, _TINY)
    result: Array = pixels.astype(np.float32)
    result -= np.float32(contrast.background)
    result /= np.float32(span)
    return result


def without_hot_pixels(field: Array) -> tuple[Array, int]:
    """Return a field without hot pixels of the camera, and their number.

    Optics spread light over several pixels, so a pixel far brighter than all eight neighbours is
    not a micronucleus. It is replaced by the brightest neighbour.

    Parameters
    ----------
    field : ndarray of shape (H, W)
        float32, 0 for the background and 1 for a nucleus.
    """

    def brightest_neighbour(part: Array) -> Array:
        return np.asarray(ndimage.maximum_filter(part, footprint=_NEIGHBOURS))

    around = filtered(brightest_neighbour, field, reach=1, dtype=np.float32)
    hot = field - around > _HOT + _STEEP * np.maximum(around, 0)
    n = int(np.count_nonzero(hot))
    return (np.where(hot, around, field), n) if n else (field, 0)


def network_input(field: Array) -> Array:
    """Return the input of the network.

    Parameters
    ----------
    field : ndarray of shape (H, W)
        float32, 0 for the background and 1 for a nucleus.

    Returns
    -------
    ndarray of shape (H, W, 3)
        Three float32 channels: the intensity, the intensity on a compressive scale, and the
        difference of each pixel from its surroundings in units of their standard deviation.
    """
    x = np.clip(field, -0.5, 4.0)
    difference = x - ndimage.gaussian_filter(x, _NEAR, truncate=2.0)
    spread = np.sqrt(ndimage.gaussian_filter(difference * difference, _NEAR, truncate=2.0))
    result = np.empty((*x.shape, 3), np.float32)
    result[..., 0] = np.clip(x, -0.5, 2.0) * 1.3 - 1.0
    result[..., 1] = np.arcsinh(10.0 * x) / np.arcsinh(10.0) * 1.5 - 1.0
    result[..., 2] = 0.7 * difference / (spread + 0.05)
    return result
