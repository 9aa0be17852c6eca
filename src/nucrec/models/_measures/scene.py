"""The scene of a single cell: its nucleus and surroundings, with brightness in units of the nucleus."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from nucrec._pixels.intensity import to_grey
from nucrec._pixels.resample import resize

Array = npt.NDArray[Any]

_SMOOTHING = 0.01  # standard deviation of the Gaussian, as a share of the image side
_CENTRE = 0.15  # search radius for the nucleus, as a share of the image side
_CUTS = (0.5, 0.4, 0.6, 0.3, 0.7, 0.8)  # shares of the nucleus' brightness, preferred first
_AROUND = 0.35  # share of the brightness above which pixels may belong to a nucleus
_BODY = 0.16  # radius of a disc that fits in a nucleus but in no micronucleus, in diameters
_LEAST_SPAN = 1e-30  # for an image of zeros
_FAR = 1e25  # values beyond this are scaled before conversion to 32-bit floats
_BRIGHTEST = 2.5  # brighter neighbours carry no information


@dataclass(frozen=True, eq=False)
class Scene:
    """The image of a cell, with brightness scaled to 0 in the background and 1 in the nucleus.

    Attributes
    ----------
    light, smooth : ndarray of float32, shape (h, w)
        The brightness, unsmoothed and smoothed.
    nucleus : ndarray of bool, shape (h, w)
        The object in the centre.
    """

    light: Array
    smooth: Array
    nucleus: Array

    @classmethod
    def of(cls, image: Array, size: int) -> "Scene":
        """Return the scene of any image, its longer side resized to `size` pixels."""
        pixels = _grey(image, size)
        smooth = ndimage.gaussian_filter(pixels, _SMOOTHING * size)
        dark = float(np.percentile(smooth, 5))
        nucleus = _nucleus(smooth - dark)
        level = float(np.median(pixels[nucleus]))
        span = max(level - dark, 1e-3 * max(abs(level), abs(dark)), _LEAST_SPAN)
        light, smoothed = (
            np.clip((each - dark) / span, -1, _BRIGHTEST) for each in (pixels, smooth)
        )
        return cls(light, smoothed, nucleus)

    @cached_property
    def area(self) -> int:
        """The area of the nucleus, in pixels."""
        return int(np.count_nonzero(self.nucleus))

    @cached_property
    def diameter(self) -> float:
        """The diameter of a circle with the area of the nucleus, in pixels."""
        return float(2 * np.sqrt(self.area / np.pi))

    @cached_property
    def depth(self) -> Array:
        """The distance of each pixel of the nucleus from its edge, in pixels; 0 outside."""
        whole = ndimage.distance_transform_edt(np.pad(self.nucleus, 1))
        return np.asarray(whole[1:-1, 1:-1])

    @cached_property
    def bodies(self) -> Array:
        """The regions that hold a disc too large for a micronucleus: the nucleus and its neighbours."""
        return opened(self.smooth > _AROUND, _BODY * self.diameter) | self.body

    @cached_property
    def body(self) -> Array:
        """The nucleus without thin or small protrusions."""
        found = opened(self.nucleus, _BODY * self.diameter)
        return found if found.any() else self.nucleus

    @cached_property
    def free(self) -> Array:
        """The region outside all nuclei, where micronuclei and buds lie."""
        return ~self.bodies

    @cached_property
    def distance(self) -> Array:
        """The distance of each pixel from the nucleus without thin protrusions, in its diameters."""
        return np.asarray(ndimage.distance_transform_edt(~self.body) / self.diameter)


def opened(mask: Array, radius: float) -> Array:
    """Return the opening by a disc (radius in pixels); the mask continues beyond the border."""
    margin = 2 * int(np.ceil(radius)) + 1
    wide = np.pad(mask, margin, mode="edge")
    if wide.all():
        return mask
    centres = ndimage.distance_transform_edt(wide) > radius
    if not centres.any():
        return np.zeros_like(mask)
    covered = ndimage.distance_transform_edt(~centres) <= radius
    return np.asarray((covered & wide)[margin:-margin, margin:-margin])


def _grey(image: Array, size: int) -> Array:
    """Return the image as grey float32 of shape (h, w), with a longer side of `size`."""
    grey = _in_range(to_grey(image)).astype(np.float32)
    scale = size / max(grey.shape)
    height, width = (max(1, round(side * scale)) for side in grey.shape)
    return np.asarray(resize(grey, (height, width)), np.float32)


def _in_range(grey: Array) -> Array:
    """Return values that fit 32-bit floats: those far from 1 are scaled by a power of two."""
    if grey.dtype.kind != "f":
        return grey
    largest = float(np.abs(grey).max())
    if not largest or 1 / _FAR < largest < _FAR:
        return grey
    return np.asarray(np.ldexp(grey, -int(np.frexp(largest)[1])))


def _nucleus(light: Array) -> Array:
    """Return the central object, at the first threshold that separates it from the image border."""
    height, width = light.shape
    y, x = np.ogrid[:height, :width]
    middle = np.hypot(y - (height - 1) / 2, x - (width - 1) / 2) <= _CENTRE * max(height, width)
    level = float(np.percentile(light[middle], 75)) if middle.any() else 0.0
    found: list[tuple[float, Array]] = []
    for cut in _CUTS if level > 0 else ():
        mask = _object_in(light > cut * level, middle)
        if mask is not None:
            found.append((_at_edge(mask), mask))
            if found[-1][0] == 0:
                return mask
    if not found:
        return middle if middle.any() else np.ones_like(middle)
    return min(found, key=lambda pair: pair[0])[1]


def _object_in(mask: Array, middle: Array) -> Array | None:
    """Return the object with the most pixels near the centre, with holes filled."""
    labels, _ = ndimage.label(mask)
    counts = np.bincount(labels[middle])
    counts[:1] = 0
    if not counts.any():
        return None
    return np.asarray(ndimage.binary_fill_holes(labels == counts.argmax()))


def _at_edge(mask: Array) -> float:
    """Return the length of an object along the image border, divided by the square root of its area."""
    at = mask[0].sum() + mask[-1].sum() + mask[:, 0].sum() + mask[:, -1].sum()
    return float(at / np.sqrt(np.count_nonzero(mask)))
