"""The three criteria of OECD test guideline 487."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nucrec import _notebook as show
from nucrec import _text as fmt
from nucrec._notebook import Facts
from nucrec._unit_rates import FEWEST_UNITS
from nucrec.assay._contrast import Contrast
from nucrec.assay._families import Family
from nucrec.assay._historical import (
    FEWEST_EXPERIMENTS,
    PREFERRED_EXPERIMENTS,
    HistoricalControls,
)
from nucrec.assay._summaries import ConditionSummary
from nucrec.assay._trend import Trend

FEWEST_CELLS = 2000
FEWEST_TO_ANSWER = 50
"""Below this number of cells of a condition, one cell is more than 20 per 1000: nothing is answered."""
FEWEST_DOSES = 3

_FAR = 3

MET, NOT_MET, NOT_ANSWERABLE = "met", "not met", "not answerable"
POSITIVE, NEGATIVE, EQUIVOCAL = "clearly positive", "clearly negative", "equivocal"


@dataclass(frozen=True)
class Criterion(Facts):
    """One criterion of the decision.

    Attributes
    ----------
    question : str
        The question.
    answer : str
        "met", "not met" or "not answerable".
    reason : str
        The numbers that the answer is based on.
    needed : str
        The data needed for an answer; empty if the question is answered.

    Examples
    --------
    >>> from nucrec.assay import Criterion
    >>> Criterion("a trend with dose", "met", "p = 0.001").answer
    'met'
    """

    question: str
    answer: str
    reason: str
    needed: str = ""


@dataclass(frozen=True)
class Decision:
    """The three criteria for one compound, and the verdict.

    Attributes
    ----------
    compound : str
        The compound; empty if all conditions form one series.
    verdict : str
        "clearly positive", "clearly negative", "equivocal" or "not answerable", by these criteria.
    criteria : tuple of Criterion
        A significant increase over the concurrent control; a significant trend with dose; a rate
        outside the distribution of historical controls.
    needed : tuple of str
        The data needed for criteria that are not answerable.
    alpha : float
        The significance level of the tests.
    remarks : tuple of str
        Remarks on the verdict, such as fewer cells than the guideline requires.

    Examples
    --------
    >>> from nucrec.assay import summarize
    >>> assay = summarize({"well": list("abcdefghijkl"), "dose": [0] * 3 + [1] * 3 + [2] * 3 + [4] * 3,
    ...                    "scored": [2000] * 12,
    ...                    "micronucleated": [9, 12, 8, 14, 18, 13, 24, 30, 27, 40, 38, 45]})
    >>> rates = [4.1, 5.0, 6.2, 3.9, 5.5, 4.8, 5.1, 6.0, 4.4, 5.7]
    >>> decision = assay.decision(historical={"rate": rates})
    >>> decision.verdict, [criterion.answer for criterion in decision.criteria]
    ('clearly positive', ['met', 'met', 'met'])
    """

    compound: str
    verdict: str
    criteria: tuple[Criterion, ...]
    needed: tuple[str, ...]
    alpha: float
    remarks: tuple[str, ...] = ()

    @property
    def _rows(self) -> tuple[fmt.Row, list[fmt.Row]]:
        header = ("criterion", "answer", "reason")
        return header, [(c.question, c.answer, c.reason) for c in self.criteria]

    @property
    def _words(self) -> str:
        of = f"{self.compound}: " if self.compound else ""
        return f"{of}{self.verdict} by these criteria{caveat(self)}"

    def __str__(self) -> str:
        needed = [f"Needed: {each}" for each in self.needed]
        return "\n".join([self._words, fmt.text_table(*self._rows), *needed])

    def _repr_html_(self) -> str:
        needed = show.paragraphs(*(f"Needed: {each}" for each in self.needed))
        return show.fragment(show.heading(self._words), show.table(*self._rows), needed)

    def to_markdown(self) -> str:
        """Return the verdict, the criteria and the data needed as Markdown."""
        needed = [f"Needed: {each}" for each in self.needed]
        return "\n\n".join([self._words, fmt.markdown_table(*self._rows), *needed]) + "\n"

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain dicts, lists and numbers."""
        return {
            "compound": self.compound,
            "verdict": self.verdict,
            "criteria": [asdict(criterion) for criterion in self.criteria],
            "needed": list(self.needed),
            "alpha": self.alpha,
            "remarks": list(self.remarks),
        }


