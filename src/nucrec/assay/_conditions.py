"""The conditions of an assay: their names, the control, and their counts."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from nucrec._class_names import look_alike_key
from nucrec._dose_names import Key, condition_names, in_order, is_dose
from nucrec._reading.table import decimal_number
from nucrec._spelling import did_you_mean
from nucrec._unit_rates import clustering, design_effect, dispersion
from nucrec._validation import invalid
from nucrec.assay._rates import micronuclei_over_units, rate_of_unit, rate_over_units
from nucrec.assay._summaries import ConditionSummary, UnitSummary
from nucrec.assay._wells import Wells

Array = npt.NDArray[Any]


def summarize_conditions(
    wells: Wells, control: str | float | None, confidence: float
) -> tuple[tuple[ConditionSummary, ...], tuple[UnitSummary, ...], tuple[str, ...]]:
    """Return the conditions, the control first, the units, and remarks on the control."""
    doses = [None if math.isnan(dose) else dose for dose in wells.doses.tolist()]
    keys: list[Key] = list(zip(wells.conditions, doses, strict=True))
    of_control, remarks = _control(list(dict.fromkeys(keys)), control)
    order = in_order(keys, of_control)
    names = condition_names(order)
    rows = defaultdict(list)
    for row, key in enumerate(keys):
        rows[key].append(row)
    conditions = tuple(
        _condition(wells, rows[key], key, names[key], key == of_control, confidence)
        for key in order
    )
    units = [_unit(wells, row, names[keys[row]], confidence) for row in range(len(wells))]
    place = {name: i for i, name in enumerate(names.values())}
    return conditions, tuple(sorted(units, key=lambda unit: place[unit.condition])), remarks


def _control(
    keys: Sequence[Key], control: str | float | None
) -> tuple[Key | None, tuple[str, ...]]:
    """Return the key of the control, and a remark if it was not named."""
    if control is None:
        at_zero = [key for key in keys if key[1] == 0]
        if len(at_zero) != 1:
            return None, ()
        return at_zero[0], (f"The control is the only condition with dose 0, {at_zero[0][0]!r}.",)
    found = _called(keys, str(control))
    at_zero = [key for key in found if key[1] == 0]
    if len(at_zero or found) == 1:
        of_control = (at_zero or found)[0]
        return of_control, _on_dose_of_control(keys, of_control)
    known = list(dict.fromkeys(name for name, _ in keys))
    if found:
        raise invalid("control", "a condition with one dose, or with a dose of 0", control)
    expected = f"one of the conditions: {', '.join(known)}"
    raise invalid("control", expected, control, did_you_mean(control, known))


def _called(keys: Sequence[Key], name: str) -> list[Key]:
    """Return the conditions of a name, regardless of its spelling; 0.10 equals 0.1."""
    wanted = look_alike_key(name)
    alike = [key for key in keys if look_alike_key(key[0]) == wanted]
    number = _number(name)
    return alike or [key for key in keys if number is not None and _number(key[0]) == number]


def _number(name: str) -> float | None:
    try:
        return decimal_number(name)
    except ValueError:
        return None


def _on_dose_of_control(keys: Sequence[Key], control: Key) -> tuple[str, ...]:
    """Return a remark on a control whose dose is not the lowest.

    Raises
    ------
    InvalidParameterError
        Conditions are only doses, and one of them is lower than the control.
    """
    dose = control[1]
    doses = [key[1] for key in keys if key != control and key[1] is not None]
    if dose is None or not doses or dose < min(doses) or dose == 0:
        return ()
    lowest = f"{min(doses):.15g}"
    if all(is_dose(key[0], key[1]) for key in keys):
        raise invalid("control", f"the lowest of the doses, {lowest}", control[0])
    told = (
        f"The control, {control[0]}, has the dose {dose:.15g}, and other doses are as low as "
        f"{lowest}"
    )
    return (f"{told}: in a trend with such doses, the control is the lowest level, with dose 0.",)


def _condition(
    wells: Wells, rows: list[int], key: Key, name: str, is_control: bool, confidence: float
) -> ConditionSummary:
    found, scored = wells.micronucleated[rows], wells.scored[rows]
    n = int(scored.sum())
    excluded: Counter[str] = Counter()
    for row in rows:
        excluded.update(wells.excluded[row])
    spread = None if wells.distribution is None else wells.distribution[rows].sum(axis=0)
    return ConditionSummary(
        name=name,
        condition=key[0],
        dose=math.nan if key[1] is None else key[1],
        is_control=is_control,
        n_units=int((scored > 0).sum()),
        n_scored=n,
        n_micronucleated=int(found.sum()),
        excluded=dict(excluded),
        rate=rate_over_units(found, scored, confidence),
        micronuclei_rate=micronuclei_over_units(
            wells.micronuclei[rows], scored, confidence, _clustering(wells, rows)
        ),
        dispersion=dispersion(found, scored),
        effective_cells=n / design_effect(found, scored, confidence),
        distribution=None if spread is None else tuple(spread.tolist()),
    )


def _clustering(wells: Wells, rows: list[int]) -> float:
    total, squares = float(wells.micronuclei[rows].sum()), float(wells.squares[rows].sum())
    return 1.0 if math.isnan(squares) else clustering(total, squares, int(wells.scored[rows].sum()))


def _unit(wells: Wells, row: int, condition: str, confidence: float) -> UnitSummary:
    found, scored = int(wells.micronucleated[row]), int(wells.scored[row])
    return UnitSummary(
        name=wells.names[row],
        condition=condition,
        dose=float(wells.doses[row]),
        well=wells.wells[row],
        plate=wells.plates[row],
        replicate=wells.replicates[row],
        block=wells.blocks[row],
        n_scored=scored,
        n_micronucleated=found,
        n_micronuclei=float(wells.micronuclei[row]),
        excluded=wells.excluded[row],
        rate=rate_of_unit(found, scored, confidence),
        distribution=_tuple(wells.distribution, row),
        nuclei=_tuple(wells.nuclei, row),
        initial_cells=None if wells.initial is None else int(wells.initial[row]),
        final_cells=None if wells.final is None else int(wells.final[row]),
    )


def _tuple(table: Array | None, row: int) -> tuple[int, ...] | None:
    return None if table is None else tuple(table[row].tolist())
