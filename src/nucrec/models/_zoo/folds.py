"""The same rows and columns from each fold, and what they say together."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from nucrec.evaluate import FoldMetric, Metric, over_folds

_BOUNDS = {"MC": (-1.0, 1.0), "KS": (-1.0, 1.0)}


class OneFold(Protocol):
    """What became of one fold: a table of rows (classifiers, epochs) and columns (metrics)."""

    def metric(self, name: str, column: str, /) -> Metric | None:
        """Return a value; None where there is none."""

    def status(self, name: str, /) -> str:
        """Return what became of a row: "ok", or another word."""

    @property
    def failures(self) -> Sequence[tuple[str, str]]:
        """What failed, and why."""

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain dicts, lists and numbers."""


F = TypeVar("F", bound=OneFold)


@dataclass(frozen=True)
class FoldResults(Generic[F]):
    """The same rows and columns from each fold.

    Attributes
    ----------
    folds : tuple
        What each fold gave, those of the first repeat first.
    n_splits : int
        Folds in each repeat.
    confidence : float
        Of the intervals.
    """

    folds: tuple[F, ...]
    n_splits: int
    confidence: float = 0.95

    def metric(self, name: str, column: str) -> FoldMetric | None:
        """Return the mean of a metric over the folds, with its interval.

        Parameters
        ----------
        name : str
            The row, such as the classifier's key in the zoo.
        column : str
            Such as "ACC".

        Returns
        -------
        FoldMetric or None
            None if some fold has no result: means over other folds cannot be compared.
        """
        values = [m.value for fold in self.folds if (m := fold.metric(name, column)) is not None]
        if len(values) < len(self.folds):
            return None
        bounds = (0.0, np.inf) if column.endswith("Loss") else _BOUNDS.get(column, (0.0, 1.0))
        return over_folds(values, self.n_splits, confidence=self.confidence, bounds=bounds)

    def status(self, name: str) -> str:
        """Return "ok", or what became of the row in the first fold where it is not.

        Parameters
        ----------
        name : str
            The row.
        """
        statuses = (fold.status(name) for fold in self.folds)
        return next((status for status in statuses if status != "ok"), "ok")

    @property
    def failures(self) -> list[tuple[str, str]]:
        """What failed, and why, each once."""
        counts = Counter(failure for fold in self.folds for failure in fold.failures)
        n = len(self.folds)
        return [
            (name, why if times == n else f"{why} (in {times} of {n} folds)")
            for (name, why), times in counts.items()
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"n_splits", "folds": [...]}`` as plain dicts, lists and numbers."""
        return {"n_splits": self.n_splits, "folds": [fold.to_dict() for fold in self.folds]}
