"""The result of an assay: rates, tests, decision and tables."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from os import PathLike
from typing import Any

from nucrec import _text as fmt
from nucrec._notebook import Rows
from nucrec._validation import check_choice, check_int, check_real
from nucrec.assay import _tables
from nucrec.assay._cell_table import CellTable
from nucrec.assay._contrast import Contrast, contrasts_of
from nucrec.assay._correction import Correction, correct
from nucrec.assay._cytotoxicity import Cytotoxicity, cytotoxicities
from nucrec.assay._decision import Decision, decide
from nucrec.assay._design import check_control, chosen_compound, series
from nucrec.assay._detectable import SmallestIncrease, check_power, smallest_increases
from nucrec.assay._dose_plot import DoseResponseDisplay
from nucrec.assay._errors_of_detector import Plate, errors_of
from nucrec.assay._families import family_of
from nucrec.assay._historical import historical_of
from nucrec.assay._plate_plot import PlateDisplay
from nucrec.assay._printed import Printed
from nucrec.assay._remarks import remarks_on
from nucrec.assay._summaries import ConditionSummary, UnitSummary
from nucrec.assay._trend import FEWEST_LEVELS, Trend, trend_of


@dataclass(frozen=True)
class Assay(Printed):
    """The rates of micronucleated cells of all conditions, with the tests based on them.

    Attributes
    ----------
    conditions : tuple of ConditionSummary
        The conditions, the control first.
    units : tuple of UnitSummary
        The units, in the same order.
    by, unit : str
        The columns that define conditions and units.
    confidence : float
        Confidence level of all intervals.
    notes : tuple of str
        Rows left out and assumptions made when the table was read.
    block : str
        The column within whose values tests exchange units; empty if there is none.
    columns : dict of str to str
        The name in the table of each column that was read.

    Examples
    --------
    >>> from nucrec.assay import summarize
    >>> assay = summarize({"well": ["B02", "B03", "B04"], "condition": ["DMSO"] * 3,
    ...                    "scored": [2000] * 3, "micronucleated": [10, 14, 21]})
    >>> print(assay.to_csv().splitlines()[0][:30])
    name,condition,dose,is_control
    """

    conditions: tuple[ConditionSummary, ...]
    units: tuple[UnitSummary, ...]
    by: str
    unit: str
    confidence: float
    notes: tuple[str, ...] = ()
    block: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    _cells: CellTable | None = field(default=None, repr=False, compare=False)

    @property
    def control(self) -> ConditionSummary | None:
        """The concurrent control, if there is one."""
        return next((each for each in self.conditions if each.is_control), None)

    @property
    def compounds(self) -> tuple[str, ...]:
        """The compounds with two or more doses; the name is empty if there are only doses."""
        return tuple(series(self.conditions))

    @property
    def remarks(self) -> tuple[str, ...]:
        """Remarks on the interpretation of the numbers; empty if there are none."""
        return (*self.notes, *remarks_on(self.conditions, self.units, self.unit))

    def trend(
        self,
        score: str | Sequence[float] = "dose",
        *,
        compound: str | None = None,
        random_state: int = 0,
    ) -> Trend:
        """Test for an increase of micronucleated cells with the dose of a compound.

        Parameters
        ----------
        score : {"dose", "rank"} or sequence of float, default="dose"
            The score of each dose: the dose itself, its rank, or one number for the control and
            each dose in order.
        compound : str, optional
            The compound; required if several compounds have two or more doses.
        random_state : int, default=0
            The seed for permutations that are too many to enumerate.

        Returns
        -------
        Trend
            The tests over pooled cells and by whole units.

        Raises
        ------
        InvalidParameterError
            There are fewer than three doses, including the control, or the compound is unknown.

        Notes
        -----
        Pooled cells are compared by the Cochran-Armitage test, with the variance given both
        margins; the test is exact if any condition has fewer than five expected micronucleated
        cells. Whole units are compared by the same statistic, relative to all arrangements of units
        over doses within their blocks.

        - W. G. Cochran, Biometrics 10, 1954, pp. 417-451.
        - P. Armitage, Biometrics 11, 1955, pp. 375-386.
        """
        check_int("random_state", random_state, low=0)
        name = chosen_compound(self.conditions, compound)
        return trend_of(name, series(self.conditions)[name], self.units, score, random_state)

    def versus_control(self, *, random_state: int = 0) -> tuple[Contrast, ...]:
        """Test each condition for an increase of micronucleated cells over the concurrent control.

        Parameters
        ----------
        random_state : int, default=0
            The seed for permutations that are too many to enumerate.

        Returns
        -------
        tuple of Contrast
            The tests over pooled cells and by whole units, adjusted for the number of conditions.

        Raises
        ------
        InvalidParameterError
            There is no control, or no other condition.

        Notes
        -----
        Pooled cells are compared by one-sided Fisher's exact tests with Holm's adjustment. Whole
        units are compared by Dunnett's t of rates, with step-down p-values from permutations of
        units over the control and the remaining doses (Westfall and Young, 1993). Three units
        against three have 20 arrangements, so a single dose cannot have a p-value below 0.05.
        """
        check_int("random_state", random_state, low=0)
        check_control(self.conditions)
        return Rows(contrasts_of(self.conditions, self.units, random_state))

    def smallest_increase(
        self, power: float = 0.8, alpha: float = 0.05
    ) -> tuple[SmallestIncrease, ...]:
        """Return the smallest increases that this design would probably have detected.

        Parameters
        ----------
        power : float, default=0.8
            The probability of detection, above `alpha`.
        alpha : float, default=0.05
            The one-sided significance level, for all conditions together.

        Returns
        -------
        tuple of SmallestIncrease
            One result per condition other than the control.

        Raises
        ------
        InvalidParameterError
            There is no control, or a number is out of range.

        Notes
        -----
        The result is computed from the noncentral t distribution of the difference between
        transformed rates (Anscombe), with the observed variation between units over all conditions
        and Bonferroni's level. It is an approximation: in 400 simulated plates, four wells against
        four detected the increase in 73 % instead of 80 %, and three doses in 83 %. There is no
        result for designs that cannot give a small p-value.
        """
        check_power(power, alpha)
        check_control(self.conditions)
        return Rows(smallest_increases(self.conditions, self.units, power, alpha))

    def decision(
        self,
        historical: object = None,
        *,
        compound: str | None = None,
        alpha: float = 0.05,
        random_state: int = 0,
    ) -> Decision:
        """Evaluate the three criteria of OECD test guideline 487, by whole units.

        Parameters
        ----------
        historical : path, table or HistoricalControls, optional
            Historical controls, one row per experiment, with the numbers of scored and
            micronucleated cells, or a ``rate`` per 1000 cells.
        compound : str, optional
            The compound; required if several compounds have two or more doses.
        alpha : float, default=0.05
            The significance level of the tests.
        random_state : int, default=0
            The seed for permutations that are too many to enumerate.

        Returns
        -------
        Decision
            Each criterion as met, not met or not answerable, and what further data would be needed.

        Raises
        ------
        InvalidParameterError, DatasetError
            The compound is unknown, or the historical controls are not such a table.

        Notes
        -----
        A result is clearly positive if all three criteria are met; clearly negative if none is met,
        with at least three doses and 2000 cells each; and equivocal if some are met. The limits of
        the historical controls contain 95 % of single rates: they are Student's t prediction
        interval of the square roots, for ten or more experiments.

        OECD, "Test No. 487: In Vitro Mammalian Cell Micronucleus Test", 2016.
        """
        check_real("alpha", alpha, low=0, high=0.5, open_ends=True)
        controls = None if historical is None else historical_of(historical)
        family = family_of(self.conditions, self.units, compound, random_state)
        return decide(family, controls, alpha)

    def corrected(
        self,
        sensitivity: float | tuple[int, int] | None = None,
        specificity: float | tuple[int, int] | None = None,
        *,
        reviewed: str | PathLike[str] | object = None,
        report: object = None,
    ) -> Correction:
        """Return the rates, corrected for the errors of the detector.

        Parameters
        ----------
        sensitivity, specificity : float or pair of int, optional
            The share of cells with (or without) micronuclei that are called so. A pair of counts
            (correct, total) includes its uncertainty; a share is taken as exact.
        reviewed : path or table, optional
            A random sample of the positive and negative cells of this plate, such as the table
            saved by the page of `nucrec.fields.review`: ``called`` (the detector's call),
            ``reviewed`` (the reviewer's answer: yes, no, unsure or empty), and for unequal sampling
            ``stratum`` and ``stratum_cells``, or ``weight``.
        report : FieldReport, optional
            The result of `nucrec.fields.evaluate_fields` for three or more fields.

        Returns
        -------
        Correction
            The corrected rates; ``review`` holds precision, recall and specificity on this plate.

        Raises
        ------
        InvalidParameterError, DatasetError
            Not exactly one of the three is given, it is invalid, or reviewed cells are missing from
            this table or called differently in it.

        Notes
        -----
        The estimate is that of Rogan and Gladen (1978) with the interval of Lang and Reiczigel
        (2014), based on the effective number of cells; see `nucrec.evaluate.corrected_proportion`.
        It assumes the same errors in all conditions. Reviewed cells are evaluated by double
        sampling (Tenenbein, 1970), with each cell weighted by the number of cells it represents;
        without strata and weights, the strata are wells. The intervals are quantiles of draws from
        Jeffreys posteriors for effective numbers of cells.
        """
        plate = Plate(self.units, self._cells, self.confidence)
        errors = errors_of((sensitivity, specificity), reviewed, report, plate)
        return correct(self.conditions, errors, self.confidence)

    def cytotoxicity(self) -> tuple[Cytotoxicity, ...]:
        """Return the cytotoxicity of each condition; empty if the table has no such columns."""
        return Rows(cytotoxicities(self.conditions, self.units))

    def plot(self, ax: Any = None, *, historical: Any = None) -> DoseResponseDisplay:
        """Draw the rate of each condition with its interval, and the units as points.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            The axes; by default those of a new figure.
        historical : path, table or HistoricalControls, optional
            Historical controls, as in `decision`; their limits are drawn as a band.

        Returns
        -------
        DoseResponseDisplay
            The display, drawn, with ``ax_`` and ``figure_`` set.
        """
        controls = None if historical is None else historical_of(historical)
        return DoseResponseDisplay.from_assay(self, historical=controls).plot(ax)

    def plot_plate(self, ax: Any = None) -> PlateDisplay:
        """Draw the rate of each well at its position on the plate.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            The axes to draw on; by default those of a new figure.

        Returns
        -------
        PlateDisplay
            The display, drawn, with ``ax_`` and ``figure_`` set.
        """
        return PlateDisplay.from_assay(self).plot(ax)

    def tables(self) -> dict[str, tuple[fmt.Row, list[fmt.Row]]]:
        """Return the header and the rows of all tables, as text, by caption."""
        found = {"Rates": _tables.condition_table(self.conditions, self.unit)}
        if any(each.excluded for each in self.conditions):
            found["Excluded cells"] = _tables.excluded_table(self.conditions)
        if any(each.distribution for each in self.conditions):
            found["Micronuclei in a cell"] = _tables.distribution_table(self.conditions)
        if self.control is not None and len(self.conditions) > 1:
            found["Against the control"] = _tables.contrast_table(self.versus_control(), self.unit)
            found[_tables.SMALLEST] = _tables.smallest_table(self.smallest_increase())
        if trends := self._trends():
            found[_tables.TREND] = _tables.trend_table(trends)
        if cytotoxicity := self.cytotoxicity():
            found["Cytotoxicity"] = _tables.cytotoxicity_table(cytotoxicity)
        return found | {f"By {self.unit}": _tables.unit_table(self.units, self.unit)}

    def _trends(self) -> list[Trend]:
        return [
            self.trend(compound=name)
            for name, levels in series(self.conditions).items()
            if sum(level.n_scored > 0 for level in levels) >= FEWEST_LEVELS
        ]

    def _told(self) -> list[str]:
        return [f"Intervals: {fmt.percent(self.confidence)}.", *self.remarks]

    def to_latex(self) -> str:
        """Return the rates of the conditions as a LaTeX ``tabular``."""
        return fmt.latex_table(*_tables.condition_table(self.conditions, self.unit))

    def to_csv(self, table: str = "conditions") -> str:
        """Return one table as unrounded CSV text that spreadsheets display correctly.

        Parameters
        ----------
        table : {"conditions", "units"}, default="conditions"
            The table to return.

        Returns
        -------
        str
            The CSV text. Text that a spreadsheet would interpret as a formula is prefixed with an
            apostrophe.

        Raises
        ------
        InvalidParameterError
            No table has this name.
        """
        if check_choice("table", table, ("conditions", "units")) == "units":
            return _tables.as_csv(_tables.unit_numbers(self.units))
        return _tables.as_csv(_tables.condition_numbers(self.conditions))

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain dicts, lists and numbers.

        Returns
        -------
        dict
            ``{"by", "unit", "confidence", "control", "conditions", "units", "trends",
            "versus_control", "smallest_increase", "cytotoxicity", "remarks"}``.
        """
        compared = self.control is not None and len(self.conditions) > 1
        against = self.versus_control() if compared else ()
        smallest = self.smallest_increase() if compared else ()
        return {
            "by": self.by,
            "unit": self.unit,
            "confidence": self.confidence,
            "control": None if self.control is None else self.control.name,
            "conditions": [asdict(each) for each in self.conditions],
            "units": [asdict(each) for each in self.units],
            "trends": [asdict(each) for each in self._trends()],
            "versus_control": [asdict(each) for each in against],
            "smallest_increase": [asdict(each) for each in smallest],
            "cytotoxicity": [asdict(each) for each in self.cytotoxicity()],
            "remarks": list(self.remarks),
        }
