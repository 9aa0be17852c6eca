"""Comparisons of doses with the concurrent control: Fisher's exact test and well permutations."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec.assay._armitage import log_binomial
from nucrec.assay._design import Units
from nucrec.assay._permute import arrange, p_value

Array = npt.NDArray[Any]


def fisher(found: int, scored: int, of_control: int, control: int) -> float:
    """Return the one-sided p-value of an increase over the control; NaN without cells."""
    if not scored or not control:
        return math.nan
    total = found + of_control
    k = np.arange(max(0, total - control), min(total, scored) + 1)
    logs = log_binomial(scored, k) + log_binomial(control, total - k)
    weights = np.exp(logs - logs.max())
    return float(weights[k >= found].sum() / weights.sum())


def step_down(
    units: Units, random_state: int
) -> tuple[dict[int, float], dict[int, float], dict[int, float]]:
    """Compare groups with group 0 by permuting units: statistics, p-values, and adjusted ones.

    The statistic is Dunnett's t of rates. The largest statistic is compared with the largest in
    each arrangement of the units of all groups; that group is then removed, the next is compared,
    and so on. The probability of any false increase is at most the level, whichever groups have an
    increase.

    - C. W. Dunnett, Journal of the American Statistical Association 50, 1955, pp. 1096-1121.
    - P. H. Westfall, S. S. Young, "Resampling-Based Multiple Testing", 1993.
    """
    overall = _dunnett(units, units.group[None])
    order = sorted(overall, key=lambda group: -overall[group][0])
    alone: dict[int, float] = {}
    adjusted: dict[int, float] = {}
    largest = 0.0
    for step, group in enumerate(order):
        left = order[step:]
        observed, drawn, complete = _drawn(units, left, random_state)
        most = np.max([drawn[each] for each in left], axis=0)
        largest = max(largest, p_value(most, observed[group][0], complete))
        adjusted[group] = largest
        alone[group] = p_value(drawn[group], observed[group][0], complete)
    return {group: float(t[0]) for group, t in overall.items()}, alone, adjusted


def _drawn(
    units: Units, left: list[int], random_state: int
) -> tuple[dict[int, Array], dict[int, Array], bool]:
    """Return the statistics of the remaining groups, and those of their arrangements."""
    chosen = np.isin(units.group, [0, *left])
    part = Units(*(column[chosen] for column in units))
    arranged, complete = arrange(part.group, part.block, random_state)
    return _dunnett(part, part.group[None]), _dunnett(part, arranged), complete


def _dunnett(units: Units, arranged: Array) -> dict[int, Array]:
    """Return Dunnett's t of each group for each arrangement; units are weighted by their cells."""
    groups = [int(group) for group in np.unique(arranged[0])]
    masks = [(arranged == group).astype(np.float64) for group in groups]
    cells = [mask @ units.scored for mask in masks]
    found = [mask @ units.found for mask in masks]
    squares = float((np.square(units.found) / units.scored).sum())
    within = squares - sum(k**2 / n for k, n in zip(found, cells, strict=True))
    error = np.maximum(within, 1e-12) / max(1, len(units.group) - len(groups))
    rate, n_control = found[0] / cells[0], cells[0]
    return {
        group: (k / n - rate) / np.sqrt(error * (1 / n + 1 / n_control))
        for group, k, n in zip(groups[1:], found[1:], cells[1:], strict=True)
    }
