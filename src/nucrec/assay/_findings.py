"""All results that a report presents: tests, decisions and corrected rates."""

from dataclasses import dataclass

from nucrec.assay._assay import Assay
from nucrec.assay._correction import Correction
from nucrec.assay._cytotoxicity import Cytotoxicity
from nucrec.assay._decision import Decision, decide
from nucrec.assay._detectable import SmallestIncrease, smallest_increases
from nucrec.assay._families import Family, families_of
from nucrec.assay._historical import HistoricalControls, historical_of

POWER = 0.8


@dataclass(frozen=True)
class Findings:
    """The results that follow from the rates of an assay.

    Attributes
    ----------
    assay : Assay
        The rates.
    families : tuple of Family
        The doses of each compound, and single conditions, with their tests.
    smallest : tuple of SmallestIncrease
        The smallest detectable increase of each condition other than the control.
    decisions : tuple of Decision
        One decision per compound with two or more doses, or one for all conditions if there is no
        compound.
    historical : HistoricalControls or None
        The limits of historical controls.
    correction : Correction or None
        The corrected rates, if cells were reviewed.
    cytotoxicity : tuple of Cytotoxicity
        The cytotoxicity of each condition; empty if the table has no such columns.
    alpha : float
        The significance level of the tests.
    random_state : int
        The seed of permutations.
    """

    assay: Assay
    families: tuple[Family, ...]
    smallest: tuple[SmallestIncrease, ...]
    decisions: tuple[Decision, ...]
    historical: HistoricalControls | None
    correction: Correction | None
    cytotoxicity: tuple[Cytotoxicity, ...]
    alpha: float
    random_state: int

    @property
    def remarks(self) -> tuple[str, ...]:
        """Remarks on the numbers and on the tests for trend."""
        trends = [family.trend for family in self.families if family.trend is not None]
        of_trends = [
            f"{trend.compound}: {remark}" if trend.compound else remark
            for trend in trends
            for remark in trend.remarks
        ]
        return (*self.assay.remarks, *of_trends)


def findings_of(
    assay: Assay, historical: object, reviewed: object, alpha: float, random_state: int
) -> Findings:
    """Return the results of an assay.

    Raises
    ------
    InvalidParameterError, DatasetNotFoundError, DatasetError
        The historical controls or the reviewed cells are not such tables.
    """
    controls = None if historical is None else historical_of(historical)
    correction = None if reviewed is None else assay.corrected(reviewed=reviewed)
    families = families_of(assay.conditions, assay.units, random_state)
    decided = [each for each in families if each.is_series] or list(families[:1])
    return Findings(
        assay,
        families,
        tuple(each for family in families for each in _smallest(assay, family, alpha)),
        tuple(decide(family, controls, alpha) for family in decided),
        controls,
        correction,
        assay.cytotoxicity(),
        alpha,
        random_state,
    )


def _smallest(assay: Assay, family: Family, alpha: float) -> tuple[SmallestIncrease, ...]:
    if not family.contrasts:
        return ()
    return smallest_increases(family.levels, assay.units, POWER, alpha)
