"""What is wrong with a nucleus, so that it may not be scored."""

from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec.fields._measure import background, mean_intensities
from nucrec.fields._objects import Objects

Array = npt.NDArray[Any]

FLAGS = {
    "edge": "touches the edge of the field",
    "small": "less than a third of the median diameter: debris, or a micronucleus in a mask",
    "out_of_focus": "its outline is blurred",
    "saturated": "pixels at the top of the camera's range",
    "crowded": "a quarter of its outline or more touches other nuclei",
    "condensed": "small and bright: mitotic or pyknotic",
    "apoptotic": "more than five micronuclei",
}
"""The quality flags of a cell, and what they mean."""

NOT_SCORED = ("edge", "small", "out_of_focus", "condensed", "apoptotic")
"""The flags that exclude a cell from scoring unless one says otherwise."""

MOST_MICRONUCLEI = 5
_SMALL = 1 / 3  # of the median diameter
_SHARP_ENOUGH = 4.0  # the edge rises over a tenth of the diameter
_BLURRED = 0.5  # of the field's median sharpness
_SATURATED = 0.01  # of the pixels of a nucleus
_CROWDED = 0.25  # of the outline
_CONDENSED_AREA = 0.7  # of the median area, at most
_CONDENSED_BRIGHTNESS = 1.5  # of the median brightness, at least


def touches_edge(objects: Objects) -> Array:
    """Tell of each object whether one of its pixels is in the first or last row or column."""
    image = objects.image
    there = np.zeros(len(objects) + 1, bool)
    for border in (image[0], image[-1], image[:, 0], image[:, -1]):
        there[border] = True
    return there[1:]


def is_small(objects: Objects, diameter: float) -> Array:
    """Tell of each object whether its diameter is less than a third of the median."""
    return np.asarray(objects.diameters < _SMALL * diameter)


def sharpness(objects: Objects, image: Array, diameter: float) -> Array:
    """Return how steeply brightness falls at the outline of each object.

    The median gradient over the outline (Sobel), over the brightness of the object above the
    background, times the median diameter. A blur of standard deviation s gives about
    0.4 diameters / s: 4 is a blur of a tenth of the diameter.
    """
    from scipy import ndimage

    contrast = mean_intensities(objects, image) - background(objects, image)
    smooth = image.astype(np.float32)
    gradient = np.hypot(ndimage.sobel(smooth, 0), ndimage.sobel(smooth, 1)) / 8
    steepness = np.array([np.median(gradient[tuple(pixels.T)]) for pixels in objects.outlines])
    found = np.zeros(len(objects))
    np.divide(steepness * diameter, contrast, out=found, where=contrast > 0)
    return found


def is_blurred(sharp: Array, usual: Array) -> Array:
    """Tell of each object whether it is blurred: in itself, or beside the others of the field.

    Parameters
    ----------
    sharp : ndarray of shape (n,)
        The sharpness of each object.
    usual : ndarray of shape (n,), bool
        The objects that the others are compared with.
    """
    typical = float(np.median(sharp[usual])) if usual.any() else 0.0
    return np.asarray(sharp < max(_SHARP_ENOUGH, _BLURRED * typical))


def is_saturated(objects: Objects, image: Array) -> Array:
    """Tell of each object whether at least 1 % of its pixels are at the top of the camera's range.

    That is the brightest value of the field where it is 2 ** k - 1 for k from 8 to 16, or where it is
    1.0 in an image of floats.
    """
    top = image.max()
    tops = {1.0} if image.dtype.kind == "f" else {2.0**k - 1 for k in range(8, 17)}
    if float(top) not in tops:
        return np.zeros(len(objects), bool)
    return np.asarray(mean_intensities(objects, image == top) >= _SATURATED)


def is_crowded(objects: Objects) -> Array:
    """Tell of each object whether at least a quarter of its outline touches other objects.

    Two pixels touch if at most one other lies between them: detectors may leave a gap.
    """
    from scipy import ndimage

    image = objects.image
    highest = ndimage.maximum_filter(image, 5)
    lowest = ndimage.minimum_filter(np.where(image == 0, len(objects) + 1, image), 5)
    shares = [
        np.mean((highest[tuple(p.T)] != k) | (lowest[tuple(p.T)] != k))
        for k, p in enumerate(objects.outlines, start=1)
    ]
    return np.array(shares, np.float64) >= _CROWDED


def is_condensed(objects: Objects, image: Array, usual: Array) -> Array:
    """Tell of each object whether its chromatin is condensed: mitotic, or pyknotic as in apoptosis.

    At most 0.7 times the median area and, above the background, at least 1.5 times the median
    brightness of the field's nuclei. That such nuclei are small is from nuclear morphometry [1]_, that
    they are not to be scored from the HUMN project's criteria [2]_; both factors are ours: in the
    annotated fields they hold for 2 % of the nuclei.

    References
    ----------
    .. [1] E. C. Filippi-Chiela et al., "Nuclear Morphometric Analysis (NMA): screening of senescence,
       apoptosis and nuclear irregularities", PLoS ONE 7, e42522, 2012.
    .. [2] M. Fenech et al., "HUMN project: detailed description of the scoring criteria for the
       cytokinesis-block micronucleus assay using isolated human lymphocyte cultures", Mutation
       Research 534, 65-75, 2003.
    """
    if not usual.any():
        return np.zeros(len(objects), bool)
    bright = mean_intensities(objects, image) - background(objects, image)
    areas = objects.areas
    is_bright = bright >= _CONDENSED_BRIGHTNESS * np.median(bright[usual])
    return np.asarray(is_bright & (areas <= _CONDENSED_AREA * np.median(areas[usual])))
