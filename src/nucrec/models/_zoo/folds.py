"""Many classifiers on the same folds: mean, spread and interval of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, Literal, Protocol, TypeVar

import numpy as np

from nucrec import _text as fmt
from nucrec._progress import Progress, progress_function
from nucrec._validation import check_int
from nucrec.augment import Pipeline
from nucrec.datasets import ImageDataset, folds
from nucrec.evaluate import FoldMetric, Metric, Ranking, over_folds, rank_folds
from nucrec.models._zoo.result import ZooResult, ZooTable
from nucrec.models._zoo.run import check_zoo, run_parts

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
        found = [fold.metric(name, column) for fold in self.folds]
        values = [metric.value for metric in found if metric is not None]
        if len(values) < len(found):
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
        found = [fold.status(name) for fold in self.folds]
        return next((status for status in found if status != "ok"), "ok")

    @property
    def failures(self) -> list[tuple[str, str]]:
        """What failed, and why, each once."""
        found: dict[tuple[str, str], list[int]] = {}
        for number, fold in enumerate(self.folds, 1):
            for failure in fold.failures:
                found.setdefault(failure, []).append(number)
        n = len(self.folds)
        return [
            (name, why if len(numbers) == n else f"{why} (in {len(numbers)} of {n} folds)")
            for (name, why), numbers in found.items()
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"n_splits", "folds": [...]}`` as plain dicts, lists and numbers."""
        return {"n_splits": self.n_splits, "folds": [fold.to_dict() for fold in self.folds]}


@dataclass(frozen=True)
class CrossValidation(ZooTable, FoldResults[ZooResult]):
    """What `cross_validate` found.

    Attributes
    ----------
    folds : tuple of ZooResult
        What each fold gave, those of the first repeat first.
    n_splits : int
        Folds in each repeat.
    confidence : float
        Of the intervals.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from nucrec.datasets import load_mnfinder_crops
    >>> from nucrec.models import cross_validate
    >>> zoo = {"majority": DummyClassifier()}
    >>> found = cross_validate(zoo, load_mnfinder_crops(), n_splits=3, random_state=0)
    >>> found.metric("majority", "MC").value
    0.0
    """

    @property
    def names(self) -> list[str]:
        """The classifiers, in the order of the zoo."""
        return self.folds[0].names

    @cached_property
    def ranking(self) -> Ranking | None:
        """Those with a result in all folds, ranked by MC; None if there are fewer than two."""
        found = {name: self.metric(name, "MC") for name in self.names}
        values = {name: metric.folds for name, metric in found.items() if metric is not None}
        if len(values) < 2:
            return None
        return rank_folds(values, self.n_splits, confidence=self.confidence)

    def to_csv(self) -> str:
        """Return CSV text, unrounded: mean, interval and spread of each metric."""
        columns = self.metric_names
        endings = ("", "_low", "_high", "_spread")
        header = ["model", "status", *(name + ending for name in columns for ending in endings)]
        lines: list[list[object]] = []
        for name in self.names:
            line: list[object] = [name, self.status(name)]
            for column in columns:
                found = self.metric(name, column)
                line += [found.value, found.low, found.high, found.std] if found else [None] * 4
            lines.append(line)
        return fmt.csv_text(header, lines)

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"n_splits", "folds": [...], "ranking"}`` as plain dicts, lists and numbers."""
        ranking = None if self.ranking is None else self.ranking.to_dict()
        return {**super().to_dict(), "ranking": ranking}

    @property
    def metric_names(self) -> list[str]:
        """The metrics that any classifier has in any fold, in the order of the report."""
        return list(dict.fromkeys(column for fold in self.folds for column in fold.metric_names))

    def _table(self) -> tuple[list[str], list[list[str]]]:
        columns = self.metric_names
        header = ["model", *columns, "ACC interval", "MC interval", "MC spread", "outcome"]
        why = dict(self.failures)
        return header, [self._line(name, columns, why.get(name, "ok")) for name in self.names]

    def _line(self, name: str, columns: Sequence[str], outcome: str) -> list[str]:
        found = {column: self.metric(name, column) for column in columns}
        cells = ["" if metric is None else fmt.number(metric.value) for metric in found.values()]
        accuracy, correlation = found.get("ACC"), found.get("MC")
        if accuracy is None or correlation is None:
            return [name, *cells, "", "", "", outcome]
        spans = [fmt.interval(metric.low, metric.high) for metric in (accuracy, correlation)]
        return [name, *cells, *spans, fmt.number(correlation.std), outcome]


def cross_validate(
    zoo: Mapping[str, Any],
    dataset: ImageDataset,
    n_splits: int = 5,
    n_repeats: int = 1,
    *,
    by: Literal["group", "image"] = "group",
    augment: Pipeline | None = None,
    copies: int = 4,
    timeout: float | None = None,
    n_jobs: int | None = None,
    confidence: float = 0.95,
    random_state: int | None = None,
    progress: Progress | bool = False,
) -> CrossValidation:
    """Cross-validate classifiers, all on the same folds.

    Classifiers and folds run side by side, where `joblib.parallel_config` says, as in `run_zoo`.

    Parameters
    ----------
    zoo : mapping of str to classifier
        Unfitted scikit-learn classifiers, such as `classical_zoo` returns; they stay unfitted.
    dataset : ImageDataset
        Originals.
    n_splits : int, default=5
        Folds in each repeat, at least 2.
    n_repeats : int, default=1
        How many times to divide, each time otherwise.
    by : {"group", "image"}, default="group"
        As in `nucrec.datasets.folds`.
    augment : Pipeline, optional
        Adds changed copies to the training part of each fold; test parts stay as they are.
    copies : int, default=4
        Changed copies of each training image.
    timeout, n_jobs, confidence, progress : optional
        As in `run_zoo`.
    random_state : int, optional
        Seed of the division; by default another one each time.

    Returns
    -------
    CrossValidation
        The result of each fold, and mean, spread and interval over the folds.

    Raises
    ------
    SplitError
        The data cannot be divided into so many folds.
    InvalidParameterError
        The zoo is empty, or a parameter is out of range.
    NucrecError
        As in `run_zoo`.

    See Also
    --------
    nucrec.evaluate.over_folds : how intervals are found.
    nucrec.evaluate.rank_folds : how classifiers are compared.

    Examples
    --------
    >>> from nucrec.datasets import load_mnfinder_crops
    >>> from nucrec.models import classical_zoo, cross_validate
    >>> zoo = classical_zoo(random_state=0)
    >>> two = {name: zoo[name] for name in ("KNN", "GNB")}
    >>> found = cross_validate(two, load_mnfinder_crops(), n_splits=3, n_repeats=2, random_state=0)
    >>> len(found.metric("KNN", "ACC").folds)
    6
    """
    check_zoo(zoo, timeout, n_jobs, confidence)
    check_int("copies", copies, low=1)
    pairs = folds(dataset, n_splits, by, random_state, n_repeats=n_repeats)
    parts = {
        f"fold {number} of {len(pairs)}": (
            augment.expand(train, copies) if augment else train,
            test,
        )
        for number, (train, test) in enumerate(pairs, 1)
    }
    show = progress_function(progress)
    found = dict(run_parts(zoo, parts, timeout, n_jobs, confidence, show))
    return CrossValidation(tuple(found[name] for name in parts), n_splits, float(confidence))
