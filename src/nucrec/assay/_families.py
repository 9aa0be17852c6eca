"""Families of conditions tested together: the doses of one compound, or single conditions."""

from collections.abc import Sequence
from dataclasses import dataclass

from nucrec.assay._contrast import Contrast, contrasts_of
from nucrec.assay._design import chosen_compound, series
from nucrec.assay._summaries import ConditionSummary, UnitSummary
from nucrec.assay._trend import FEWEST_LEVELS, Trend, trend_of


@dataclass(frozen=True)
class Family:
    """A family of conditions, and their tests.

    Attributes
    ----------
    name : str
        The compound; empty if all conditions form one family.
    levels : tuple of ConditionSummary
        The conditions, the control first if there is one.
    contrasts : tuple of Contrast
        The comparison of each level with the control, adjusted for the number of levels.
    trend : Trend or None
        The test for trend; None for fewer than three levels with cells.
    is_series : bool
        Whether the levels are doses of one series.
    """

    name: str
    levels: tuple[ConditionSummary, ...]
    contrasts: tuple[Contrast, ...]
    trend: Trend | None
    is_series: bool = True


def family_of(
    conditions: Sequence[ConditionSummary],
    units: Sequence[UnitSummary],
    compound: str | None,
    random_state: int,
) -> Family:
    """Return the doses of one compound, or all conditions if none has several doses."""
    doses = series(conditions)
    if not doses and compound is None:
        return _family("", tuple(conditions), units, random_state, is_series=False)
    name = chosen_compound(conditions, compound)
    return _family(name, doses[name], units, random_state)


def families_of(
    conditions: Sequence[ConditionSummary], units: Sequence[UnitSummary], random_state: int
) -> tuple[Family, ...]:
    """Return the doses of each compound, and the other conditions one by one."""
    doses = series(conditions)
    if not doses:
        return (family_of(conditions, units, None, random_state),)
    found = [_family(name, levels, units, random_state) for name, levels in doses.items()]
    tested = {level.name for family in found for level in family.levels}
    control = [each for each in conditions if each.is_control]
    single = [each for each in conditions if each.name not in tested and not each.is_control]
    return (
        *found,
        *(
            _family(each.name, (*control, each), units, random_state, is_series=False)
            for each in single
        ),
    )


def _family(
    name: str,
    levels: tuple[ConditionSummary, ...],
    units: Sequence[UnitSummary],
    random_state: int,
    *,
    is_series: bool = True,
) -> Family:
    has_control = levels[0].is_control and len(levels) > 1
    contrasts = contrasts_of(levels, units, random_state) if has_control else ()
    trend = None
    if is_series and sum(level.n_scored > 0 for level in levels) >= FEWEST_LEVELS:
        trend = trend_of(name, levels, units, "dose", random_state)
    return Family(name, levels, contrasts, trend, is_series)
