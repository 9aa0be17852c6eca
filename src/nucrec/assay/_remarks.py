"""Remarks on the interpretation of an assay."""

from collections.abc import Sequence

import numpy as np

from nucrec import _text as fmt
from nucrec._shares import n_alike
from nucrec._unit_rates import FEWEST_UNITS
from nucrec.assay._decision import FEWEST_CELLS
from nucrec.assay._summaries import ConditionSummary, UnitSummary

_UNEQUAL = 4
"""With more times as many cells in the largest unit than in the smallest, intervals are too narrow."""


def remarks_on(
    conditions: Sequence[ConditionSummary], units: Sequence[UnitSummary], unit: str
) -> list[str]:
    """Return remarks on few or unequal units, few cells, and a control without micronuclei."""
    few_units = [each.name for each in conditions if each.n_units < FEWEST_UNITS]
    few_cells = [
        f"{each.name} ({each.n_scored})" for each in conditions if each.n_scored < FEWEST_CELLS
    ]
    told = []
    if few_units:
        told.append(
            f"Fewer than {FEWEST_UNITS} {unit}s, so no interval: {', '.join(few_units)}. One "
            f"or two {unit}s do not show how much {unit}s differ."
        )
    if few_cells:
        told.append(
            f"Fewer than the {FEWEST_CELLS} scored cells that OECD TG 487 requires: "
            f"{', '.join(few_cells)}."
        )
    return [*told, *_on_sizes(units, unit), *_on_control(conditions)]


def _on_sizes(units: Sequence[UnitSummary], unit: str) -> list[str]:
    sizes: dict[str, list[int]] = {}
    for each in units:
        if each.n_scored:
            sizes.setdefault(each.condition, []).append(each.n_scored)
    few = {name: n_alike(np.array(cells)) for name, cells in sizes.items()}
    allowed_for = [
        f"{name} ({len(sizes[name])} {unit}s count as {alike:.1f})"
        for name, alike in few.items()
        if len(sizes[name]) >= FEWEST_UNITS and alike < len(sizes[name])
    ]
    unequal = [
        f"{name} ({min(cells)} to {max(cells)})"
        for name, cells in sizes.items()
        if len(cells) >= FEWEST_UNITS
        and max(cells) > _UNEQUAL * min(cells)
        and few[name] == len(cells)
    ]
    told = []
    if allowed_for:
        told.append(
            f"A few {unit}s have most of the scored cells: {', '.join(allowed_for)}. These intervals "
            f"are wide, because the other {unit}s hardly show how {unit}s differ."
        )
    if unequal:
        told.append(
            f"The numbers of scored cells per {unit} differ more than {_UNEQUAL}-fold: "
            f"{', '.join(unequal)}. If {unit}s also differ in their rates, these intervals are "
            "somewhat too narrow."
        )
    return told


def _on_control(conditions: Sequence[ConditionSummary]) -> list[str]:
    control = next((each for each in conditions if each.is_control), None)
    if control is None or control.n_micronucleated or not control.n_scored:
        return []
    told = (
        f"No cell of the control, {control.name}, has a micronucleus, so there is no fold increase"
    )
    high = control.rate.high
    limit = "" if high != high else f", and its rate may be up to {fmt.number(high, 1)} per 1000"
    return [f"{told}{limit}."]
