"""Rates per 1000 cells with intervals that respect the variation between units."""

import math
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._shares import student_quantile, wilson
from nucrec.evaluate import Metric, proportion_interval

Array = npt.NDArray[Any]

FEWEST_UNITS = 3
"""Fewer units do not tell how much units differ."""

NOT_ESTIMABLE = "not estimable"


def dispersion(micronucleated: Array, scored: Array) -> float:
    """Return how many times as much as by chance alone the counts of units vary, Pearson's X2 / df.

    NaN with one unit, or where no cell, or every cell, has a micronucleus.
    """
    has_cells = scored > 0
    found, cells = micronucleated[has_cells], scored[has_cells]
    total, n, units = int(found.sum()), int(cells.sum()), len(cells)
    if units < 2 or total in (0, n):
        return math.nan
    share = total / n
    squares = np.square(found - share * cells).sum() / (n * share * (1 - share))
    return float(units / (units - 1) * squares)


def design_effect(micronucleated: Array, scored: Array, confidence: float) -> float:
    """Return the number by which cells are divided to give the effective number of cells; at least 1.

    It includes that a variance from few units is uncertain: with it, the quantile of the normal
    distribution takes the place of Student's. NaN for fewer than three units with cells.
    """
    units = int((scored > 0).sum())
    if units < FEWEST_UNITS:
        return math.nan
    at = 0.5 + confidence / 2
    uncertainty = (student_quantile(at, units - 1) / NormalDist().inv_cdf(at)) ** 2
    found = dispersion(micronucleated, scored)
    # without any micronucleated cell, units cannot be seen to differ
    return uncertainty if math.isnan(found) else max(1.0, found * uncertainty)


def reach_of(confidence: float) -> float:
    """Return how many standard errors an interval reaches."""
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def rate_over_units(micronucleated: Array, scored: Array, confidence: float) -> Metric:
    """Return the rate per 1000 over several units, with its interval if there are three or more."""
    n = int(scored.sum())
    if not n:
        return Metric(math.nan, math.nan, math.nan, f"{NOT_ESTIMABLE}: no cell scored")
    found, effect = int(micronucleated.sum()), design_effect(micronucleated, scored, confidence)
    value = 1000 * found / n
    if math.isnan(effect):
        method = f"{NOT_ESTIMABLE}: fewer than {FEWEST_UNITS} units"
        return Metric(value, math.nan, math.nan, method)
    low, high = wilson(found / effect, n / effect, reach_of(confidence))
    return Metric(value, 1000 * low, 1000 * high, "Wilson, effective number of cells")


def rate_of_unit(micronucleated: int, scored: int, confidence: float) -> Metric:
    """Return the rate per 1000 of one unit, with Wilson's interval for this unit alone."""
    if not scored:
        return Metric(math.nan, math.nan, math.nan, f"{NOT_ESTIMABLE}: no cell scored")
    low, high = proportion_interval(micronucleated, scored, confidence)
    return Metric(1000 * micronucleated / scored, 1000 * low, 1000 * high, "Wilson")
