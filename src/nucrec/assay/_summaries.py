"""Summaries of one unit and of one condition."""

from dataclasses import dataclass

from nucrec._notebook import Facts
from nucrec.evaluate import Metric


@dataclass(frozen=True)
class UnitSummary(Facts):
    """The counts and the rate of one unit of the design, usually a well.

    Attributes
    ----------
    name : str
        The name of the unit, with plate and replicate if there are any.
    condition : str
        The name of its condition, as in `ConditionSummary.name`.
    dose : float
        The dose; NaN if there is none.
    well, plate, replicate, block : str
        Its position in the design; empty if unknown.
    n_scored, n_micronucleated : int
        Number of scored cells, and of those with a micronucleus.
    n_micronuclei : float
        Number of micronuclei in scored cells; NaN if only cells were counted.
    excluded : dict of str to int
        Number of cells that were not scored, by reason.
    rate : Metric
        Micronucleated cells per 1000, with Wilson's interval for this unit alone.
    distribution : tuple of int or None
        Numbers of scored cells with 0, 1, 2, 3, 4, 5, and 6 or more micronuclei.
    nuclei : tuple of int or None
        Numbers of cells with one, two, and three or more nuclei.
    initial_cells, final_cells : int or None
        Numbers of cells before and after the treatment.

    Examples
    --------
    >>> from nucrec.assay import summarize
    >>> assay = summarize({"well": ["B02"], "condition": ["DMSO"], "scored": [2000],
    ...                    "micronucleated": [20]})
    >>> unit = assay.units[0]
    >>> unit.name, f"{unit.rate.value:.1f} ({unit.rate.low:.1f} to {unit.rate.high:.1f})"
    ('B02', '10.0 (6.5 to 15.4)')
    """

    name: str
    condition: str
    dose: float
    well: str
    plate: str
    replicate: str
    block: str
    n_scored: int
    n_micronucleated: int
    n_micronuclei: float
    excluded: dict[str, int]
    rate: Metric
    distribution: tuple[int, ...] | None = None
    nuclei: tuple[int, ...] | None = None
    initial_cells: int | None = None
    final_cells: int | None = None

    @property
    def n_excluded(self) -> int:
        """The number of cells that were not scored."""
        return sum(self.excluded.values())


@dataclass(frozen=True)
class ConditionSummary(Facts):
    """The counts and the rate of one condition, over its units.

    Attributes
    ----------
    name : str
        The condition, with the dose if the condition has several.
    condition : str
        The condition without the dose.
    dose : float
        The dose; NaN if there is none.
    is_control : bool
        Whether it is the concurrent control.
    n_units : int
        Number of units with scored cells.
    n_scored, n_micronucleated : int
        Number of scored cells, and of those with a micronucleus.
    excluded : dict of str to int
        Number of cells that were not scored, by reason.
    rate : Metric
        Micronucleated cells per 1000. The interval includes the variation between units, and is NaN
        for fewer than three units.
    micronuclei_rate : Metric
        Micronuclei per 1000 cells. The interval includes the variation between units and the
        clustering of micronuclei in cells; NaN if only cells were counted.
    dispersion : float
        The variance between units relative to that expected by chance; NaN if unknown.
    effective_cells : float
        The number of independent cells with the same precision; NaN for fewer than three units.
    distribution : tuple of int or None
        Numbers of scored cells with 0, 1, 2, 3, 4, 5, and 6 or more micronuclei.

    Examples
    --------
    >>> from nucrec.assay import summarize
    >>> assay = summarize({"well": ["B02", "B03", "B04"], "condition": ["DMSO"] * 3,
    ...                    "scored": [2000] * 3, "micronucleated": [10, 14, 21]})
    >>> condition = assay.conditions[0]
    >>> condition.n_scored, round(condition.effective_cells), condition.rate.value
    (6000, 598, 7.5)
    """

    name: str
    condition: str
    dose: float
    is_control: bool
    n_units: int
    n_scored: int
    n_micronucleated: int
    excluded: dict[str, int]
    rate: Metric
    micronuclei_rate: Metric
    dispersion: float
    effective_cells: float
    distribution: tuple[int, ...] | None = None

    @property
    def n_excluded(self) -> int:
        """The number of cells that were not scored."""
        return sum(self.excluded.values())

    @property
    def micronuclei_per_1000(self) -> float:
        """Micronuclei per 1000 cells; NaN if only cells were counted."""
        return self.micronuclei_rate.value
