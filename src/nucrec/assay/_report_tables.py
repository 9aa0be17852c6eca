"""The tables of a report, each as text for people and as numbers for programs."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from nucrec import _text as fmt
from nucrec.assay import _numbers, _tables
from nucrec.assay._decision import Decision
from nucrec.assay._families import Family
from nucrec.assay._findings import Findings
from nucrec.assay._tables import Table


class ReportTable(NamedTuple):
    """A table of a report.

    Attributes
    ----------
    caption : str
        The heading of the table.
    words : Table
        Header and rows as text.
    numbers : list of list
        Header and rows, unrounded.
    """

    caption: str
    words: Table
    numbers: list[list[Any]]


def report_tables(findings: Findings) -> dict[str, ReportTable]:
    """Return all non-empty tables of a report, by file name."""
    assay = findings.assay
    conditions, units, unit = assay.conditions, assay.units, assay.unit
    families, smallest = findings.families, findings.smallest
    tables = {
        "conditions": ReportTable(
            "Rates",
            _tables.condition_table(conditions, unit),
            _tables.condition_numbers(conditions),
        ),
        "exclusions": ReportTable(
            "Cells that were not scored",
            _tables.excluded_table(conditions),
            _numbers.excluded_numbers(conditions),
        ),
        "micronuclei-per-cell": _distribution(findings),
        "against-control": ReportTable(
            "Against the control",
            contrast_table(families, unit),
            _numbers.contrast_numbers(families),
        ),
        "trend": ReportTable(
            _tables.TREND, trend_table(families, unit), _numbers.trend_numbers(families)
        ),
        "smallest-increase": ReportTable(
            _tables.SMALLEST,
            _tables.smallest_table(smallest),
            _numbers.smallest_numbers(smallest),
        ),
        "decision": ReportTable(
            "Criteria of OECD TG 487",
            decision_table(findings.decisions),
            _numbers.decision_numbers(findings.decisions),
        ),
        **_of_correction(findings),
        "cytotoxicity": ReportTable(
            "Cytotoxicity",
            _tables.cytotoxicity_table(findings.cytotoxicity),
            _numbers.cytotoxicity_numbers(findings.cytotoxicity),
        ),
        "units": ReportTable(
            f"By {unit}", _tables.unit_table(units, unit), _tables.unit_numbers(units)
        ),
    }
    return {name: each for name, each in tables.items() if len(each.numbers) > 1}


def _distribution(findings: Findings) -> ReportTable:
    conditions = findings.assay.conditions
    numbers = _numbers.distribution_numbers(conditions)
    words: Table = ((), [])
    if len(numbers) > 1:
        words = _tables.distribution_table(conditions)
    return ReportTable("Micronuclei in a cell", words, numbers)


def _of_correction(findings: Findings) -> dict[str, ReportTable]:
    if findings.correction is None:
        return {}
    correction = findings.correction
    words, numbers = _tables.correction_table(correction), _numbers.correction_numbers(correction)
    found = {"corrected": ReportTable("Corrected rates", words, numbers)}
    if correction.review is not None:
        words, numbers = correction.review.table, _numbers.review_numbers(correction.review)
        found["detector"] = ReportTable("The detector on this plate", words, numbers)
    return found


def contrast_table(families: Sequence[Family], unit: str) -> Table:
    """Return the comparisons with the control, for whole units and pooled cells side by side."""
    header = ("condition", "control", "difference per 1000", "fold")
    rows: list[fmt.Row] = [
        (
            each.condition,
            each.control,
            fmt.number(each.difference, 1),
            fmt.number(each.fold, 1),
            _tables.p_words(each.by_unit),
            _tables.p_words(each.pooled),
        )
        for family in families
        for each in family.contrasts
    ]
    return (*header, f"p, whole {unit}s", "p, pooled cells"), rows


def trend_table(families: Sequence[Family], unit: str) -> Table:
    """Return the tests for trend, for whole units and pooled cells side by side."""
    trends = [family.trend for family in families if family.trend is not None]
    rows: list[fmt.Row] = [
        (
            (trend.compound or "all doses")
            + ("" if part is trend else ", without the highest dose"),
            str(len(part.levels)),
            _tables.p_words(part.by_unit),
            _tables.p_words(part.pooled),
        )
        for trend in trends
        for part in _numbers.parts_of(trend)
    ]
    return ("compound", "doses with control", f"p, whole {unit}s", "p, pooled cells"), rows


def decision_table(decisions: Sequence[Decision]) -> Table:
    """Return the criteria of each decision."""
    header = ("compound", "criterion", "answer", "reason", "needed to answer")
    rows: list[fmt.Row] = [
        (decision.compound or "all", each.question, each.answer, each.reason, each.needed)
        for decision in decisions
        for each in decision.criteria
    ]
    return header, rows
