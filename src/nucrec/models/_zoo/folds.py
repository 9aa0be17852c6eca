"""The results of several folds with the same rows and columns, and their means."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from nucrec.evaluate import FoldMetric, Metric, over_folds

_BOUNDS = {"MC": (-1.0, 1.0), "KS": (-1.0, 1.0)}


class OneFold(Protocol):
    """The result of one fold: a table of rows (classifiers, epochs) and columns (metrics)."""

    def metric(self, name: str, column: str, /) -> Metric | None:
        """Return a value, or None if there is none."""

    def status(self, name: str, /) -> str:
        """Return the status of a row: "ok", or another word."""

    @property
    def failures(self) -> Sequence[tuple[str, str]]:
        """The rows that failed, and why."""

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain dicts, lists and numbers."""


F = TypeVar("F", bound=OneFold)


@dataclass(frozen=True)
class FoldResults(Generic[F]):
    """The results of several folds with the same rows and columns.

    Attributes
    ----------
    folds : tuple
        The result of each fold, those of the first repeat first.
    n_splits : int
        Number of folds per repeat.
    confidence : float
        Confidence level of the intervals.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from nucrec.models import FoldResults, run_zoo
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]
    >>> fold = run_zoo({"majority": DummyClassifier()}, (X, y), (X, y))
    >>> results = FoldResults((fold, fold), n_splits=2)
    >>> results.status("majority"), results.metric("majority", "ACC").value
    ('ok', 0.5)
    """

    folds: tuple[F, ...]
    n_splits: int
    confidence: float = 0.95

    def metric(self, name: str, column: str) -> FoldMetric | None:
        """Return the mean of a metric over the folds, with its confidence interval.

        Parameters
        ----------
        name : str
            The row, such as the classifier's key in the zoo.
        column : str
            The column, such as "ACC".

        Returns
        -------
        FoldMetric or None
            The mean and its interval; None if any fold has no result, since means over different
            folds cannot be compared.
        """
        values = [m.value for fold in self.folds if (m := fold.metric(name, column)) is not None]
        if len(values) < len(self.folds):
            return None
        bounds = (0.0, np.inf) if column.endswith("Loss") else _BOUNDS.get(column, (0.0, 1.0))
        return over_folds(values, self.n_splits, confidence=self.confidence, bounds=bounds)

    def status(self, name: str) -> str:
        """Return "ok", or the status of the first fold in which the row is not "ok".

        Parameters
        ----------
        name : str
            The row.
        """
        statuses = (fold.status(name) for fold in self.folds)
        return next((status for status in statuses if status != "ok"), "ok")

    @property
    def failures(self) -> list[tuple[str, str]]:
        """The rows that failed, and why, each once."""
        counts = Counter(failure for fold in self.folds for failure in fold.failures)
        n = len(self.folds)
        return [
            (name, why if times == n else f"{why} (in {times} of {n} folds)")
            for (name, why), times in counts.items()
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"n_splits", "folds": [...]}`` as plain dicts, lists and numbers."""
        return {"n_splits": self.n_splits, "folds": [fold.to_dict() for fold in self.folds]}
