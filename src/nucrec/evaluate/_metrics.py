"""Metrics as functions of confusion matrices and ranks, for any number of resamples at once.

Each function accepts arrays with leading dimensions, so that the value and its resamples are computed
by the same code.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def confusion_matrix(y_true: Array, y_pred: Array, n_classes: int) -> Array:
    """Return counts of shape (n_classes, n_classes): true classes in rows, predicted in columns."""
    cells = np.bincount(y_true * n_classes + y_pred, minlength=n_classes**2)
    return cells.reshape(n_classes, n_classes)


def accuracy(confusion: Array) -> Array:
    """Return the share of correct predictions."""
    return _divide(_diagonal(confusion).sum(-1), confusion.sum((-2, -1)), np.nan)


def class_precision(confusion: Array) -> Array:
    """Return the precision of each class; 0 for a class that was never predicted."""
    return _divide(_diagonal(confusion), confusion.sum(-2), 0.0)


def class_recall(confusion: Array) -> Array:
    """Return the recall of each class; 0 for a class that does not occur."""
    return _divide(_diagonal(confusion), confusion.sum(-1), 0.0)


def class_f1(confusion: Array) -> Array:
    """Return the F1 score of each class, the harmonic mean of precision and recall."""
    marginals = confusion.sum(-2) + confusion.sum(-1)
    return _divide(2.0 * _diagonal(confusion), marginals, 0.0)


def matthews(confusion: Array) -> Array:
    """Return the Matthews correlation coefficient for any number of classes; 0 if undefined.

    J. Gorodkin, "Comparing two K-category assignments by a K-category correlation coefficient",
    Computational Biology and Chemistry 28, 2004.
    """
    true, predicted, n = _marginals(confusion)
    correct = _diagonal(confusion).sum(-1)
    covariance = correct * n - (true * predicted).sum(-1)
    product = (n**2 - (true**2).sum(-1)) * (n**2 - (predicted**2).sum(-1))
    return _divide(covariance, np.sqrt(product), 0.0)


def kappa(confusion: Array) -> Array:
    """Return Cohen's kappa; NaN if all images have the same true and predicted class.

    J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological
    Measurement 20, 1960.
    """
    true, predicted, n = _marginals(confusion)
    by_chance = (true * predicted).sum(-1)
    return _divide(_diagonal(confusion).sum(-1) * n - by_chance, n**2 - by_chance, np.nan)


def _macro(by_class: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """Return the mean over the classes that occur or are predicted."""

    def mean(confusion: Array) -> Array:
        there = (confusion.sum(-2) + confusion.sum(-1)) > 0
        return _divide((by_class(confusion) * there).sum(-1), there.sum(-1), np.nan)

    return mean


FROM_CONFUSION: dict[str, Callable[[Array], Array]] = {
    "ACC": accuracy,
    "PRE": _macro(class_precision),
    "REC": _macro(class_recall),
    "F1": _macro(class_f1),
    "MC": matthews,
    "KS": kappa,
}
"""The metrics of the paper's tables, in their order; PRE, REC and F1 are means over classes."""

BY_CLASS: dict[str, Callable[[Array], Array]] = {
    "PRE": class_precision,
    "REC": class_recall,
    "F1": class_f1,
}


class RankedScores:
    """Scores sorted once, from which the area under the ROC curve follows for any weights.

    The area is the share of pairs of a positive and a negative in which the positive has the
    higher score; ties count half. J. A. Hanley and B. J. McNeil, "The meaning and use of the area
    under a receiver operating characteristic (ROC) curve", Radiology 143, 1982.

    Parameters
    ----------
    positive : ndarray of bool, shape (n,)
        True for positive images.
    scores : ndarray of float, shape (n,)
        Higher for positives.
    """

    def __init__(self, positive: Array, scores: Array) -> None:
        self._order = np.argsort(scores, kind="stable")
        ranked = scores[self._order]
        self._starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
        self._positive = positive[self._order]

    def placements(self) -> Array:
        """Return, for each image, the share of the other class that it is ranked correctly against.

        For a positive this is the share of negatives with a lower score, for a negative that of
        positives with a higher one; ties count half. Both have the area as their mean.

        - E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, Biometrics 44, 1988, pp. 837-845.
        """
        positives, negatives = self._by_score(np.ones(len(self._order)))
        below = (np.cumsum(negatives) - negatives / 2) / negatives.sum()
        above = 1 - (np.cumsum(positives) - positives / 2) / positives.sum()
        at = np.searchsorted(self._starts, np.arange(len(self._order)), side="right") - 1
        placed = np.empty(len(self._order))
        placed[self._order] = np.where(self._positive, below[at], above[at])
        return placed

    def roc_curve(self, weights: Array) -> tuple[Array, Array]:
        """Return false and true positive rates, of shape (..., 1 + thresholds), from (0, 0) to (1, 1).

        NaN if a class has no weight.
        """
        true, false = self._at_or_above(weights)
        rates = [_divide(each, each[..., -1:], np.nan) for each in (false, true)]
        return rates[0], rates[1]

    def precision_recall_curve(self, weights: Array) -> tuple[Array, Array]:
        """Return recall and precision, of shape (..., thresholds), the highest threshold first.

        Recall is NaN if the positives have no weight.
        """
        true, false = (each[..., 1:] for each in self._at_or_above(weights))
        return _divide(true, true[..., -1:], np.nan), _divide(true, true + false, 0.0)

    def _by_score(self, weights: Array) -> tuple[Array, Array]:
        """Return the weight of positives and negatives at each distinct score, lowest first."""
        ranked = weights[..., self._order]
        positives = np.add.reduceat(ranked * self._positive, self._starts, axis=-1)
        negatives = np.add.reduceat(ranked * ~self._positive, self._starts, axis=-1)
        return positives, negatives

    def _at_or_above(self, weights: Array) -> tuple[Array, Array]:
        """Return the weight of positives and negatives above all scores, then at or above each."""
        none = np.zeros((*weights.shape[:-1], 1))
        each = [
            np.concatenate([none, np.cumsum(tied[..., ::-1], axis=-1)], axis=-1)
            for tied in self._by_score(weights)
        ]
        return each[0], each[1]


def _diagonal(confusion: Array) -> Array:
    return np.diagonal(confusion, axis1=-2, axis2=-1)


def _marginals(confusion: Array) -> tuple[Array, Array, Array]:
    """Return the counts of true and predicted classes, and the total, as floats to avoid overflow."""
    counts = confusion.astype(np.float64)
    return counts.sum(-1), counts.sum(-2), counts.sum((-2, -1))


def _divide(numerator: Array, denominator: Array, otherwise: float) -> Array:
    """Divide, returning `otherwise` where the denominator is 0."""
    numerator, denominator = np.broadcast_arrays(numerator, denominator)
    result = np.full(numerator.shape, otherwise, dtype=np.float64)
    return np.divide(numerator, denominator, out=result, where=denominator != 0)
