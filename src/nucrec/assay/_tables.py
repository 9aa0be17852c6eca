"""The tables of an assay, as text for people and as numbers for programs."""

import math
from collections.abc import Sequence
from typing import Any

from nucrec import _text as fmt
from nucrec._unit_rates import NOT_ESTIMABLE
from nucrec.assay._contrast import Contrast
from nucrec.assay._correction import Correction, span
from nucrec.assay._cytotoxicity import Cytotoxicity
from nucrec.assay._detectable import SmallestIncrease
from nucrec.assay._summaries import ConditionSummary, UnitSummary
from nucrec.assay._test_result import TestResult
from nucrec.assay._trend import Trend
from nucrec.evaluate import Metric

Table = tuple[fmt.Row, list[fmt.Row]]

TREND, SMALLEST = "Increase with dose", "Smallest detectable increase"
"""Captions, the same in text and in reports."""


def condition_table(conditions: Sequence[ConditionSummary], unit: str) -> Table:
    """Return the rates of all conditions."""
    header = (
        "condition",
        f"{unit}s",
        "scored",
        "excluded",
        "micronucleated",
        "per 1000",
        "interval",
    )
    counted = any(each.micronuclei_rate.value == each.micronuclei_rate.value for each in conditions)
    rows: list[fmt.Row] = [
        (
            each.name + (" (control)" if each.is_control else ""),
            *map(str, (each.n_units, each.n_scored, each.n_excluded, each.n_micronucleated)),
            fmt.number(each.rate.value, 1),
            span(each.rate),
            *(_of_micronuclei(each) if counted else ()),
        )
        for each in conditions
    ]
    return (*header, *(("micronuclei per 1000", "their interval") if counted else ())), rows


def _of_micronuclei(each: ConditionSummary) -> tuple[str, str]:
    return fmt.number(each.micronuclei_rate.value, 1), span(each.micronuclei_rate)


def unit_table(units: Sequence[UnitSummary], unit: str) -> Table:
    """Return the rates of all units, each with an interval based on its cells alone.

    The header of the first column states what the names of units consist of, such as "replicate,
    well".
    """
    header = (
        named_by(units, unit),
        "condition",
        "scored",
        "excluded",
        "micronucleated",
        "per 1000",
        "interval",
    )
    rows: list[fmt.Row] = [
        (
            each.name,
            each.condition,
            *map(str, (each.n_scored, each.n_excluded, each.n_micronucleated)),
            fmt.number(each.rate.value, 1),
            span(each.rate),
        )
        for each in units
    ]
    return header, rows


def named_by(units: Sequence[UnitSummary], unit: str) -> str:
    """Return the components of unit names, such as "replicate, well"."""
    has_wells = any(each.well for each in units)
    parts = [
        *(["plate"] if any(each.plate for each in units) else []),
        *(["replicate"] if has_wells and any(each.replicate for each in units) else []),
    ]
    return ", ".join(dict.fromkeys([*parts, unit]))


def excluded_table(conditions: Sequence[ConditionSummary]) -> Table:
    """Return the numbers of cells that were not scored, with one column per reason."""
    reasons = list(dict.fromkeys(reason for each in conditions for reason in each.excluded))
    rows: list[fmt.Row] = [
        (each.name, *(str(each.excluded.get(reason, 0)) for reason in reasons))
        for each in conditions
    ]
    return ("condition", *reasons), rows


def distribution_table(conditions: Sequence[ConditionSummary]) -> Table:
    """Return the numbers of scored cells with no, one, two and more micronuclei."""
    most = max(len(each.distribution or ()) for each in conditions)
    header = ("condition", *map(str, range(most - 1)), f"{most - 1} or more")
    rows: list[fmt.Row] = [
        (each.name, *map(str, each.distribution)) for each in conditions if each.distribution
    ]
    return header, rows


def trend_table(trends: Sequence[Trend]) -> Table:
    """Return the tests for trend."""
    rows: list[fmt.Row] = []
    for trend in trends:
        for each, note in ((trend, ""), (trend.without_highest, ", without the highest dose")):
            if each is not None:
                tests = each.by_unit, each.pooled
                name = (each.compound or "all doses") + note
                rows += [(name, p_words(test), test.method) for test in tests]
    return ("trend", "p, one-sided", "method"), rows


