"""Prediction sets, and images that a person should review."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._deprecation import warn_renamed
from nucrec._notebook import Facts
from nucrec._validation import check_real, invalid
from nucrec.evaluate._calibration import check_probabilities, probabilities
from nucrec.evaluate._inputs import number_groups

Array = npt.NDArray[Any]

_ROUNDING = 1e-6  # relative: what probabilities of a network in another batch may differ by
_SLACK = 1e-9


@dataclass(frozen=True)
class ConformalRule(Facts):
    """A rule that returns the set of possible classes of an image, fitted by `fit_conformal`.

    Attributes
    ----------
    thresholds : tuple of float
        For each class, the smallest probability at which it is still possible; 0 if there were too few
        images of the class, or groups, to ever exclude it.
    error_rate : float
        The largest share of images of each class whose set may lack the true class.
    n : tuple of int
        The number of images of each class that the rule was fitted on.
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
        """Return the possible classes of each image.

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
        """Return the images that a person should review: those without exactly one possible class.

        Parameters
        ----------
        y_score : array_like of shape (n, n_classes)
            Probabilities.

        Returns
        -------
        ndarray of bool, shape (n,)
            True if no class or several classes are possible.

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
    """Fit a rule that limits the errors in each class and refers all other images to a person.

    Parameters
    ----------
    y_true : array_like of int or str, shape (n,)
        True classes of images that the model was not trained on.
    y_score : array_like of float, shape (n, n_classes)
        The probabilities that the model predicts for them.
    error_rate : float, default=0.05
        The largest share of images of each class whose set may lack the true class.
    class_names : sequence of str, optional
        As in `calibration_error`.
    groups : array_like, shape (n,), optional
        Images that are not independent share a group.

    Returns
    -------
    ConformalRule
        A rule whose sets contain the true class of new images from the same distribution with a
        probability of at least 1 - `error_rate`, for each class.

    Raises
    ------
    InvalidParameterError
        The rows are not probabilities, or the error rate is out of range.

    Notes
    -----
    This is split conformal prediction, class by class. At an error rate of 0.05, at least 19 images
    of a class are needed to exclude it at all. With groups, 19 groups are needed: all groups have the
    same weight, and the guarantee holds for an image of a new group (Lee, Barber and Willett 2023).
    The guarantee requires images, or groups, from the distribution that the rule was fitted on, which
    excludes another microscope.

    A probability that equals a threshold, up to rounding, reaches it.

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
    """Return the largest score below which at most the error rate is lost.

    All groups have the same weight, and one unseen group counts as lost.
    """
    _, group, sizes = np.unique(units, return_inverse=True, return_counts=True)
    order = np.argsort(scores, kind="stable")
    share = 1 / (len(sizes) + 1)
    lost = np.cumsum((share / sizes[group])[order])
    if share > error_rate + _SLACK:
        return 0.0
    n_lost = int(np.searchsorted(lost, error_rate - share + _SLACK, side="right"))
    return float(scores[order][min(n_lost, len(scores) - 1)])
