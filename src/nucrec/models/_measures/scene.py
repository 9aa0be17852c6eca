"""The cell in a picture: its nucleus, what lies around it, and brightness in units of the nucleus."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from nucrec._pixels.intensity import to_grey
from nucrec._pixels.resample import resize

Array = npt.NDArray[Any]

_SMOOTHING = 0.01  # standard deviation of the Gaussian, in sides of the picture
_CENTRE = 0.15  # radius within which the nucleus is looked for, in sides of the picture
_CUTS = (0.5, 0.4, 0.6, 0.3, 0.7, 0.8)  # shares of the nucleus' brightness, best first
_AROUND = 0.35  # share above which pixels may belong to a nucleus
_BODY = 0.16  # radius of the disc that fits in a nucleus, and in no micronucleus, in diameters
_LEAST_SPAN = 1e-30  # of an image of zeros
_FAR = 1e25  # values beyond are scaled before they become 32-bit floats
_BRIGHTEST = 2.5  # brighter neighbours tell nothing


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture of a cell, whose brightness is 0 in the background and 1 in the nucleus.

    Attributes
    ----------
    light, smooth : ndarray of float32, shape (h, w)
        Brightness, as it is and smoothed.
    nucleus : ndarray of bool, shape (h, w)
        The object in the middle.
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
        """The diameter of a circle of that area, in pixels."""
        return float(2 * np.sqrt(self.area / np.pi))

    @cached_property
    def depth(self) -> Array:
        """The distance of each pixel of the nucleus from its edge, in pixels; 0 outside."""
        whole = ndimage.distance_transform_edt(np.pad(self.nucleus, 1))
        return np.asarray(whole[1:-1, 1:-1])

    @cached_property
    def bodies(self) -> Array:
        """What discs too large for a micronucleus fit in: the nucleus and its neighbours."""
        return opened(self.smooth > _AROUND, _BODY * self.diameter) | self.body

    @cached_property
    def body(self) -> Array:
        """The nucleus without what is thin or small."""
        found = opened(self.nucleus, _BODY * self.diameter)
        return found if found.any() else self.nucleus

    @cached_property
    def free(self) -> Array:
        """What is outside of all nuclei: there micronuclei lie, buds included."""
        return ~self.bodies

    @cached_property
    def distance(self) -> Array:
        """The distance of each pixel from the nucleus without what is thin, in its diameters."""
        return np.asarray(ndimage.distance_transform_edt(~self.body) / self.diameter)


def opened(mask: Array, radius: float) -> Array:
    """Return what discs of a radius, in pixels, fit in; the mask goes on beyond the picture."""
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
    """Return an image as float32 of shape (h, w), the longer of which is `size`."""
    grey = _in_range(to_grey(image)).astype(np.float32)
    scale = size / max(grey.shape)
    height, width = (max(1, round(side * scale)) for side in grey.shape)
    return np.asarray(resize(grey, (height, width)), np.float32)


def _in_range(grey: Array) -> Array:
    """Return values of which 32-bit floats lose none: those far from 1 are times a power of two."""
    if grey.dtype.kind != "f":
        return grey
    largest = float(np.abs(grey).max())
    if not largest or 1 / _FAR < largest < _FAR:
        return grey
    return np.asarray(np.ldexp(grey, -int(np.frexp(largest)[1])))


def _nucleus(light: Array) -> Array:
    """Return the object in the middle, by the first threshold that keeps it off the edge."""
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
    """Return the object with the most pixels in the middle, without holes."""
    labels, _ = ndimage.label(mask)
    counts = np.bincount(labels[middle])
    counts[:1] = 0
    if not counts.any():
        return None
    return np.asarray(ndimage.binary_fill_holes(labels == counts.argmax()))


def _at_edge(mask: Array) -> float:
    """Return how much of an object lies at the edge of the picture, in square roots of its area."""
    at = mask[0].sum() + mask[-1].sum() + mask[:, 0].sum() + mask[:, -1].sum()
    return float(at / np.sqrt(np.count_nonzero(mask)))
