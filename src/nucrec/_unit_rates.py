"""Intervals of rates over units, such as wells, that carry the variation between them."""

import math
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._shares import poisson_score, student_quantile, wilson

Array = npt.NDArray[Any]
Interval = tuple[float, float]

FEWEST_UNITS = 3
"""Fewer units do not tell how much units differ."""

NOT_ESTIMABLE = "not estimable"


def reach_of(confidence: float) -> float:
    """Return how many standard errors an interval reaches."""
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def dispersion(micronucleated: Array, scored: Array) -> float:
    """Return how many times as much as by chance alone the counts of units vary.

    Pearson's X2 over its degrees of freedom, or that of the ratio estimator: see `_excess`. NaN with
    one unit, or where no cell, or every cell, has a micronucleus.
    """
    n = int(scored.sum())
    share = int(micronucleated.sum()) / n if n else 0.0
    return _excess(micronucleated, scored, 1 - share)


def design_effect(micronucleated: Array, scored: Array, confidence: float) -> float:
    """Return the number by which cells are divided to give the effective number of cells; at least 1.

    It includes that a variance from few units is uncertain: with it, the quantile of the normal
    distribution takes the place of Student's. NaN for fewer than three units with cells.
    """
    return _effect(dispersion(micronucleated, scored), scored, confidence)


def share_over_units(micronucleated: Array, scored: Array, confidence: float) -> Interval:
    """Return the interval of the share of micronucleated cells; NaN for fewer than three units."""
    effect = design_effect(micronucleated, scored, confidence)
    found, n = int(micronucleated.sum()), int(scored.sum())
    return wilson(found / effect, n / effect, reach_of(confidence))


def mean_over_units(
    micronuclei: Array, scored: Array, confidence: float, clustered: float = 1.0
) -> Interval:
    """Return the interval of the mean number of micronuclei in a cell; NaN for fewer than three units.

    Parameters
    ----------
    micronuclei, scored : ndarray of shape (n_units,)
        Micronuclei in the scored cells of each unit, and their number.
    confidence : float
        Of the interval.
    clustered : float
        The variance of micronuclei per cell over their mean, where it is known: the counts of units
        are taken to vary at least that much.
    """
    between = _effect(_excess(micronuclei, scored, 1.0), scored, confidence)
    effect = float(np.maximum(between, clustered))  # which keeps NaN
    count, n = float(micronuclei.sum()), int(scored.sum())
    return poisson_score(count / effect, n / effect, reach_of(confidence))


def mean_of_unit(micronuclei: float, scored: int, confidence: float, clustered: float) -> Interval:
    """Return the interval of the mean number of micronuclei in a cell, of independent cells."""
    effect = max(1.0, clustered)
    return poisson_score(micronuclei / effect, scored / effect, reach_of(confidence))


def clustering(total: float, squares: float, n: int) -> float:
    """Return the variance of the micronuclei of single cells over their mean; at least 1.

    A cell that has one micronucleus often has more, so that micronuclei are no independent events.

    Parameters
    ----------
    total, squares : float
        The sum of the micronuclei of all cells, and of their squares.
    n : int
        The number of cells.
    """
    return max(1.0, squares / total - total / n) if total else 1.0


def _excess(counts: Array, scored: Array, variance: float) -> float:
    """Return the variance of the counts over that by chance alone, the larger of two estimates.

    Pearson's X2 over its degrees of freedom weighs units alike; the variance of the ratio estimator
    (W. G. Cochran, "Sampling Techniques", 3rd edition, 1977, section 6.4) weighs them by their
    cells, as the mean does. Units of one size have the same by both. Of unequal units, either alone
    can be far too small. `variance` is that of a unit's count over its mean, by chance alone:
    1 - share of binomial counts, 1 of Poisson counts.
    """
    has_cells = scored > 0
    found, cells = counts[has_cells], scored[has_cells]
    units, n = len(cells), int(cells.sum())
    mean = float(found.sum()) / n if n else 0.0
    if units < 2 or not mean * variance > 0:  # also where counts are not known
        return math.nan
    squares = np.square(found - mean * cells) / (mean * variance)
    pearson = float((squares / cells).sum()) / (units - 1)
    by_cells = units / (units - 1) * float(squares.sum()) / n
    return max(pearson, by_cells)


def _effect(excess: float, scored: Array, confidence: float) -> float:
    units = int((scored > 0).sum())
    if units < FEWEST_UNITS:
        return math.nan
    quantile = student_quantile(0.5 + confidence / 2, units - 1)
    uncertainty = (quantile / reach_of(confidence)) ** 2
    # without any micronucleated cell, units cannot be seen to differ
    return uncertainty if math.isnan(excess) else max(1.0, excess * uncertainty)
