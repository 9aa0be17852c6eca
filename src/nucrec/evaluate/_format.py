"""Reports as text. No arithmetic here: numbers come in, words go out."""

import csv
import io
import math
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nucrec.evaluate._report import Metric, Report

Row = Sequence[str]


def number(value: float, digits: int = 2) -> str:
    """Return a number with fixed decimals; "n/a" where it is undefined."""
    return "n/a" if math.isnan(value) else f"{value:z.{digits}f}"


def percent(share: float) -> str:
    """Return a share as "95%", with as many digits as it has."""
    return f"{100 * share:.10g}%"


def text_table(header: Row, rows: Sequence[Row]) -> str:
    """Return a table in columns: the first to the left, the others to the right."""
    lines = [header, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def markdown_table(header: Row, rows: Sequence[Row]) -> str:
    """Return a Markdown table."""
    rule = [":--", *["--:"] * (len(header) - 1)]
    cells = [[cell.replace("|", "\\|") for cell in line] for line in (header, rule, *rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in cells)


def html_table(header: Row, rows: Sequence[Row]) -> str:
    """Return an HTML table."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def csv_text(header: Row, rows: Sequence[Sequence[object]]) -> str:
    """Return CSV text with one header line."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue()


def report_text(report: "Report") -> str:
    """Return a report as plain text."""
    parts = [
        _summary(report),
        text_table(*_metric_rows(report)),
        text_table(*_class_rows(report)),
        "Confusion matrix (true classes in rows, predicted in columns)",
        text_table(*_confusion_rows(report)),
    ]
    return "\n\n".join(parts[:3]) + "\n\n" + "\n".join(parts[3:])


def report_markdown(report: "Report") -> str:
    """Return a report as Markdown tables."""
    tables = (_metric_rows(report), _class_rows(report), _confusion_rows(report))
    return "\n\n".join([_summary(report), *(markdown_table(*table) for table in tables)]) + "\n"


def report_html(report: "Report") -> str:
    """Return a report as HTML tables."""
    tables = (_metric_rows(report), _class_rows(report), _confusion_rows(report))
    return f"<p>{escape(_summary(report))}</p>" + "".join(html_table(*table) for table in tables)


def report_latex(report: "Report") -> str:
    """Return a report's metrics as a LaTeX tabular."""
    header, rows = _metric_rows(report)
    lines = [" & ".join(_latex(cell) for cell in line) + r" \\" for line in (header, *rows)]
    lines.insert(1, r"\hline")
    return "\n".join([r"\begin{tabular}{lrrl}", *lines, r"\end{tabular}"]) + "\n"


def report_csv(report: "Report") -> str:
    """Return a report's metrics as CSV, unrounded."""
    header = ("metric", "value", "low", "high", "method")
    return csv_text(
        header, [(k, m.value, m.low, m.high, m.method) for k, m in report.metrics.items()]
    )


def interval(metric: "Metric") -> str:
    """Return "low to high"."""
    return f"{number(metric.low)} to {number(metric.high)}"


def _summary(report: "Report") -> str:
    groups = "" if report.n_groups is None else f" in {report.n_groups} groups"
    return f"{report.n} images{groups}; intervals: {percent(report.confidence)}"


def _metric_rows(report: "Report") -> tuple[Row, list[Row]]:
    rows: list[Row] = [
        (name, number(metric.value), interval(metric), metric.method)
        for name, metric in report.metrics.items()
    ]
    return ("metric", "value", "interval", "method"), rows


def _class_rows(report: "Report") -> tuple[Row, list[Row]]:
    header = ["class", "n"]
    for key in next(iter(report.per_class.values())):
        header += [key, "interval"]
    rows: list[Row] = []
    for name, metrics in report.per_class.items():
        row = [name, str(report.support[name])]
        for metric in metrics.values():
            row += [number(metric.value), interval(metric)]
        rows.append(row)
    return header, rows


def _confusion_rows(report: "Report") -> tuple[Row, list[Row]]:
    rows: list[Row] = [
        (name, *map(str, counts))
        for name, counts in zip(report.class_names, report.confusion_matrix, strict=True)
    ]
    return ("", *report.class_names), rows


def _latex(text: str) -> str:
    return "".join("\\" + c if c in "&%$#_{}" else c for c in text)
