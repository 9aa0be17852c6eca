"""The page of what was detected: rates, pictures of cells and fields, quality, versions."""

import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nucrec import _html as page
from nucrec._text import Row, number, percent
from nucrec._version import __version__
from nucrec.evaluate import Metric
from nucrec.fields._charts import Bar, interval_chart, plate_chart
from nucrec.fields._rates import Rate, Rates

Array = npt.NDArray[Any]

_MOST_BARS = 60
_MOST_ROWS = 400
_PLATES = ((2, 3), (4, 6), (6, 8), (8, 12), (16, 24), (32, 48))
_WELL = re.compile(r"([A-Z]|A[A-F])0*([1-9]\d?)")


class Shown(NamedTuple):
    """A picture of the page: a cell with its words, or a field."""

    name: str
    words: str
    pictures: tuple[Array, ...]


class Flag(NamedTuple):
    """A quality flag: what it means, and how many cells have it and are not scored for it."""

    name: str
    meaning: str
    n: int
    n_excluded: int


@dataclass
class PageContent:
    """What the page shows.

    Attributes
    ----------
    title : str
        The heading.
    rates : Rates
        By well or field.
    flags : sequence of Flag
        How many cells have each quality flag.
    doubtful, others, fields : list of Shown
        Micronucleated cells, other cells, and fields.
    n_positive, n_fields : int
        How many there are in all.
    left_out : sequence of (file, reason)
        Files that were not used.
    remarks : sequence of (field, remark)
        What is unusual in a field.
    settings : mapping of str to str
        How the result was made.
    links : mapping of str to str
        Other pages, by what they are.
    """

    title: str
    rates: Rates
    flags: Sequence[Flag]
    n_positive: int
    n_fields: int
    left_out: Sequence[tuple[str, str]]
    remarks: Sequence[tuple[str, str]]
    settings: Mapping[str, str]
    doubtful: list[Shown] = field(default_factory=list)
    others: list[Shown] = field(default_factory=list)
    fields: list[Shown] = field(default_factory=list)
    links: Mapping[str, str] = field(default_factory=dict)


def detection_page(content: PageContent) -> str:
    """Return the page as HTML."""
    parts = [
        page.numbers(_key_numbers(content)),
        *(page.link(words, target) for words, target in content.links.items()),
        *_rates_section(content.rates),
        *_cells_section(content),
        *_fields_section(content),
        _quality_section(content),
        *_remarks_section(content),
        _settings_section(content.settings),
    ]
    return page.page(content.title, parts)


def _key_numbers(content: PageContent) -> list[tuple[str, str]]:
    rates, total = content.rates, content.rates.total
    per_1000 = number(total.per_1000.value, 1)
    numbers = [
        (
            per_1000,
            "micronucleated cells per 1000" + _interval_words(total.per_1000, rates.confidence),
        ),
        (f"{total.positive:,}", "micronucleated cells"),
        (f"{total.scored:,}", "cells scored"),
        (f"{total.excluded:,}", "not scored"),
    ]
    if rates.unit == "well":
        numbers.append((f"{len(rates.units):,}", "wells"))
    return [*numbers, (f"{content.n_fields:,}", "fields")]


def _interval_words(metric: Metric, confidence: float) -> str:
    if metric.low != metric.low:
        return ""
    return f", {number(metric.low, 1)} to {number(metric.high, 1)} ({percent(confidence)})"


def _rates_section(rates: Rates) -> list[str]:
    unit, units = rates.unit, rates.units
    words = [
        f"Micronucleated cells per 1000 scored cells, with {percent(rates.confidence)} intervals "
        f"(Wilson). They cover the sampling of cells within one {unit} only: neither variation between "
        f"{unit}s, which counts in the interval of all, nor errors of the detector.",
    ]
    parts = [page.paragraph(each) for each in words]
    if len(units) <= _MOST_BARS:
        bars = [Bar(u.name, u.per_1000.value, u.per_1000.low, u.per_1000.high) for u in units]
        chart = interval_chart(bars, "micronucleated cells per 1000")
        parts.append(page.drawing(chart, f"Rate of each {unit} with its interval, as in the table"))
    plate = _plate(rates)
    if plate:
        parts.append(page.drawing(plate, "Plate map of the rates, as in the table"))
    return [page.section(f"Rates by {unit}", *parts, _rates_table(rates))]


def _rates_table(rates: Rates) -> str:
    shown = rates.units[:_MOST_ROWS]
    named = ("condition", "dose", "replicate")
    has = [any(rate.described[k] for rate in shown) for k in range(len(named))]
    described = [name for name, wanted in zip(named, has, strict=True) if wanted]
    header = (
        *(rates.unit, *described, "fields", "scored", "not scored"),
        *("micronucleated", "per 1000", "interval"),
    )
    whole = [rates.total] if len(rates.units) > 1 else []
    rows = [_rate_row(rate, has) for rate in (*shown, *whole)]
    table = page.table(header, rows)
    left = len(rates.units) - len(shown)
    more = [page.paragraph(f"{left} more {rates.unit}s are in summary.csv.")] if left else []
    if len(shown) > _MOST_BARS // 2:
        return page.folded(f"Table of {len(shown)} {rates.unit}s", table, *more)
    return "\n".join([table, *more])


