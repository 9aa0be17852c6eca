"""The HTML page of a detection: rates, pictures of cells and fields, quality, versions."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nucrec import _html as page
from nucrec._text import html, number, percent
from nucrec._version import __version__
from nucrec.evaluate import Metric
from nucrec.fields._outlines import IN_WORDS
from nucrec.fields._page_quality import Quality, quality_sections, remarks_sections
from nucrec.fields._page_rates import rates_sections
from nucrec.fields._rates import Rates

Array = npt.NDArray[Any]


class Shown(NamedTuple):
    """A picture on the page: a cell with its caption, or a field with the file of its picture."""

    name: str
    words: str
    pictures: tuple[Array, ...]
    file: str = ""


@dataclass
class PageContent:
    """The content of the page.

    Attributes
    ----------
    title : str
        The heading.
    rates : Rates
        The rates by well or field.
    quality : Quality
        The numbers of objects counted, and of cells with each quality flag.
    doubtful, others, fields : list of Shown
        Micronucleated cells, other cells, and fields.
    n_positive, n_fields : int
        The total numbers.
    left_out : sequence of (file, reason)
        The files that were not used.
    remarks : sequence of (field, remark)
        The unusual properties of fields.
    notes : sequence of str
        What a reader must know of all results, shown at the top.
    settings : mapping of str to str
        The settings of the detection.
    links : mapping of str to str
        Other pages, by description.
    """

    title: str
    rates: Rates
    quality: Quality
    n_positive: int
    n_fields: int
    left_out: Sequence[tuple[str, str]]
    remarks: Sequence[tuple[str, str]]
    settings: Mapping[str, str]
    doubtful: list[Shown] = field(default_factory=list)
    others: list[Shown] = field(default_factory=list)
    fields: list[Shown] = field(default_factory=list)
    links: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()


def detection_page(content: PageContent) -> str:
    """Return the page as HTML."""
    parts = [
        page.numbers(_key_numbers(content)),
        *(page.paragraph(f"{words[0].upper()}{words[1:]}.") for words in content.notes),
        *(page.link(words, target) for words, target in content.links.items()),
        *rates_sections(content.rates),
        *_cells_section(content),
        *_fields_section(content),
        *quality_sections(content.quality),
        *remarks_sections(content.remarks, content.left_out),
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


def _cells_section(content: PageContent) -> list[str]:
    parts = []
    if content.doubtful:
        shown = _of("the most doubtful first", len(content.doubtful), content.n_positive)
        words = (
            f"{shown} Least probable ones first; among the equally probable, those with most reasons "
            "for doubt, then with the fewest and smallest micronuclei. Beside each cell: the same with "
            "the outlines of what was found. Choose a picture to enlarge it. Probabilities of the "
            "pre-trained detector are calibrated and end near 0.9, since even clear findings are "
            "not always annotated as micronuclei."
        )
        cells = page.gallery(_entries(content.doubtful), "doubtful")
        parts.append(page.section("Micronucleated cells", page.paragraph(words), cells))
    if content.others:
        words = f"{len(content.others)} cells in which none was found, drawn at random."
        cells = page.gallery(_entries(content.others), "other")
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
    words = f"{IN_WORDS} All fields are in the folder overlays, at full size."
    if len(content.fields) < content.n_fields:
        words += f" Shown here: {len(content.fields)} of {content.n_fields} fields."
    pictures = [
        (
            page.picture(shown.pictures[0], f"{shown.name} with outlines", 760, 75),
            shown.name,
            f"{html(shown.words)} · {page.file_link('full size', shown.file)}",
        )
        for shown in content.fields
    ]
    return [page.section("Fields", page.paragraph(words), page.wall(pictures))]


def _settings_section(settings: Mapping[str, str]) -> str:
    versions = {
        "nucrec": __version__,
        "Python": platform.python_version(),
        "NumPy": np.__version__,
    }
    rows = list((dict(settings) | versions).items())
    return page.section("How this was made", page.table(("", ""), rows))
