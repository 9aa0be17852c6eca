"""Cytotoxicity, from cells by number of nuclei or from cell counts before and after treatment."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._notebook import Facts
from nucrec.assay._summaries import ConditionSummary, UnitSummary

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Cytotoxicity(Facts):
    """The cytotoxicity of one condition.

    Attributes
    ----------
    condition : str
        The name of the condition.
    cbpi : float
        The cytokinesis-block proliferation index, from 1 to 3: (cells with one nucleus + 2 x cells
        with two + 3 x cells with more) / cells.
    cytostasis : float
        Cytostasis in percent: 100 - 100 (CBPI - 1) / (CBPI of the control - 1).
    replication_index : float
        The replication index in percent of the control: (cells with two nuclei + 2 x cells with
        more) / cells.
    ricc : float
        The relative increase in cell count, in percent of the control. All indices are NaN if the
        table lacks the columns for them.

    Examples
    --------
    >>> from nucrec.assay import summarize
    >>> assay = summarize({"well": ["B02", "B03"], "condition": ["DMSO", "MMC"],
    ...                    "scored": [1000, 1000], "micronucleated": [5, 20],
    ...                    "mono": [200, 500], "bi": [700, 450], "multi": [100, 50]}, control="DMSO")
    >>> found = assay.cytotoxicity()[1]
    >>> round(found.cbpi, 2), round(found.cytostasis, 1), round(found.replication_index, 1)
    (1.55, 38.9, 61.1)
    """

    condition: str
    cbpi: float
    cytostasis: float
    replication_index: float
    ricc: float


def cytotoxicities(
    conditions: Sequence[ConditionSummary], units: Sequence[UnitSummary]
) -> tuple[Cytotoxicity, ...]:
    """Return the cytotoxicity of each condition; empty if the table has no such columns."""
    measured = [_measured(each, units) for each in conditions]
    if all(math.isnan(number) for numbers in measured for number in numbers):
        return ()
    control = next((i for i, each in enumerate(conditions) if each.is_control), None)
    nothing = (math.nan, math.nan, math.nan)
    of_control = nothing if control is None else measured[control]
    return tuple(
        _cytotoxicity(each.name, found, of_control)
        for each, found in zip(conditions, measured, strict=True)
    )


def _measured(
    condition: ConditionSummary, units: Sequence[UnitSummary]
) -> tuple[float, float, float]:
    """Return CBPI, replications per cell and the increase in cell count."""
    own = [unit for unit in units if unit.condition == condition.name]
    nuclei = np.array([unit.nuclei for unit in own if unit.nuclei is not None]).reshape(-1, 3)
    one, two, more = nuclei.sum(axis=0).tolist()
    n = one + two + more
    cbpi = (one + 2 * two + 3 * more) / n if n else math.nan
    replications = (two + 2 * more) / n if n else math.nan
    pairs = [(unit.initial_cells, unit.final_cells) for unit in own]
    grown = [b - a for a, b in pairs if a is not None and b is not None]
    return cbpi, replications, sum(grown) / len(grown) if grown else math.nan


def _cytotoxicity(
    name: str, found: tuple[float, float, float], control: tuple[float, float, float]
) -> Cytotoxicity:
    cbpi, replications, grown = found
    return Cytotoxicity(
        name,
        cbpi,
        100 - _percent(cbpi - 1, control[0] - 1),
        _percent(replications, control[1]),
        _percent(grown, control[2]),
    )


def _percent(value: float, of: float) -> float:
    return 100 * value / of if of > 0 else math.nan
