"""A published table beside the obtained values, as numbers, text, Markdown and CSV."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np

from nucrec import _notebook as show
from nucrec import _text as fmt
from nucrec.evaluate import FoldMetric, Metric, Ranking
from nucrec.models import CrossValidation, FoldResults, ZooResult
from nucrec.paper._epochs import AVERAGED, MEAN, EpochResult
from nucrec.paper._protocol import Division, caption
from nucrec.paper._published import PublishedTable
from nucrec.paper._specification import TABLES, TableSpec

Obtained: TypeAlias = ZooResult | EpochResult | CrossValidation | FoldResults[EpochResult]

CONFIDENCE = 0.95
"""Of all intervals."""

TEXT_WIDTH = 98
"""Columns that a table with both protocols takes on a terminal."""


@dataclass(frozen=True)
class TableResult:
    """A table of the paper, as published and as obtained under each protocol.

    Attributes
    ----------
    published : PublishedTable
        The paper's values.
    obtained : mapping of str to ZooResult, EpochResult, CrossValidation or FoldResults
        For each protocol, a row for each algorithm, or for each reported epoch and their mean; for the
        honest protocol, these in each fold.
    divisions : mapping of str to tuple of Division
        For each protocol, the training and test sets: one pair, or one for each fold.
    setting : str
        The settings that differ from the paper, for the title.

    Examples
    --------
    >>> from nucrec.paper import TableResult, published_table
    >>> table = TableResult(published_table(1), {}, {})
    >>> table.headline, table.rows["RF"]["ACC"]
    (('RF', 'ACC'), 0.78)
    """

    published: PublishedTable
    obtained: Mapping[str, Obtained]
    divisions: Mapping[str, tuple[Division, ...]]
    setting: str = ""

    @property
    def spec(self) -> TableSpec:
        """The specification of the table."""
        return TABLES[self.published.number]

    @property
    def title(self) -> str:
        """The paper's title, with the settings that differ from the paper."""
        return self.published.title + (f" (here: {self.setting})" if self.setting else "")

    @cached_property
    def rows(self) -> dict[str, dict[str, float]]:
        """The published values; for epochs, with the mean of the reported ones from 20 to 100."""
        rows = dict(self.published.rows)
        if self.spec.is_network:
            averaged = [rows[str(epoch)] for epoch in AVERAGED]
            rows[MEAN] = {
                column: float(np.mean([row[column] for row in averaged]))
                for column in self.published.columns
            }
        return rows

    @property
    def headline(self) -> tuple[str, str]:
        """The row and the column of the paper's headline: its best classifier, or the mean."""
        column, published = self.spec.accuracy, self.published.rows
        if self.spec.is_network:
            return MEAN, column
        return max(published, key=lambda name: published[name][column]), column

    @property
    def averaged(self) -> tuple[int, ...]:
        """The epochs over which the mean of a network is taken; empty for classifiers."""
        return next((epochs for r in self.obtained.values() if (epochs := _averaged(r))), ())

    def metric(self, protocol: str, row: str, column: str) -> Metric | None:
        """Return an obtained value.

        Parameters
        ----------
        protocol : str
            "paper" or "honest".
        row : str
            A row of the table, such as "DT", "10" or "20-100".
        column : str
            A column of the table, such as "ACC".

        Returns
        -------
        Metric or None
            For the honest protocol, a `FoldMetric` with the mean over the folds; None if there is no
            result.
        """
        return self.obtained[protocol].metric(row, column)

    def ranking(self, protocol: str) -> Ranking | None:
        """Rank the classical classifiers by MC, and test the best; None for networks.

        Parameters
        ----------
        protocol : str
            "paper" or "honest".
        """
        obtained = self.obtained[protocol]
        return obtained.ranking if isinstance(obtained, ZooResult | CrossValidation) else None

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self, width: int = TEXT_WIDTH) -> str:
        """Return the table as plain text.

        Parameters
        ----------
        width : int, default=98
            Width of the terminal in characters. If it is too small for both protocols side by side,
            they are stacked.
        """
        protocols = list(self.obtained)
        wide = len(protocols) == 1 or width >= self._width(protocols)
        blocks = [protocols] if wide else [[name] for name in protocols]
        notes = [
            textwrap.fill(note, min(width, TEXT_WIDTH), subsequent_indent="  ")
            for note in self._notes()
        ]
        tables = [self._text_block(names) for names in blocks]
        return "\n\n".join([self.title, *tables, "\n".join(notes)])

    def to_markdown(self) -> str:
        """Return the values side by side, followed by the intervals, as Markdown."""
        key = self.published.key
        with_interval = self._columns_with_interval()
        ranges = [key, *(f"{p} {name}" for p in self.obtained for name in with_interval)]
        intervals = [[name, *self._intervals(name, with_interval)] for name in self.rows]
        return "\n\n".join(
            [
                f"# {self.title}",
                fmt.markdown_table(*self._table(self.published.columns)),
                "\n".join(f"- {note}" for note in self._notes()),
                f"## Intervals ({fmt.percent(CONFIDENCE)})",
                fmt.markdown_table(ranges, intervals),
                "",
            ]
        )

    def _repr_html_(self) -> str:
        table = show.table(*self._table(self._shown))
        return show.fragment(show.heading(self.title), table, show.paragraphs(*self._notes()))

    def _table(self, columns: Sequence[str]) -> tuple[fmt.Row, list[fmt.Row]]:
        """Return the header and the rows of some columns, published and obtained side by side."""
        header = [self.published.key, *(f"published {name}" for name in columns)]
        header += [f"{p} {name}" for p in self.obtained for name in columns]
        rows: list[fmt.Row] = [
            [
                name,
                *(fmt.number(values[column]) for column in columns),
                *self._cells(name, self.obtained, columns),
            ]
            for name, values in self.rows.items()
        ]
        return header, rows

    def to_csv(self) -> str:
        """Return the table as CSV, unrounded: published values, then obtained ones with intervals.

        For the honest protocol, ``spread`` is the standard deviation between folds.
        """
        columns = self.published.columns
        header = [self.published.key, *(f"{name}_published" for name in columns)]
        for protocol in self.obtained:
            header.append(f"status_{protocol}")
            header += [f"{column}_{protocol}{end}" for column in columns for end in _ENDINGS]
        lines = []
        for name, values in self.rows.items():
            line: list[object] = [name, *values.values()]
            for protocol, result in self.obtained.items():
                line.append(result.status(name))
                for column in columns:
                    metric = self.metric(protocol, name, column)
                    line += _cells_of(metric)
            lines.append(line)
        return fmt.csv_text(header, lines)

    @property
    def _shown(self) -> tuple[str, ...]:
        """The columns for a terminal."""
        return self.spec.shown or self.published.columns

    def _width(self, protocols: Sequence[str]) -> int:
        """Return the width of the table with the published values and some protocols side by side."""
        lines = self._text_block(protocols).splitlines()
        return max(len(line) for line in lines)

    def _text_block(self, protocols: Sequence[str]) -> str:
        """Return the published values and those of some protocols side by side in narrow columns."""
        columns = self._shown
        n = len(columns)
        lines = [[self.published.key, *(columns * (1 + len(protocols)))]]
        for name, values in self.rows.items():
            shown = [fmt.number(values[column]) for column in columns]
            shown += self._cells(name, protocols, columns)
            lines.append([name, *map(_without_zero, shown)])
        first = max(len(line[0]) for line in lines)
        widths = [
            1 + max(4, *(len(c) for line in lines for c in line[1 + i :: n])) for i in range(n)
        ]
        blocks = ["published", *(f"{name} protocol" for name in protocols)]
        top = " " * first + " |".join(name.center(sum(widths)) for name in blocks)
        text = [top.rstrip()]
        for name, *cells in lines:
            parts = [
                "".join(cell.rjust(w) for cell, w in zip(cells[i : i + n], widths, strict=True))
                for i in range(0, len(cells), n)
            ]
            text.append(name.ljust(first) + " |".join(parts))
        return "\n".join(text)

    def _cells(
        self, name: str, protocols: Sequence[str] | Mapping[str, object], columns: Sequence[str]
    ) -> list[str]:
        found = [
            self.metric(protocol, name, column) for protocol in protocols for column in columns
        ]
        return ["-" if metric is None else fmt.number(metric.value) for metric in found]

    def _columns_with_interval(self) -> tuple[str, ...]:
        """Return the columns in which any value has an interval."""
        found = {
            column
            for column in self.published.columns
            for protocol in self.obtained
            for name in self.rows
            if (metric := self.metric(protocol, name, column)) and metric.low == metric.low
        }
        return tuple(column for column in self.published.columns if column in found)

    def _intervals(self, name: str, columns: Sequence[str]) -> list[str]:
        found = [self.metric(p, name, c) for p in self.obtained for c in columns]
        return [
            "-" if metric is None or np.isnan(metric.low) else fmt.interval(metric.low, metric.high)
            for metric in found
        ]

    def _notes(self) -> list[str]:
        notes = [caption(divisions) for divisions in self.divisions.values()]
        if self.averaged and self.averaged != AVERAGED:
            notes.append(
                f"{MEAN}: published, the mean of epochs 20, 30, ..., 100; obtained, "
                f"{epochs_in_words(self.averaged)}, as training ended there"
            )
        for protocol, result in self.obtained.items():
            if (ranking := self.ranking(protocol)) is not None:
                notes.append(f"{protocol} protocol: {ranking.verdict}")
            notes += [f"{name}, {protocol} protocol: {why}" for name, why in result.failures]
        return notes


def _averaged(obtained: Obtained) -> tuple[int, ...]:
    if isinstance(obtained, EpochResult):
        return obtained.averaged
    return _averaged(obtained.folds[0]) if isinstance(obtained, FoldResults) else ()


def epochs_in_words(epochs: Sequence[int]) -> str:
    """Return the epochs over which a mean is taken, in words."""
    first, *others = map(str, epochs)
    return f"the mean of epochs {', '.join([first, *others])}" if others else f"epoch {first}"


_ENDINGS = ("", "_low", "_high", "_spread")


def _cells_of(metric: Metric | None) -> list[float | None]:
    if metric is None:
        return [None] * len(_ENDINGS)
    spread = metric.std if isinstance(metric, FoldMetric) else None
    return [metric.value, metric.low, metric.high, spread]


def _without_zero(cell: str) -> str:
    """Return ".65" for "0.65", as statistical tables do to save space."""
    return cell.replace("0.", ".", 1) if cell.startswith(("0.", "-0.")) else cell
