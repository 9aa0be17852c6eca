"""Tables of cells that a person has reviewed: their columns, and what answers mean."""

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
    """Tell whether nobody has answered."""
    return text.strip().casefold() in _EMPTY


def read_answer(text: str) -> float | None:
    """Return 1 for a micronucleated cell, 0 for another, NaN without an answer, None for other words.

    A number of micronuclei is an answer, too.
    """
    word = text.strip().casefold()
    if word in _UNSURE or word in _EMPTY:
        return math.nan
    flag = read_flag(word)
    if word in _YES or flag or re.fullmatch(r"0*[1-9]\d*([.,]0+)?", word):
        return 1.0
    return 0.0 if word in _NO or flag is False else None


def name_in_table(text: str) -> str:
    """Return a name as it is in a table of reviewed cells, whatever a spreadsheet made of it."""
    return printable(from_spreadsheet(text)).strip()
