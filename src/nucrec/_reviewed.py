"""Tables of reviewed cells: their columns, and the meaning of answers."""

import math
import re

from nucrec._flags import read_flag
from nucrec._text import from_spreadsheet, printable

COLUMNS = (
    *("review_id", "file", "field", "well", "condition", "cell_id", "x", "y"),
    *("stratum", "stratum_cells", "weight", "called", "reviewed", "reviewed_micronuclei"),
)
"""The columns of the table that a page of review saves."""

_YES = {"micronucleus", "micronucleated", "positive"}
_NO = {"none", "nucleus", "negative"}
_UNSURE = {"unsure", "unclear", "?"}
_EMPTY = {"", "nan", "na"}


def is_empty(text: str) -> bool:
    """Return whether there is no answer."""
    return text.strip().casefold() in _EMPTY


def read_answer(text: str) -> float | None:
    """Return 1 for a micronucleated cell, 0 for another, NaN without an answer, None if invalid.

    A number of micronuclei also counts as an answer.
    """
    word = text.strip().casefold()
    if word in _UNSURE or word in _EMPTY:
        return math.nan
    flag = read_flag(word)
    if word in _YES or flag or re.fullmatch(r"0*[1-9]\d*([.,]0+)?", word):
        return 1.0
    return 0.0 if word in _NO or flag is False else None


def name_in_table(text: str) -> str:
    """Return a name as in a table of reviewed cells, undoing the changes of spreadsheets."""
    return printable(from_spreadsheet(text)).strip()
