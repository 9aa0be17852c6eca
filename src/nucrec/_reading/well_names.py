"""Recognition of wells in the names of files and folders."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from nucrec._reading.wells import MOST_COLUMNS, PLATES, plain_well, row_letters, well_name
from nucrec._validation import invalid

_SURE = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?i)(?<![0-9a-z])r(?P<row_number>\d{2})c(?P<column>\d{2})(?=f\d|$|[_\-. ])",  # Opera
        r"(?<![0-9A-Za-z])(?P<row>[A-P])(?P<column>\d{2})(?=f\d{2}(d\d)?$)",  # Cellomics
        r"^(?P<row>[A-P]) - (?P<column>\d{1,2})(?=\(|$)",  # IN Cell Analyzer
        r"(?i)(?<![a-z])well[ _-]?(?P<row>[A-P]|A[A-F])[ _-]?(?P<column>\d{1,2})(?![0-9a-z])",
    )
)
_TOKEN = re.compile(
    r"(?<![0-9A-Za-z])(?P<row>[A-Pa-p]|A[A-F])(?P<column>\d{1,2})(?![0-9A-Za-z]|[.,]\d)"
)
_OTHER_WORDS = frozenset("CDEFHPcdefhp")
"""Letters before a number that may mean channel, day, exposure, field, hour or passage."""


@dataclass(frozen=True)
class _Candidate:
    well: str
    row: str
    column: str

    @property
    def is_plain(self) -> bool:
        """Whether only wells are written like this: B03."""
        return self.column[0] == "0" and self.row.isupper()

    @property
    def may_be_plain(self) -> bool:
        """Whether wells written as B03 are also written like this: B11."""
        return len(self.column) == 2 and self.row.isupper()


def checked_pattern(pattern: object) -> re.Pattern[str] | None:
    """Return a user's pattern for wells, compiled.

    Raises
    ------
    InvalidParameterError
        The pattern is not a regular expression, or has neither the group ``well`` nor ``row`` and
        ``column``.
    """
    if pattern is None:
        return None
    expected = (
        "a regular expression with the group (?P<well>...), or the groups (?P<row>...) and "
        "(?P<column>...)"
    )
    if not isinstance(pattern, str | re.Pattern):
        raise invalid("well_pattern", expected, pattern)
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise invalid("well_pattern", expected, pattern, f"{error}.") from error
    groups = set(compiled.groupindex)
    if "well" not in groups and not {"row", "column"} <= groups:
        raise invalid("well_pattern", expected, pattern)
    return compiled


def well_of_match(found: re.Match[str]) -> str:
    """Return the well matched by a user's pattern, as "B03" if it is written like one."""
    groups = found.groupdict()
    if groups.get("well") is not None:
        return plain_well(groups["well"]) or groups["well"]
    row, column = groups["row"], groups["column"]
    if row.isdecimal():
        row = _row_letter(int(row)) or row
    return plain_well(f"{row}{column}") or f"{row}{column}"


def locate_wells(names: Sequence[str]) -> tuple[list[str], list[str | None]]:
    """Return the wells of files, and the parts of the names that tell them.

    If no name contains a well, folders such as "B03_s1" are read like names, provided that they tell
    at least two wells: a single one probably means something else.

    Parameters
    ----------
    names : sequence of str
        Names of files, including folders, without channels and endings.

    Returns
    -------
    list of str
        The names as far as they were read.
    list of (str or None)
        The well of each file.
    """
    wells = find_wells(names)
    if any(wells):
        return list(names), wells
    folders = [PurePosixPath(name).parent.as_posix() for name in names]
    of_folders = find_wells(folders)
    if len(set(of_folders) - {None}) < 2:
        return list(names), wells
    return folders, of_folders


def find_wells(keys: Sequence[str]) -> list[str | None]:
    """Return the well of each field, or None if its name does not contain one.

    The last part of a name takes precedence, followed by the folders from the inside.

    Parameters
    ----------
    keys : sequence of str
        Names of fields, including folders, without channels and endings.
    """
    found: list[str | None] = [None] * len(keys)
    depth = max((len(PurePosixPath(key).parts) for key in keys), default=0)
    for level in range(depth):
        open_ones = [i for i, well in enumerate(found) if well is None]
        parts = [_part(keys[i], level) for i in open_ones]
        for i, well in zip(open_ones, _wells_of_parts(parts, is_folder=level > 0), strict=True):
            found[i] = well
    return found


def _part(key: str, level: int) -> str:
    parts = PurePosixPath(key).parts
    return parts[-1 - level] if level < len(parts) else ""


def _wells_of_parts(parts: Sequence[str], *, is_folder: bool) -> list[str | None]:
    sure = [_sure_well(part) for part in parts]
    candidates = [
        [] if well is not None or (is_folder and plain_well(part) is None) else _candidates(part)
        for well, part in zip(sure, parts, strict=True)
    ]
    trusted = _without_other_words(candidates)
    slots = _distinct_of_slots(trusted)
    return [
        well if well is not None else _best(found, slots)
        for well, found in zip(sure, trusted, strict=True)
    ]


def _sure_well(part: str) -> str | None:
    for pattern in _SURE:
        if found := pattern.search(part):
            groups = found.groupdict()
            row = groups.get("row") or _row_letter(int(groups.get("row_number") or 0))
            column = int(groups["column"])
            if row and 1 <= column <= MOST_COLUMNS:
                return well_name(row, column)
    return None


def _candidates(part: str) -> list[_Candidate]:
    return [
        _Candidate(well_name(found["row"], int(found["column"])), found["row"], found["column"])
        for found in _TOKEN.finditer(part)
        if 1 <= int(found["column"]) <= MOST_COLUMNS
    ]


def _without_other_words(candidates: Sequence[list[_Candidate]]) -> list[list[_Candidate]]:
    """Drop candidates that may be a day, a passage or a field: the same letter in all names."""
    every = [one for found in candidates for one in found]
    plain = any(one.is_plain for one in every)
    rows = {one.row for one in every if not one.is_plain}
    n_rows = Counter(row.isupper() for row in rows)

    def is_trusted(one: _Candidate) -> bool:
        if one.row not in _OTHER_WORDS or one.is_plain:
            return True
        return one.may_be_plain if plain else n_rows[one.row.isupper()] > 1

    return [[one for one in found if is_trusted(one)] for found in candidates]


def _distinct_of_slots(candidates: Sequence[list[_Candidate]]) -> dict[tuple[int, int], int]:
    """Return the number of different wells among the k-th of n candidates."""
    wells = {(len(found), k, one.well) for found in candidates for k, one in enumerate(found)}
    return Counter((n, k) for n, k, _ in wells)


def _best(found: list[_Candidate], slots: dict[tuple[int, int], int]) -> str | None:
    """Return the well among candidates: the unambiguous spelling, otherwise the one that varies."""
    plain = {one.well for one in found if one.is_plain}
    if len(plain) == 1:
        return plain.pop()
    if len({one.well for one in found}) == 1:
        return found[0].well
    counts = [slots[len(found), k] for k in range(len(found))]
    most = max(counts, default=0)
    return found[counts.index(most)].well if counts.count(most) == 1 else None


def _row_letter(number: int) -> str:
    """Return "A" for 1 and "AA" for 27; nothing beyond the 32 rows of the largest plates."""
    return row_letters(number - 1) if 1 <= number <= PLATES[-1][0] else ""
