"""Comparisons of conditions with the concurrent control."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nucrec._holm import holm
from nucrec._notebook import Facts
from nucrec._unit_rates import FEWEST_UNITS
from nucrec.assay._design import units_of
from nucrec.assay._fisher import fisher, step_down
from nucrec.assay._permute import smallest_p
from nucrec.assay._summaries import ConditionSummary, UnitSummary
from nucrec.assay._test_result import TestResult


@dataclass(frozen=True)
class Contrast(Facts):
    """The comparison of one condition with the concurrent control.

    Attributes
    ----------
    condition, control : str
        The names of both.
    difference : float
        The rate minus that of the control, per 1000 cells.
    fold : float
        The rate divided by that of the control; NaN if no control cell has a micronucleus.
    pooled : TestResult
        One-sided Fisher's exact test over pooled cells, as if all cells were independent, with Holm's
        adjustment for the number of conditions.
    by_unit : TestResult
        The permutation test of whole units, with step-down adjustment; not estimable if the condition
        or the control has fewer than three units.

    Examples
    --------
    >>> from nucrec.assay import summarize
    >>> assay = summarize({"well": list("abcdefgh"), "condition": ["DMSO"] * 4 + ["MMC"] * 4,
    ...                    "scored": [2000] * 8,
    ...                    "micronucleated": [9, 12, 8, 10, 24, 30, 27, 25]}, control="DMSO")
    >>> contrast = assay.versus_control()[0]
    >>> contrast.condition, round(contrast.difference, 1), round(contrast.by_unit.p, 3)
    ('MMC', 8.4, 0.014)
    """

    condition: str
    control: str
    difference: float
    fold: float
    pooled: TestResult
    by_unit: TestResult

    def __str__(self) -> str:
        """Return the difference and both tests, one line each."""
        return "\n".join(
            [
                f"{self.condition} against {self.control}: {self.difference:+.1f} per 1000 cells",
                f"  whole units: {self.by_unit}",
                f"  pooled cells: {self.pooled}",
            ]
        )


def contrasts_of(
    conditions: Sequence[ConditionSummary], units: Sequence[UnitSummary], random_state: int
) -> tuple[Contrast, ...]:
    """Return the comparisons of all conditions with the first, the control."""
    control, *others = conditions
    rate = control.rate.value
    pooled = _pooled(control, others)
    whole = _by_unit([control, *others], units, random_state)
    return tuple(
        Contrast(
            each.name,
            control.name,
            each.rate.value - rate,
            each.rate.value / rate if rate > 0 else math.nan,
            pooled[i],
            whole.get(each.name, _too_few()),
        )
        for i, each in enumerate(others)
    )


def _too_few() -> TestResult:
    return TestResult(math.nan, f"not estimable: fewer than {FEWEST_UNITS} units")


def _pooled(control: ConditionSummary, others: Sequence[ConditionSummary]) -> list[TestResult]:
    of_control = control.n_micronucleated, control.n_scored
    p_values = [fisher(each.n_micronucleated, each.n_scored, *of_control) for each in others]
    adjusted = iter(holm([p for p in p_values if not math.isnan(p)]))
    return [
        TestResult(p, "not estimable: no cell scored")
        if math.isnan(p)
        else TestResult(p, "Fisher's exact test, pooled cells, Holm", p_adjusted=next(adjusted))
        for p in p_values
    ]


def _by_unit(
    conditions: Sequence[ConditionSummary], units: Sequence[UnitSummary], random_state: int
) -> dict[str, TestResult]:
    enough = [each for each in conditions if each.n_units >= FEWEST_UNITS]
    if len(enough) < 2 or not enough[0].is_control:
        return {}
    chosen = units_of(units, enough)
    statistics, alone, adjusted = step_down(chosen, random_state)
    least = smallest_p(chosen.group, chosen.block)
    return {
        enough[group].name: TestResult(
            alone[group],
            "permutation of units, step-down",
            statistics[group],
            p_adjusted=adjusted[group],
            p_smallest=least,
        )
        for group in adjusted
    }
