"""What a reviewed sample of the cells called positive and negative says of all cells.

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
_CERTAIN = 1e12  # cells behind a share of which all cells were seen


class Share(NamedTuple):
    """A share, and the number of equally weighted cells that say as much."""

    value: float
    n: float

    def draws(self, rng: np.random.Generator) -> Array:
        """Return draws of its posterior distribution with Jeffreys' prior."""
        hits = self.value * self.n
        return rng.beta(hits + 0.5, self.n - hits + 0.5, _DRAWS)


def weighted_share(truth: Array, weights: Array) -> Share:
    """Return the weighted share of true cells, and the effective number of cells.

    It is the smaller of two: that for unequal weights alone (Kish, "Survey Sampling", 1965,
    section 11.7), and that of the linearized variance, which knows whether heavy cells differ, but
    nothing where all are alike. Cells that stand for themselves alone add nothing to the variance.

    Parameters
    ----------
    truth : ndarray of shape (n,)
        0 or 1.
    weights : ndarray of shape (n,)
        The number of cells that each stands for.
    """
    total = weights.sum()
    value = float((weights * truth).sum() / total)
    drawn = np.square(weights) * np.clip(1 - 1 / weights, 0, 1) / total**2
    variance = float((drawn * np.square(truth - value)).sum())
    n = min(_CERTAIN, 1 / max(float(drawn.sum()), 1 / _CERTAIN))
    return Share(value, min(n, value * (1 - value) / variance) if variance > 0 else n)


class Errors(NamedTuple):
    """Measures of a detector; floats, or draws of shape (n,)."""

    precision: Any
    sensitivity: Any
    specificity: Any
    missed: Any

    @classmethod
    def of(cls, rate: float, precision: Any, missed: Any) -> "Errors":
        """Return the measures from the true shares of both kinds of cells.

        Parameters
        ----------
        rate : float
            The share of cells that are called micronucleated.
        precision, missed : float or ndarray
            The share of micronucleated cells among those that are called so, and among the others.
        """
        found, lost = rate * precision, (1 - rate) * missed
        rejected, false = (1 - rate) * (1 - missed), rate * (1 - precision)
        return cls(precision, _part(found, lost), _part(rejected, false), missed)


def _part(one: Any, other: Any) -> Any:
    """Return one over the sum of both; NaN where both are 0."""
    both = np.asarray(one + other)
    return np.where(both > 0, one / np.where(both > 0, both, 1.0), np.nan)[()]


def draw_errors(positive: Share, negative: Share, rate: float) -> Errors:
    """Return draws of the measures, the same ones each time."""
    rng = np.random.default_rng(0)
    drawn = Errors.of(rate, positive.draws(rng), negative.draws(rng))
    return Errors(*(np.nan_to_num(each, nan=1.0) for each in drawn))


def metric(value: float, draws: Array, confidence: float) -> Metric:
    """Return a measure with the central interval of its draws, which holds the measure itself.

    A measure that is NaN, 0 of 0, has no interval: its draws say what was assumed before.
    """
    if math.isnan(value):
        return Metric(math.nan, math.nan, math.nan, METHOD)
    low, high = np.quantile(draws, (0.5 - confidence / 2, 0.5 + confidence / 2)).tolist()
    return Metric(float(value), min(low, float(value)), max(high, float(value)), METHOD)


def scaled(share: Metric, by: float) -> Metric:
    """Return a measure and its interval, times a number."""
    return Metric(by * share.value, by * share.low, by * share.high, share.method)


def corrected_draws(found: Share, sensitivity: Array, specificity: Array) -> Array:
    """Return draws of a true share from those of the errors (Rogan and Gladen)."""
    share = found.draws(np.random.default_rng(1))
    excess, youden = share + specificity - 1, sensitivity + specificity - 1
    useful = np.where(youden > 0, youden, 1.0)  # where it is not, any share is possible
    return np.where(youden > 0, np.clip(excess / useful, 0, 1), (excess > 0).astype(float))
