"""The window around each nucleus in a field."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nucrec.fields._objects import Objects

Array = npt.NDArray[Any]
Window = tuple[slice, slice]

_REACH = 1.1  # in window sides: no pixel of a window is farther from its central nucleus


class Crop(NamedTuple):
    """The window around a nucleus.

    Attributes
    ----------
    label : int
        The label of the nucleus.
    image : ndarray of shape (h, w)
        The pixels.
    x, y : float
        The centre of the nucleus in the field, in pixels.
    area : int
        The area of the nucleus, in pixels.
    """

    label: int
    image: Array
    x: float
    y: float
    area: int


class WindowRule(NamedTuple):
    """The size and content of the windows of a field.

    Attributes
    ----------
    scale, margin : float
        The side is `scale` times the longer side of the bounding box plus `margin` pixels.
    size : int or None
        The side of all windows, if given.
    territory : bool
        Whether to show only the pixels that are nearest to the window's own nucleus.
    """

    scale: float
    margin: float
    size: int | None
    territory: bool

    def cut(self, image: Array, nuclei: Array) -> Iterator[Crop]:
        """Yield the window around each nucleus, in the order of the labels."""
        objects = Objects.of(nuclei)
        numbers = objects.image
        background = _background(image, nuclei) if self.territory else image.dtype.type(0)
        for number, box in enumerate(objects.windows, 1):
            window = window_around(
                box, image.shape, scale=self.scale, margin=self.margin, size=self.size
            )
            pixels = image[window].copy()
            if self.territory:
                pixels[~_territory(numbers, number, window)] = background
            rows, columns = np.nonzero(numbers[box] == number)
            x, y = columns.mean() + box[1].start, rows.mean() + box[0].start
            yield Crop(int(objects.labels[number - 1]), pixels, float(x), float(y), len(rows))


def window_around(
    box: Window, shape: tuple[int, ...], *, scale: float, margin: float, size: int | None = None
) -> Window:
    """Return the square around the centre of a box, cut off at the edges of the field."""
    side = size or int(scale * max(part.stop - part.start for part in box) + margin)
    starts = [(part.start + part.stop - side) // 2 for part in box]
    rows, columns = (
        slice(max(start, 0), min(start + side, length))
        for start, length in zip(starts, shape, strict=True)
    )
    return rows, columns


def _background(image: Array, nuclei: Array) -> Any:
    """Return the median of the pixels outside all nuclei; the minimum if there are none."""
    outside = image[nuclei == 0]
    value = np.median(outside) if outside.size else image.min()
    return image.dtype.type(value)


def _territory(numbers: Array, number: int, window: Window) -> Array:
    """Return the pixels of a window that are nearer to its own nucleus than to any other."""
    from scipy import ndimage

    reach = int(_REACH * max(part.stop - part.start for part in window)) + 1
    starts = [max(part.start - reach, 0) for part in window]
    around = tuple(
        slice(start, part.stop + reach) for start, part in zip(starts, window, strict=True)
    )
    seen = numbers[around]
    nearest = ndimage.distance_transform_edt(seen == 0, return_distances=False, return_indices=True)
    inner = tuple(
        slice(part.start - start, part.stop - start)
        for start, part in zip(starts, window, strict=True)
    )
    return np.asarray(seen[tuple(nearest)][inner] == number)
