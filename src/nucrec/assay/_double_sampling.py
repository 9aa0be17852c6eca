"""Estimation from a reviewed sample of the cells called positive and negative.

A. Tenenbein, "A double sampling scheme for estimating from binomial data with misclassifications",
Journal of the American Statistical Association 65, 1970, pp. 1350-1361.
"""

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nucrec.evaluate import Metric

Array = npt.NDArray[Any]

METHOD = "double sampling, Jeffreys, effective number of cells"

_DRAWS = 20_000
_CERTAIN = 1e12  # number of cells for a share known from all cells


class Share(NamedTuple):
    """A share, and the number of equally weighted cells with the same precision."""

    value: float
    n: float

    def draws(self, rng: np.random.Generator) -> Array:
        """Return draws from its posterior distribution with Jeffreys' prior."""
        hits = self.value * self.n
        return rng.beta(hits + 0.5, self.n - hits + 0.5, _DRAWS)


def weighted_share(truth: Array, weights: Array) -> Share:
    """Return the weighted share of true cells, and the effective number of cells.

    The effective number is the smaller of two: that for unequal weights alone (Kish, "Survey
    Sampling", 1965, section 11.7), and that of the linearised variance, which takes the answers of
    heavily weighted cells into account, but is undefined if all answers are equal. Cells that
    represent only themselves add nothing to the variance.

    Parameters
    ----------
    truth : ndarray of shape (n,)
        0 or 1.
    weights : ndarray of shape (n,)
        The number of cells that each one represents.
    """
    total = weights.sum()
    value = float((weights * truth).sum() / total)
    drawn = np.square(weights) * np.clip(1 - 1 / weights, 0, 1) / total**2
    variance = float((drawn * np.square(truth - value)).sum())
    n = min(_CERTAIN, 1 / max(float(drawn.sum()), 1 / _CERTAIN))
    return Share(value, min(n, value * (1 - value) / variance) if variance > 0 else n)


class Errors(NamedTuple):
    """Measures of a detector, as floats or draws of shape (n,)."""

    precision: Any
    sensitivity: Any
    specificity: Any
    missed: Any

    @classmethod
    def of(cls, rate: float, precision: Any, missed: Any) -> "Errors":
        """Return the measures from the true shares among cells called positive and negative.

        Parameters
        ----------
        rate : float
            The share of cells that are called micronucleated.
        precision, missed : float or ndarray
            The share of micronucleated cells among those called so, and among the others.
        """
        found, lost = rate * precision, (1 - rate) * missed
        rejected, false = (1 - rate) * (1 - missed), rate * (1 - precision)
        return cls(precision, _part(found, lost), _part(rejected, false), missed)


def _part(one: Any, other: Any) -> Any:
    """Return the first divided by the sum of both; NaN if both are 0."""
    both = np.asarray(one + other)
    return np.where(both > 0, one / np.where(both > 0, both, 1.0), np.nan)[()]


def draw_errors(positive: Share, negative: Share, rate: float) -> Errors:
    """Return reproducible draws of the measures."""
    rng = np.random.default_rng(0)
    drawn = Errors.of(rate, positive.draws(rng), negative.draws(rng))
    return Errors(*(np.nan_to_num(each, nan=1.0) for each in drawn))


def metric(value: float, draws: Array, confidence: float) -> Metric:
    """Return a measure with the central interval of its draws, extended to the measure itself.

    A measure of 0 of 0, NaN, has no interval, since its draws only reflect the prior.
    """
    if math.isnan(value):
        return Metric(math.nan, math.nan, math.nan, METHOD)
    low, high = np.quantile(draws, (0.5 - confidence / 2, 0.5 + confidence / 2)).tolist()
    return Metric(float(value), min(low, float(value)), max(high, float(value)), METHOD)


def scaled(share: Metric, by: float) -> Metric:
    """Return a measure and its interval, times a number."""
    return Metric(by * share.value, by * share.low, by * share.high, share.method)


def corrected_draws(found: Share, sensitivity: Array, specificity: Array) -> Array:
    """Return draws of a true share from draws of the errors (Rogan and Gladen)."""
    share = found.draws(np.random.default_rng(1))
    excess, youden = share + specificity - 1, sensitivity + specificity - 1
    useful = np.where(youden > 0, youden, 1.0)  # otherwise, any share is possible
    return np.where(youden > 0, np.clip(excess / useful, 0, 1), (excess > 0).astype(float))
