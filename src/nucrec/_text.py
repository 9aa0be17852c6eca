"""Formatting of numbers and tables as text, without arithmetic."""

import csv
import io
import math
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from html import escape

Row = Sequence[str]

_LATEX = {
    **{c: f"\\{c}" for c in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}
BYTE_ORDER_MARK = "\ufeff"


def number(value: float, digits: int = 2) -> str:
    """Return a number with fixed decimals, or "n/a" if it is undefined."""
    return "n/a" if math.isnan(value) else f"{value:z.{digits}f}"


def interval(low: float, high: float) -> str:
    """Return "low to high"."""
    return f"{number(low)} to {number(high)}"


def p(value: float) -> str:
    """Return "p = 0.012", or "p not estimable"."""
    if math.isnan(value):
        return "p not estimable"
    return "p < 0.0001" if value < 0.0001 else f"p = {value:#.2g}"


def counts(values: Iterable[int]) -> str:
    """Return "smallest to largest", or the common value of all."""
    found = sorted(values)
    return str(found[0]) if found[0] == found[-1] else f"{found[0]} to {found[-1]}"


def many(n: int, what: str, plural: str = "") -> str:
    """Return "1 image" or "92 images"."""
    return f"{n} {what}" if n == 1 else f"{n} {plural or f'{what}s'}"


def images(n: int, n_groups: int | None = None) -> str:
    """Return "92 images in 10 groups", or "92 images" without groups."""
    return many(n, "image") + ("" if n_groups is None else f" in {many(n_groups, 'group')}")


def percent(share: float) -> str:
    """Return a share as "95%", with all its digits."""
    return f"{100 * share:.10g}%"


def shown(value: object) -> str:
    """Return content of a file for an error message: one line of limited length."""
    text = " ".join(str(value).split())
    return text if len(text) <= 200 else text[:197] + "..."


def listed(names: Sequence[object], most: int = 10) -> str:
    """Return the first of the names, quoted as by Python, with limited length."""
    more = f", and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(shown(repr(name)) for name in names[:most]) + more


def printable(text: str) -> str:
    """Return text with line breaks, control characters and undecodable bytes escaped.

    File names may contain any of these: a terminal would interpret them, and matplotlib fails.
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def text_table(header: Row, rows: Sequence[Row]) -> str:
    """Return a table in columns, the first left-aligned and the others right-aligned."""
    lines = [[printable(cell) for cell in line] for line in (header, *rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def terminal_width() -> int:
    """Return how many characters a line of the terminal holds; 80 where there is none."""
    return shutil.get_terminal_size().columns


def in_lines(text: str, width: int) -> list[str]:
    """Return text in lines that are not longer, broken behind what parts names where possible."""
    lines = []
    while len(text) > width:
        end = max(text.rfind(c, width // 2, width) for c in "/\\ _-.")
        lines.append(text[: end + 1 if end > 0 else width])
        text = text[len(lines[-1]) :]
    return [*lines, text]


def markdown_table(header: Row, rows: Sequence[Row]) -> str:
    """Return a Markdown table, with HTML in cells escaped."""
    rule = [":--", *["--:"] * (len(header) - 1)]
    cells = [[_markdown(cell) for cell in line] for line in (header, rule, *rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in cells)


def html_table(header: Row, rows: Sequence[Row]) -> str:
    """Return an HTML table."""
    head = "".join(f"<th>{html(cell)}</th>" for cell in header)
    body = "".join(
        "<tr>" + "".join(f"<td>{html(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def html(text: str) -> str:
    """Return text escaped as HTML."""
    return escape(printable(text))


def latex_table(header: Row, rows: Sequence[Row]) -> str:
    """Return a LaTeX tabular, the first and last columns left-aligned and the others right-aligned."""
    lines = [" & ".join(_latex(cell) for cell in line) + r" \\" for line in (header, *rows)]
    columns = "l" + "r" * (len(header) - 2) + "l"
    parts = [rf"\begin{{tabular}}{{{columns}}}", lines[0], r"\hline", *lines[1:], r"\end{tabular}"]
    return "\n".join(parts) + "\n"


def csv_text(header: Row, rows: Sequence[Sequence[object]]) -> str:
    """Return CSV text with one header line."""
    return "".join(csv_lines([header, *rows]))


def csv_lines(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield the rows of a CSV table as text, each with its line feed."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)  # its line terminator "\r\n" makes it quote a lone "\r" as well
    for row in rows:
        writer.writerow(row)
        yield buffer.getvalue().removesuffix("\r\n") + "\n"
        buffer.seek(0)
        buffer.truncate()


def csv_for_excel(text: str) -> str:
    """Return CSV text with a byte order mark if it has non-ASCII characters, as Excel requires."""
    return text if text.isascii() else BYTE_ORDER_MARK + text


def to_spreadsheet(text: str) -> str:
    """Return text that a spreadsheet shows literally: "+S9" would be the cell S9, "=1+1" a formula.

    Such text is prefixed with an apostrophe, as is such text that already begins with apostrophes.
    """
    return f"'{text}" if _is_formula(text) else text


def from_spreadsheet(text: str) -> str:
    """Return the original text of the output of `to_spreadsheet`."""
    return text[1:] if text.startswith("'") and _is_formula(text[1:]) else text


def _is_formula(text: str) -> bool:
    return text.lstrip("'").startswith(("=", "+", "-", "@", "\t", "\r"))


def _markdown(cell: str) -> str:
    return re.sub(r"<(?=[A-Za-z/!?])", "&lt;", printable(cell).replace("|", "\\|"))


def _latex(text: str) -> str:
    return "".join(_LATEX.get(c, c) for c in printable(text))
