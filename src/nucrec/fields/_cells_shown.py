"""Some of the cells of a table, as a notebook shows them: cut out of their fields when asked for."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec import _notebook as show
from nucrec._text import number
from nucrec.errors import NucrecError
from nucrec.fields._doubt import find_doubts
from nucrec.fields._outlines import MICRONUCLEUS, as_colour, grey_levels

Array = npt.NDArray[Any]

_FIELDS = 3  # that are read for it
_CELLS = 4  # of each kind
_SIDE = 2.4  # diameters of the nucleus
_MARGIN = 16  # pixels
_GAP = 2.0  # pixels between a micronucleus and its ring


def pictures_of(cells: Any, fields: Sequence[Any]) -> str:
    """Return scored cells with and without a micronucleus, those with one ringed beside the original.

    Parameters
    ----------
    cells : Cells
        The table.
    fields : sequence of Field
        The fields that it is of; the cells shown are of a few of them.
    """
    table, wanted = cells.cells, _chosen_fields(cells, fields)
    images = {field.name: image for field in wanted if (image := _read(field)) is not None}
    is_shown = np.isin(table["field"], list(images)) & table["scored"]
    doubtful = find_doubts(table, cells.micronuclei).rows
    positive = doubtful[is_shown[doubtful]][::-1]  # the most certain first
    negative = np.flatnonzero(is_shown & (table["n_micronuclei"] == 0))
    parts = []
    for title, rows in (
        ("Micronucleated cells, from the most certain to the most doubtful", positive),
        ("Cells without a micronucleus", negative),
    ):
        tiles = [_tile(cells, row, images) for row in show.evenly(rows, _CELLS)]
        if tiles:
            parts += [show.heading(title), show.thumbnails(tiles, largest=show.PICTURES / 2)]
    return "".join(parts)


def _chosen_fields(cells: Any, fields: Sequence[Any]) -> list[Any]:
    """Return a few of the fields with scored micronucleated cells, else of all."""
    names = cells.fields["field"][cells.fields["error"] == ""]
    table = cells.cells
    rich = np.unique(table["field"][table["scored"] & (table["n_micronuclei"] > 0)])
    kept = [field for field in fields if field.name in set(names.tolist())]
    best = [field for field in kept if field.name in set(rich.tolist())] or kept
    return [best[i] for i in show.evenly(range(len(best)), _FIELDS)]


def _read(field: Any) -> Array | None:
    """Return a field with its contrast stretched; None where it can no longer be read."""
    try:
        return grey_levels(field.read())
    except (OSError, NucrecError):
        return None


def _tile(cells: Any, row: int, images: dict[str, Array]) -> show.Tile:
    name, label, x, y, area, n, probability = (
        cells.cells[key][row].item()
        for key in ("field", "cell_id", "x", "y", "area", "n_micronuclei", "probability")
    )
    image = images[name]
    half = int(_SIDE * math.sqrt(area / math.pi)) + _MARGIN // 2
    top, left = max(round(y) - half, 0), max(round(x) - half, 0)
    window = image[top : round(y) + half, left : round(x) + half]
    if not n:
        return show.Tile([window], f"{name}, cell {label}")
    ringed = as_colour(window)
    _draw_rings(ringed, cells.micronuclei, name, label, (left, top))
    words = f"{n} micronucle{'us' if n == 1 else 'i'}, probability {number(probability)}"
    return show.Tile([window, ringed], f"{name}, cell {label}", words)


def _draw_rings(
    picture: Array, spots: dict[str, Array], field: str, label: int, corner: tuple[int, int]
) -> None:
    """Draw a ring around each micronucleus of a cell that counts."""
    rows, columns = np.indices(picture.shape[:2])
    own = (spots["field"] == field) & (spots["cell_id"] == label) & spots["counted"]
    for k in np.flatnonzero(own):
        x, y, area = (float(spots[key][k]) for key in ("x", "y", "area"))
        away = np.hypot(columns + corner[0] - x, rows + corner[1] - y)
        picture[np.abs(away - math.sqrt(area / math.pi) - _GAP) < 0.5] = MICRONUCLEUS.colour
