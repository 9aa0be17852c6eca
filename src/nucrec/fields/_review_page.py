"""The self-contained HTML page on which a person reviews cells."""

import base64
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._html import paragraph
from nucrec._reviewed import COLUMNS
from nucrec._text import html
from nucrec._version import __version__
from nucrec._web import digest_of, json_in_page, script_of
from nucrec.errors import DatasetError
from nucrec.fields._objects import Objects
from nucrec.fields._outlines import (
    MICRONUCLEUS,
    NEGATIVE,
    Outline,
    draw_around,
    draw_inside,
    enlarge,
)
from nucrec.fields._windows import window_around

Array = npt.NDArray[Any]

_REVIEWED = Outline("reviewed", (0, 158, 115), 2)
_LONGEST = 256  # pixels of a picture
_OUTLINED = 384  # approximate size of its outlines, in pixels
_QUALITY = 92

_BLIND = (
    "Neither the detector's call nor the well and its treatment are shown: a reviewer who knows which "
    "answer is expected gives it more often. The order is random.",
    "The green outline is that of the nucleus, the blue ones are its neighbours. Micronuclei are not "
    "outlined, since that would give the call away.",
)
_OPEN = (
    "What the detector found is outlined in yellow. A reviewer who sees this agrees with it more often "
    "than one who does not, so the precision and recall of such a review are too high.",
)
_ABOUT = (
    "Answers stay in this browser until they are deleted, also when the page is closed; nothing is "
    "sent anywhere. Save the CSV when you are done, or at any time: it can be loaded here again, in "
    "this browser or in another one.",
    "Cells without an answer are left out. Since the order is random, those that were answered are a "
    "random sample of all, however few they are.",
    "What comes next: nucrec assay cells.csv --reviewed reviewed.csv corrects the rates, with the "
    "precision and recall of the detector on this plate. In Python: "
    'summarize(cells).corrected(reviewed="reviewed.csv").',
)


@dataclass(frozen=True)
class ReviewedCell:
    """A cell on the page.

    Attributes
    ----------
    line : str
        The row of the cell in the table, without the answer.
    image, outline : str
        Its picture, and the outlines to lay over it, as data URLs.
    about : str
        The information shown to the reviewer; empty for a blind review.
    """

    line: str
    image: str
    outline: str
    about: str = ""


def review_page(title: str, key: str, cells: Sequence[ReviewedCell], *, blind: bool) -> str:
    """Return the page as HTML."""
    script = script_of("nucrec.fields", "data/review.js")
    shown = [
        {
            "id": cell.line.partition(",")[0],
            "row": cell.line,
            "image": cell.image,
            "outline": cell.outline,
            "about": cell.about,
        }
        for cell in cells
    ]
    data = json.dumps({"key": key, "header": ",".join(COLUMNS), "cells": shown})
    values = {
        "TITLE": html(title),
        "SCRIPT_HASH": digest_of(script),
        "ABOUT": "\n".join(map(paragraph, (*(_BLIND if blind else _OPEN), *_ABOUT))),
        "FOOTER": f"nucrec {__version__}",
        "DATA": json_in_page(data),
        "SCRIPT": script,
    }
    return re.sub(r"\{\{([A-Z_]+)\}\}", lambda found: values[found[1]], _asset("review.html"))


def _asset(name: str) -> str:
    return (resources.files("nucrec.fields") / "data" / name).read_text(encoding="utf-8")


