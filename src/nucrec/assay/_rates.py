"""Rates per 1000 cells, with intervals that include the variation between units."""

import math
from typing import Any

import numpy.typing as npt

from nucrec._unit_rates import (
    FEWEST_UNITS,
    NOT_ESTIMABLE,
    mean_over_units,
    share_over_units,
)
from nucrec.evaluate import Metric, proportion_interval

Array = npt.NDArray[Any]

_NO_CELL = Metric(math.nan, math.nan, math.nan, f"{NOT_ESTIMABLE}: no cell scored")
_FEW_UNITS = f"{NOT_ESTIMABLE}: fewer than {FEWEST_UNITS} units"


def rate_over_units(micronucleated: Array, scored: Array, confidence: float) -> Metric:
    """Return the rate per 1000 over several units, with an interval for three or more units."""
    n = int(scored.sum())
    if not n:
        return _NO_CELL
    low, high = share_over_units(micronucleated, scored, confidence)
    method = "Wilson, effective number of cells" if low == low else _FEW_UNITS
    return Metric(1000 * int(micronucleated.sum()) / n, 1000 * low, 1000 * high, method)


def rate_of_unit(micronucleated: int, scored: int, confidence: float) -> Metric:
    """Return the rate per 1000 of one unit, with Wilson's interval for this unit alone."""
    if not scored:
        return _NO_CELL
    low, high = proportion_interval(micronucleated, scored, confidence)
    return Metric(1000 * micronucleated / scored, 1000 * low, 1000 * high, "Wilson")


def micronuclei_over_units(
    micronuclei: Array, scored: Array, confidence: float, clustered: float
) -> Metric:
    """Return micronuclei per 1000 cells over several units, with an interval for three or more."""
    n, total = int(scored.sum()), float(micronuclei.sum())
    if not n:
        return _NO_CELL
    if math.isnan(total):
        return Metric(math.nan, math.nan, math.nan, f"{NOT_ESTIMABLE}: micronuclei not counted")
    low, high = mean_over_units(micronuclei, scored, confidence, clustered)
    method = "Poisson score, effective number of cells" if low == low else _FEW_UNITS
    return Metric(1000 * total / n, 1000 * low, 1000 * high, method)
