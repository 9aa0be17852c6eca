"""Names of wells, and their places on a plate."""

import re
from collections.abc import Iterable
from string import ascii_uppercase

Place = tuple[int, int]
"""The row and the column of a well, from 0."""

PLATES = ((8, 12), (16, 24), (32, 48))
"""Rows and columns of the usual plates."""

MOST_COLUMNS = PLATES[-1][1]

_ROWS: tuple[str, ...] = (*ascii_uppercase, *(f"A{letter}" for letter in "ABCDEF"))
_OTHER_ROWS = frozenset("QRSTUVWXYZ")
"""Rows of plates with 1536 wells whose letters, before a number, rather mean a time or a slice."""

_WELL = re.compile(r"(?i)(?:well)?[ _-]*([A-Z]|A[A-F])[ _-]*0*([1-9]\d?)")


def plain_well(text: str) -> str | None:
    """Return a well as "B03", however it is written; None if it is not a well."""
    place = place_of(text)
    if place is None or row_letters(place[0]) in _OTHER_ROWS:
        return None
    return well_name(row_letters(place[0]), place[1] + 1)


def well_name(row: str, column: int) -> str:
    """Return the name of a well, given its row (one or two letters) and column."""
    return f"{row.upper()}{column:02d}"


def place_of(well: str) -> Place | None:
    """Return the place of a well such as "B03"; None if it is no well of a plate with at most 1536."""
    found = _WELL.fullmatch(well.strip())
    if not found or int(found[2]) > MOST_COLUMNS:
        return None
    return _ROWS.index(found[1].upper()), int(found[2]) - 1


def smallest_plate(places: Iterable[Place]) -> Place:
    """Return the rows and columns of the smallest plate that has all places."""
    rows, columns = (max(each) + 1 for each in zip(*places, strict=True))
    return next(shape for shape in PLATES if rows <= shape[0] and columns <= shape[1])


def row_letters(row: int) -> str:
    """Return what a row of a plate is called: "A" for 0, "AA" for 26."""
    return _ROWS[row]
