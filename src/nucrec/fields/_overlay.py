"""Pictures of fields with outlines of the detected objects."""

from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._validation import check_int, check_real, invalid
from nucrec.fields._arrays import described, label_image
from nucrec.fields._legend import with_legend
from nucrec.fields._outlines import (
    EXCLUDED,
    MICRONUCLEUS,
    NEGATIVE,
    POSITIVE,
    as_colour,
    draw_around,
    draw_inside,
    enlarge,
    grey_levels,
    shrink,
)

Array = npt.NDArray[Any]

_PIXELS_PER_WIDTH = (
    1200  # share of the longer side: in a picture as wide as a screen, thin lines have 2 pixels
)


def overlay(
    image: npt.ArrayLike,
    nuclei: npt.ArrayLike,
    micronuclei: npt.ArrayLike,
    *,
    positive: Collection[int] = (),
    excluded: Collection[int] = (),
    pixel_size: float | None = None,
    zoom: int = 1,
    longest: int = 4096,
    legend: bool = True,
) -> Array:
    """Draw the outlines of nuclei and micronuclei over a field.

    Micronucleated cells have thick orange outlines, other nuclei thin sky-blue ones, and cells that
    are not scored dashed pink ones; micronuclei are circled in yellow. The colours are
    distinguishable for the colour-blind, and the line styles without any colour.

    Parameters
    ----------
    image : array_like of shape (H, W)
        The field, of any real dtype. Its contrast is stretched for display.
    nuclei, micronuclei : array_like of int, shape (H, W)
        Label images; 0 is background.
    positive : collection of int
        The labels of the micronucleated nuclei.
    excluded : collection of int
        The labels of the nuclei that are not scored.
    pixel_size : float, optional
        Micrometres per pixel, which adds a scale bar.
    zoom : int, default=1
        Factor by which to enlarge the field, from 1 to 8. Outlines of small nuclei are finer at 2
        or 3.
    longest : int, default=4096
        Maximum length of the longer side, in pixels. Larger fields are shrunk.
    legend : bool, default=True
        Whether to add a legend of the colours below the picture.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
        The RGB picture.

    Raises
    ------
    InvalidParameterError
        Shapes differ, or a parameter is out of range.

    References
    ----------
    - M. Okabe, K. Ito, "Color universal design", 2008 (colours).

    Examples
    --------
    >>> import numpy as np
    >>> from nucrec.fields import overlay
    >>> nuclei, micronuclei = np.zeros((2, 60, 90), int)
    >>> nuclei[10:40, 10:40], micronuclei[20:24, 44:48] = 1, 1
    >>> picture = overlay(nuclei + micronuclei, nuclei, micronuclei, positive=[1], legend=False)
    >>> picture.shape, picture[10, 10].tolist()
    ((60, 90, 3), [230, 159, 0])
    """
    check_int("zoom", zoom, low=1, high=8)
    check_int("longest", longest, low=16)
    if pixel_size is not None:
        check_real("pixel_size", pixel_size, low=0, high=1000, open_ends=True)
    pixels, *labels = _checked(image, nuclei, micronuclei)
    pixels, labels = shrink(pixels, labels, longest)
    pixels, (nuclei, micronuclei) = enlarge(pixels, labels, min(zoom, longest // max(pixels.shape)))
    picture = as_colour(grey_levels(pixels))
    width = -(-max(picture.shape) // _PIXELS_PER_WIDTH)
    paint(picture, nuclei, micronuclei, positive=positive, excluded=excluded, width=width)
    if not legend:
        return picture
    shrunk = np.shape(image)[1] / picture.shape[1]
    return with_legend(picture, None if pixel_size is None else pixel_size * shrunk)


def paint(
    picture: Array,
    nuclei: Array,
    micronuclei: Array,
    *,
    positive: Collection[int],
    excluded: Collection[int],
    width: int,
) -> None:
    """Draw the outlines of nuclei and micronuclei into a picture of the same size."""
    is_positive, is_excluded = (np.isin(nuclei, list(some)) for some in (positive, excluded))
    for outline, chosen in (
        (NEGATIVE, ~is_positive & ~is_excluded),
        (EXCLUDED, is_excluded),
        (POSITIVE, is_positive & ~is_excluded),
    ):
        draw_inside(picture, np.where(chosen, nuclei, 0), outline, outline.weight * width)
    draw_around(picture, micronuclei, MICRONUCLEUS, width)


def _checked(image: npt.ArrayLike, *labels: npt.ArrayLike) -> tuple[Array, Array, Array]:
    pixels = np.asarray(image)
    if pixels.ndim != 2 or not pixels.size or pixels.dtype.kind not in "buif":
        raise invalid("image", "a real array of shape (H, W)", described(pixels))
    nuclei, micronuclei = (
        label_image(name, array, pixels.shape)
        for name, array in zip(("nuclei", "micronuclei"), labels, strict=True)
    )
    return pixels, nuclei, micronuclei
