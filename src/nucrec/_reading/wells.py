"""Names of wells, and their places on a plate."""

import re
from collections.abc import Iterable

Place = tuple[int, int]
"""The row and the column of a well, from 0."""

PLATES = ((8, 12), (16, 24), (32, 48))
"""Rows and columns of the usual plates."""

_WELL = re.compile(r"(?i)(?:well)?[ _-]*([A-P]|A[A-F])[ _-]*0*([1-9]\d?)")

_PLACE = re.compile(r"([A-Za-z]{1,2})[ _-]?0*([1-9]\d?)")


def plain_well(text: str) -> str | None:
    """Return a well as "B03", however it is written; None if it is not a well."""
    found = _WELL.fullmatch(text.strip())
    return well_name(found[1], int(found[2])) if found else None


def well_name(row: str, column: int) -> str:
    """Return the name of a well, given its row (one or two letters) and column."""
    return f"{row.upper()}{column:02d}"


def place_of(well: str) -> Place | None:
    """Return the place of a well such as "B03"; None if it is no well of a plate with at most 1536."""
    found = _PLACE.fullmatch(well.strip())
    if not found:
        return None
    row = 0
    for letter in found[1].upper():
        row = 26 * row + ord(letter) - ord("A") + 1
    place = row - 1, int(found[2]) - 1
    return place if place[0] < PLATES[-1][0] and place[1] < PLATES[-1][1] else None


def smallest_plate(places: Iterable[Place]) -> Place:
    """Return the rows and columns of the smallest plate that has all places."""
    rows, columns = (max(each) + 1 for each in zip(*places, strict=True))
    return next(shape for shape in PLATES if rows <= shape[0] and columns <= shape[1])


def row_letters(row: int) -> str:
    """Return what a row of a plate is called: "A" for 0, "AA" for 26."""
    return chr(ord("A") + row) if row < 26 else "A" + chr(ord("A") + row - 26)
