"""The result of `cross_validate`: each classifier over the folds, and tables in several formats."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, overload

import numpy.typing as npt

from nucrec import _notebook as show
from nucrec import _text as fmt
from nucrec._metric_names import NAMES, check_metric, title
from nucrec._validation import check_int
from nucrec.errors import NucrecError
from nucrec.evaluate import FoldMetric, Ranking, Report, rank_folds
from nucrec.models._zoo.folds import FoldResults
from nucrec.models._zoo.predictions import FoldPredictions, join_folds
from nucrec.models._zoo.result import ZooResult, ZooTable
from nucrec.models._zoo.row import ZooRow
from nucrec.models._zoo.truth import Truth

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class CrossValidationRow:
    """The result of one classifier in all folds.

    Attributes
    ----------
    name : str
        Its key in the zoo.
    folds : tuple of ZooRow
        Its result in each fold, those of the first repeat first.
    predictions : FoldPredictions or None
        Its out-of-fold prediction of each image in the first repeat; None if any fold failed.

    Examples
    --------
    >>> from nucrec.datasets import load_mnfinder_crops
    >>> from nucrec.models import classical_zoo, cross_validate
    >>> zoo = {"GNB": classical_zoo()["GNB"]}
    >>> row = cross_validate(zoo, load_mnfinder_crops(), n_splits=3, random_state=0)["GNB"]
    >>> row.status, row.report.n, row.y_pred.shape
    ('ok', 306, (306,))
    """

    name: str
    folds: tuple[ZooRow, ...]
    predictions: FoldPredictions | None = field(default=None, repr=False, compare=False)

    @property
    def status(self) -> str:
        """The status: "ok", or that of the first fold that is not "ok"."""
        return next((row.status for row in self.folds if row.status != "ok"), "ok")

    def _repr_html_(self) -> str:
        rows = [("outcome", self.outcome), ("seconds", fmt.number(self.seconds))]
        rows += [("warning", text) for text in self.warnings]
        report = "" if self.report is None else self.report._repr_html_()
        return show.fragment(show.heading(self.name), show.facts(rows), report)

    @property
    def outcome(self) -> str:
        """The status in words."""
        if self.status != "ok":
            return next(row.outcome for row in self.folds if row.status != "ok")
        alike = [row.only_answer for row in self.folds if row.only_answer is not None]
        if not alike:
            return self.status
        answers = " or ".join(dict.fromkeys(alike))
        where = (
            "" if len(alike) == len(self.folds) else f"in {len(alike)} of {len(self.folds)} folds "
        )
        return f"{self.status}, but {where}all are classified as {answers}"

    @property
    def seconds(self) -> float:
        """The total time to fit and predict in all folds, in seconds."""
        return sum(row.seconds for row in self.folds)

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings raised in any fold, each once."""
        return tuple(dict.fromkeys(text for row in self.folds for text in row.warnings))

    @cached_property
    def report(self) -> Report | None:
        """The report on `predictions`."""
        return None if self.predictions is None else self.predictions.report()

    @property
    def y_pred(self) -> Array | None:
        """The predicted class of each image, in the order of the data set."""
        return None if self.predictions is None else self.predictions.y_pred

    @property
    def y_score(self) -> Array | None:
        """The scores of each image in the order of the data set, if there are any."""
        return None if self.predictions is None else self.predictions.y_score


