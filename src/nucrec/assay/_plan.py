"""Planning of the numbers of cells and wells of an experiment."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nucrec import _text as fmt
from nucrec._unit_rates import FEWEST_UNITS
from nucrec._validation import check_int, check_real, invalid
from nucrec.assay._detectable import check_power, needed_shift
from nucrec.assay._permute import smallest_p
from nucrec.assay._printed import Printed
from nucrec.assay._tables import Table

_MOST_WELLS = 96


@dataclass(frozen=True)
class Plan(Printed):
    """The number of cells per well that is needed to detect an increase.

    Attributes
    ----------
    cells : dict of int to float
        For each number of wells per dose, the cells needed per well: infinity if more cells do not
        help, NaN if so few wells cannot give a small p-value.
    control_rate, rate : float
        The true rates, per 1000 cells.
    found_control_rate, found_rate : float
        The rates that the detector would find, per 1000 cells.
    doses : int
        Number of doses compared with the control.
    variation, power, alpha : float
        The parameters of `plan`.

    Examples
    --------
    >>> from nucrec.assay import plan
    >>> plan(6, 12, wells=[4], variation=0).cells
    {4: 1302}
    """

    cells: dict[int, float]
    control_rate: float
    rate: float
    found_control_rate: float
    found_rate: float
    doses: int
    variation: float
    power: float
    alpha: float

    def tables(self) -> dict[str, Table]:
        """Return the header and the rows of the table, as text, by caption."""
        rows: list[fmt.Row] = [
            (str(wells), _shown(cells), _shown(cells * wells))
            for wells, cells in self.cells.items()
        ]
        return {
            self._caption(): (("wells of each dose", "cells of a well", "cells of a dose"), rows)
        }

    def _caption(self) -> str:
        return (
            f"{self.control_rate:g} against {self.rate:g} per 1000, {fmt.percent(self.power)} power"
        )

    def _told(self) -> list[str]:
        doses = "one dose" if self.doses == 1 else f"{self.doses} doses"
        told = [
            f"One-sided level {self.alpha:g} for {doses} and a control with as many wells each. The "
            f"true rates of such wells vary by {fmt.percent(self.variation)}."
        ]
        if (self.found_control_rate, self.found_rate) != (self.control_rate, self.rate):
            told.append(
                f"The detector would find {self.found_control_rate:.1f} against "
                f"{self.found_rate:.1f} per 1000."
            )
        return told


def _shown(cells: float) -> str:
    if math.isnan(cells):
        return "too few wells"
    return f"{cells:,.0f}" if math.isfinite(cells) else "no number suffices"


def plan(
    control_rate: float,
    rate: float,
    *,
    wells: Sequence[int] = (3, 4, 5, 6, 8, 12),
    doses: int = 3,
    variation: float = 0.2,
    power: float = 0.8,
    alpha: float = 0.05,
    sensitivity: float = 1.0,
    specificity: float = 1.0,
) -> Plan:
    """Compute the number of cells per well that an experiment needs to detect an increase.

    Parameters
    ----------
    control_rate, rate : float
        The true rates of the control and of one dose, in micronucleated cells per 1000.
    wells : sequence of int, default=(3, 4, 5, 6, 8, 12)
        Numbers of wells to plan for, per dose and for the control.
    doses : int, default=3
        Number of doses compared with the control, only one of which is increased.
    variation : float, default=0.2
        Coefficient of variation of the true rates between wells with the same treatment. Rates near
        1000 per 1000 cells cannot vary much.
    power : float, default=0.8
        The probability of detecting the increase, above `alpha`.
    alpha : float, default=0.05
        The one-sided significance level, for all doses together.
    sensitivity, specificity : float, default=1
        The share of cells with (or without) micronuclei that the detector calls so.

    Returns
    -------
    Plan
        The number of cells per well, for each number of wells.

    Raises
    ------
    InvalidParameterError
        A number is out of range, or the rate is not above that of the control.

    See Also
    --------
    Assay.smallest_increase : The smallest increase that a completed experiment could have detected.

    Notes
    -----
    The plan is computed from the noncentral t distribution of the difference between transformed
    rates (Anscombe, 1948), with Bonferroni's level. Wells vary by binomial chance and by the
    variation of their true rates. The tests themselves permute wells: in 300 simulated plates of
    each kind (6 against 12 per 1000, 4 to 8 wells, variation of 0 to 30 %), they detected the
    increase in 67 to 79 % instead of 80 % with one dose, and in 84 to 88 % with three.

    Examples
    --------
    >>> from nucrec.assay import plan
    >>> print(plan(6, 12, wells=[3, 4, 8]))  # doctest: +ELLIPSIS
    6 against 12 per 1000, 80% power
    wells of each dose  cells of a well  cells of a dose
    3                             6,627           19,881
    4                             2,470            9,880
    8                               731            5,848
    <BLANKLINE>
    One-sided level 0.05 for 3 doses and a control with as many wells each...
    """
    low, high = _checked_rates(control_rate, rate)
    check_int("doses", doses, low=1, high=100)
    _check_variation(variation, high)
    check_power(power, alpha)
    slope = _checked_slope(sensitivity, specificity)
    shares = [each / 1000 for each in (low, high)]
    found = [1 - specificity + slope * share for share in shares]
    between = sum(
        (variation * slope * true) ** 2 / (4 * share * (1 - share))
        for true, share in zip(shares, found, strict=True)
    )
    shift = math.asin(math.sqrt(found[1])) - math.asin(math.sqrt(found[0]))
    cells = {n: _cells(n, doses, shift, between, power, alpha) for n in _checked_wells(wells)}
    rates = (low, high, 1000 * found[0], 1000 * found[1])
    return Plan(cells, *rates, doses, variation, power, alpha)


def _checked_rates(control_rate: object, rate: object) -> tuple[float, float]:
    low = check_real("control_rate", control_rate, low=0, high=1000, open_ends=True)
    high = check_real("rate", rate, low=0, high=1000, open_ends=True)
    if high <= low:
        raise invalid("rate", f"more than the rate of the control, {low:g}", rate)
    return low, high


def _check_variation(variation: object, rate: float) -> None:
    """Raise unless the rates of wells, at most 1000, can vary this much around the higher one."""
    number = check_real("variation", variation, low=0, high=2)
    most = math.sqrt((1000 - rate) / rate)
    if number > most:
        expected = (
            f"at most {most:.2g}, the largest possible variation of well rates around {rate:g} "
            "per 1000"
        )
        raise invalid("variation", expected, variation)


def _checked_slope(sensitivity: float, specificity: float) -> float:
    """Return the slope of the rate found against the true rate."""
    check_real("sensitivity", sensitivity, low=0, high=1)
    check_real("specificity", specificity, low=0, high=1)
    slope = sensitivity + specificity - 1
    if slope <= 0:
        expected = f"more than {1 - specificity:g}, the share of false positives"
        raise invalid("sensitivity", expected, sensitivity)
    return slope


def _checked_wells(wells: object) -> list[int]:
    if not isinstance(wells, Sequence) or isinstance(wells, str) or not wells:
        raise invalid("wells", "a list of numbers of wells, such as [3, 4, 6]", wells)
    return [check_int("wells", n, low=1, high=_MOST_WELLS) for n in wells]


def _cells(
    wells: int, doses: int, shift: float, between: float, power: float, alpha: float
) -> float:
    """Return the number of cells per well."""
    group = np.repeat(np.arange(doses + 1), wells)
    if wells < FEWEST_UNITS or smallest_p(group, np.zeros_like(group)) >= alpha:
        return math.nan
    freedom = (doses + 1) * (wells - 1)
    errors = needed_shift(freedom, power, alpha / doses)
    by_chance = wells * (shift / errors) ** 2 - between  # 1 / (4 n) for each of two wells
    return math.ceil(1 / (2 * by_chance)) if by_chance > 0 else math.inf