def caveat(decision: Decision) -> str:
    """Return the remarks as the end of a sentence on the verdict."""
    return "".join(f", {remark}" for remark in decision.remarks)


def decide(family: Family, historical: HistoricalControls | None, alpha: float) -> Decision:
    """Evaluate the criteria for the levels of one compound."""
    levels = family.levels
    few = frozenset(each.name for each in levels if 0 < each.n_scored < FEWEST_TO_ANSWER)
    criteria = (
        increase_criterion(family.contrasts, alpha, few),
        trend_criterion(family.trend, alpha, few),
        historical_criterion(levels, historical, few),
    )
    lacking = _lacking(levels)
    verdict = _verdict([criterion.answer for criterion in criteria], bool(lacking))
    needed = [criterion.needed for criterion in criteria if criterion.needed]
    told = tuple(dict.fromkeys([*needed, *lacking]))
    return Decision(family.name, verdict, criteria, told, alpha, _remarks(verdict, levels))


def _remarks(verdict: str, levels: Sequence[ConditionSummary]) -> tuple[str, ...]:
    """Return remarks on a verdict that is based on few cells."""
    few = [f"{each.name} ({each.n_scored})" for each in levels if each.n_scored < FEWEST_CELLS]
    if verdict not in (POSITIVE, EQUIVOCAL) or not few:
        return ()
    return (f"with fewer than the {FEWEST_CELLS} cells of OECD TG 487: {', '.join(few)}",)


def _too_few(question: str, names: Iterable[str]) -> Criterion:
    listed = ", ".join(names)
    reason = f"fewer than {FEWEST_TO_ANSWER} cells of {listed}"
    return Criterion(question, NOT_ANSWERABLE, reason, f"more cells of {listed}")


def _verdict(answers: Sequence[str], lacking: bool) -> str:
    if MET in answers and NOT_MET in answers:
        return EQUIVOCAL
    if NOT_ANSWERABLE in answers:
        return NOT_ANSWERABLE
    if MET in answers:
        return POSITIVE
    return NOT_ANSWERABLE if lacking else NEGATIVE


def _lacking(levels: Sequence[ConditionSummary]) -> list[str]:
    """Return what a design lacks for a negative verdict."""
    doses = [level for level in levels if not level.is_control and level.n_scored]
    told = [
        f"{FEWEST_CELLS - level.n_scored} more cells of {level.name}: at least {FEWEST_CELLS} "
        "per dose"
        for level in levels
        if level.n_scored < FEWEST_CELLS
    ]
    if len(doses) < FEWEST_DOSES:
        told.append(f"at least {FEWEST_DOSES} analysable doses, instead of {len(doses)}")
    return told


def increase_criterion(
    contrasts: Sequence[Contrast], alpha: float, few: frozenset[str]
) -> Criterion:
    """Evaluate whether any dose is significantly increased, by whole units."""
    question = "a significant increase over the concurrent control"
    units = f"at least {FEWEST_UNITS} units of the control and of each dose"
    if not contrasts:
        return Criterion(question, NOT_ANSWERABLE, "no control", "a concurrent control, by name")
    answerable = [each for each in contrasts if not {each.condition, each.control} & few]
    if not answerable:
        return _too_few(question, sorted(few))
    tested = [each for each in answerable if each.by_unit.is_estimable]
    if not tested:
        best = min(answerable, key=lambda each: _or_one(each.pooled.p))
        reason = f"not estimable; pooled cells alone: {fmt.p(best.pooled.p)}"
        return Criterion(question, NOT_ANSWERABLE, reason, units)
    best = min(tested, key=lambda each: each.by_unit.p)
    reason = f"{best.condition}: {fmt.p(best.by_unit.p)}"
    if best.by_unit.p < alpha:
        return Criterion(question, MET, reason)
    if not best.by_unit.can_reach(alpha):
        least = f"{reason}, the smallest possible with so few units"
        return Criterion(
            question, NOT_ANSWERABLE, least, "more units: four against four, or more doses"
        )
    if len(answerable) < len(contrasts):
        return _too_few(question, sorted(few))
    if len(tested) < len(contrasts):
        return Criterion(question, NOT_ANSWERABLE, f"{reason}; others not estimable", units)
    return Criterion(question, NOT_MET, reason)


