"""What a network's training gave, at the epochs that the paper logs."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, overload

import numpy as np

from nucrec.datasets import ImageDataset
from nucrec.evaluate import Metric, Report, mean_interval, report
from nucrec.models import ImageClassifier

LOGGED = (1, *range(10, 101, 10))
AVERAGED = tuple(range(20, 101, 10))
MEAN = "20-100"
"""The row of the headline: the mean of the logged epochs from 20 on."""

_ACCURACIES = ("VAL-ACC", "VAL-PRE", "VAL-REC")
"""Columns that are the share of right answers, and have its interval."""

_HISTORY = {
    "ACC": "accuracy",
    "Loss": "loss",
    "PRE": "precision",
    "REC": "recall",
    "AUC": "auc",
}
"""The paper's metrics, and their columns in ``history_``."""

_RESAMPLES = 2000


@dataclass(frozen=True)
class EpochRow:
    """A row of Tables III to VI.

    Attributes
    ----------
    name : str
        The epoch, or "20-100" for the mean of the logged ones from 20 on.
    values : dict of str to float
        The paper's columns.
    accuracy : Metric
        The validation accuracy with its interval.
    report : Report or None
        The validation images at this epoch; None for the mean.
    """

    name: str
    values: dict[str, float]
    accuracy: Metric
    report: Report | None


@dataclass(frozen=True)
class EpochResult(Sequence[EpochRow]):
    """The rows of one training, or why there are none.

    Attributes
    ----------
    rows : tuple of EpochRow
        One for each logged epoch that was reached, and their mean.
    seconds : float
        How long it took.
    error : str or None
        Why it could not be run.
    """

    rows: tuple[EpochRow, ...]
    seconds: float
    error: str | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[EpochRow]:
        return iter(self.rows)

    @overload
    def __getitem__(self, key: int | str) -> EpochRow: ...
    @overload
    def __getitem__(self, key: slice) -> "EpochResult": ...
    def __getitem__(self, key: int | str | slice) -> "EpochRow | EpochResult":
        if isinstance(key, slice):
            return EpochResult(self.rows[key], self.seconds, self.error)
        if isinstance(key, str):
            return {row.name: row for row in self.rows}[key]
        return self.rows[key]

    def metric(self, name: str, column: str) -> Metric | None:
        """Return a value of the table; None where the epoch was not reached.

        Parameters
        ----------
        name : str
            The epoch, such as "10", or "20-100".
        column : str
            A column of the paper, such as "VAL-ACC".
        """
        found = [row for row in self.rows if row.name == name]
        if not found:
            return None
        if column in _ACCURACIES:
            return found[0].accuracy
        return Metric(found[0].values[column], float("nan"), float("nan"), "no interval")

    def status(self, name: str) -> str:
        """Return "ok", "not reached" or "failed"."""
        if self.error is not None:
            return "failed"
        return "ok" if any(row.name == name for row in self.rows) else "not reached"

    @property
    def failures(self) -> list[tuple[str, str]]:
        """What failed, and why."""
        return [] if self.error is None else [("training", self.error)]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain dicts, lists and numbers."""
        rows = [
            {
                "name": row.name,
                "values": row.values,
                "accuracy": asdict(row.accuracy),
                "report": None if row.report is None else row.report.to_dict(),
            }
            for row in self.rows
        ]
        return {"seconds": self.seconds, "error": self.error, "rows": rows}


def epoch_result(
    classifier: ImageClassifier, test: ImageDataset, columns: Sequence[str], seconds: float
) -> EpochResult:
    """Return the rows of a classifier that was fitted with `test` as its validation set.

    Parameters
    ----------
    classifier : ImageClassifier
        Fitted.
    test : ImageDataset
        The validation images.
    columns : sequence of str
        The paper's columns.
    seconds : float
        How long the training took.
    """
    groups = test.groups
    history, stage = classifier.history_, classifier.history_["stage"][-1]
    rows, right = [], []
    for i, epoch in enumerate(history["epoch"]):
        if history["stage"][i] != stage or epoch not in LOGGED:
            continue
        probabilities = classifier.validation_proba_[i]
        predicted = probabilities.argmax(axis=1)
        found = report(
            test.labels, predicted, probabilities, test.class_names, groups, n_resamples=_RESAMPLES
        )
        values = {column: float(history[_in_history(column)][i]) for column in columns}
        rows.append(EpochRow(str(epoch), values, found.metrics["ACC"], found))
        if epoch in AVERAGED:
            right.append(predicted == test.labels)
    if right:
        rows.append(_mean_row(rows, np.mean(right, axis=0), groups))
    return EpochResult(tuple(rows), seconds)


def _in_history(column: str) -> str:
    """Return what ``history_`` calls a column of the paper, such as "VAL-ACC"."""
    part, metric = column.split("-")
    return ("val_" if part == "VAL" else "") + _HISTORY[metric]


def _mean_row(rows: Sequence[EpochRow], right: Any, groups: Any) -> EpochRow:
    """Return the headline; `right` is the share of the averaged epochs in which each image was."""
    logged = [row for row in rows if int(row.name) in AVERAGED]
    values = {
        column: float(np.mean([row.values[column] for row in logged])) for column in rows[0].values
    }
    return EpochRow(MEAN, values, mean_interval(right, groups), None)
