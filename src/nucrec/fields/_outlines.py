"""Outlines of objects drawn over a field, as an RGB picture."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nucrec._pixels.intensity import rescale_intensity
from nucrec._pixels.resample import resize
from nucrec.fields._objects import Objects

Array = npt.NDArray[Any]

_DASH = 4  # in line widths
_FEWEST_DASHES = 4  # per object
_GAMMA = 0.6  # micronuclei are often dimmer than nuclei


class Outline(NamedTuple):
    """The style of one kind of object, distinguishable for the colour-blind."""

    name: str
    colour: tuple[int, int, int]
    weight: int
    is_dashed: bool = False


NEGATIVE = Outline("nucleus", (86, 180, 233), 1)
POSITIVE = Outline("micronucleated", (230, 159, 0), 2)
EXCLUDED = Outline("not scored", (204, 121, 167), 2, is_dashed=True)
MICRONUCLEUS = Outline("micronucleus", (240, 228, 66), 1)
"""Colours of M. Okabe, K. Ito, "Color universal design", 2008: sky blue, orange, reddish purple and
yellow. Without colours, micronucleated cells have a thicker line, those not scored a broken one, and
micronuclei a ring around them."""

IN_WORDS = (
    "Outlines: nuclei sky blue and thin; micronucleated ones orange and thick; those that are not "
    "scored pink and dashed; micronuclei inside a yellow ring."
)
"""What the outlines mean, as people call the colours."""


def grey_levels(image: Array) -> Array:
    """Return a field as uint8, with its contrast stretched so that dim objects are visible."""
    unit = rescale_intensity(image, (0.5, 99.8), "float32")
    return np.rint(255 * unit**_GAMMA).astype(np.uint8)


def as_colour(grey: Array) -> Array:
    """Return a grey picture as RGB."""
    return np.repeat(grey[..., np.newaxis], 3, axis=2)


def shrink(image: Array, labels: Sequence[Array], longest: int) -> tuple[Array, list[Array]]:
    """Return a field and its label images with sides of at most `longest` pixels.

    Pixels of the field are averaged; label images are subsampled.
    """
    step = -(-max(image.shape) // longest)
    if step == 1:
        return image, list(labels)
    height, width = (side - side % step for side in image.shape)
    rows = np.add.reduceat(image[:height, :width], np.arange(0, height, step), axis=0, dtype=float)
    means = np.add.reduceat(rows, np.arange(0, width, step), axis=1) / step**2
    half = step // 2
    kept = [each[half:height:step, half:width:step] for each in labels]
    return means.astype(np.float32), kept


def enlarge(image: Array, labels: Sequence[Array], zoom: int) -> tuple[Array, list[Array]]:
    """Return a field and its label images enlarged `zoom` times, both interpolated."""
    if zoom == 1:
        return image, list(labels)
    size = (zoom * image.shape[0], zoom * image.shape[1])
    return resize(image.astype(np.float32), size), [_enlarged(each, zoom) for each in labels]


def _enlarged(labels: Array, zoom: int) -> Array:
    """Return a label image enlarged by interpolating each object separately."""
    objects = Objects.of(labels)
    large = np.zeros([zoom * side for side in labels.shape], labels.dtype)
    for label, number, box in zip(
        objects.labels, range(1, len(objects) + 1), objects.windows, strict=True
    ):
        around = tuple(slice(max(part.start - 1, 0), part.stop + 1) for part in box)
        mask = (objects.image[around] == number).astype(np.float32)
        wide = resize(mask, (zoom * mask.shape[0], zoom * mask.shape[1])) >= 0.5
        place = tuple(
            slice(zoom * part.start, zoom * part.start + n)
            for part, n in zip(around, wide.shape, strict=True)
        )
        large[place][wide] = label
    return large


def draw_inside(picture: Array, labels: Array, outline: Outline, width: int) -> None:
    """Draw the outermost pixels of objects, `width` pixels wide, so that neighbours stay separate."""
    from scipy import ndimage

    if not labels.any():
        return
    size = 2 * width + 1
    inner = ndimage.minimum_filter(labels, size) == ndimage.maximum_filter(labels, size)
    line = (labels > 0) & ~inner
    if outline.is_dashed:
        line = _dashed(labels, line, _DASH * width)
    picture[line] = outline.colour


def _dashed(labels: Array, line: Array, dash: int) -> Array:
    """Return the pixels of the outlines that belong to the dashes of a broken line.

    Dashes are equal angles around the centre of each object, so many that each is about `dash`
    pixels long, with gaps of the same length.
    """
    rows, columns = np.nonzero(line)
    _, numbers = np.unique(labels[rows, columns], return_inverse=True)
    pixels = np.bincount(numbers)
    up = rows - (np.bincount(numbers, rows) / pixels)[numbers]
    right = columns - (np.bincount(numbers, columns) / pixels)[numbers]
    radii = np.bincount(numbers, np.hypot(up, right)) / pixels
    dashes = np.maximum(_FEWEST_DASHES, np.rint(np.pi * radii / dash))[numbers]
    part = np.floor((np.arctan2(up, right) / (2 * np.pi) + 0.5) * 2 * dashes)
    kept = np.zeros_like(line)
    kept[rows, columns] = part % 2 == 0
    return kept


def draw_around(picture: Array, labels: Array, outline: Outline, width: int) -> None:
    """Draw a line around objects, `width` pixels wide and one pixel away, so that it hides nothing."""
    from scipy import ndimage

    inside = labels > 0
    if not inside.any():
        return
    near = ndimage.binary_dilation(inside, iterations=1)
    ring = ndimage.binary_dilation(near, iterations=width) & ~near
    picture[ring] = outline.colour
