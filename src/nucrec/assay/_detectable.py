"""The smallest increase that a design could have detected."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._notebook import Facts
from nucrec._shares import student_quantile
from nucrec._unit_rates import FEWEST_UNITS
from nucrec._validation import check_real, invalid
from nucrec.assay._design import Units, units_of
from nucrec.assay._permute import anscombe, smallest_p
from nucrec.assay._summaries import ConditionSummary, UnitSummary

Array = npt.NDArray[Any]

_STEPS = 60


@dataclass(frozen=True)
class SmallestIncrease(Facts):
    """The smallest true rate of a condition whose increase would probably have been detected.

    Attributes
    ----------
    condition : str
        The name of the condition.
    control_rate : float
        The rate of the control, per 1000 cells.
    rate : float
        The smallest rate, per 1000 cells; NaN if it is not estimable.
    power : float
        The probability of detection.
    dispersion : float
        The variance between units relative to that expected by chance, over all conditions; at
        least 1.
    method : str
        The method, or why the rate is not estimable.

    Examples
    --------
    >>> from nucrec.assay import summarize
    >>> assay = summarize({"well": list("abcdefgh"), "condition": ["DMSO"] * 4 + ["MMC"] * 4,
    ...                    "scored": [2000] * 8,
    ...                    "micronucleated": [9, 12, 8, 10, 24, 30, 27, 25]}, control="DMSO")
    >>> smallest = assay.smallest_increase()[0]
    >>> f"{smallest.rate:.1f} instead of {smallest.control_rate:.1f} per 1000"
    '8.5 instead of 4.9 per 1000'
    """

    condition: str
    control_rate: float
    rate: float
    power: float
    dispersion: float
    method: str

    def __str__(self) -> str:
        """Return the result as one sentence."""
        if math.isnan(self.rate):
            return f"{self.condition}: {self.method}"
        return (
            f"{self.condition}: an increase from {self.control_rate:.1f} to {self.rate:.1f} "
            f"per 1000 cells would be detected with a probability of {self.power:.0%}"
        )


def smallest_increases(
    conditions: Sequence[ConditionSummary],
    units: Sequence[UnitSummary],
    power: float,
    alpha: float,
) -> tuple[SmallestIncrease, ...]:
    """Return the smallest rate for each condition other than the first, the control."""
    control, *others = conditions
    enough = [each for each in conditions if each.n_units >= FEWEST_UNITS]
    tested = [each for each in enough if not each.is_control]
    chosen = units_of(units, enough) if control in enough and tested else None
    return tuple(_smallest(control, each, enough, chosen, power, alpha) for each in others)


def _smallest(
    control: ConditionSummary,
    condition: ConditionSummary,
    enough: Sequence[ConditionSummary],
    units: Units | None,
    power: float,
    level: float,
) -> SmallestIncrease:
    rate = control.rate.value
    if units is None or condition not in enough:
        why = f"not estimable: fewer than {FEWEST_UNITS} units"
        return SmallestIncrease(condition.name, rate, math.nan, power, math.nan, why)
    if smallest_p(units.group, units.block) >= level:
        why = f"not estimable: so few units cannot give p < {level:g}"
        return SmallestIncrease(condition.name, rate, math.nan, power, math.nan, why)
    spread, freedom = _spread(units)
    cells = 4 * (1 / _cells(units, 0) + 1 / _cells(units, enough.index(condition))) ** -1
    alpha = level / (len(enough) - 1)
    needed = needed_shift(freedom, power, alpha) * math.sqrt(spread / cells)
    start = float(anscombe(np.array(control.n_micronucleated), np.array(control.n_scored)))
    found = math.nan if start + needed > math.pi / 2 else 1000 * math.sin(start + needed) ** 2
    method = "noncentral t of transformed rates, Bonferroni"
    return SmallestIncrease(condition.name, rate, found, power, spread, method)


def _cells(units: Units, group: int) -> float:
    """Return the cells of a condition: the harmonic mean over its units times their number."""
    sizes = units.scored[units.group == group]
    return float(len(sizes) ** 2 / (1 / sizes).sum())


def _spread(units: Units) -> tuple[float, int]:
    """Return the variance between units relative to chance, and its degrees of freedom."""
    values = anscombe(units.found, units.scored)
    sizes = np.bincount(units.group)
    means = np.bincount(units.group, units.scored * values) / np.bincount(units.group, units.scored)
    squares = float((4 * units.scored * np.square(values - means[units.group])).sum())
    freedom = int(sizes.sum() - len(sizes))
    return max(1.0, squares / freedom), freedom


def check_power(power: object, alpha: object) -> None:
    """Raise unless the power exceeds the significance level, the rate of false positives."""
    level = check_real("alpha", alpha, low=0, high=0.5, open_ends=True)
    if check_real("power", power, low=0, high=1, open_ends=True) <= level:
        raise invalid("power", f"more than alpha, {level:g}", power)


def needed_shift(freedom: int, power: float, alpha: float) -> float:
    """Return the difference, in standard errors, that is detected with a given probability."""
    from scipy.special import nctdtr

    critical = student_quantile(1 - alpha, freedom)
    low, high = 0.0, 10 * critical + 10
    for _ in range(_STEPS):
        middle = (low + high) / 2
        enough = 1 - float(nctdtr(freedom, middle, critical)) >= power
        low, high = (low, middle) if enough else (middle, high)
    return high