def pictures_of(
    grey: Array, nuclei: Objects, micronuclei: Array | None, label: int, field: str
) -> tuple[str, str]:
    """Return the surroundings of a nucleus and the outlines in it, as data URLs.

    Parameters
    ----------
    grey : ndarray of uint8, shape (H, W)
        The field, with stretched contrast.
    nuclei : Objects
        The nuclei of the field.
    micronuclei : ndarray of int, shape (H, W), or None
        The label image of the micronuclei; None outlines no micronuclei.
    label : int
        The label of the nucleus.
    field : str
        The name of the field.

    Raises
    ------
    DatasetError
        No nucleus has this label.
    """
    (number,) = np.flatnonzero(nuclei.labels == label).tolist() or (None,)
    if number is None:
        raise DatasetError(
            f"{field}: its label image has no nucleus {label}. Pass the labels of the detection."
        )
    box = nuclei.windows[number]
    window = window_around(box, grey.shape, scale=2.5, margin=16)
    around = _square(box, window)
    parts = [np.pad(each[window], around) for each in (grey, nuclei.image)]
    small = None if micronuclei is None else np.pad(micronuclei[window], around)
    return _jpeg(parts[0]), _png(_outlines(parts[1], small, number + 1))


def _square(box: tuple[slice, slice], window: tuple[slice, slice]) -> list[tuple[int, int]]:
    """Return the padding on each side that puts the nucleus in the centre of a square."""
    middles = [(part.start + part.stop) // 2 for part in box]
    reach = max(
        max(middle - part.start, part.stop - middle)
        for middle, part in zip(middles, window, strict=True)
    )
    return [
        (reach - (middle - part.start), reach - (part.stop - middle))
        for middle, part in zip(middles, window, strict=True)
    ]


def _outlines(nuclei: Array, micronuclei: Array | None, label: int) -> Array:
    """Return the outlines as RGB on black.

    Without micronuclei, nuclei are outlined by their convex hulls, because the label image of a
    nucleus often has a notch where a micronucleus touches it.
    """
    zoom = max(1, round(_OUTLINED / max(nuclei.shape)))
    if micronuclei is None:
        return _hulls(nuclei, label, zoom)
    _, large = enlarge(np.zeros(nuclei.shape, np.float32), [nuclei, micronuclei], zoom)
    picture = np.zeros((*large[0].shape, 3), np.uint8)
    is_own = large[0] == label
    draw_inside(picture, np.where(is_own, 0, large[0]), NEGATIVE, NEGATIVE.weight)
    draw_inside(picture, np.where(is_own, large[0], 0), _REVIEWED, _REVIEWED.weight)
    draw_around(picture, large[1], MICRONUCLEUS, 1)
    return picture


def _hulls(nuclei: Array, label: int, zoom: int) -> Array:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (zoom * nuclei.shape[1], zoom * nuclei.shape[0]))
    draw = ImageDraw.Draw(image)
    objects = Objects.of(nuclei)
    for number in np.argsort(objects.labels == label).tolist():  # its own is drawn last
        outline = _REVIEWED if objects.labels[number] == label else NEGATIVE
        corners = [(zoom * x, zoom * y) for y, x in _hull(objects.outlines[number])]
        draw.line([*corners, corners[0]], outline.colour, outline.weight + 1)
    return np.asarray(image)


def _hull(pixels: Array) -> list[list[float]]:
    """Return the corners (y, x) of the convex hull of pixels, taken as squares."""
    from scipy.spatial import ConvexHull

    corners = np.concatenate([pixels + shift for shift in np.ndindex(2, 2)])
    found: list[list[float]] = corners[ConvexHull(corners).vertices].tolist()
    return found


def _jpeg(grey: Array) -> str:
    from PIL import Image

    image, file = Image.fromarray(grey), io.BytesIO()
    image.thumbnail((_LONGEST, _LONGEST))
    image.save(file, "JPEG", quality=_QUALITY)
    return _url("jpeg", file)


def _png(picture: Array) -> str:
    """Return a palette PNG of our colours, which differ in green; black is transparent."""
    from PIL import Image

    colours = [(0, 0, 0), NEGATIVE.colour, _REVIEWED.colour, MICRONUCLEUS.colour]
    number_of = np.zeros(256, np.uint8)
    number_of[[green for _, green, _ in colours]] = range(len(colours))
    image, file = Image.fromarray(number_of[picture[..., 1]], "P"), io.BytesIO()
    image.putpalette([value for colour in colours for value in colour])
    image.save(file, "PNG", transparency=0, bits=2)
    return _url("png", file)


def _url(kind: str, file: io.BytesIO) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"
