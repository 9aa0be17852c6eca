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

WHAT_TO_DO = {
    "edge": "nothing: the rest of the cell lies outside of the picture",
    "small": "if many: look at the overlays, and at the masks if you gave some",
    "out_of_focus": "if many in one field: leave the field out, or take it again",
    "saturated": "if many: expose for a shorter time, since dim micronuclei drown beside such nuclei",
    "crowded": "look at them: a micronucleus may have been given to the neighbour; if many, seed fewer "
    "cells",
    "condensed": "if more than in the control: count them as a sign of toxicity or mitotic arrest",
    "apoptotic": "look at them; if more than in the control, they are a sign of toxicity",
}
"""What a user can do about a flag."""

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
_CONDENSED = 3.0  # brightness over area, at least, each over its median


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
    contrast = mean_intensities(objects, image) - background(objects, image)
    steepness = np.array([_steepness(objects, number, image) for number in range(len(objects))])
    found = np.zeros(len(objects))
    np.divide(steepness * diameter, contrast, out=found, where=contrast > 0)
    return found


def _steepness(objects: Objects, number: int, image: Array) -> float:
    """Return the median gradient over the outline of an object."""
    from scipy import ndimage

    rows, columns = window = objects.wider(number, 1)
    pixels = image[window].astype(np.float32)
    gradient = np.hypot(ndimage.sobel(pixels, 0), ndimage.sobel(pixels, 1)) / 8
    outline = objects.outlines[number] - (rows.start, columns.start)
    return float(np.median(gradient[tuple(outline.T)]))


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
    shares = [_share_that_touches(objects, number) for number in range(len(objects))]
    return np.array(shares, np.float64) >= _CROWDED


def _share_that_touches(objects: Objects, number: int) -> float:
    """Return the share of an object's outline that has another object within two pixels."""
    from scipy import ndimage

    rows, columns = window = objects.wider(number, 2)
    labels = objects.image[window]
    others = (labels > 0) & (labels != number + 1)
    if not others.any():
        return 0.0
    near = ndimage.maximum_filter(others, 5)
    outline = objects.outlines[number] - (rows.start, columns.start)
    return float(near[tuple(outline.T)].mean())


def is_condensed(objects: Objects, image: Array, usual: Array) -> Array:
    """Tell of each object whether its chromatin is condensed: mitotic, or pyknotic as in apoptosis.

    Its area is at most 0.7 times the median of the field's nuclei, and its brightness above the
    background, over the median, is at least 3 times its area over the median: twice as bright at two
    thirds of the area, half as bright again, which is the least, at half of it or less. Nuclei that
    the edge cuts are not judged. Nuclear morphometry separates such nuclei by area and by the
    regularity of their outline [1]_. Brightness in place of regularity is our choice, and so are the
    numbers, by looking at the annotated fields, where 1 % of the nuclei are condensed by them. The HUMN
    project's criteria say which cells are scored [2]_.

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
    areas = objects.areas / np.median(objects.areas[usual])
    bright = mean_intensities(objects, image) - background(objects, image)
    typical = float(np.median(bright[usual]))
    least = np.maximum(_CONDENSED * areas, _CONDENSED_BRIGHTNESS)
    condensed = (areas <= _CONDENSED_AREA) & (bright >= least * typical)
    return np.asarray(condensed & ~touches_edge(objects) & (typical > 0))
