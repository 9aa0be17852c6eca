"""Intervals of rates over units, such as wells, that include the variation between them."""

import math
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._shares import n_alike, poisson_score, student_quantile, wilson

Array = npt.NDArray[Any]
Interval = tuple[float, float]

FEWEST_UNITS = 3
"""Fewer units do not tell how much units differ."""

NOT_ESTIMABLE = "not estimable"


def reach_of(confidence: float) -> float:
    """Return the half-width of an interval in standard errors."""
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def dispersion(micronucleated: Array, scored: Array) -> float:
    """Return the variance of the counts of units relative to chance.

    It is Pearson's X2 divided by its degrees of freedom, or the value of the ratio estimator: see
    `_excess`. It is NaN with one unit, or if no cell, or every cell, has a micronucleus.
    """
    n = int(scored.sum())
    share = int(micronucleated.sum()) / n if n else 0.0
    return _excess(micronucleated, scored, 1 - share)


def design_effect(micronucleated: Array, scored: Array, confidence: float) -> float:
    """Return the divisor of the number of cells for the effective number of cells; at least 1.

    It includes the uncertainty of a variance from few units, so that it is used with the normal
    quantile instead of Student's. It is NaN for fewer than three units with cells.
    """
    n = int(scored.sum())
    share = int(micronucleated.sum()) / n if n else 0.0
    return _effect(_between(micronucleated, scored, 1 - share), scored, confidence)


def share_over_units(micronucleated: Array, scored: Array, confidence: float) -> Interval:
    """Return the interval of the share of micronucleated cells; NaN for fewer than three units."""
    effect = design_effect(micronucleated, scored, confidence)
    found, n = int(micronucleated.sum()), int(scored.sum())
    return wilson(found / effect, n / effect, reach_of(confidence))


def mean_over_units(
    micronuclei: Array, scored: Array, confidence: float, clustered: float = 1.0
) -> Interval:
    """Return the interval of the mean micronuclei per cell; NaN for fewer than three units.

    Parameters
    ----------
    micronuclei, scored : ndarray of shape (n_units,)
        Numbers of micronuclei in scored cells, and of scored cells, of each unit.
    confidence : float
        Confidence level of the interval.
    clustered : float
        The variance-to-mean ratio of micronuclei per cell, if known: the counts of units are
        assumed to vary at least that much.
    """
    between = _effect(_between(micronuclei, scored, 1.0), scored, confidence)
    effect = float(np.maximum(between, clustered))  # this keeps NaN
    count, n = float(micronuclei.sum()), int(scored.sum())
    return poisson_score(count / effect, n / effect, reach_of(confidence))


def mean_of_unit(micronuclei: float, scored: int, confidence: float, clustered: float) -> Interval:
    """Return the interval of the mean micronuclei per cell for independent cells."""
    effect = max(1.0, clustered)
    return poisson_score(micronuclei / effect, scored / effect, reach_of(confidence))


def clustering(total: float, squares: float, n: int) -> float:
    """Return the variance-to-mean ratio of micronuclei per cell; at least 1.

    A cell with one micronucleus often has more, so micronuclei are not independent events.

    Parameters
    ----------
    total, squares : float
        The sums over all cells of the number of micronuclei, and of its square.
    n : int
        The number of cells.
    """
    return max(1.0, squares / total - total / n) if total else 1.0


def _excess(counts: Array, scored: Array, variance: float) -> float:
    """Return the variance of the counts relative to chance, as the larger of two estimates.

    Pearson's X2 divided by its degrees of freedom weights units equally; the variance of the ratio
    estimator (W. G. Cochran, "Sampling Techniques", 3rd edition, 1977, section 6.4) weights them by
    their cells, as the mean does. Both are equal for units of the same size. For unequal units,
    either one alone can be far too small. `variance` is the variance-to-mean ratio of a unit's
    count by chance: 1 - share for binomial counts, 1 for Poisson counts.
    """
    has_cells = scored > 0
    found, cells = counts[has_cells], scored[has_cells]
    units, n = len(cells), int(cells.sum())
    mean = float(found.sum()) / n if n else 0.0
    if units < 2 or not mean * variance > 0:  # also if counts are unknown
        return math.nan
    squares = np.square(found - mean * cells) / (mean * variance)
    pearson = float((squares / cells).sum()) / (units - 1)
    by_cells = units / (units - 1) * float(squares.sum()) / n
    return max(pearson, by_cells)


def _between(counts: Array, scored: Array, variance: float) -> float:
    """Return `_excess`, or more if a few units have most cells: they pull the mean towards themselves.

    - R. M. Bell, D. F. McCaffrey, Survey Methodology 28, 2002, pp. 169-181 (CR2).
    """
    excess = _excess(counts, scored, variance)
    found, cells = counts[scored > 0], scored[scored > 0]
    if math.isnan(excess) or n_alike(cells) == len(cells):
        return excess
    n, mean = cells.sum(), found.sum() / cells.sum()
    squares = np.square(found - mean * cells) / (mean * variance)
    return max(excess, float((squares / (1 - cells / n)).sum() / n))


def _effect(excess: float, scored: Array, confidence: float) -> float:
    cells = scored[scored > 0]
    if len(cells) < FEWEST_UNITS:
        return math.nan
    alike = n_alike(cells)
    freedom = max(1.0, alike - 1)
    if alike < len(cells):  # the variance of a few large units may be far too small by chance
        excess = float(np.maximum(1.0, excess))  # this keeps NaN
    uncertainty = (student_quantile(0.5 + confidence / 2, freedom) / reach_of(confidence)) ** 2
    # without micronucleated cells, differences between units cannot be observed
    return uncertainty if math.isnan(excess) else max(1.0, excess * uncertainty)