def _rate_row(rate: Rate, has: Sequence[bool]) -> Row:
    metric = rate.per_1000
    span = "n/a"
    if metric.low == metric.low:
        span = f"{number(metric.low, 1)} to {number(metric.high, 1)}"
    described = [value for value, wanted in zip(rate.described, has, strict=True) if wanted]
    counts = (rate.n_fields, rate.scored, rate.excluded, rate.positive)
    return (rate.name, *described, *map(str, counts), number(metric.value, 1), span)


def _plate(rates: Rates) -> str:
    """Return a map of the plate, where the names of several wells are places on one."""
    found = {rate.name: _WELL.fullmatch(rate.name.upper()) for rate in rates.units}
    if rates.unit != "well" or len(found) < 2 or not all(found.values()):
        return ""
    places = {
        (_row(match[1]), int(match[2]) - 1): rate.per_1000.value
        for rate in rates.units
        if (match := found[rate.name])
    }
    rows, columns = (1 + max(place[k] for place in places) for k in (0, 1))
    shape = next((p for p in _PLATES if p[0] >= max(rows, 8) and p[1] >= columns), None)
    return plate_chart(places, shape) if shape else ""


def _row(letters: str) -> int:
    return ord(letters) - 65 if len(letters) == 1 else 26 + ord(letters[1]) - 65


def _cells_section(content: PageContent) -> list[str]:
    parts = []
    if content.doubtful:
        shown = _of("the least certain first", len(content.doubtful), content.n_positive)
        words = f"{shown} Beside each cell: the same with the outlines of what was found."
        cells = page.gallery(_entries(content.doubtful))
        parts.append(page.section("Micronucleated cells", page.paragraph(words), cells))
    if content.others:
        words = f"{len(content.others)} cells in which none was found, drawn at random."
        cells = page.gallery(_entries(content.others))
        parts.append(page.section("Cells without a micronucleus", page.paragraph(words), cells))
    return parts


def _of(order: str, shown: int, n: int) -> str:
    return f"All {n}, {order}." if shown == n else f"{shown} of {n}, {order}."


def _entries(cells: Sequence[Shown]) -> list[tuple[str, str, list[str]]]:
    kinds = ("", ", with outlines")
    return [
        (
            cell.name,
            cell.words,
            [
                page.picture(pixels, cell.name + kind, longest=256, quality=75)
                for pixels, kind in zip(cell.pictures, kinds, strict=True)
            ],
        )
        for cell in cells
    ]


def _fields_section(content: PageContent) -> list[str]:
    if not content.fields:
        return []
    words = (
        "Nuclei in blue, micronucleated ones thick and orange, those that are not scored purple; "
        "micronuclei inside a yellow line."
    )
    if len(content.fields) < content.n_fields:
        n = f"{len(content.fields)} of {content.n_fields} fields"
        words += f" Shown: {n}; all are in the folder overlays, at full size."
    pictures = [
        (page.picture(shown.pictures[0], f"{shown.name} with outlines", 760, 75), caption)
        for shown in content.fields
        for caption in (f"{shown.name}: {shown.words}",)
    ]
    return [page.section("Fields", page.paragraph(words), page.wall(pictures))]


def _quality_section(content: PageContent) -> str:
    total = content.rates.total.scored + content.rates.total.excluded
    rows = [
        (
            f"{flag.name}: {flag.meaning}",
            str(flag.n),
            percent(round(flag.n / total, 3)) if total else "n/a",
            str(flag.n_excluded),
        )
        for flag in content.flags
    ]
    header = ("flag", "cells", "share", "not scored")
    words = (
        "A cell may have several flags. The last column: cells that are not scored because of it."
    )
    return page.section("Quality flags", page.paragraph(words), page.table(header, rows))


def _remarks_section(content: PageContent) -> list[str]:
    parts = []
    if content.remarks:
        parts.append(page.section("Remarks", page.table(("field", "remark"), content.remarks)))
    if content.left_out:
        table = page.table(("file", "reason"), content.left_out)
        parts.append(page.section("Files that were left out", table))
    return parts


def _settings_section(settings: Mapping[str, str]) -> str:
    versions = {
        "nucrec": __version__,
        "Python": platform.python_version(),
        "NumPy": np.__version__,
    }
    rows = list((dict(settings) | versions).items())
    return page.section("How this was made", page.table(("", ""), rows))
