"""The error rates of a detector: as stated, from annotated fields, or from reviewed cells."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from nucrec import _text as fmt
from nucrec._unit_rates import NOT_ESTIMABLE, design_effect
from nucrec._validation import check_int, check_real, invalid
from nucrec.assay._cell_table import CellTable
from nucrec.assay._double_sampling import Errors, draw_errors, metric, scaled
from nucrec.assay._review_summary import ReviewSummary
from nucrec.assay._reviewed_cells import ReviewedCells, read_reviewed
from nucrec.assay._summaries import UnitSummary

Array = npt.NDArray[Any]
Pair = tuple[float, float]

_CERTAIN = 1e12  # number of cells for a sensitivity or specificity stated as exact


class CountsLike(Protocol):
    """The counts of correctly called cells in an annotated field."""

    @property
    def called_with(self) -> int: ...
    @property
    def with_micronucleus(self) -> int: ...
    @property
    def called_without(self) -> int: ...
    @property
    def without_micronucleus(self) -> int: ...


@runtime_checkable
class ReportLike(Protocol):
    """The part of the result of `nucrec.fields.evaluate_fields` that is used."""

    @property
    def fields(self) -> tuple[CountsLike, ...]: ...


@dataclass(frozen=True)
class DetectorErrors:
    """Sensitivity and specificity, as effective numbers of cells.

    Attributes
    ----------
    sensitivity, specificity : pair of float
        Numbers of correct calls and of all calls; effective numbers need not be whole.
    source : str
        The source of the numbers.
    review : ReviewSummary or None
        The summary of the review, if there is one.
    draws : pair of ndarray of shape (n,), or None
        Joint posterior draws of sensitivity and specificity from the review.
    """

    sensitivity: Pair
    specificity: Pair
    source: str
    review: ReviewSummary | None = None
    draws: tuple[Array, Array] | None = None

    @property
    def is_certain(self) -> bool:
        """Whether the specificity was stated without the number of cells behind it."""
        return self.specificity[1] >= _CERTAIN


class Plate(NamedTuple):
    """A plate: its wells, its cells if they are known, and the confidence level."""

    units: tuple[UnitSummary, ...]
    cells: CellTable | None
    confidence: float


def errors_of(
    shares: tuple[Any, Any], reviewed: object, report: object, plate: Plate
) -> DetectorErrors:
    """Return the errors from sensitivity and specificity, or reviewed cells, or a report.

    Raises
    ------
    InvalidParameterError
        Not exactly one of these is given.
    """
    is_stated = any(share is not None for share in shares)
    if [is_stated, reviewed is not None, report is not None].count(True) != 1:
        expected = "exactly one of: sensitivity and specificity, reviewed, report"
        raise invalid("corrected", expected, "none or several of these")
    if report is not None:
        return of_report(report, plate.confidence)
    return stated(*shares) if reviewed is None else of_review(reviewed, plate)


def stated(sensitivity: Any, specificity: Any) -> DetectorErrors:
    """Return errors stated as shares, which are taken as exact, or as pairs of counts."""
    of_positive, of_negative = _pair("sensitivity", sensitivity), _pair("specificity", specificity)
    certain = min(of_positive[1], of_negative[1]) >= _CERTAIN
    told = "stated" + (", taken as certain" if certain else ", of counted cells")
    return DetectorErrors(of_positive, of_negative, told)


def _pair(name: str, value: Any) -> Pair:
    if isinstance(value, tuple | list):
        if len(value) != 2:
            raise invalid(name, "a share, or a pair (correct, total)", value)
        n = check_int(f"{name}[1]", value[1], low=1)
        return float(check_int(f"{name}[0]", value[0], low=0, high=n)), float(n)
    return check_real(name, value, low=0, high=1) * _CERTAIN, _CERTAIN


def of_report(report: object, confidence: float) -> DetectorErrors:
    """Return the errors on annotated fields, allowing for dependence within fields."""
    if not isinstance(report, ReportLike):
        raise invalid("report", "the result of nucrec.fields.evaluate_fields", report)
    sensitivity = _of_fields(report.fields, "called_with", "with_micronucleus", confidence)
    specificity = _of_fields(report.fields, "called_without", "without_micronucleus", confidence)
    return DetectorErrors(sensitivity, specificity, f"{len(report.fields)} annotated fields")


def _of_fields(fields: tuple[CountsLike, ...], right: str, of: str, confidence: float) -> Pair:
    """Return effective numbers of correct and of all calls in fields."""
    hits, n = (np.array([getattr(field, name) for field in fields]) for name in (right, of))
    effect = design_effect(hits, n, confidence)
    if math.isnan(effect):
        told = f"{int((n > 0).sum())} fields with cells that count for {of}"
        raise invalid("report", "at least three fields with cells of both kinds", told)
    return float(hits.sum()) / effect, float(n.sum()) / effect


def of_review(reviewed: object, plate: Plate) -> DetectorErrors:
    """Return the errors on a plate, from a reviewed sample of its positive and negative cells."""
    sample = read_reviewed(reviewed, plate.units, plate.cells)
    scored = sum(unit.n_scored for unit in plate.units)
    rate = sum(unit.n_micronucleated for unit in plate.units) / scored
    positive, negative = sample.share(1), sample.share(0)
    found = Errors.of(rate, positive.value, negative.value)
    draws = draw_errors(positive, negative, rate)
    n_positive, n_negative = (int((sample.is_sure & (sample.called == k)).sum()) for k in (1, 0))
    n_unsure = int(sample.is_unsure.sum())
    values = zip(found, draws, strict=True)
    precision, recall, specificity, missed = (metric(*each, plate.confidence) for each in values)
    summary = ReviewSummary(
        precision,
        recall,
        specificity,
        scaled(missed, 1000),
        n_positive,
        n_negative,
        n_unsure,
        len(sample.called) - n_positive - n_negative - n_unsure,
        (*sample.remarks, *_on_unsure(sample, rate)),
    )
    told = f"{n_positive} positive and {n_negative} negative cells reviewed"
    certain = ((found.sensitivity, 1.0), (found.specificity, 1.0))
    return DetectorErrors(*certain, told, summary, (draws.sensitivity, draws.specificity))


def _on_unsure(sample: ReviewedCells, rate: float) -> list[str]:
    """Return a remark on unsure cells and their possible effect."""
    n = int(sample.is_unsure.sum())
    if not n:
        return []
    ends = [
        Errors.of(rate, *(sample.share(kind, answer).value for kind in (1, 0)))
        for answer in (0.0, 1.0)
    ]
    precision, recall = (_ends(*values) for values in zip(*(e[:2] for e in ends), strict=True))
    return [
        f"{fmt.many(n, 'unsure cell')} left out: if all of them were without, or all with a "
        f"micronucleus, precision would be {precision} and recall {recall}."
    ]


def _ends(one: float, other: float) -> str:
    """Return the range of a share as text; NaN is "not estimable"."""
    if math.isnan(one) or math.isnan(other):
        told = (NOT_ESTIMABLE if math.isnan(value) else f"{value:.2f}" for value in (one, other))
        return " or ".join(dict.fromkeys(told))
    return " to ".join(f"{value:.2f}" for value in sorted((one, other)))
