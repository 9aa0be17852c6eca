"""The test for an increase with dose."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._notebook import Facts
from nucrec._unit_rates import FEWEST_UNITS
from nucrec._validation import invalid
from nucrec.assay._armitage import ALL_ALIKE, armitage, scaled
from nucrec.assay._design import Units, units_of
from nucrec.assay._permute import arrange, p_value, smallest_p
from nucrec.assay._summaries import ConditionSummary, UnitSummary
from nucrec.assay._test_result import TestResult

Array = npt.NDArray[Any]

FEWEST_LEVELS = 3
SCORES = ("dose", "rank")


@dataclass(frozen=True)
class Trend(Facts):
    """A test for an increase of micronucleated cells with the dose of one compound.

    Attributes
    ----------
    compound : str
        The compound; empty if conditions are only doses.
    levels : tuple of str
        The conditions by dose, the control first.
    scores : tuple of float
        The score of each level.
    pooled : TestResult
        Cochran-Armitage test over pooled cells, as if all cells were independent, exact if counts
        are small. It rejects too often if units differ by more than chance.
    by_unit : TestResult
        The permutation test of whole units; not estimable if a level has fewer than three units.
    downturn : bool
        Whether the rate at the highest dose is lower than at the dose below.
    without_highest : Trend or None
        The test without the highest dose, if there is a downturn and enough doses remain.

    Examples
    --------
    >>> from nucrec.assay import summarize
    >>> assay = summarize({"well": list("abcdefghi"), "dose": [0, 0, 0, 1, 1, 1, 2, 2, 2],
    ...                    "scored": [2000] * 9,
    ...                    "micronucleated": [9, 12, 8, 14, 18, 13, 24, 30, 27]})
    >>> trend = assay.trend()
    >>> round(trend.pooled.statistic, 2), round(trend.by_unit.p_value, 4)
    (5.14, 0.0006)
    """

    compound: str
    levels: tuple[str, ...]
    scores: tuple[float, ...]
    pooled: TestResult
    by_unit: TestResult
    downturn: bool
    without_highest: "Trend | None" = None

    def __str__(self) -> str:
        """Return both tests and the remarks, one line each."""
        of = f" of {self.compound}" if self.compound else ""
        return "\n".join(
            [
                f"Increase with dose{of}: {', '.join(self.levels)}",
                f"  whole units: {self.by_unit}",
                f"  pooled cells: {self.pooled}",
                *(f"  {remark}" for remark in self.remarks),
            ]
        )

    @property
    def remarks(self) -> tuple[str, ...]:
        """Remarks on the result."""
        if not self.downturn:
            return ()
        told = f"The rate falls at the highest dose, {self.levels[-1]}"
        if self.without_highest is None:
            return (f"{told}.",)
        p = self.without_highest.by_unit.p_value
        p = self.without_highest.pooled.p_value if math.isnan(p) else p
        return (f"{told}, which may mask a trend at lower doses; without this dose, p = {p:.2g}.",)


def trend_of(
    compound: str,
    levels: Sequence[ConditionSummary],
    units: Sequence[UnitSummary],
    score: str | Sequence[float],
    random_state: int,
) -> Trend:
    """Return the test of one compound.

    Raises
    ------
    InvalidParameterError
        There are fewer than three levels with cells, or another number of scores.
    """
    levels = [level for level in levels if level.n_scored]
    if len(levels) < FEWEST_LEVELS:
        names = ", ".join(level.name for level in levels) or "none"
        raise invalid(
            "dose", "at least three doses, including the control, with scored cells", names
        )
    scores = _scores(levels, score)
    down = bool(levels[-1].rate.value < levels[-2].rate.value)
    shorter = None
    if down and len(levels) > FEWEST_LEVELS:
        shorter = trend_of(compound, levels[:-1], units, scores[:-1].tolist(), random_state)
    found, scored = (
        np.array([getattr(level, name) for level in levels])
        for name in ("n_micronucleated", "n_scored")
    )
    return Trend(
        compound,
        tuple(level.name for level in levels),
        tuple(scores.tolist()),
        armitage(scores, found, scored, random_state),
        by_unit(scores, units_of(units, levels), random_state),
        down,
        shorter,
    )


def by_unit(scores: Array, units: Units, random_state: int) -> TestResult:
    """Return the permutation test of whole units within their blocks."""
    if not units.are_enough:
        return TestResult(math.nan, f"not estimable: a level has fewer than {FEWEST_UNITS} units")
    scores = scaled(scores)
    if not scores.any():
        return TestResult(math.nan, ALL_ALIKE)
    arranged, complete = arrange(units.group, units.block, random_state)
    observed = float(_statistics(scores[units.group][None], units)[0])
    p = p_value(_statistics(scores[arranged], units), observed, complete)
    how = "all" if complete else "drawn"
    method = f"Cochran-Armitage, permutation of units, {len(arranged)} arrangements, {how}"
    least = smallest_p(units.group, units.block)
    return TestResult(p, method, observed, p_smallest=least)


def _statistics(scores: Array, units: Units) -> Array:
    """Return the Cochran-Armitage statistic for scores of units, of shape (..., n_units)."""
    n, total = float(units.scored.sum()), float(units.found.sum())
    if total in (0, n):
        return np.zeros(scores.shape[:-1])
    centred = scores - (scores @ units.scored / n)[..., None]
    variance = np.square(centred) @ units.scored * (total - total**2 / n) / (n - 1)
    return np.asarray(centred @ units.found / np.sqrt(variance))


def _doses(levels: Sequence[ConditionSummary]) -> list[float]:
    """Return the doses, with 0 for a control without a dose or with one that is not the lowest."""
    doses = [0.0 if math.isnan(level.dose) else level.dose for level in levels]
    if levels[0].is_control and doses[0] >= min(doses[1:]):
        return [0.0, *doses[1:]]
    return doses


def _scores(levels: Sequence[ConditionSummary], score: str | Sequence[float]) -> Array:
    if isinstance(score, str):
        if score not in SCORES:
            raise invalid("score", "'dose', 'rank', or one number per dose", score)
        doses = _doses(levels)
        return (
            np.array(doses) if score == "dose" else np.unique(doses, return_inverse=True)[1] * 1.0
        )
    numbers = np.asarray(score)
    wrong = numbers.shape != (len(levels),) or numbers.dtype.kind not in "iuf"
    if wrong or not np.isfinite(numbers).all() or (np.diff(numbers) < 0).any():
        raise invalid("score", f"{len(levels)} non-decreasing numbers", score)
    return numbers.astype(np.float64)
