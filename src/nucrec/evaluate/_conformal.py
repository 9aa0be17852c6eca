"""Sets of possible classes, and which images a model should not decide alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._deprecation import warn_renamed
from nucrec._validation import check_real, invalid
from nucrec.evaluate._calibration import check_probabilities, probabilities
from nucrec.evaluate._inputs import number_groups

Array = npt.NDArray[Any]

_ROUNDING = 1e-6  # relative: what probabilities of a network in another batch may differ by
_SLACK = 1e-9


@dataclass(frozen=True)
class ConformalRule:
    """A rule for which classes an image may belong to, fitted by `fit_conformal`.

    Attributes
    ----------
    thresholds : tuple of float
        For each class, the smallest probability with which it is still possible; 0 where there were
        too few images of the class, or groups, to exclude it ever.
    error_rate : float
        The share of the images of each class whose true class may be missing from their set.
    n : tuple of int
        The number of images of each class that it was fitted on.
    n_groups : tuple of int or None
        The number of groups of each class, if any two images share one.

    Examples
    --------
    >>> from nucrec.evaluate import ConformalRule
    >>> rule = ConformalRule((0.4, 0.3), error_rate=0.05, n=(80, 90))
    >>> rule.sets([[0.9, 0.1], [0.65, 0.35]])
    array([[ True, False],
           [ True,  True]])
    >>> rule.needs_review([[0.9, 0.1], [0.65, 0.35]])
    array([False,  True])
    """

    thresholds: tuple[float, ...]
    error_rate: float
    n: tuple[int, ...]
    n_groups: tuple[int, ...] | None = None

    def sets(self, y_score: npt.ArrayLike) -> Array:
        """Return which classes each image may belong to.

        Parameters
        ----------
        y_score : array_like of shape (n, n_classes)
            Probabilities.

        Returns
        -------
        ndarray of bool, shape (n, n_classes)
            True for the possible classes: none, one or several in each row.

        Raises
        ------
        InvalidParameterError
            The rows are not probabilities of these classes.
        """
        scores = probabilities(y_score)
        if scores.shape[1] != len(self.thresholds):
            raise invalid("y_score", f"{len(self.thresholds)} columns", f"shape {scores.shape}")
        return np.asarray(scores >= np.array(self.thresholds) * (1 - _ROUNDING))

    def needs_review(self, y_score: npt.ArrayLike) -> Array:
        """Return which images need review by a person: those without exactly one possible class.

        Parameters
        ----------
        y_score : array_like of shape (n, n_classes)
            Probabilities.

        Returns
        -------
        ndarray of bool, shape (n,)
            True where none or several classes are possible.

        Raises
        ------
        InvalidParameterError
            The rows are not probabilities of these classes.
        """
        return np.asarray(self.sets(y_score).sum(axis=1) != 1)

    def ask(self, y_score: npt.ArrayLike) -> Array:
        """Return what `needs_review` returns; deprecated.

        Parameters
        ----------
        y_score : array_like of shape (n, n_classes)
            Probabilities.
        """
        warn_renamed("ConformalRule.ask", "needs_review")
        return self.needs_review(y_score)


def fit_conformal(
    y_true: npt.ArrayLike,
    y_score: npt.ArrayLike,
    error_rate: float = 0.05,
    class_names: Sequence[str] | None = None,
    groups: npt.ArrayLike | None = None,
) -> ConformalRule:
    """Fit a rule for when a model may decide alone, which loses few images of any class.

    Parameters
    ----------
    y_true : array_like of int or str, shape (n,)
        True classes of images that the model was not trained on.
    y_score : array_like of float, shape (n, n_classes)
        The model's probabilities of them.
    error_rate : float, default=0.05
        Share of the images of each class whose true class may be missing from their set.
    class_names : sequence of str, optional
        As in `calibration_error`.
    groups : array_like, shape (n,), optional
        Images that are not independent share a group.

    Returns
    -------
    ConformalRule
        Its sets hold the true class of new images, of the same kind as these, with probability
        of at least 1 - `error_rate`, for each class.

    Raises
    ------
    InvalidParameterError
        The rows are not probabilities, or the error rate is out of range.

    Notes
    -----
    Split conformal prediction, class by class. At an error rate of 0.05, at least 19 images of a
    class are needed to exclude it at all; with groups, 19 groups: all groups count alike, and the
    promise is for an image of a new group (Lee, Barber and Willett 2023). It is for images, or groups,
    drawn like those the rule was fitted on: another microscope is not that.

    A probability that ties with a threshold reaches it, and so does one that differs by rounding.

    References
    ----------
    - V. Vovk, Machine Learning 92, 2013, pp. 349-376 (conditional validity).
    - Y. Lee, R. F. Barber, R. Willett, "Distribution-free inference with hierarchical data",
      arXiv:2306.06342, 2023.
    - A. N. Angelopoulos, S. Bates, Foundations and Trends in Machine Learning 16, 2023, pp. 494-591.

    Examples
    --------
    >>> import numpy as np
    >>> from nucrec.evaluate import fit_conformal
    >>> truth = np.repeat([0, 1], 50)
    >>> top = np.linspace(0.5, 0.99, 50)
    >>> scores = np.concatenate([np.c_[top, 1 - top], np.c_[1 - top, top]])
    >>> rule = fit_conformal(truth, scores, error_rate=0.1)
    >>> [round(threshold, 6) for threshold in rule.thresholds]
    [0.54, 0.54]
    """
    check_real("error_rate", error_rate, low=0, high=1, open_ends=True)
    true, scores = check_probabilities(y_true, y_score, class_names)
    numbers = number_groups(groups, len(true))
    units = np.arange(len(true)) if numbers is None else numbers
    classes = range(scores.shape[1])
    thresholds = [_threshold(scores[true == k, k], units[true == k], error_rate) for k in classes]
    n_groups = tuple(len(np.unique(units[true == k])) for k in classes)
    counts = tuple(np.bincount(true, minlength=scores.shape[1]).tolist())
    return ConformalRule(
        tuple(thresholds), float(error_rate), counts, None if numbers is None else n_groups
    )


def _threshold(scores: Array, units: Array, error_rate: float) -> float:
    """Return the largest score below which no more than the error rate is lost.

    All groups count alike, and one that is not known yet counts as lost.
    """
    _, group, sizes = np.unique(units, return_inverse=True, return_counts=True)
    order = np.argsort(scores, kind="stable")
    share = 1 / (len(sizes) + 1)
    lost = np.cumsum((share / sizes[group])[order])
    if share > error_rate + _SLACK:
        return 0.0
    n_lost = int(np.searchsorted(lost, error_rate - share + _SLACK, side="right"))
    return float(scores[order][min(n_lost, len(scores) - 1)])
