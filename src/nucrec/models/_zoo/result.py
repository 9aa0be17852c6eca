"""The result of `run_zoo`: one row per classifier, and tables in several formats."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

from nucrec import _notebook as show
from nucrec import _text as fmt
from nucrec._metric_names import NAMES, check_metric, title
from nucrec.evaluate import Metric, Ranking
from nucrec.models._zoo.row import ZooRow
from nucrec.models._zoo.truth import Truth


class ZooTable(ABC):
    """A table with one line per classifier, and whether the best is significantly better."""

    @property
    @abstractmethod
    def ranking(self) -> Ranking | None:
        """The ranking of the classifiers by MCC, if at least two have a result."""

    def __str__(self) -> str:
        verdict = f"\n\n{self.ranking.verdict}" if self.ranking else ""
        return fmt.text_table(*self._table()) + verdict

    def _repr_html_(self) -> str:
        verdict = self.ranking.verdict if self.ranking else ""
        return show.fragment(show.table(*self._table()), show.paragraphs(verdict))

    def to_markdown(self) -> str:
        """Return the table as Markdown."""
        return fmt.markdown_table(*self._table()) + "\n"

    @abstractmethod
    def _table(self) -> tuple[list[str], list[list[str]]]:
        """Return the header and the lines of the table."""


@dataclass(frozen=True)
class ZooResult(ZooTable, Sequence[ZooRow]):
    """The result of `run_zoo`: one row per classifier, in the order of the zoo.

    Attributes
    ----------
    rows : tuple of ZooRow
        One row per classifier.
    ranking : Ranking or None
        The classifiers with a result ranked by MCC, with a test of the best against the second;
        None if fewer than two have a result.
    truth : Truth or None
        The labels, groups and ids of the test set.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from nucrec.models import run_zoo
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]
    >>> result = run_zoo({"majority": DummyClassifier()}, (X, y), (X, y))
    >>> result["majority"].report.accuracy.value
    0.5
    """

    rows: tuple[ZooRow, ...]
    ranking: Ranking | None = None
    truth: Truth | None = field(default=None, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[ZooRow]:
        return iter(self.rows)

    @overload
    def __getitem__(self, key: int | str) -> ZooRow: ...
    @overload
    def __getitem__(self, key: slice) -> "ZooResult": ...
    def __getitem__(self, key: int | str | slice) -> "ZooRow | ZooResult":
        if isinstance(key, slice):
            return ZooResult(self.rows[key], truth=self.truth)
        if isinstance(key, str):
            return {row.name: row for row in self.rows}[key]
        return self.rows[key]

    @property
    def names(self) -> list[str]:
        """The classifiers, in the order of the zoo."""
        return [row.name for row in self]

    def metric(self, name: str, metric: str) -> Metric | None:
        """Return a metric of a classifier, or None if it has none.

        Parameters
        ----------
        name : str
            The classifier's key in the zoo.
        metric : str
            The standard name of the metric, such as "accuracy" or "mcc", or its label in the paper.

        Raises
        ------
        InvalidParameterError
            No metric has this name.
        """
        label = check_metric("metric", metric)
        found = self[name].report
        return None if found is None else found.metrics.get(label)

    def status(self, name: str) -> str:
        """Return the status of a classifier: "ok", "failed" or "timeout".

        Parameters
        ----------
        name : str
            The classifier's key in the zoo.
        """
        return self[name].status

    @property
    def failures(self) -> list[tuple[str, str]]:
        """The name and outcome of each classifier without a result."""
        return [(row.name, row.outcome) for row in self if row.report is None]

    def to_csv(self) -> str:
        """Return the unrounded table as CSV text: each metric with its interval."""
        names = self.metric_names
        header = ["model", "status", "seconds", "stage", "error"]
        header += [NAMES[name] + ending for name in names for ending in ("", "_low", "_high")]
        lines: list[list[object]] = []
        for row in self.rows:
            line: list[object] = [row.name, row.status, row.seconds, row.stage, row.error]
            for name in names:
                metric = row.report.metrics.get(name) if row.report else None
                line += [metric.value, metric.low, metric.high] if metric else [None] * 3
            lines.append(line)
        return fmt.csv_text(header, lines)

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"rows": [...], "ranking": {...}}`` as plain dicts, lists and numbers."""
        ranking = None if self.ranking is None else self.ranking.to_dict()
        return {"rows": [row.to_dict() for row in self.rows], "ranking": ranking}

    @property
    def metric_names(self) -> list[str]:
        """The metrics available for any classifier, in the order of the report."""
        reports = [row.report for row in self.rows if row.report]
        return list(dict.fromkeys(name for report in reports for name in report.metrics))

    def _table(self) -> tuple[list[str], list[list[str]]]:
        names = self.metric_names
        shown = map(title, names)
        header = ["model", *shown, "accuracy interval", "MCC interval", "seconds", "outcome"]
        return header, [self._line(row, names) for row in self.rows]

    def _line(self, row: ZooRow, names: list[str]) -> list[str]:
        if row.report is None:
            cells = [""] * (len(names) + 2)
        else:
            metrics = row.report.metrics
            cells = [fmt.number(metrics[n].value) if n in metrics else "" for n in names]
            cells += [fmt.interval(metrics[name].low, metrics[name].high) for name in ("ACC", "MC")]
        return [row.name, *cells, fmt.number(row.seconds), row.outcome]
