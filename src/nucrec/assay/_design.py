"""The units of conditions as arrays, and the dose series for trend tests."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nucrec._dose_names import is_dose
from nucrec._spelling import did_you_mean
from nucrec._unit_rates import FEWEST_UNITS
from nucrec._validation import invalid
from nucrec.assay._summaries import ConditionSummary, UnitSummary

Array = npt.NDArray[Any]


class Units(NamedTuple):
    """The units with scored cells of some conditions, as arrays of shape (n_units,).

    Attributes
    ----------
    group : ndarray of int
        The position of each unit's condition in the given list.
    found, scored : ndarray of int
        Numbers of micronucleated and of scored cells.
    block : ndarray of int
        The block of each unit, as a number.
    """

    group: Array
    found: Array
    scored: Array
    block: Array

    @property
    def are_enough(self) -> bool:
        """Whether every condition has at least three units."""
        return bool((np.bincount(self.group) >= FEWEST_UNITS).all())


def units_of(units: Sequence[UnitSummary], conditions: Sequence[ConditionSummary]) -> Units:
    """Return the units of some conditions."""
    place = {condition.name: i for i, condition in enumerate(conditions)}
    chosen = [unit for unit in units if unit.condition in place and unit.n_scored]
    blocks = {name: i for i, name in enumerate(dict.fromkeys(unit.block for unit in chosen))}
    columns = (
        [place[unit.condition] for unit in chosen],
        [unit.n_micronucleated for unit in chosen],
        [unit.n_scored for unit in chosen],
        [blocks[unit.block] for unit in chosen],
    )
    return Units(*(np.array(column, np.int64) for column in columns))


def series(conditions: Sequence[ConditionSummary]) -> dict[str, tuple[ConditionSummary, ...]]:
    """Return, for each compound, its conditions by dose, the control first.

    A compound is a condition with two or more doses besides the control. If conditions are only
    doses, they all form one series with an empty name.
    """
    control = [condition for condition in conditions if condition.is_control]
    others = [c for c in conditions if not c.is_control and not math.isnan(c.dose)]
    by_name: dict[str, list[ConditionSummary]] = {}
    for condition in others:
        by_name.setdefault(condition.condition, []).append(condition)
    several = {name: found for name, found in by_name.items() if len(found) > 1}
    are_doses = len(others) > 1 and all(is_dose(c.condition, c.dose) for c in others)
    found = {"": others} if are_doses else several
    return {
        name: (*control, *sorted(each, key=lambda condition: condition.dose))
        for name, each in found.items()
    }


def chosen_compound(conditions: Sequence[ConditionSummary], compound: str | None) -> str:
    """Return the name of a dose series: the requested one, or the only one."""
    known = list(series(conditions))
    if compound is None and len(known) == 1:
        return known[0]
    if compound is not None and compound in known:
        return compound
    if not known:
        raise invalid("dose", "a compound with two or more doses besides the control", "none")
    expected = f"one of {', '.join(map(repr, known))}"
    raise invalid("compound", expected, compound, did_you_mean(compound, known))


def check_control(conditions: Sequence[ConditionSummary]) -> None:
    """Raise unless there is a control and at least one other condition."""
    control = next((each for each in conditions if each.is_control), None)
    if control is None:
        known = ", ".join(each.name for each in conditions)
        raise invalid("control", f"one of the conditions, in summarize: {known}", None)
    if len(conditions) < 2:
        raise invalid("conditions", "at least one condition besides the control", control.name)
