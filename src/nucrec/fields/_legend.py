"""The legend below an overlay, with a scale bar."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec.fields._outlines import EXCLUDED, MICRONUCLEUS, NEGATIVE, POSITIVE, Outline

Array = npt.NDArray[Any]

_INK, _PAPER = (235, 235, 240), (24, 24, 27)
_ENTRIES = (NEGATIVE, POSITIVE, MICRONUCLEUS, EXCLUDED)


def with_legend(picture: Array, pixel_size: float | None) -> Array:
    """Return the picture with a legend below it, and a scale bar if the pixel size is known."""
    from PIL import Image, ImageDraw

    height, width = picture.shape[:2]
    size = max(11, round(width / 55))
    font = _font(size)
    lines = _lines(width, font, size)
    strip = Image.new("RGB", (width, round(size * (1.9 * len(lines) + 0.6))), _PAPER)
    draw = ImageDraw.Draw(strip)
    for k, entries in enumerate(lines):
        middle = round(size * (1.9 * k + 1.2))
        for left, outline in entries:
            _sample(draw, left, middle, size, outline)
            draw.text((left + 1.4 * size, middle), outline.name, _INK, font, anchor="lm")
    whole = np.vstack([picture, np.asarray(strip)])
    return whole if pixel_size is None else _with_scale(whole, height, pixel_size, font, size)


def _sample(draw: Any, left: int, middle: int, size: int, outline: Outline) -> None:
    """Draw a sample of an outline: a ring for a micronucleus, otherwise a square."""
    weight = max(2, round(outline.weight * size / 8))
    half, gap = size // 2, size // 5
    top, bottom, right = middle - half, middle + half, left + 2 * half
    if outline is MICRONUCLEUS:
        draw.ellipse((left, top, right, bottom), outline=outline.colour, width=weight)
        return
    draw.rectangle((left, top, right, bottom), outline=outline.colour, width=weight)
    if outline.is_dashed:
        draw.rectangle((left + half - gap, top, left + half + gap, bottom), fill=_PAPER)
        draw.rectangle((left, middle - gap, right, middle + gap), fill=_PAPER)


def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)


def _lines(width: int, font: Any, size: int) -> list[list[tuple[int, Any]]]:
    """Return the entries of each line, with their distance from the left."""
    lines: list[list[tuple[int, Any]]] = [[]]
    left = size
    for outline in _ENTRIES:
        length = round(3.4 * size + font.getlength(outline.name))
        if lines[-1] and left + length > width:
            lines.append([])
            left = size
        lines[-1].append((left, outline))
        left += length
    return lines


def _with_scale(picture: Array, height: int, pixel_size: float, font: Any, size: int) -> Array:
    """Draw a bar of a round number of micrometres into the lower right of the field."""
    from PIL import Image, ImageDraw

    width = picture.shape[1]
    length = round_length(width * pixel_size / 5)
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    right, bottom = width - size, height - size
    left = right - length / pixel_size
    thick = max(2, size // 5)
    draw.rectangle((left - 2, bottom - thick - 2, right + 2, bottom + 2), fill=_PAPER)
    draw.rectangle((left, bottom - thick, right, bottom), fill=_INK)
    at = ((left + right) / 2, bottom - thick - size * 0.4)
    draw.text(at, f"{length:g} um", _INK, font, "mb", stroke_width=2, stroke_fill=_PAPER)
    return np.asarray(image)


def round_length(most: float) -> float:
    """Return the largest of 1, 2, 5, 10, 20, ... that does not exceed a number."""
    power = 10.0 ** math.floor(math.log10(most))
    return power * max(step for step in (1, 2, 5) if step * power <= most)
