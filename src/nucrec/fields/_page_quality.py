"""The section of the page on counted and excluded cells and micronuclei."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from nucrec import _html as page
from nucrec._text import percent
from nucrec.fields._columns import Columns
from nucrec.fields._counts import BETWEEN
from nucrec.fields._quality import FLAGS, WHAT_TO_DO

_MOST_ROWS = 100
_MOST_NAMES = 5


class Flag(NamedTuple):
    """A quality flag, with the numbers of cells that have it and of cells excluded for it."""

    name: str
    meaning: str
    what_to_do: str
    n: int
    n_excluded: int


class Quality(NamedTuple):
    """The numbers of cells and micronuclei that count, and the flags of others.

    Attributes
    ----------
    cells, micronuclei : dict of str to int
        Numbers by outcome, which add up to the total.
    flags : list of Flag
        The quality flags; a cell may have several.
    """

    cells: dict[str, int]
    micronuclei: dict[str, int]
    flags: list[Flag]


def find_quality(cells: Columns, micronuclei: Columns) -> Quality:
    """Count the cells and micronuclei of two tables."""
    reasons = Counter(_joined(why) for why in cells["excluded"].tolist() if why)
    scored = {"scored": int(cells["scored"].sum())}
    excluded = {f"not scored: {why}": n for why, n in reasons.most_common()}
    return Quality(scored | excluded, _of_micronuclei(cells, micronuclei), _flags(cells))


def _of_micronuclei(cells: Columns, micronuclei: Columns) -> dict[str, int]:
    in_scored = int(cells["n_micronuclei"][cells["scored"]].sum())
    counted = int(micronuclei["counted"].sum())
    found = {"in scored cells": in_scored, "in cells that are not scored": counted - in_scored}
    reasons = Counter(_joined(why) for why in micronuclei["excluded"].tolist() if why)
    return found | {f"not counted: {why}": n for why, n in reasons.most_common()}


def _joined(reasons: str) -> str:
    return " and ".join(reasons.split(BETWEEN))


def _flags(cells: Columns) -> list[Flag]:
    excluded = Counter(why for cell in cells["excluded"].tolist() for why in cell.split(BETWEEN))
    return [
        Flag(words, meaning, WHAT_TO_DO[flag], int(cells[flag].sum()), excluded[words])
        for flag, meaning in FLAGS.items()
        for words in (flag.replace("_", " "),)
    ]


def quality_sections(quality: Quality) -> list[str]:
    """Return the sections on quality."""
    words = (
        "Each cell and each micronucleus is counted in exactly one row. The rates and summary.csv "
        "include only the micronuclei in scored cells; counted in micronuclei.csv and "
        "n_micronuclei in fields.csv include those in cells that are not scored."
    )
    tables = (
        _parts_table("cells", quality.cells),
        _parts_table("micronuclei", quality.micronuclei),
    )
    return [
        page.section("What is counted", page.paragraph(words), *tables),
        _flags_section(quality),
    ]


def _parts_table(what: str, parts: Mapping[str, int]) -> str:
    total = sum(parts.values())
    rows = [(name, f"{n:,}", _share(n, total)) for name, n in parts.items()]
    return page.table(
        (what, "number", "share"), [*rows, ("all", f"{total:,}", _share(total, total))]
    )


def _share(n: int, total: int) -> str:
    return percent(round(n / total, 3)) if total else "n/a"


def _flags_section(quality: Quality) -> str:
    total = sum(quality.cells.values())
    header = ("flag", "cells", "share", "not scored", "what it means", "what to do")
    rows = [
        (
            *(flag.name, f"{flag.n:,}", _share(flag.n, total), f"{flag.n_excluded:,}"),
            *(flag.meaning, flag.what_to_do),
        )
        for flag in quality.flags
    ]
    words = "A cell may have several flags. Cells not scored have this flag, possibly among others."
    return page.section("Quality flags", page.paragraph(words), page.prose_table(header, rows))


def remarks_sections(
    remarks: Sequence[tuple[str, str]], left_out: Sequence[tuple[str, str]]
) -> list[str]:
    """Return the sections of remarks on fields, and of files that were not used."""
    parts = []
    if remarks:
        fields = defaultdict(list)
        for name, text in remarks:
            for remark in text.split(BETWEEN):
                fields[remark].append(name)
        told = [(each, f"{len(names):,}", _names(names)) for each, names in fields.items()]
        parts.append(_long_section("Remarks", ("remark", "fields", "which"), told))
    if left_out:
        files = [(file, reason) for file, reason in left_out]
        parts.append(_long_section("Files that were left out", ("file", "reason"), files))
    return parts


def _long_section(heading: str, header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    left = len(rows) - _MOST_ROWS
    more = [page.paragraph(f"And {left} more.")] if left > 0 else []
    return page.section(heading, page.prose_table(header, rows[:_MOST_ROWS]), *more)


def _names(names: Sequence[str]) -> str:
    left = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {left} more" if left > 0 else "")
