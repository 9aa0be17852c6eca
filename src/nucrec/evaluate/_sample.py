"""Predictions of a test set, and their metrics for any number of resamples at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nucrec.evaluate._inputs import check_scores, encode_classes, number_groups
from nucrec.evaluate._intervals import bootstrap, weigh
from nucrec.evaluate._metrics import (
    FROM_CONFUSION,
    RankedScores,
    class_f1,
    class_precision,
    class_recall,
    confusion_matrix,
)

Array = npt.NDArray[Any]

Statistic: TypeAlias = Callable[[Array], Array]
BY_CLASS = {"PRE": class_precision, "REC": class_recall, "F1": class_f1}


@dataclass(frozen=True)
class Sample:
    """The predictions of one classifier on one test set.

    Attributes
    ----------
    names : tuple of str
        The classes.
    true, predicted : ndarray of int, shape (n,)
        Numbers of classes.
    scores : ndarray of float, shape (n, n_classes), or None
        Higher for the class.
    groups : ndarray of int, shape (n,), or None
        Number of the group of each image; None if no two images share one.
    """

    names: tuple[str, ...]
    true: Array
    predicted: Array
    scores: Array | None
    groups: Array | None

    @classmethod
    def of(
        cls,
        y_true: npt.ArrayLike,
        y_pred: npt.ArrayLike,
        y_score: npt.ArrayLike | None,
        class_names: Sequence[str] | None,
        groups: npt.ArrayLike | None,
    ) -> "Sample":
        """Check what users pass, and bring it to numbers."""
        names, true, predicted = encode_classes(y_true, y_pred, class_names)
        scores = None if y_score is None else check_scores(y_score, len(true), len(names))
        return cls(names, true, predicted, scores, number_groups(groups, len(true)))

    @property
    def columns(self) -> list[tuple[str, str]]:
        """What each column of the values is: (metric, class); the class is "" for the whole."""
        overall = [*FROM_CONFUSION, *([] if self.scores is None else ["AUC"])]
        by_class = [(key, name) for key in BY_CLASS for name in self.names]
        return [(key, "") for key in overall] + by_class

    @property
    def method(self) -> str:
        """How `resampled` draws."""
        return "bootstrap" if self.groups is None else "group bootstrap"

    @property
    def n_units(self) -> int:
        """Number of what is drawn: images, or groups."""
        return len(self.true) if self.groups is None else int(self.groups.max()) + 1

    @property
    def confusion(self) -> Array:
        """The confusion matrix: true classes in rows, predicted classes in columns."""
        return confusion_matrix(self.true, self.predicted, len(self.names))

    def values(self) -> Array:
        """Return the metrics, of shape (k,)."""
        return np.asarray(self._statistic()(np.ones((1, len(self.true))))[0])

    def resampled(self, n_resamples: int, random_state: int) -> Array:
        """Return the metrics of resamples, of shape (n_resamples, k).

        The same seed draws the same images for every classifier.
        """
        units = np.arange(len(self.true)) if self.groups is None else self.groups
        statistic = _where_defined(self._statistic(), self.true)
        return bootstrap(statistic, units, n_resamples, random_state)

    def weighted(self, n_resamples: int, random_state: int) -> Array:
        """Return the metrics under random weights of the images, of shape (n_resamples, k).

        The Bayesian bootstrap: weights from the flat Dirichlet distribution. Those of the images in one
        cell of the confusion matrix add up, so that cells are drawn; one image's weight more is
        spread over all cells, without which a classifier that makes no mistake could make none.
        """
        rng = np.random.default_rng(random_state)
        counts = self.confusion.astype(float)
        occurs = counts.any(axis=1)
        live = np.outer(occurs, occurs | counts.any(axis=0))
        confusion = rng.standard_gamma(counts + live / live.sum(), (n_resamples, *counts.shape))
        area = None
        if self.scores is not None:
            area = weigh(self._area, len(self.true), n_resamples, random_state, rng)
        values = self._table(confusion, area)
        if occurs.sum() < 2:
            values[:, 1:] = np.nan  # one class says nothing of the other
        return values

    def _statistic(self) -> Statistic:
        """Return the function from weights (resamples, images) to all metrics (resamples, k)."""
        n_classes = len(self.names)
        cells = np.eye(n_classes**2)[self.true * n_classes + self.predicted]

        def statistic(weights: Array) -> Array:
            confusion = (weights @ cells).reshape(len(weights), n_classes, n_classes)
            return self._table(confusion, None if self.scores is None else self._area(weights))

        return statistic

    @cached_property
    def _ranked(self) -> list[RankedScores]:
        if self.scores is None:
            return []
        columns = range(1, 2) if len(self.names) == 2 else range(len(self.names))
        return [RankedScores(self.true == k, self.scores[:, k]) for k in columns]

    def _area(self, weights: Array) -> Array:
        return np.asarray(np.mean([scores.area(weights) for scores in self._ranked], axis=0))

    def _table(self, confusion: Array, area: Array | None) -> Array:
        overall = [metric(confusion) for metric in FROM_CONFUSION.values()]
        overall += [] if area is None else [area]
        by_class = [metric(confusion) for metric in BY_CLASS.values()]
        return np.column_stack([*overall, *by_class])


def _where_defined(statistic: Statistic, true: Array) -> Statistic:
    """Return the statistic, but not a number for resamples in which a class does not occur.

    A class that was not drawn has no recall, and the mean over classes and the correlation are
    those of another task. Accuracy is what it is.
    """
    members = np.eye(true.max() + 1)[true]
    members = members[:, members.any(axis=0)]

    def defined(weights: Array) -> Array:
        values = statistic(weights)
        lacks_class = (weights @ members == 0).any(axis=1)
        values[lacks_class, 1:] = np.nan
        return values

    return defined
