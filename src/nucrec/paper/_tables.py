"""A table of the paper beside what was obtained: numbers first, then text, Markdown and CSV."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nucrec.evaluate import Metric
from nucrec.evaluate import _format as fmt
from nucrec.models import ZooResult
from nucrec.paper._protocol import Division
from nucrec.paper._published import PublishedTable

TEXT_WIDTH = 98
"""Columns that a table with both protocols takes on a terminal."""


@dataclass(frozen=True)
class TableResult:
    """One table: published, and obtained under each protocol.

    Attributes
    ----------
    published : PublishedTable
        The paper's values.
    obtained : mapping of str to ZooResult
        For each protocol a row for each algorithm.
    divisions : mapping of str to Division
        For each protocol the training and the test part.
    """

    published: PublishedTable
    obtained: Mapping[str, ZooResult]
    divisions: Mapping[str, Division]

    def metric(self, protocol: str, algorithm: str, column: str) -> Metric | None:
        """Return what was obtained.

        Parameters
        ----------
        protocol : str
            "paper" or "honest".
        algorithm : str
            A row of the table, such as "DT".
        column : str
            A column of the table, such as "ACC".

        Returns
        -------
        Metric or None
            None where the algorithm has no result.
        """
        found = self.obtained[protocol][algorithm].report
        return None if found is None else found.metrics[column]

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self, width: int = TEXT_WIDTH) -> str:
        """Return the table as plain text.

        Parameters
        ----------
        width : int, default=98
            Columns of the terminal. Where they are too few for both protocols side by side, one comes
            below the other.
        """
        protocols = list(self.obtained)
        wide = len(protocols) == 1 or width >= TEXT_WIDTH
        blocks = [protocols] if wide else [[name] for name in protocols]
        notes = [
            textwrap.fill(note, min(width, TEXT_WIDTH), subsequent_indent="  ")
            for note in self._notes()
        ]
        tables = [self._text_block(names) for names in blocks]
        return "\n\n".join([self.published.title, *tables, "\n".join(notes)])

    def to_markdown(self) -> str:
        """Return the values side by side, and below them the intervals, as Markdown."""
        published = self.published
        header = [published.key, *(f"published {name}" for name in published.columns)]
        header += [f"{p} {name}" for p in self.obtained for name in published.columns]
        rows = [
            [name, *(fmt.number(v) for v in values.values()), *self._cells(name, self.obtained)]
            for name, values in published.rows.items()
        ]
        ranges = [published.key]
        ranges += [f"{p} {name}" for p in self.obtained for name in published.columns]
        intervals = [[name, *self._intervals(name)] for name in published.rows]
        return "\n\n".join(
            [
                f"# {published.title}",
                fmt.markdown_table(header, rows),
                "\n".join(f"- {note}" for note in self._notes()),
                f"## Intervals ({fmt.percent(self._confidence())})",
                fmt.markdown_table(ranges, intervals),
                "",
            ]
        )

    def to_csv(self) -> str:
        """Return the table as CSV, unrounded: published values, then obtained ones and intervals."""
        columns = self.published.columns
        header = [self.published.key, *(f"{name}_published" for name in columns)]
        for protocol in self.obtained:
            header.append(f"status_{protocol}")
            header += [f"{c}_{protocol}{end}" for c in columns for end in ("", "_low", "_high")]
        lines = []
        for name, values in self.published.rows.items():
            line: list[object] = [name, *values.values()]
            for protocol, result in self.obtained.items():
                line.append(result[name].status)
                for column in columns:
                    metric = self.metric(protocol, name, column)
                    line += [metric.value, metric.low, metric.high] if metric else [None] * 3
            lines.append(line)
        return fmt.csv_text(header, lines)

    def _text_block(self, protocols: Sequence[str]) -> str:
        """Return published values and those of some protocols, side by side, in narrow columns."""
        columns = self.published.columns
        blocks = ["published", *(f"{name} protocol" for name in protocols)]
        width = 5 * len(columns)
        lines = [" " * 4 + " |".join(name.center(width) for name in blocks).rstrip()]
        heading = "".join(name.rjust(5) for name in columns)
        lines.append(self.published.key.ljust(4) + " |".join([heading] * len(blocks)))
        for name, values in self.published.rows.items():
            shown = [fmt.number(value) for value in values.values()]
            shown += self._cells(name, protocols)
            narrow = [_without_zero(cell).rjust(5) for cell in shown]
            n = len(columns)
            parts = ["".join(narrow[i : i + n]) for i in range(0, len(narrow), n)]
            lines.append(name.ljust(4) + " |".join(parts))
        return "\n".join(lines)

    def _cells(self, name: str, protocols: Sequence[str] | Mapping[str, ZooResult]) -> list[str]:
        cells = []
        for protocol in protocols:
            for column in self.published.columns:
                metric = self.metric(protocol, name, column)
                cells.append("-" if metric is None else fmt.number(metric.value))
        return cells

    def _intervals(self, name: str) -> list[str]:
        found = [self.metric(p, name, c) for p in self.obtained for c in self.published.columns]
        return ["-" if metric is None else fmt.interval(metric) for metric in found]

    def _confidence(self) -> float:
        rows = [row for result in self.obtained.values() for row in result]
        return next((row.report.confidence for row in rows if row.report), 0.95)

    def _notes(self) -> list[str]:
        notes = [division.caption for division in self.divisions.values()]
        for protocol, result in self.obtained.items():
            notes += [
                f"{row.name}, {protocol} protocol: {row.outcome}"
                for row in result
                if not row.report
            ]
        return notes


def _without_zero(cell: str) -> str:
    """Return ".65" for "0.65", as tables of statistics do where space is short."""
    return cell.replace("0.", ".", 1) if cell.startswith(("0.", "-0.")) else cell
