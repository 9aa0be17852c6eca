"""Reports as text. No arithmetic here: numbers come in, words go out."""

from html import escape
from typing import TYPE_CHECKING

from nucrec._html import page, paragraph, section, table
from nucrec._text import (
    Row,
    csv_text,
    html_table,
    images,
    interval,
    markdown_table,
    number,
    percent,
    text_table,
)

if TYPE_CHECKING:
    from nucrec.evaluate._report import Report


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


def report_page(report: "Report", title: str, confusion: str, metrics: str) -> str:
    """Return a report as a page, with two plots that are HTML."""
    summary, *remarks = _summary(report).splitlines()
    matrix = "True classes in rows, predicted classes in columns."
    return page(
        title,
        [
            *map(paragraph, (summary, *remarks)),
            section("Metrics", table(*_metric_rows(report)), metrics),
            section("Classes", table(*_class_rows(report))),
            section(
                "Confusion matrix", paragraph(matrix), table(*_confusion_rows(report)), confusion
            ),
        ],
    )


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


def _summary(report: "Report") -> str:
    remarks = "".join(f"\nNote: {remark}" for remark in report.remarks)
    return f"{images(report.n, report.n_groups)}; intervals: {percent(report.confidence)}{remarks}"


def _metric_rows(report: "Report") -> tuple[Row, list[Row]]:
    rows: list[Row] = [
        (name, number(metric.value), interval(metric.low, metric.high), metric.method)
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
            row += [number(metric.value), interval(metric.low, metric.high)]
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
