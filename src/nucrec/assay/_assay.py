"""The result of an assay: rates, tests, decision, tables."""

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
    """The rates of micronucleated cells of all conditions, and what follows from them.

    Attributes
    ----------
    conditions : tuple of ConditionSummary
        The control first.
    units : tuple of UnitSummary
        In the same order.
    by, unit : str
        The columns that tell conditions and units apart.
    confidence : float
        Of all intervals.
    notes : tuple of str
        What was left out or taken for granted when the table was read.
    block : str
        The column within whose values tests exchange units; empty for none.
    columns : dict of str to str
        What each column that was read is called in the table.

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
        """The compounds that have two doses or more; the name is empty where there are doses alone."""
        return tuple(series(self.conditions))

    @property
    def remarks(self) -> tuple[str, ...]:
        """What has to be known of the numbers; empty if there is nothing to add."""
        return (*self.notes, *remarks_on(self.conditions, self.units, self.unit))

    def trend(
        self,
        score: str | Sequence[float] = "dose",
        *,
        compound: str | None = None,
        random_state: int = 0,
    ) -> Trend:
        """Test whether micronucleated cells increase with the dose of a compound.

        Parameters
        ----------
        score : {"dose", "rank"} or sequence of float, default="dose"
            The score of each dose: the dose itself, its rank, or numbers for the control and the doses
            in order.
        compound : str, optional
            Needed where several have two doses or more.
        random_state : int, default=0
            The seed of permutations that are too many to enumerate.

        Returns
        -------
        Trend
            Over pooled cells, and by whole units.

        Raises
        ------
        InvalidParameterError
            There are fewer than three doses, the control included; or the compound is unknown.

        Notes
        -----
        Over pooled cells: Cochran-Armitage, with the variance given both margins; exact where a
        condition has less than five expected micronucleated cells. By units: the same statistic,
        compared with those of all arrangements of whole units over doses, within their blocks.

        - W. G. Cochran, Biometrics 10, 1954, pp. 417-451.
        - P. Armitage, Biometrics 11, 1955, pp. 375-386.
        """
        check_int("random_state", random_state, low=0)
        name = chosen_compound(self.conditions, compound)
        return trend_of(name, series(self.conditions)[name], self.units, score, random_state)

    def versus_control(self, *, random_state: int = 0) -> tuple[Contrast, ...]:
        """Test whether each condition has more micronucleated cells than the concurrent control.

        Parameters
        ----------
        random_state : int, default=0
            The seed of permutations that are too many to enumerate.

        Returns
        -------
        tuple of Contrast
            Over pooled cells, and by whole units; adjusted for the number of conditions.

        Raises
        ------
        InvalidParameterError
            There is no control, or no other condition.

        Notes
        -----
        Over pooled cells: one-sided Fisher's exact test, adjusted by Holm. By units: Dunnett's t of
        rates, with p-values from permutations of whole units over the control and the doses left, step
        by step (Westfall and Young, 1993). Three units against three have 20
        arrangements, so one dose alone cannot have a p-value below 0.05.
        """
        check_int("random_state", random_state, low=0)
        check_control(self.conditions)
        return Rows(contrasts_of(self.conditions, self.units, random_state))

    def smallest_increase(
        self, power: float = 0.8, alpha: float = 0.05
    ) -> tuple[SmallestIncrease, ...]:
        """Return the smallest rates that this design would probably have found increased.

        Parameters
        ----------
        power : float, default=0.8
            The probability of finding it, above `alpha`.
        alpha : float, default=0.05
            The one-sided level, for all conditions together.

        Returns
        -------
        tuple of SmallestIncrease
            One for each condition beside the control.

        Raises
        ------
        InvalidParameterError
            There is no control, or a number is out of range.

        Notes
        -----
        From the noncentral t distribution of the difference of transformed rates (Anscombe), with the
        variation between units that was found over all conditions, and Bonferroni's level. It is not
        exact: in 400 simulated plates, four wells against four found it in 73 % instead of 80 %, three
        doses in 83 %. Designs that cannot give a small p-value at all have none.
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
        """Answer the three criteria of OECD test guideline 487, by whole units.

        Parameters
        ----------
        historical : path, table or HistoricalControls, optional
            Historical controls, one row for each experiment: cells scored and micronucleated, or a
            ``rate`` per 1000 cells.
        compound : str, optional
            Needed where several have two doses or more.
        alpha : float, default=0.05
            The level of the tests.
        random_state : int, default=0
            The seed of permutations that are too many to enumerate.

        Returns
        -------
        Decision
            Each criterion met, not met or not answerable; and what would be needed.

        Raises
        ------
        InvalidParameterError, DatasetError
            The compound is unknown, or the historical controls are no such table.

        Notes
        -----
        Clearly positive: all three are met. Clearly negative: none is, with at least three doses and
        2000 cells each. Equivocal: some are met. The limits of the historical controls contain 95 % of
        single rates: Student's t prediction interval of their square roots, from ten experiments on.

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
        """Return the rates corrected for the errors of the detector.

        Parameters
        ----------
        sensitivity, specificity : float or pair of int, optional
            The share of cells with and without micronuclei that are called so. A pair of how many were
            right, and of how many, carries its uncertainty; a share is taken as certain.
        reviewed : path or table, optional
            A random sample of the positive and negative cells of this plate, such as the table that
            the page of `nucrec.fields.review` saves: ``called`` (what the detector said),
            ``reviewed`` (what a person said: yes, no, unsure or empty), and for unequal shares
            ``stratum`` and ``stratum_cells``, or ``weight``.
        report : FieldReport, optional
            What `nucrec.fields.evaluate_fields` returned, of three fields or more.

        Returns
        -------
        Correction
            The corrected rates; its ``review`` has precision, recall and specificity on this plate.

        Raises
        ------
        InvalidParameterError, DatasetError
            Not exactly one of the three is given, it is not what it should be, or reviewed cells
            are not in this table or were called otherwise.

        Notes
        -----
        The estimate of Rogan and Gladen (1978), with the interval of Lang and Reiczigel (2014), in
        which the effective number of cells takes the place of their number: see
        `nucrec.evaluate.corrected_proportion`. It holds if the errors are the same in all conditions.
        From reviewed cells: double sampling (Tenenbein, 1970), in which each cell counts as many as
        it stands for; without strata and weights, by well. Its intervals are quantiles of draws from
        Jeffreys' posteriors, of effective numbers of cells.
        """
        plate = Plate(self.units, self._cells, self.confidence)
        errors = errors_of((sensitivity, specificity), reviewed, report, plate)
        return correct(self.conditions, errors, self.confidence)

    def cytotoxicity(self) -> tuple[Cytotoxicity, ...]:
        """Return the cytotoxicity of each condition; empty where the table has nothing of it."""
        return Rows(cytotoxicities(self.conditions, self.units))

    def plot(self, ax: Any = None, *, historical: Any = None) -> DoseResponseDisplay:
        """Draw the rate of each condition with its interval, and its units as points.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            The axes; by default those of a new figure.
        historical : path, table or HistoricalControls, optional
            Historical controls, as in `decision`: their limits are drawn as a band.

        Returns
        -------
        DoseResponseDisplay
            The drawn picture, with ``ax_`` and ``figure_``.
        """
        controls = None if historical is None else historical_of(historical)
        return DoseResponseDisplay.from_assay(self, historical=controls).plot(ax)

    def plot_plate(self, ax: Any = None) -> PlateDisplay:
        """Draw the rate of each well at its place on the plate.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to; by default a figure of its own.

        Returns
        -------
        PlateDisplay
            The drawn picture, with ``ax_`` and ``figure_``.
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
        """Return one table as CSV, unrounded, that spreadsheets show as it is.

        Parameters
        ----------
        table : {"conditions", "units"}, default="conditions"
            Which one.

        Returns
        -------
        str
            Text that a spreadsheet would take for a formula is preceded by an apostrophe.

        Raises
        ------
        InvalidParameterError
            There is no such table.
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
