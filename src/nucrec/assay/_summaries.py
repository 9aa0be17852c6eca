"""What was found in one unit, and in one condition."""

from dataclasses import dataclass

from nucrec._notebook import Facts
from nucrec.evaluate import Metric


@dataclass(frozen=True)
class UnitSummary(Facts):
    """What was found in one unit of the design, mostly a well.

    Attributes
    ----------
    name : str
        Its name, with plate and replicate where there are any.
    condition : str
        The name of its condition, as in `ConditionSummary.name`.
    dose : float
        NaN where there is none.
    well, plate, replicate, block : str
        Empty where unknown.
    n_scored, n_micronucleated : int
        Cells scored, and those of them with a micronucleus.
    n_micronuclei : float
        Micronuclei in the scored cells; NaN where only cells were counted.
    excluded : dict of str to int
        Cells that were not scored, by reason.
    rate : Metric
        Micronucleated cells per 1000, with Wilson's interval for this unit alone.
    distribution : tuple of int or None
        Scored cells with 0, 1, 2, 3, 4, 5, and 6 or more micronuclei.
    nuclei : tuple of int or None
        Cells with one, two, and three or more nuclei.
    initial_cells, final_cells : int or None
        Cells before and after the treatment.

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
    """What was found in one condition, over its units.

    Attributes
    ----------
    name : str
        The condition, with the dose where the condition has several.
    condition : str
        The condition alone.
    dose : float
        NaN where there is none.
    is_control : bool
        Whether it is the concurrent control.
    n_units : int
        The number of units with scored cells.
    n_scored, n_micronucleated : int
        Cells scored, and those of them with a micronucleus.
    excluded : dict of str to int
        Cells that were not scored, by reason.
    rate : Metric
        Micronucleated cells per 1000; its interval carries the variation between units, and is NaN
        for fewer than three.
    micronuclei_rate : Metric
        Micronuclei per 1000 cells, with an interval that carries the variation between units, and that
        a cell often has several; NaN where only cells were counted.
    dispersion : float
        How many times as much the counts of the units vary as by chance alone; NaN where that is
        unknown.
    effective_cells : float
        The number of independent cells that say as much; NaN for fewer than three units.
    distribution : tuple of int or None
        Scored cells with 0, 1, 2, 3, 4, 5, and 6 or more micronuclei.

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
        """Micronuclei per 1000 cells; NaN where only cells were counted."""
        return self.micronuclei_rate.value
