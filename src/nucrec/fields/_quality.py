"""Quality flags of nuclei, by which cells are excluded from scoring."""

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
    "edge": "nothing: the rest of the cell lies outside the field",
    "small": "if many: check the overlays, and the masks if you passed any",
    "out_of_focus": "if many in one field: leave the field out, or image it again",
    "saturated": "if many: use a shorter exposure, since such nuclei outshine dim micronuclei",
    "crowded": "check them: a micronucleus may have been assigned to the neighbour; if many, seed "
    "fewer cells",
    "condensed": "if more than in the control: count them as a sign of toxicity or mitotic arrest",
    "apoptotic": "check them; if more than in the control, they are a sign of toxicity",
}
"""What a user can do about a flag."""

NOT_SCORED = ("edge", "small", "out_of_focus", "condensed", "apoptotic")
"""The flags that exclude a cell from scoring unless one says otherwise."""

MOST_MICRONUCLEI = 5
_SMALL = 1 / 3  # share of the median diameter
_SHARP_ENOUGH = 4.0  # the edge rises over a tenth of the diameter
_BLURRED = 0.5  # share of the field's median sharpness
_SATURATED = 0.01  # share of the pixels of a nucleus
_CROWDED = 0.25  # share of the outline
_CONDENSED_AREA = 0.7  # maximum share of the median area
_CONDENSED_BRIGHTNESS = 1.5  # minimum multiple of the median brightness
_CONDENSED = 3.0  # minimum ratio of brightness to area, each relative to its median


def touches_edge(objects: Objects) -> Array:
    """Return, for each object, whether a pixel lies in the first or last row or column."""
    image = objects.image
    there = np.zeros(len(objects) + 1, bool)
    for border in (image[0], image[-1], image[:, 0], image[:, -1]):
        there[border] = True
    return there[1:]


def is_small(objects: Objects, diameter: float) -> Array:
    """Return, for each object, whether its diameter is less than a third of the median."""
    return np.asarray(objects.diameters < _SMALL * diameter)


def sharpness(objects: Objects, image: Array, diameter: float) -> Array:
    """Return the steepness of brightness at the outline of each object.

    It is the median gradient along the outline (Sobel), divided by the object's brightness above
    the background and multiplied by the median diameter. A blur of standard deviation s gives about
    0.4 diameters / s, so 4 is a blur of a tenth of the diameter.
    """
    contrast = mean_intensities(objects, image) - background(objects, image)
    steepness = np.array([_steepness(objects, number, image) for number in range(len(objects))])
    found = np.zeros(len(objects))
    np.divide(steepness * diameter, contrast, out=found, where=contrast > 0)
    return found


def _steepness(objects: Objects, number: int, image: Array) -> float:
    """Return the median gradient along the outline of an object."""
    from scipy import ndimage

    rows, columns = window = objects.wider(number, 1)
    pixels = image[window].astype(np.float32)
    gradient = np.hypot(ndimage.sobel(pixels, 0), ndimage.sobel(pixels, 1)) / 8
    outline = objects.outlines[number] - (rows.start, columns.start)
    return float(np.median(gradient[tuple(outline.T)]))


def is_blurred(sharp: Array, usual: Array) -> Array:
    """Return, for each object, whether it is blurred, by itself or relative to others in the field.

    Parameters
    ----------
    sharp : ndarray of shape (n,)
        The sharpness of each object.
    usual : ndarray of shape (n,), bool
        The objects to compare with.
    """
    typical = float(np.median(sharp[usual])) if usual.any() else 0.0
    return np.asarray(sharp < max(_SHARP_ENOUGH, _BLURRED * typical))


def is_saturated(objects: Objects, image: Array) -> Array:
    """Return, for each object, whether at least 1 % of its pixels are at the camera's maximum.

    The maximum is the brightest value in the field if that is 2 ** k - 1 for k from 8 to 16, or 1.0
    for floats.
    """
    top = image.max()
    tops = {1.0} if image.dtype.kind == "f" else {2.0**k - 1 for k in range(8, 17)}
    if float(top) not in tops:
        return np.zeros(len(objects), bool)
    return np.asarray(mean_intensities(objects, image == top) >= _SATURATED)


def is_crowded(objects: Objects) -> Array:
    """Return, for each object, whether at least a quarter of its outline touches other objects.

    Two pixels touch if at most one other lies between them, since detectors may leave a gap.
    """
    shares = [_share_that_touches(objects, number) for number in range(len(objects))]
    return np.array(shares, np.float64) >= _CROWDED


def _share_that_touches(objects: Objects, number: int) -> float:
    """Return the share of an object's outline with another object within two pixels."""
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
    """Return, for each object, whether its chromatin is condensed: mitotic or pyknotic.

    A nucleus is condensed if its area is at most 0.7 times the median of the field's nuclei and its
    relative brightness above the background is at least 3 times its relative area: twice as bright
    at two thirds of the median area, and at least half as bright again at half the area or less.
    Nuclei cut off by the edge are not judged. Nuclear morphometry separates such nuclei by area and
    regularity of the outline [1]_. We chose brightness instead of regularity, and chose the numbers
    by inspecting the annotated fields, where they flag 1 % of the nuclei. The criteria of the HUMN
    project define which cells are scored [2]_.

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