@dataclass(frozen=True)
class CrossValidation(ZooTable, FoldResults[ZooResult], Sequence[CrossValidationRow]):
    """The result of `cross_validate`: one row per classifier, in the order of the zoo.

    Attributes
    ----------
    folds : tuple of ZooResult
        The result of each fold, those of the first repeat first.
    n_splits : int
        Number of folds per repeat.
    confidence : float
        Confidence level of the intervals.
    truth : Truth or None
        The labels, groups and ids of the data set.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from nucrec.datasets import load_mnfinder_crops
    >>> from nucrec.models import cross_validate
    >>> zoo = {"majority": DummyClassifier()}
    >>> found = cross_validate(zoo, load_mnfinder_crops(), n_splits=3, random_state=0)
    >>> found.metric("majority", "mcc").value
    0.0
    >>> found["majority"].report.n
    306
    """

    truth: Truth | None = field(default=None, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[CrossValidationRow]:
        return (self[name] for name in self.names)

    @overload
    def __getitem__(self, key: int | str) -> CrossValidationRow: ...
    @overload
    def __getitem__(self, key: slice) -> "CrossValidation": ...
    def __getitem__(self, key: int | str | slice) -> "CrossValidationRow | CrossValidation":
        if isinstance(key, slice):
            return replace(self, folds=tuple(fold[key] for fold in self.folds))
        rows = tuple(fold[key] for fold in self.folds)
        name = rows[0].name
        has_all = self.truth is not None and all(row.y_pred is not None for row in rows)
        return CrossValidationRow(name, rows, self.predictions(name) if has_all else None)

    def metric(self, name: str, column: str) -> FoldMetric | None:
        """Return the mean of a metric over the folds, with its confidence interval.

        Parameters
        ----------
        name : str
            The classifier's key in the zoo.
        column : str
            The metric's standard name, such as "accuracy" or "mcc", or its label in the paper.

        Returns
        -------
        FoldMetric or None
            The mean and its interval; None if any fold has no result, since means over different
            folds cannot be compared.

        Raises
        ------
        InvalidParameterError
            No metric has this name.
        """
        return super().metric(name, check_metric("column", column))

    def predictions(self, name: str, repeat: int = 0) -> FoldPredictions:
        """Return a classifier's out-of-fold predictions.

        Parameters
        ----------
        name : str
            The classifier's key in the zoo.
        repeat : int, default=0
            Number of the repeat, counted from 0.

        Returns
        -------
        FoldPredictions
            One prediction for each image, in the order of the data set.

        Raises
        ------
        KeyError
            There is no such classifier.
        InvalidParameterError
            There is no such repeat.
        NucrecError
            The classifier failed in a fold.
        """
        check_int("repeat", repeat, low=0, high=len(self.folds) // self.n_splits - 1)
        first = repeat * self.n_splits
        folds = self.folds[first : first + self.n_splits]
        failed = next((fold[name] for fold in folds if fold[name].y_pred is None), None)
        if failed is not None:
            raise NucrecError(f"{name} has no prediction for some images: {failed.outcome}")
        tested = [(fold.truth, fold[name]) for fold in folds if fold.truth is not None]
        if self.truth is None or len(tested) < len(folds):
            raise NucrecError("this result does not record its test images")
        return join_folds(self.truth, tested, first, self.confidence)

    def report(self, name: str, repeat: int = 0) -> Report:
        """Return the report on a classifier's out-of-fold predictions of all images.

        Parameters
        ----------
        name, repeat
            As in `predictions`.

        Returns
        -------
        Report
            The report on `predictions`. Its intervals treat all predictions as those of one
            classifier; those of `metric` account for the different classifier in each fold.

        Raises
        ------
        KeyError, InvalidParameterError, NucrecError
            As in `predictions`.
        """
        return self.predictions(name, repeat).report()

    @property
    def names(self) -> list[str]:
        """The classifiers, in the order of the zoo."""
        return self.folds[0].names

    @cached_property
    def ranking(self) -> Ranking | None:
        """The classifiers with a result in all folds, ranked by MCC; None if fewer than two."""
        values = {name: m.folds for name in self.names if (m := self.metric(name, "MC"))}
        if len(values) < 2:
            return None
        return rank_folds(values, self.n_splits, confidence=self.confidence)

    def to_csv(self) -> str:
        """Return unrounded CSV text: mean, interval and standard deviation of each metric."""
        columns = self.metric_names
        endings = ("", "_low", "_high", "_std")
        names = (NAMES[name] + ending for name in columns for ending in endings)
        header = ["model", "status", *names]
        lines: list[list[object]] = []
        for name in self.names:
            line: list[object] = [name, self.status(name)]
            for column in columns:
                metric = self.metric(name, column)
                line += (
                    [metric.value, metric.low, metric.high, metric.std] if metric else [None] * 4
                )
            lines.append(line)
        return fmt.csv_text(header, lines)

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"n_splits", "folds": [...], "ranking"}`` as plain dicts, lists and numbers."""
        ranking = None if self.ranking is None else self.ranking.to_dict()
        return {**super().to_dict(), "ranking": ranking}

    @property
    def metric_names(self) -> list[str]:
        """The metrics available for any classifier in any fold, in the order of the report."""
        return list(dict.fromkeys(column for fold in self.folds for column in fold.metric_names))

    def _table(self) -> tuple[list[str], list[list[str]]]:
        columns = self.metric_names
        shown = map(title, columns)
        header = ["model", *shown, "accuracy interval", "MCC interval", "MCC std", "outcome"]
        why = dict(self.failures)
        return header, [
            self._line(row.name, columns, why.get(row.name, row.outcome)) for row in self
        ]

    def _line(self, name: str, columns: Sequence[str], outcome: str) -> list[str]:
        metrics = {column: self.metric(name, column) for column in columns}
        cells = ["" if metric is None else fmt.number(metric.value) for metric in metrics.values()]
        accuracy, correlation = metrics.get("ACC"), metrics.get("MC")
        if accuracy is None or correlation is None:
            return [name, *cells, "", "", "", outcome]
        spans = [fmt.interval(metric.low, metric.high) for metric in (accuracy, correlation)]
        return [name, *cells, *spans, fmt.number(correlation.std), outcome]
