"""The HTML page of a report, from the design to the decision, with methods."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nucrec import _html as page
from nucrec import _text as fmt
from nucrec.assay._decision import Decision, caveat
from nucrec.assay._findings import Findings
from nucrec.assay._methods import methods_of
from nucrec.assay._provenance import FileHash
from nucrec.assay._report_tables import ReportTable
from nucrec.assay._summaries import ConditionSummary
from nucrec.assay._tables import SMALLEST, Table, named_by

_NAMED = 30  # maximum number of units named in a row of the design


@dataclass(frozen=True)
class PageContent:
    """The content of the page.

    Attributes
    ----------
    title : str
        The heading.
    findings : Findings
        The results.
    tables : mapping of str to ReportTable
        The tables, by file name.
    pictures : mapping of str to list of str
        SVG documents, one per panel, by file name.
    left_out : sequence of str
        The pictures that could not be drawn, and why.
    inputs, outputs : sequence of FileHash
        The input files, and the files written beside the page.
    made : mapping of str to str
        The command, date and versions.
    """

    title: str
    findings: Findings
    tables: Mapping[str, ReportTable]
    pictures: Mapping[str, Sequence[str]]
    left_out: Sequence[str]
    inputs: Sequence[FileHash]
    outputs: Sequence[FileHash]
    made: Mapping[str, str]


def report_page(content: PageContent) -> str:
    """Return the page as HTML."""
    parts = [
        *_summary(content.findings),
        _design(content.findings),
        _counts(content),
        _rates(content),
        *_tests(content),
        _decision(content),
        *_corrected(content),
        *_cytotoxicity(content),
        *_remarks(content),
        _units(content),
        _methods(content.findings),
        _made(content),
    ]
    return page.page(content.title, parts)


def _summary(findings: Findings) -> list[str]:
    words = "; ".join(
        f"{decision.compound} {decision.verdict}{caveat(decision)}".lstrip()
        for decision in findings.decisions
    )
    told = f"By the three criteria of OECD TG 487: {words}."
    return [
        f'<p class="verdict"><b>{fmt.html(told)}</b></p>',
        page.numbers(_key_numbers(findings)),
    ]


def _key_numbers(findings: Findings) -> list[tuple[str, str]]:
    assay = findings.assay
    numbers = []
    if assay.control is not None:
        rate = assay.control.rate
        span = ""
        if not math.isnan(rate.low):
            span = f", {fmt.number(rate.low, 1)} to {fmt.number(rate.high, 1)}"
        numbers.append((fmt.number(rate.value, 1), f"per 1000 in the control{span}"))
    return [
        *numbers,
        (f"{len(assay.conditions)}", "conditions"),
        (f"{len(assay.units)}", f"{assay.unit}s"),
        (f"{sum(each.n_scored for each in assay.conditions):,}", "cells scored"),
        (f"{sum(each.n_excluded for each in assay.conditions):,}", "cells not scored"),
        (f"{sum(each.n_micronucleated for each in assay.conditions):,}", "micronucleated"),
    ]


def _design(findings: Findings) -> str:
    assay = findings.assay
    control = "none" if assay.control is None else assay.control.name
    plates = list(dict.fromkeys(unit.plate for unit in assay.units if unit.plate))
    rows = [
        ("concurrent control", control),
        ("experimental unit", assay.unit),
        (
            "permutations",
            f"of {assay.unit}s" + (f" within each {assay.block}" if assay.block else ""),
        ),
        ("significance level", f"{fmt.percent(findings.alpha)}, one-sided"),
        ("intervals", fmt.percent(assay.confidence)),
        *([("plates", ", ".join(plates))] if plates else []),
        *([("columns", _columns(assay.columns))] if assay.columns else []),
    ]
    words = (
        f"Compounds were added to whole {assay.unit}s, so intervals and the decision count "
        f"{assay.unit}s: cells of the same {assay.unit} are not independent."
    )
    return page.section(
        "Design",
        page.paragraph(words),
        page.facts(rows),
        page.prose_table(*_design_table(findings)),
    )


def _columns(columns: Mapping[str, str]) -> str:
    return ", ".join(
        ours if ours == name else f"{ours} from {name!r}" for ours, name in columns.items()
    )


def _design_table(findings: Findings) -> Table:
    assay = findings.assay
    units: dict[str, list[str]] = {}
    for unit in assay.units:
        units.setdefault(unit.condition, []).append(unit.name)
    rows: list[fmt.Row] = [
        (
            each.name + (" (control)" if each.is_control else ""),
            "" if math.isnan(each.dose) else f"{each.dose:.6g}",
            str(len(units.get(each.name, []))),
            _listed(units.get(each.name, [])),
        )
        for each in assay.conditions
    ]
    return ("condition", "dose", "number", named_by(assay.units, assay.unit)), rows


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _counts(content: PageContent) -> str:
    conditions = content.findings.assay.conditions
    header = ("condition", "cells", "scored", "not scored", "micronucleated")
    rows = [_count_row(each) for each in conditions]
    parts = [page.table(header, rows)]
    reasons = list(dict.fromkeys(reason for each in conditions for reason in each.excluded))
    if len(reasons) > 1:
        words = "Why cells were not scored. A cell with several reasons is counted once, with all."
        parts += [page.paragraph(words), page.table(*content.tables["exclusions"].words)]
    else:
        told = f"Not scored: {reasons[0]}." if reasons else "All cells in the table are scored."
        parts.append(page.paragraph(told))
    return page.section("Counts and exclusions", *parts)


def _count_row(each: ConditionSummary) -> fmt.Row:
    total = each.n_scored + each.n_excluded
    counts = (total, each.n_scored, each.n_excluded, each.n_micronucleated)
    return (each.name, *(f"{count:,}" for count in counts))


def _rates(content: PageContent) -> str:
    assay = content.findings.assay
    words = (
        f"Micronucleated cells per 1000 scored cells, with {fmt.percent(assay.confidence)} intervals. "
        f"The intervals include the variation between {assay.unit}s, but no scoring errors of a "
        "person or a detector."
    )
    parts = [page.paragraph(words), page.table(*content.tables["conditions"].words)]
    alternatives = {
        "dose-response": "Rates with their intervals, as in the table",
        "plate": f"Plate map of the rates, as in the table by {assay.unit}",
    }
    parts += [
        page.drawing(picture, alternative)
        for name, alternative in alternatives.items()
        for picture in content.pictures.get(name, ())
    ]
    parts += [page.paragraph(each) for each in content.left_out]
    if "micronuclei-per-cell" in content.tables:
        table = content.tables["micronuclei-per-cell"]
        parts += [
            page.paragraph("Scored cells by their number of micronuclei."),
            page.table(*table.words),
        ]
    return page.section("Rates", *parts)


def _tests(content: PageContent) -> list[str]:
    tables = content.tables
    if "against-control" not in tables and "trend" not in tables:
        return []
    unit = content.findings.assay.unit
    words = (
        f"One-sided p-values for an increase. The decision uses those of whole {unit}s, which account "
        f"for the variation between {unit}s. Those of pooled cells treat all cells as independent, and "
        f"are too small if {unit}s differ by more than chance."
    )
    parts = [page.paragraph(words)]
    if "trend" in tables:
        parts += [page.heading("With dose"), page.table(*tables["trend"].words)]
    if "against-control" in tables:
        told = "Adjusted for the number of doses of the same compound."
        parts += [page.heading("Against the control"), page.paragraph(told)]
        parts.append(page.named_table(*tables["against-control"].words))
    if "smallest-increase" in tables:
        told = (
            "A test that finds no increase does not rule one out. The smallest true rate that this "
            "design would probably have detected as an increase:"
        )
        parts += [page.heading(SMALLEST), page.paragraph(told)]
        parts.append(page.table(*tables["smallest-increase"].words))
    return [page.section("Tests", *parts)]


def _decision(content: PageContent) -> str:
    historical = content.findings.historical
    parts = []
    if historical is not None:
        limits = "too few for limits"
        if not math.isnan(historical.low):
            limits = f"{fmt.number(historical.low, 1)} to {fmt.number(historical.high, 1)}"
        mean = f"{fmt.number(historical.mean, 1)} per 1000"
        told = f"Historical controls: {historical.n} experiments, mean {mean}"
        parts.append(page.paragraph(f"{told}, 95% of single rates within {limits}."))
    for decision in content.findings.decisions:
        name = f"{decision.compound}: " if decision.compound else ""
        parts += [
            page.heading(f"{name}{decision.verdict} by these criteria{caveat(decision)}"),
            page.prose_table(*_criteria(decision)),
        ]
        lacking = [
            each for each in decision.needed if each not in {c.needed for c in decision.criteria}
        ]
        if lacking:
            parts += [page.paragraph("The guideline also asks for:"), page.bullets(lacking)]
    decided = {decision.compound for decision in content.findings.decisions}
    others = [each.name for each in content.findings.families if each.name not in decided]
    if others:
        told = "Compared with the control, but without a decision, because there is only one dose"
        parts.append(page.paragraph(f"{told}: {', '.join(others)}."))
    return page.section("Decision by the criteria of OECD TG 487", *parts)


def _criteria(decision: Decision) -> Table:
    """Return the criteria, with the data needed to answer them, if any."""
    header: fmt.Row = ("criterion", "answer", "reason", "needed to answer")
    rows = [(c.question, c.answer, c.reason, c.needed) for c in decision.criteria]
    if not any(c.needed for c in decision.criteria):
        return header[:-1], [row[:-1] for row in rows]
    return header, list(rows)


def _corrected(content: PageContent) -> list[str]:
    correction = content.findings.correction
    if correction is None:
        return []
    told = (
        f"Sensitivity {correction.sensitivity:.3f}, specificity {correction.specificity:.4f} "
        f"({correction.source})."
    )
    parts = [page.paragraph(told)]
    parts.append(page.table(*content.tables["corrected"].words))
    if correction.review is not None:
        parts += [
            page.heading("The detector on this plate"),
            page.prose_table(*correction.review.table),
        ]
        parts.append(page.bullets(correction.review.remarks))
    return [page.section("Rates corrected for errors of the detector", *parts)]


def _cytotoxicity(content: PageContent) -> list[str]:
    if "cytotoxicity" not in content.tables:
        return []
    return [page.section("Cytotoxicity", page.table(*content.tables["cytotoxicity"].words))]


def _remarks(content: PageContent) -> list[str]:
    remarks = content.findings.remarks
    return [page.section("Remarks", page.bullets(remarks))] if remarks else []


def _units(content: PageContent) -> str:
    unit = content.findings.assay.unit
    words = f"Each interval is based on one {unit} alone."
    return page.section(
        f"Every {unit}", page.paragraph(words), page.named_table(*content.tables["units"].words)
    )


def _methods(findings: Findings) -> str:
    parts = []
    for method in methods_of(findings):
        parts += [page.heading(method.what), page.paragraph(method.words)]
        parts.append(page.bullets(method.sources))
    return page.section("Methods", *parts)


def _made(content: PageContent) -> str:
    parts = [page.facts(list(content.made.items()))]
    for heading, files in (("Input files", content.inputs), ("Output files", content.outputs)):
        if files:
            rows = [(each.name, f"{each.size:,}", each.sha256) for each in files]
            parts += [page.heading(heading), page.prose_table(("file", "bytes", "SHA-256"), rows)]
    return page.section("How this was made", *parts)
