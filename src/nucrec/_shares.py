"""Intervals of shares, for independent observations or an effective number of them."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_VERY_UNEQUAL = 0.6
"""The share of units of one size that say as much, below which their sizes are allowed for."""


def student_quantile(p: float, freedom: float) -> float:
    """Return a quantile of Student's t distribution."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, p))


def n_alike(sizes: Array) -> float:
    """Return the number of units of one size that say as much about how units differ.

    If one unit, a group of images or a well, contains most of the observations, the others hardly
    count. This is Kish's effective number if it is below 0.6 of the number of units, which is to say
    that the coefficient of variation of their sizes exceeds 0.82; otherwise, it is the number of units.

    - L. Kish, "Survey Sampling", 1965.

    Parameters
    ----------
    sizes : ndarray of int, shape (n_units,)
        The number of observations of each unit, at least 1.
    """
    alike = float(sizes.sum()) ** 2 / float(np.square(sizes.astype(float)).sum())
    return alike if alike < _VERY_UNEQUAL * len(sizes) else float(len(sizes))


def wilson(successes: float, n: float, reach: float) -> tuple[float, float]:
    """Return Wilson's score interval for `reach` standard errors; NaN without images or reach."""
    if not n > 0 or math.isnan(reach):
        return math.nan, math.nan
    share, extra = successes / n, reach**2 / n
    centre = (share + extra / 2) / (1 + extra)
    half = math.sqrt(extra * (share * (1 - share) + extra / 4)) / (1 + extra)
    return max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half))


def poisson_score(count: float, n: float, reach: float) -> tuple[float, float]:
    """Return the score interval of a Poisson mean for `reach` standard errors; NaN without cells.

    L. Barker, "A comparison of nine confidence intervals for a Poisson parameter when the expected
    number of events is <= 5", The American Statistician 56, 2002, pp. 85-89.
    """
    if not n > 0 or math.isnan(reach):
        return math.nan, math.nan
    centre = count + reach**2 / 2
    half = reach * math.sqrt(count + reach**2 / 4)
    return max(0.0, centre - half) / n, (centre + half) / n


def rogan_gladen(share: float, sensitivity: float, specificity: float) -> float:
    """Return the true share, from 0 to 1, given the apparent one; NaN for an uninformative test."""
    youden = sensitivity + specificity - 1
    return min(1.0, max(0.0, (share + specificity - 1) / youden)) if youden > 0 else math.nan


def lang_reiczigel(
    positive: tuple[float, float],
    sensitivity: tuple[float, float],
    specificity: tuple[float, float],
    reach: float,
) -> tuple[float, float]:
    """Return the interval of the true share; images are added to all three counts, as by Wilson.

    Parameters
    ----------
    positive, sensitivity, specificity : pair of float
        The number of positive, correctly called or correctly rejected images, and the total of
        each; effective numbers need not be whole.
    reach : float
        The half-width of the interval in standard errors.
    """
    z = reach
    n = positive[1] + z**2
    found = (positive[0] + z**2 / 2) / n
    n_hit, n_rejected = sensitivity[1] + 2, specificity[1] + 2
    hit, rejected = (sensitivity[0] + 1) / n_hit, (specificity[0] + 1) / n_rejected
    youden = hit + rejected - 1
    if youden <= 0:
        return 0.0, 1.0
    share = (found + rejected - 1) / youden
    of_hit, of_rejected = hit * (1 - hit) / n_hit, rejected * (1 - rejected) / n_rejected
    variance = found * (1 - found) / n + share**2 * of_hit + (1 - share) ** 2 * of_rejected
    centre = share + 2 * z**2 * (share * of_hit - (1 - share) * of_rejected)
    half = z * math.sqrt(variance) / youden
    return min(1.0, max(0.0, centre - half)), max(0.0, min(1.0, centre + half))
