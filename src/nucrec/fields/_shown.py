"""Display of fields in notebooks: small pictures, with outlines if they are known."""

import contextlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec import _notebook as show
from nucrec.errors import NucrecError
from nucrec.fields._outlines import grey_levels, shrink
from nucrec.fields._overlay import overlay

Array = npt.NDArray[Any]

_LARGE = 360  # pixels of a picture that is shown alone
_SMALL = 160
_SHOWN = 8  # fields
_OUTLINED = 3
_BY_STEP = 2  # pixels of a picture with outlines for each on the screen
_INSIDE = 90  # grey level of nuclei whose field is not known


def field_tile(field: Any, side: int) -> show.Tile:
    """Return a field with its contrast stretched; grey where it cannot be read."""
    try:
        pixels, _ = shrink(field.read(), (), _BY_STEP * side)
        picture = grey_levels(pixels)
    except (OSError, NucrecError):  # a file that is gone must not end in a traceback below a cell
        picture = np.full((side, side), 128, np.uint8)
    known = (field.well, field.condition, None if field.dose is None else f"{field.dose:g}")
    return show.Tile([picture], field.name, ", ".join(each for each in known if each))


def fields_html(summary: str, fields: Sequence[Any], *remarks: str) -> str:
    """Return some of the fields, evenly spaced, with their names."""
    some = show.evenly(range(len(fields)), _SHOWN)
    tiles = [field_tile(fields[i], _SMALL) for i in some]
    words = f"{summary}; shown: {len(some)}" if len(some) < len(fields) else summary
    return show.fragment(
        show.paragraphs(words), show.thumbnails(tiles, _SMALL), show.paragraphs(*remarks)
    )


def field_html(field: Any) -> str:
    """Return one field, and what is known of it."""
    height, width = field.shape
    rows = [("size", f"{width} x {height} pixels"), *show.attributes(field)]
    rows.append(("mask", show.as_words(field.has_mask)))
    return show.fragment(show.thumbnails([field_tile(field, _LARGE)], _LARGE), show.facts(rows))


def annotated_html(annotated: Any) -> str:
    """Return some annotated fields with outlines."""
    some = show.evenly(range(len(annotated)), _OUTLINED)
    tiles = []
    for i in some:
        parents = annotated.parents(i).values()
        image, labels = annotated.fields[i].read(), (annotated.nuclei(i), annotated.micronuclei(i))
        picture = overlay(
            image, *labels, positive=set(parents), longest=_BY_STEP * _LARGE, legend=False
        )
        tiles.append(show.Tile([picture], annotated.fields[i].name))
    metadata = ", ".join(annotated.metadata)
    return show.fragment(
        show.paragraphs(f"{annotated!r}; shown: {len(some)}, with their annotation"),
        show.thumbnails(tiles, _LARGE),
        show.paragraphs(f"Metadata: {metadata}" if metadata else ""),
    )


def detection_html(found: Any) -> str:
    """Return the outlines of what was found, over the field where it is known, and its numbers."""
    nuclei, micronuclei = found.nuclei, found.micronuclei
    image = _image_of(found)
    picture = overlay(image, nuclei, micronuclei, longest=_BY_STEP * _LARGE, legend=False)
    rows = [
        ("nuclei", str(found.n_nuclei)),
        ("micronuclei", str(found.n_micronuclei)),
        ("diameter of nuclei", f"{show.as_words(found.diameter)} pixels"),
    ]
    tile = show.Tile([picture], "nuclei sky blue, micronuclei inside a yellow ring")
    return show.fragment(
        show.thumbnails([tile], _LARGE), show.facts(rows), show.paragraphs(*found.remarks)
    )


def _image_of(found: Any) -> Array:
    """Return the field of a detection, or, where it cannot be had, its objects as grey areas."""
    with contextlib.suppress(OSError, NucrecError):
        if found._read is not None:
            return np.asarray(found._read())
    objects = np.where(found.nuclei > 0, _INSIDE, 0).astype(np.uint8)
    objects[found.micronuclei > 0] = 2 * _INSIDE
    return objects
