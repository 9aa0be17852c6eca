"""The results of training a network, at the epochs that the paper reports."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from nucrec.evaluate import Metric, Report, mean_interval, report
from nucrec.models import Truth, ZooRow

Array = npt.NDArray[Any]

LOGGED = (1, *range(10, 101, 10))
AVERAGED = tuple(range(20, 101, 10))
MEAN = "20-100"
"""The row of the headline: the mean of the logged epochs from 20 on."""

_ACCURACIES = ("VAL-ACC", "VAL-PRE", "VAL-REC")
"""Columns that are the share of right answers, and have its interval."""

_METRICS = {"ACC": "accuracy", "Loss": "loss", "PRE": "precision", "REC": "recall", "AUC": "auc"}
_HISTORY = {
    f"{part}-{metric}": prefix + name
    for part, prefix in (("TR", ""), ("VAL", "val_"))
    for metric, name in _METRICS.items()
}
"""The paper's columns, and what a network's history calls them."""

_RESAMPLES = 2000


@dataclass(frozen=True)
class EpochRow:
    """A row of Tables III to VI.

    Attributes
    ----------
    name : str
        The epoch, or "20-100" for the mean over the reported epochs from 20 on.
    values : dict of str to float
        The values of the paper's columns.
    accuracy : Metric
        The validation accuracy with its interval.
    report : Report or None
        The report on the validation images at this epoch; None for the mean.
    right : ndarray of float, shape (n,), or None
        For each validation image, 1 if it was classified correctly, else 0; for the mean, the share of
        epochs in which it was.
    """

    name: str
    values: dict[str, float]
    accuracy: Metric
    report: Report | None
    right: Array | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class EpochResult(Sequence[EpochRow]):
    """The rows of one training, or the reason why there are none.

    Attributes
    ----------
    rows : tuple of EpochRow
        A row for each reported epoch that was reached, and their mean.
    seconds : float
        The duration of the training.
    error : str or None
        The reason why it could not be run.
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

    @property
    def averaged(self) -> tuple[int, ...]:
        """The epochs over which the headline is averaged."""
        return tuple(epoch for epoch in AVERAGED if self.status(str(epoch)) == "ok")

    def metric(self, name: str, column: str) -> Metric | None:
        """Return a value of the table; None if the epoch was not reached.

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
        """The failures, with their reasons."""
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


def epoch_result(row: ZooRow, truth: Truth, columns: Sequence[str]) -> EpochResult:
    """Return the rows of a network that was evaluated on the test set after each epoch.

    Parameters
    ----------
    row : ZooRow
        The result of the network, with its history.
    truth : Truth
        The true classes and groups of the test set.
    columns : sequence of str
        The paper's columns.
    """
    if row.history is None or row.validation_proba is None:
        return EpochResult((), row.seconds, row.outcome)
    last_stage = row.history["stage"][-1]
    rows = []
    for i, (stage, epoch) in enumerate(
        zip(row.history["stage"], row.history["epoch"], strict=True)
    ):
        if stage == last_stage and epoch in LOGGED:
            values = {column: float(row.history[_HISTORY[column]][i]) for column in columns}
            rows.append(_logged_row(epoch, values, truth, row.validation_proba[i]))
    averaged = [each for each in rows if int(each.name) in AVERAGED]
    if averaged:
        rows.append(_mean_row(averaged, truth.groups))
    return EpochResult(tuple(rows), row.seconds)


def _logged_row(epoch: int, values: dict[str, float], truth: Truth, probabilities: Any) -> EpochRow:
    predicted = probabilities.argmax(axis=1)
    found = report(
        truth.y_true,
        predicted,
        probabilities,
        truth.class_names,
        truth.groups,
        n_resamples=_RESAMPLES,
    )
    right = (predicted == truth.y_true).astype(float)
    return EpochRow(str(epoch), values, found.metrics["ACC"], found, right)


def _mean_row(rows: Sequence[EpochRow], groups: Any) -> EpochRow:
    """Return the headline: the mean over some epochs."""
    values = {
        column: float(np.mean([row.values[column] for row in rows])) for column in rows[0].values
    }
    right = np.mean([row.right for row in rows if row.right is not None], axis=0)
    return EpochRow(MEAN, values, mean_interval(right, groups), None, right)