def _or_one(p: float) -> float:
    return 1.0 if math.isnan(p) else p


def trend_criterion(trend: Trend | None, alpha: float, few: frozenset[str]) -> Criterion:
    """Evaluate whether there is a significant trend, by whole units."""
    question = "a significant increase with dose"
    if trend is None:
        needed = (
            "a control, and at least two doses of one compound, "
            f"better the {FEWEST_DOSES} of OECD TG 487"
        )
        return Criterion(question, NOT_ANSWERABLE, "too few doses of one compound", needed)
    if few.intersection(trend.levels):
        return _too_few(question, sorted(few))
    if not trend.by_unit.is_estimable:
        reason = f"not estimable; pooled cells alone: {fmt.p(trend.pooled.p)}"
        return Criterion(
            question, NOT_ANSWERABLE, reason, f"at least {FEWEST_UNITS} units of each dose"
        )
    reason = ". ".join([fmt.p(trend.by_unit.p), *trend.remarks])
    if trend.by_unit.p < alpha:
        return Criterion(question, MET, reason)
    if not trend.by_unit.can_reach(alpha):
        return Criterion(question, NOT_ANSWERABLE, reason, "more units, or fewer blocks")
    shorter = trend.without_highest
    if shorter is not None and shorter.by_unit.p < alpha:
        needed = "doses closer to each other below the highest, at which the rate falls"
        return Criterion(question, NOT_ANSWERABLE, reason, needed)
    return Criterion(question, NOT_MET, reason)


def historical_criterion(
    levels: Sequence[ConditionSummary],
    historical: HistoricalControls | None,
    few: frozenset[str],
) -> Criterion:
    """Evaluate whether any dose lies above the distribution of historical controls."""
    question = "a rate outside the distribution of historical controls"
    if historical is None:
        needed = (
            f"historical controls of at least {FEWEST_EXPERIMENTS} experiments, better "
            f"{PREFERRED_EXPERIMENTS}"
        )
        return Criterion(question, NOT_ANSWERABLE, "none were given", needed)
    if historical.n < FEWEST_EXPERIMENTS:
        needed = f"at least {FEWEST_EXPERIMENTS} historical experiments, better "
        reason = f"{historical.n} historical experiments"
        return Criterion(question, NOT_ANSWERABLE, reason, f"{needed}{PREFERRED_EXPERIMENTS}")
    doses = [level for level in levels if not level.is_control and level.n_scored]
    if not doses:
        return Criterion(question, NOT_ANSWERABLE, "no dose with scored cells", "scored cells")
    answerable = [dose for dose in doses if dose.name not in few]
    if not answerable:
        return _too_few(question, [dose.name for dose in doses])
    highest = max(answerable, key=lambda level: level.rate.value)
    limits = f"{fmt.number(historical.low, 1)} to {fmt.number(historical.high, 1)}"
    reason = f"{highest.name}: {fmt.number(highest.rate.value, 1)} per 1000; limits {limits}"
    reason += _on_control(levels, historical)
    if historical.is_below(highest.rate.value):
        return Criterion(question, MET, reason)
    if len(answerable) < len(doses):
        return _too_few(question, [dose.name for dose in doses if dose.name in few])
    return Criterion(question, NOT_MET, reason)


def _on_control(levels: Sequence[ConditionSummary], historical: HistoricalControls) -> str:
    outside = [
        level
        for level in levels
        if level.is_control and level.n_scored and not historical.contains(level.rate.value)
    ]
    if not outside:
        return ""
    rate = outside[0].rate.value
    told = f". The concurrent control, {fmt.number(rate, 1)}, is outside these limits itself"
    if rate > _FAR * historical.high or 0 < _FAR * rate < historical.low:
        told += f", more than {_FAR} times away: are the historical rates per 1000 cells?"
    return told
