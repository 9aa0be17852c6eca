"""What has to be known of the numbers of an assay."""

from collections.abc import Sequence

from nucrec import _text as fmt
from nucrec._unit_rates import FEWEST_UNITS
from nucrec.assay._decision import FEWEST_CELLS
from nucrec.assay._summaries import ConditionSummary


def remarks_on(conditions: Sequence[ConditionSummary], unit: str) -> list[str]:
    """Return remarks on conditions with few units or cells, and on a control without micronuclei."""
    few_units = [each.name for each in conditions if each.n_units < FEWEST_UNITS]
    few_cells = [
        f"{each.name} ({each.n_scored})" for each in conditions if each.n_scored < FEWEST_CELLS
    ]
    told = []
    if few_units:
        told.append(
            f"Fewer than {FEWEST_UNITS} {unit}s, so no interval: {', '.join(few_units)}. Cells of one "
            f"or two {unit}s do not tell how much {unit}s differ."
        )
    if few_cells:
        told.append(
            f"Fewer than the {FEWEST_CELLS} scored cells that OECD TG 487 asks for: "
            f"{', '.join(few_cells)}."
        )
    return [*told, *_on_control(conditions)]


def _on_control(conditions: Sequence[ConditionSummary]) -> list[str]:
    control = next((each for each in conditions if each.is_control), None)
    if control is None or control.n_micronucleated or not control.n_scored:
        return []
    told = f"No cell of the control, {control.name}, has a micronucleus: there is no fold increase"
    high = control.rate.high
    limit = "" if high != high else f", and its rate may be up to {fmt.number(high, 1)} per 1000"
    return [f"{told}{limit}."]
