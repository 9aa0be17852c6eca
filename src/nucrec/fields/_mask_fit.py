"""Test whether a nuclear mask covers the bright regions of its field."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec.fields._objects import Objects

Array = npt.NDArray[Any]

_BLOCKS = 8  # number of compared pixels across a nucleus
_MOST_BLOCKS = 4e6
_PIXELS_AT_A_TIME = 2**22
_REACH = 2.0  # in diameters: range of the shifts tried
_AROUND = 1 / 6  # in diameters: width of the surroundings that a label is compared with
_MOST_LABELS = 200
_BRIGHTER = 0.1  # share of the range of intensities


@dataclass(frozen=True)
class Fit:
    """The agreement of a mask with its field.

    Attributes
    ----------
    as_is : float
        The correlation between mask and intensities, from -1 to 1.
    best : float
        The largest correlation for shifts of the mask by up to two diameters.
    shift : tuple of int
        That shift in pixels: how far to move the mask down and to the right.
    diameter : float
        The median diameter of the labels, in pixels.
    n_labels, n_brighter : int
        Number of labels compared with their surroundings, and of those that are brighter.
    """

    as_is: float
    best: float
    shift: tuple[int, int]
    diameter: float
    n_labels: int
    n_brighter: int

    @classmethod
    def of(cls, labels: Array, pixels: Array) -> "Fit":
        """Measure how a mask with at least one label agrees with a field of the same shape."""
        objects = Objects.of(labels)
        diameter = objects.median_diameter
        step = max(1, int(diameter // _BLOCKS), int(np.ceil((pixels.size / _MOST_BLOCKS) ** 0.5)))
        low, high = np.percentile(pixels[::step, ::step], [1, 99])
        bright, mask = _block_means(pixels, step, low, high), _block_means(labels, step, 0, 1)
        reach = max(1, round(_REACH * diameter / step))
        found = _correlations(bright, mask, reach)
        down, right = (int(i) for i in np.unravel_index(found.argmax(), found.shape))
        contrasts = _contrasts(objects, pixels, max(2, round(_AROUND * diameter)))
        return cls(
            float(found[reach, reach]),
            float(found.max()),
            ((down - reach) * step, (right - reach) * step),
            diameter,
            len(contrasts),
            int((contrasts > _BRIGHTER * (high - low)).sum()),
        )


def _block_means(image: Array, step: int, low: float, high: float) -> Array:
    """Return block means, clipped to a range and centred at zero.

    Incomplete blocks at the end of rows and columns are dropped.
    """
    height, width = (max(1, side // step) for side in image.shape)
    tall, wide = (min(step, side) for side in image.shape)
    means = np.empty((height, width), np.float32)
    some = max(1, _PIXELS_AT_A_TIME // (tall * image.shape[1]))
    for start in range(0, height, some):
        rows = means[start : start + some]
        part = image[start * tall : (start + len(rows)) * tall, : width * wide]
        blocks = np.clip(part, low, high).reshape(len(rows), tall, width, wide)
        rows[:] = blocks.mean(axis=(1, 3), dtype=np.float32)
    return np.asarray(means - means.mean())


def _correlations(bright: Array, mask: Array, reach: int) -> Array:
    """Return the correlations of two zero-mean images for all shifts of the second.

    Shifts are -`reach` to `reach` rows and columns; pixels shifted outside the image count as zero.
    """
    from scipy import fft

    scale = mask.size * float(bright.std()) * float(mask.std())
    if not scale:
        return np.zeros((2 * reach + 1, 2 * reach + 1))
    shape = [fft.next_fast_len(side + reach, real=True) for side in bright.shape]
    spectrum = fft.rfft2(bright, shape) * np.conj(fft.rfft2(mask, shape))
    every = np.roll(fft.irfft2(spectrum, shape), (reach, reach), axis=(0, 1))
    return np.asarray(every[: 2 * reach + 1, : 2 * reach + 1] / scale)


def _contrasts(objects: Objects, pixels: Array, reach: int) -> Array:
    """Return the contrast of a sample of labels against the background around them."""
    n = len(objects)
    numbers = np.unique(np.linspace(0, n - 1, min(n, _MOST_LABELS)).astype(int))
    found = [_contrast(objects, int(number), pixels, reach) for number in numbers]
    return np.array([value for value in found if np.isfinite(value)])


def _contrast(objects: Objects, number: int, pixels: Array, reach: int) -> float:
    """Return the mean of a label minus that of the background around it; NaN if there is none."""
    from scipy import ndimage

    window = objects.wider(number, reach)
    labels = objects.image[window]
    own = labels == number + 1
    around = ndimage.maximum_filter(own, 2 * reach + 1) & (labels == 0)
    if not around.any():
        return float("nan")
    inside = pixels[window][own].mean(dtype=np.float64)
    return float(inside - pixels[window][around].mean(dtype=np.float64))
