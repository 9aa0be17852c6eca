"""The predictions of one classifier on one test set, as numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nucrec.evaluate._area import Area
from nucrec.evaluate._design import Design
from nucrec.evaluate._inputs import (
    by_name,
    check_order,
    check_scores,
    encode_classes,
    number_groups,
)
from nucrec.evaluate._metrics import BY_CLASS, FROM_CONFUSION, confusion_matrix

Array = npt.NDArray[Any]

Column: TypeAlias = tuple[str, str]
"""A metric's label, and the class that it is of; "" for all classes."""


@dataclass(frozen=True)
class Sample:
    """The predictions of one classifier on one test set.

    Attributes
    ----------
    names : tuple of str
        The classes.
    true, predicted : ndarray of int, shape (n,)
        Class indices.
    scores : ndarray of float, shape (n, n_classes), or None
        Scores, higher for the class of the column.
    design : Design
        The design of the images' groups.
    """

    names: tuple[str, ...]
    true: Array
    predicted: Array
    scores: Array | None
    design: Design

    @classmethod
    def of(
        cls,
        y_true: npt.ArrayLike,
        y_pred: npt.ArrayLike,
        y_score: npt.ArrayLike | None,
        class_names: Sequence[str] | None,
        groups: npt.ArrayLike | None,
    ) -> "Sample":
        """Validate the input and convert it to numbers."""
        names, true, predicted = encode_classes(y_true, y_pred, class_names)
        y_score = None if y_score is None else by_name(y_score, names)
        scores = None if y_score is None else check_scores(y_score, len(true), len(names))
        if scores is not None and y_score is not None and class_names is None:
            check_order(names, y_score, scores, predicted)
        design = Design(len(true), number_groups(groups, len(true)))
        return cls(names, true, predicted, scores, design)

    @property
    def from_confusion(self) -> dict[Column, Callable[[Array], Array]]:
        """The metrics that are functions of confusion matrices of shape (..., k, k)."""
        overall = {(key, ""): metric for key, metric in FROM_CONFUSION.items()}
        by_class = {
            (key, name): partial(_of_class, metric, k)
            for key, metric in BY_CLASS.items()
            for k, name in enumerate(self.names)
        }
        return overall | by_class

    @cached_property
    def confusion(self) -> Array:
        """The confusion matrix: true classes in rows, predicted classes in columns."""
        return confusion_matrix(self.true, self.predicted, len(self.names))

    @property
    def wrong(self) -> Array:
        """The mask of misclassified images."""
        return np.asarray(self.true != self.predicted)

    @cached_property
    def areas(self) -> list[Area]:
        """For two classes, the area of the second; for more, of each that occurs, against the rest."""
        occurring = np.unique(self.true)
        if self.scores is None or len(occurring) < 2:
            return []
        columns = [1] if len(self.names) == 2 else occurring.tolist()
        return [Area.of(self.true == k, self.scores[:, k]) for k in columns]

    def value(self, column: Column) -> float:
        """Return a metric."""
        if column[0] == "AUC":
            return float(np.mean([area.value for area in self.areas])) if self.areas else np.nan
        return float(self.from_confusion[column](self.confusion))


def _of_class(metric: Callable[[Array], Array], k: int, confusion: Array) -> Array:
    return np.asarray(metric(confusion)[..., k])
