"""How far probabilities can be believed, and which images a model should not decide alone."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._deprecation import warn_renamed
from nucrec._validation import check_int, check_real, invalid
from nucrec.evaluate._inputs import check_resampling, check_scores, encode_classes, number_groups
from nucrec.evaluate._intervals import bootstrap, percentile_interval
from nucrec.evaluate._metric import Metric

Array = npt.NDArray[Any]

_SMALLEST = 1e-12
_COLDEST, _HOTTEST = 0.01, 100.0


@dataclass(frozen=True)
class Temperature:
    """A divisor of the logarithms of probabilities, as `fit_temperature` found it.

    Attributes
    ----------
    value : float
        Above 1 for a model that was too sure of itself.

    Examples
    --------
    >>> from nucrec.evaluate import Temperature
    >>> Temperature(2.0).apply([[0.1, 0.9]]).round(2)
    array([[0.25, 0.75]])
    """

    value: float

    def apply(self, y_score: npt.ArrayLike) -> Array:
        """Return calibrated probabilities; the most probable class stays the same.

        Parameters
        ----------
        y_score : array_like of shape (n, n_classes)
            Probabilities.

        Returns
        -------
        ndarray of float64, shape (n, n_classes)
            Rows add up to 1.

        Raises
        ------
        InvalidParameterError
            They are no probabilities.
        """
        logs = np.log(np.maximum(_probabilities(y_score), _SMALLEST)) / self.value
        powers = np.exp(logs - logs.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class ConformalRule:
    """Says which classes an image may be of, as `fit_conformal` found it.

    Attributes
    ----------
    thresholds : tuple of float
        For each class, the smallest probability with which it is still possible; 0 where there were
        too few images of the class to exclude it ever.
    error_rate : float
        Share of the images of each class that may be lost.
    n : tuple of int
        Images of each class that it was fitted on.

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

    def sets(self, y_score: npt.ArrayLike) -> Array:
        """Return which classes each image may be of.

        Parameters
        ----------
        y_score : array_like of shape (n, n_classes)
            Probabilities.

        Returns
        -------
        ndarray of bool, shape (n, n_classes)
            None, one or several in each row.

        Raises
        ------
        InvalidParameterError
            They are no probabilities of these classes.
        """
        scores = _probabilities(y_score)
        if scores.shape[1] != len(self.thresholds):
            raise invalid("y_score", f"{len(self.thresholds)} columns", f"shape {scores.shape}")
        return np.asarray(scores >= np.array(self.thresholds))

    def needs_review(self, y_score: npt.ArrayLike) -> Array:
        """Return which images a person should look at: those that may not be of just one class.

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
            They are no probabilities of these classes.
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


def calibration_error(
    y_true: npt.ArrayLike,
    y_score: npt.ArrayLike,
    class_names: Sequence[str] | None = None,
    groups: npt.ArrayLike | None = None,
    confidence: float = 0.95,
    *,
    n_bins: int = 10,
    n_resamples: int = 2000,
    random_state: int = 0,
) -> Metric:
    """Return the expected calibration error: how far confidence is from accuracy.

    Parameters
    ----------
    y_true : array_like of int or str, shape (n,)
        True classes: names, or numbers from 0.
    y_score : array_like of float, shape (n, n_classes)
        Probabilities.
    class_names : sequence of str, optional
        The classes, in the order of the columns; needed where `y_true` holds names.
    groups, confidence, n_resamples, random_state : optional
        As in `report`.
    n_bins : int, default=10
        Bins of equal width, of the probability of the predicted class.

    Returns
    -------
    Metric
        0 for perfect calibration, at most 1; with the bootstrap's interval.

    Raises
    ------
    InvalidParameterError
        They are no probabilities, or another parameter is out of range.

    Notes
    -----
    In each bin, the mean confidence is compared with the share that is right. By chance alone they
    differ, more so with few images in a bin: a perfectly calibrated model has an error above 0.

    References
    ----------
    - C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern neural networks",
      International Conference on Machine Learning, 2017.

    Examples
    --------
    >>> from nucrec.evaluate import calibration_error
    >>> truth, scores = [1] * 9 + [0], [[0.1, 0.9]] * 10
    >>> round(calibration_error(truth, scores).value, 6)
    0.0
    """
    check_resampling(confidence, n_resamples, random_state)
    check_int("n_bins", n_bins, low=1)
    true, scores = check_probabilities(y_true, y_score, class_names)
    surest, right, members = in_bins(true, scores, n_bins)
    apart = members * (right - surest)[:, np.newaxis]

    def error(weights: Array) -> Array:
        size = weights.sum(axis=1, keepdims=True)
        return np.asarray(np.abs(weights @ apart).sum(axis=1, keepdims=True) / size)

    numbers = number_groups(groups, len(true))
    units = np.arange(len(true)) if numbers is None else numbers
    drawn = bootstrap(error, units, n_resamples, random_state)[:, 0]
    span = percentile_interval(drawn, confidence, int(units.max()) + 1)
    value = float(error(np.ones((1, len(true))))[0, 0])
    return Metric(value, *span, "bootstrap" if numbers is None else "group bootstrap")


def fit_temperature(
    y_true: npt.ArrayLike, y_score: npt.ArrayLike, class_names: Sequence[str] | None = None
) -> Temperature:
    """Find the temperature that makes probabilities believable.

    Parameters
    ----------
    y_true : array_like of int or str, shape (n,)
        True classes of images that the model was not trained on.
    y_score : array_like of float, shape (n, n_classes)
        The model's probabilities of them.
    class_names : sequence of str, optional
        As in `calibration_error`.

    Returns
    -------
    Temperature
        Between 0.01 and 100, with the smallest cross-entropy.

    Raises
    ------
    InvalidParameterError
        They are no probabilities.

    References
    ----------
    - C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern neural networks",
      International Conference on Machine Learning, 2017, section 4.2.

    Examples
    --------
    >>> from nucrec.evaluate import fit_temperature
    >>> truth, scores = [0, 1, 1, 1] * 5, [[0.01, 0.99]] * 20  # sure of 99 %, right in 75 %
    >>> temperature = fit_temperature(truth, scores)
    >>> temperature.apply(scores)[0].round(3)
    array([0.25, 0.75])
    """
    from scipy.optimize import brentq

    true, scores = check_probabilities(y_true, y_score, class_names)
    logs = np.log(np.maximum(scores, _SMALLEST))
    right = logs[np.arange(len(true)), true]

    def slope(inverse: float) -> float:
        """Return the derivative of the cross-entropy, which rises with the inverse temperature."""
        powers = np.exp(inverse * (logs - logs.max(axis=1, keepdims=True)))
        expected = (powers * logs).sum(axis=1) / powers.sum(axis=1)
        return float((expected - right).mean())

    if slope(1 / _COLDEST) <= 0:
        return Temperature(_COLDEST)
    if slope(1 / _HOTTEST) >= 0:
        return Temperature(_HOTTEST)
    return Temperature(1 / brentq(slope, 1 / _HOTTEST, 1 / _COLDEST, rtol=1e-12))


def fit_conformal(
    y_true: npt.ArrayLike,
    y_score: npt.ArrayLike,
    error_rate: float = 0.05,
    class_names: Sequence[str] | None = None,
) -> ConformalRule:
    """Find out when a model may decide alone, so that it loses few images of any class.

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

    Returns
    -------
    ConformalRule
        Its sets hold the true class of new images, of the same kind as these, with probability
        of at least 1 - `error_rate`, for each class.

    Raises
    ------
    InvalidParameterError
        They are no probabilities, or the error rate is out of range.

    Notes
    -----
    Split conformal prediction, class by class. At an error rate of 0.05, at least 19 images of a
    class are needed to exclude it at all. The promise is for images drawn like those it was
    fitted on: another microscope, or one field for all of them, is not that.

    References
    ----------
    - V. Vovk, Machine Learning 92, 2013, pp. 349-376 (conditional validity).
    - A. N. Angelopoulos, S. Bates, Foundations and Trends in Machine Learning 16, 2023, pp. 494-591.

    Examples
    --------
    >>> import numpy as np
    >>> from nucrec.evaluate import fit_conformal
    >>> truth = np.repeat([0, 1], 50)
    >>> sure = np.linspace(0.5, 0.99, 50)
    >>> scores = np.concatenate([np.c_[sure, 1 - sure], np.c_[1 - sure, sure]])
    >>> fit_conformal(truth, scores, error_rate=0.1).thresholds
    (0.54, 0.54)
    """
    check_real("error_rate", error_rate, low=0, high=1, open_ends=True)
    true, scores = check_probabilities(y_true, y_score, class_names)
    counts = np.bincount(true, minlength=scores.shape[1]).tolist()
    thresholds = []
    for k, count in enumerate(counts):
        ranked = np.sort(scores[true == k, k])
        lost = math.floor((count + 1) * error_rate + 1e-9) - 1
        thresholds.append(round(float(ranked[lost]), 12) if lost >= 0 else 0.0)
    return ConformalRule(tuple(thresholds), float(error_rate), tuple(counts))


def in_bins(true: Array, scores: Array, n_bins: int) -> tuple[Array, Array, Array]:
    """Return how sure each prediction is, whether it is right, and its bin, as a one among zeros."""
    surest = scores.max(axis=1)
    bins = np.minimum((surest * n_bins).astype(int), n_bins - 1)
    return surest, scores.argmax(axis=1) == true, np.eye(n_bins)[bins]


def check_probabilities(
    y_true: npt.ArrayLike, y_score: npt.ArrayLike, class_names: Sequence[str] | None
) -> tuple[Array, Array]:
    """Return true classes as numbers, and probabilities."""
    scores = _probabilities(y_score)
    names = class_names
    if names is None:
        names = [str(k) for k in range(scores.shape[1])]
    _, true, _ = encode_classes(y_true, y_true, names)
    return true, check_scores(scores, len(true), len(names))


def _probabilities(y_score: npt.ArrayLike) -> Array:
    scores = np.asarray(y_score)
    if scores.ndim != 2 or scores.dtype.kind not in "fiu" or not scores.size:
        received = f"shape {scores.shape}, dtype {scores.dtype}"
        raise invalid("y_score", "probabilities of shape (n, n_classes)", received)
    scores = scores.astype(np.float64)
    if not ((scores >= 0) & (scores <= 1)).all() or np.abs(scores.sum(1) - 1).max() > 1e-3:
        raise invalid("y_score", "probabilities: rows that add up to 1", scores[:2].tolist())
    return scores
