"""Rates corrected for the errors of the detector."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nucrec import _notebook as show
from nucrec import _text as fmt
from nucrec._notebook import Facts
from nucrec._shares import lang_reiczigel, rogan_gladen
from nucrec._unit_rates import NOT_ESTIMABLE, reach_of
from nucrec.assay._double_sampling import Share, corrected_draws
from nucrec.assay._double_sampling import metric as of_draws
from nucrec.assay._errors_of_detector import DetectorErrors
from nucrec.assay._review_summary import ReviewSummary
from nucrec.assay._summaries import ConditionSummary
from nucrec.evaluate import Metric

METHOD = "Rogan-Gladen, Lang-Reiczigel, effective number of cells"


@dataclass(frozen=True)
class CorrectedRate(Facts):
    """The rate of one condition, as detected and corrected.

    Attributes
    ----------
    condition : str
        The name of the condition.
    found, corrected : Metric
        Micronucleated cells per 1000. The interval of the corrected rate includes the variation
        between units and the uncertainty of sensitivity and specificity.
    remark : str
        A remark on the corrected rate; empty if there is none.

    Examples
    --------
    >>> from nucrec.assay import CorrectedRate
    >>> from nucrec.evaluate import Metric
    >>> CorrectedRate("DMSO", Metric(9, 6, 13, ""), Metric(4, 1, 8, "")).corrected.value
    4
    """

    condition: str
    found: Metric
    corrected: Metric
    remark: str = ""


@dataclass(frozen=True)
class Correction:
    """The rates of all conditions, corrected for the errors of the detector.

    Attributes
    ----------
    rates : tuple of CorrectedRate
        One rate per condition.
    sensitivity, specificity : float
        The share of cells with (or without) micronuclei that are called so.
    source : str
        The source of sensitivity and specificity.
    precision, recall : Metric or None
        Precision and recall of the detector on this plate, if cells were reviewed.
    n_unsure : int
        Number of reviewed cells that the reviewer was unsure of; they are left out.
    review : ReviewSummary or None
        Precision, recall and specificity of the detector on this plate, if cells were reviewed.

    Examples
    --------
    >>> from nucrec.assay import summarize
    >>> assay = summarize({"well": ["B02", "B03", "B04"], "condition": ["DMSO"] * 3,
    ...                    "scored": [2000] * 3, "micronucleated": [30, 34, 41]})
    >>> rate = assay.corrected((180, 200), (1990, 2000)).rates[0]
    >>> f"{rate.found.value:.1f} found, {rate.corrected.value:.1f} corrected"
    '17.5 found, 14.0 corrected'
    """

    rates: tuple[CorrectedRate, ...]
    sensitivity: float
    specificity: float
    source: str
    precision: Metric | None = None
    recall: Metric | None = None
    n_unsure: int = 0
    review: ReviewSummary | None = None

    @property
    def _table(self) -> tuple[fmt.Row, list[fmt.Row]]:
        header = ("condition", "found per 1000", "corrected", "interval", "remark")
        return header, [
            (
                each.condition,
                fmt.number(each.found.value, 1),
                _told(each.corrected.value, 1),
                span(each.corrected),
                each.remark,
            )
            for each in self.rates
        ]

    @property
    def _words(self) -> list[str]:
        told = [
            f"Sensitivity {_told(self.sensitivity, 3)}, "
            f"specificity {_told(self.specificity, 4)} ({self.source})"
        ]
        return [*told, *(self.review.remarks if self.review else ())]

    @property
    def _tables(self) -> list[tuple[fmt.Row, list[fmt.Row]]]:
        return [self._table, *([self.review.table] if self.review else [])]

    def __str__(self) -> str:
        return "\n\n".join(
            ["\n".join(self._words), *(fmt.text_table(*each) for each in self._tables)]
        )

    def _repr_html_(self) -> str:
        tables = (show.table(*each) for each in self._tables)
        return show.fragment(show.paragraphs(*self._words), *tables)

    def to_markdown(self) -> str:
        """Return the rates, and the performance of the detector in a review, as Markdown."""
        tables = [fmt.markdown_table(*each) for each in self._tables]
        return "\n\n".join([*self._words, *tables]) + "\n"

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain dicts, lists and numbers."""
        return asdict(self) | {"rates": [asdict(each) for each in self.rates]}


def _told(value: float, digits: int) -> str:
    return NOT_ESTIMABLE if math.isnan(value) else fmt.number(value, digits)


def span(metric: Metric) -> str:
    """Return an interval per 1000 cells, or "not estimable"."""
    if math.isnan(metric.low):
        return NOT_ESTIMABLE
    return f"{fmt.number(metric.low, 1)} to {fmt.number(metric.high, 1)}"


def correct(
    conditions: Sequence[ConditionSummary], errors: DetectorErrors, confidence: float
) -> Correction:
    """Return the corrected rates."""
    sensitivity, specificity = (right / n for right, n in (errors.sensitivity, errors.specificity))
    review = errors.review
    return Correction(
        tuple(_corrected(each, errors, confidence) for each in conditions),
        sensitivity,
        specificity,
        errors.source,
        review.precision if review else None,
        review.recall if review else None,
        review.n_unsure if review else 0,
        review,
    )


def _corrected(
    condition: ConditionSummary, errors: DetectorErrors, confidence: float
) -> CorrectedRate:
    (hits, with_), (rejected, without) = errors.sensitivity, errors.specificity
    found = condition.rate
    why = _undefined(found, hits, rejected)
    if why:
        nothing = Metric(math.nan, math.nan, math.nan, found.method)
        return CorrectedRate(condition.name, found, nothing, why)
    value = 1000 * rogan_gladen(found.value / 1000, hits / with_, rejected / without)
    if math.isnan(value):
        useless = Metric(math.nan, 0.0, 1000.0, METHOD)
        return CorrectedRate(
            condition.name, found, useless, "the detector does not perform better than chance"
        )
    if math.isnan(condition.effective_cells):
        metric = Metric(value, math.nan, math.nan, found.method)
        return CorrectedRate(condition.name, found, metric)
    metric = _interval(condition, value, errors, confidence)
    return CorrectedRate(condition.name, found, metric, _remark(condition, metric, errors))


def _undefined(found: Metric, hits: float, rejected: float) -> str:
    """Return why there is no corrected rate; empty if there is one."""
    if math.isnan(found.value):
        return "no cell was scored"
    if math.isnan(hits):
        return "sensitivity is not estimable: no reviewed cell has a micronucleus"
    if math.isnan(rejected):
        return "specificity is not estimable: every reviewed cell has a micronucleus"
    return ""


def _interval(
    condition: ConditionSummary, value: float, errors: DetectorErrors, confidence: float
) -> Metric:
    """Return a corrected rate with its interval."""
    share, cells = condition.rate.value / 1000, condition.effective_cells
    if errors.draws is not None:
        draws = corrected_draws(Share(share, cells), *errors.draws)
        return of_draws(value, 1000 * draws, confidence)
    pairs = errors.sensitivity, errors.specificity
    low, high = lang_reiczigel((share * cells, cells), *pairs, reach_of(confidence))
    return Metric(value, min(1000 * low, value), max(1000 * high, value), METHOD)


def _remark(condition: ConditionSummary, corrected: Metric, errors: DetectorErrors) -> str:
    if corrected.low > 0 or not condition.n_micronucleated:
        return ""
    if errors.is_certain:
        return "not significantly above the rate expected from false positives alone"
    return "the specificity is too uncertain to distinguish this rate from zero"