def contrast_table(contrasts: Sequence[Contrast], unit: str) -> Table:
    """Return the comparisons with the control."""
    header = ("against the control", "difference per 1000", "fold", f"p, whole {unit}s")
    rows: list[fmt.Row] = [
        (
            each.condition,
            fmt.number(each.difference, 1),
            fmt.number(each.fold, 1),
            p_words(each.by_unit),
            p_words(each.pooled),
        )
        for each in contrasts
    ]
    return (*header, "p, pooled cells"), rows


def smallest_table(smallest: Sequence[SmallestIncrease]) -> Table:
    """Return the smallest increases that could have been detected."""
    rows: list[fmt.Row] = [
        (
            each.condition,
            fmt.number(each.control_rate, 1),
            NOT_ESTIMABLE if math.isnan(each.rate) else fmt.number(each.rate, 1),
            fmt.percent(each.power),
        )
        for each in smallest
    ]
    return ("smallest increase", "control per 1000", "rate per 1000", "power"), rows


def cytotoxicity_table(found: Sequence[Cytotoxicity]) -> Table:
    """Return the measures of cytotoxicity."""
    header = ("cytotoxicity", "CBPI", "cytostasis %", "replication index %", "RICC %")
    rows: list[fmt.Row] = [
        (
            each.condition,
            fmt.number(each.cbpi),
            *(fmt.number(x, 1) for x in (each.cytostasis, each.replication_index, each.ricc)),
        )
        for each in found
    ]
    return header, rows


def correction_table(correction: Correction) -> Table:
    """Return the corrected rates."""
    header = ("condition", "found per 1000", "corrected", "interval", "remark")
    rows: list[fmt.Row] = [
        (
            each.condition,
            fmt.number(each.found.value, 1),
            fmt.number(each.corrected.value, 1),
            span(each.corrected),
            each.remark,
        )
        for each in correction.rates
    ]
    return header, rows


def p_words(test: TestResult) -> str:
    """Return the p-value of a test as text, adjusted if there is an adjusted one."""
    return fmt.p(test.p).removeprefix("p = ").removeprefix("p ")


def condition_numbers(conditions: Sequence[ConditionSummary]) -> list[list[Any]]:
    """Return the unrounded rates of all conditions, with their header."""
    header = [
        *("name", "condition", "dose", "is_control", "n_units", "n_scored", "n_excluded"),
        *("n_micronucleated", "per_1000", "low", "high", "method"),
        *("micronuclei_per_1000", "micronuclei_low", "micronuclei_high"),
        *("dispersion", "effective_cells"),
    ]
    rows = [
        [
            *(each.name, each.condition, each.dose, each.is_control, each.n_units),
            *(each.n_scored, each.n_excluded, each.n_micronucleated),
            *(each.rate.value, each.rate.low, each.rate.high, each.rate.method),
            *_ends(each.micronuclei_rate),
            *(each.dispersion, each.effective_cells),
        ]
        for each in conditions
    ]
    return [header, *rows]


def _ends(metric: Metric) -> tuple[float, float, float]:
    return metric.value, metric.low, metric.high


def unit_numbers(units: Sequence[UnitSummary]) -> list[list[Any]]:
    """Return the unrounded rates of all units, with their header."""
    header = [
        *("name", "condition", "dose", "plate", "replicate", "well", "n_scored", "n_excluded"),
        *("n_micronucleated", "n_micronuclei", "per_1000", "low", "high", "method"),
    ]
    rows = [
        [
            *(each.name, each.condition, each.dose, each.plate, each.replicate, each.well),
            *(each.n_scored, each.n_excluded, each.n_micronucleated, each.n_micronuclei),
            *(each.rate.value, each.rate.low, each.rate.high, each.rate.method),
        ]
        for each in units
    ]
    return [header, *rows]


def as_csv(rows: Sequence[Sequence[Any]]) -> str:
    """Return rows as CSV text that spreadsheets display correctly; unknown values are empty."""
    return "".join(fmt.csv_lines([[_cell(value) for value in row] for row in rows]))


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return fmt.to_spreadsheet(value)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if isinstance(value, float) and math.isnan(value) else value
