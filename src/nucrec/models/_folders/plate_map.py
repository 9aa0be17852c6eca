"""The share of positive images in each well, at its place on the plate."""

from collections.abc import Sequence

import numpy as np

from nucrec._reading.wells import Place, place_of, row_letters, smallest_plate
from nucrec._text import html
from nucrec.models._folders.result import FolderSummary

_CIVIDIS = np.array(
    [
        *((0, 34, 78), (18, 53, 112), (59, 73, 108), (87, 93, 109), (112, 113, 115)),
        *((138, 134, 120), (165, 156, 116), (195, 179, 105), (225, 204, 85), (254, 232, 56)),
    ]
)
"""Ten colours of matplotlib's "cividis" (Nunez, Anderton, Renslow, 2018), at equal distances."""
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def plate_map(name: str, wells: Sequence[FolderSummary], highest: float) -> str:
    """Return a table in the shape of a plate, in HTML: the percentage and the number of images.

    Parameters
    ----------
    name : str
        What the plate is called, if there are several; else "".
    wells : sequence of FolderSummary
        What was found in each well, called "B03", or "plate 1/B03".
    highest : float
        The share that has the lightest colour.
    """
    by_place = _by_place(wells)
    rows, columns = smallest_plate(by_place)
    head = "".join(f'<th scope="col">{column + 1}</th>' for column in range(columns))
    lines = []
    for row in range(rows):
        cells = (by_place.get((row, column)) for column in range(columns))
        body = "".join(_cell(each, highest) for each in cells)
        lines.append(f'<tr><th scope="row">{row_letters(row)}</th>{body}</tr>')
    caption = f"<caption>{html(name)}</caption>" if name else ""
    return (
        f'<div class="wide" tabindex="0"><table class="plate">{caption}'
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _by_place(wells: Sequence[FolderSummary]) -> dict[Place, FolderSummary]:
    places = ((place_of(well.folder.rpartition("/")[-1]), well) for well in wells)
    return {place: well for place, well in places if place is not None}


def highest_share(wells: Sequence[FolderSummary]) -> float:
    """Return the share at the end of the colours: the largest one, but not a tiny one."""
    return max(0.05, *(well.share for well in wells))


def _cell(well: FolderSummary | None, highest: float) -> str:
    if well is None:
        return "<td></td>"
    colour = _colour(well.share / highest)
    ink = "#000" if _luminance(colour) > 0.18 else "#fff"
    background = "#" + "".join(f"{round(each):02x}" for each in colour)
    percent = f"{100 * well.share:.0f}"
    words = f"{well.folder}: {well.positive} of {well.n} images, {percent} %"
    return (
        f'<td style="background:{background};color:{ink}"><a href="#images" '
        f'data-well="{html(well.folder)}" aria-label="{html(words)}">{percent}'
        f"<small>{well.n}</small></a></td>"
    )


def _colour(value: float) -> list[float]:
    places = np.linspace(0, 1, len(_CIVIDIS))
    return [float(np.interp(value, places, band)) for band in _CIVIDIS.T]


def _luminance(colour: Sequence[float]) -> float:
    """Return the relative luminance of a colour; above 0.18 black is easier to read than white."""
    values = np.asarray(colour) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return float(linear @ _LUMINANCE)
