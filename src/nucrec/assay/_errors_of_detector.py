"""How often a detector errs: as stated, from annotated fields, or from reviewed cells."""

import math
from dataclasses import dataclass
from os import PathLike
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from nucrec._shares import wilson
from nucrec._unit_rates import design_effect, reach_of
from nucrec._validation import check_int, check_real, invalid
from nucrec.assay._names import plain
from nucrec.assay._source import Source, read_source
from nucrec.errors import DatasetError
from nucrec.evaluate import Metric

Array = npt.NDArray[Any]
Pair = tuple[float, float]

_CERTAIN = 1e12  # cells behind a sensitivity or specificity that is stated without their number
_YES = {"1", "true", "yes", "micronucleus", "micronucleated", "positive"}
_NO = {"0", "false", "no", "none", "nucleus", "negative"}
_UNSURE = {"", "unsure", "unclear", "nan", "na", "?"}


class CountsLike(Protocol):
    """The cells of an annotated field that were called right."""

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
    """What `nucrec.fields.evaluate_fields` returns."""

    @property
    def fields(self) -> tuple[CountsLike, ...]: ...


@dataclass(frozen=True)
class DetectorErrors:
    """Sensitivity and specificity, as numbers of cells that say as much.

    Attributes
    ----------
    sensitivity, specificity : pair of float
        How many were called right, and of how many: effective numbers are not whole.
    source : str
        Where they are from.
    precision, recall : Metric or None
        On this plate, from reviewed cells.
    n_unsure : int
        Reviewed cells without an answer, which were left out.
    """

    sensitivity: Pair
    specificity: Pair
    source: str
    precision: Metric | None = None
    recall: Metric | None = None
    n_unsure: int = 0

    @property
    def is_certain(self) -> bool:
        """Whether the specificity was stated without the number of cells behind it."""
        return self.specificity[1] >= _CERTAIN


def stated(sensitivity: Any, specificity: Any) -> DetectorErrors:
    """Return errors that are stated as shares, which are taken as certain, or as pairs of counts."""
    of_positive, of_negative = _pair("sensitivity", sensitivity), _pair("specificity", specificity)
    certain = min(of_positive[1], of_negative[1]) >= _CERTAIN
    told = "stated" + (", taken as certain" if certain else ", of counted cells")
    return DetectorErrors(of_positive, of_negative, told)


def _pair(name: str, value: Any) -> Pair:
    if isinstance(value, tuple | list):
        if len(value) != 2:
            raise invalid(name, "a share, or a pair: how many were right, and of how many", value)
        n = check_int(f"{name}[1]", value[1], low=1)
        return float(check_int(f"{name}[0]", value[0], low=0, high=n)), float(n)
    return check_real(name, value, low=0, high=1) * _CERTAIN, _CERTAIN


def of_report(report: object, confidence: float) -> DetectorErrors:
    """Return the errors on annotated fields, whose cells are not independent."""
    if not isinstance(report, ReportLike):
        raise invalid("report", "what nucrec.fields.evaluate_fields returns", report)
    sensitivity = _of_fields(report.fields, "called_with", "with_micronucleus", confidence)
    specificity = _of_fields(report.fields, "called_without", "without_micronucleus", confidence)
    return DetectorErrors(sensitivity, specificity, f"{len(report.fields)} annotated fields")


def _of_fields(fields: tuple[CountsLike, ...], right: str, of: str, confidence: float) -> Pair:
    """Return how many cells of fields are called right, and of how many, as effective numbers."""
    hits, n = (np.array([getattr(field, name) for field in fields]) for name in (right, of))
    effect = design_effect(hits, n, confidence)
    if math.isnan(effect):
        told = f"{int((n > 0).sum())} fields with cells that count as {of}"
        raise invalid("report", "three or more fields with cells of both kinds", told)
    return float(hits.sum()) / effect, float(n.sum()) / effect


def of_review(
    reviewed: str | PathLike[str] | Any, positive: int, scored: int, confidence: float
) -> DetectorErrors:
    """Return the errors on a plate from a reviewed sample of its positive and negative cells.

    Parameters
    ----------
    reviewed : path or table
        With columns ``called``, what the detector said, and ``reviewed``, what a person said.
    positive, scored : int
        The cells of the plate that were called positive, and all that were scored.
    confidence : float
        Of precision and recall.
    """
    source = read_source(reviewed, "called", "reviewed", name="reviewed")
    called, truth = (_answers(source, name) for name in ("called", "reviewed"))
    sure = np.isfinite(truth)
    unknown = np.isnan(called)
    if unknown.any():
        raise DatasetError(f"{source.where(int(unknown.argmax()))}: called must not be empty")
    strata = [truth[sure & (called == kind)] for kind in (1, 0)]
    for stratum, name in zip(strata, ("positive", "negative"), strict=True):
        if not len(stratum):
            raise DatasetError(f"{source.name}: no cell that was called {name} has been reviewed")
    counts = [(float(stratum.sum()), float(len(stratum))) for stratum in strata]
    return _of_strata(counts[0], counts[1], positive / scored, confidence, int((~sure).sum()))


def _answers(source: Source, name: str) -> Array:
    own = {plain(key): key for key in source.columns}
    if name not in own:
        known = ", ".join(source.columns)
        raise DatasetError(
            f"{source.name}: expected columns called and reviewed. Received: {known}"
        )
    named = Source(source.name, source.columns, {name: own[name]}, source.where)
    return np.array([_answer(named, name, row, text) for row, text in enumerate(named.text(name))])


def _answer(source: Source, name: str, row: int, text: str) -> float:
    word = text.casefold()
    if word in _UNSURE:
        return math.nan
    if word in _YES or (word.isdecimal() and int(word) > 0):
        return 1.0
    if word in _NO:
        return 0.0
    raise source.fault(name, row, "yes or no, or empty")


def _of_strata(
    positive: Pair, negative: Pair, rate: float, confidence: float, n_unsure: int
) -> DetectorErrors:
    """Return sensitivity and specificity from the true cells among those called and not called.

    The shares of both strata have Jeffreys' posterior; by linearization, each of the two has the mean
    and variance that as many independent cells would give.

    A. Tenenbein, "A double sampling scheme for estimating from binomial data with
    misclassifications", Journal of the American Statistical Association 65, 1970, pp. 1350-1361.
    """
    (ppv, of_ppv), (missed, of_missed) = (_posterior(*each) for each in (positive, negative))
    true, false = rate * ppv, (1 - rate) * (1 - missed)
    hit, lost = true + (1 - rate) * missed, false + rate * (1 - ppv)
    sensitivity, specificity = true / hit, false / lost
    on_sensitivity = (rate * (1 - rate) / hit**2) ** 2 * (missed**2 * of_ppv + ppv**2 * of_missed)
    on_specificity = (rate * (1 - rate) / lost**2) ** 2 * (
        (1 - missed) ** 2 * of_ppv + (1 - ppv) ** 2 * of_missed
    )
    pairs = _as_many(sensitivity, on_sensitivity), _as_many(specificity, on_specificity)
    reach = reach_of(confidence)
    precision = Metric(positive[0] / positive[1], *wilson(*positive, reach), "Wilson")
    recall = Metric(sensitivity, *wilson(*pairs[0], reach), "Wilson, effective number of cells")
    told = f"{positive[1]:.0f} positive and {negative[1]:.0f} negative cells reviewed"
    return DetectorErrors(*pairs, told, precision, recall, n_unsure)


def _posterior(hits: float, n: float) -> Pair:
    """Return mean and variance of a share with Jeffreys' prior."""
    mean = (hits + 0.5) / (n + 1)
    return mean, mean * (1 - mean) / (n + 2)


def _as_many(mean: float, variance: float) -> Pair:
    """Return a number of cells whose share has this mean and variance."""
    n = mean * (1 - mean) / variance if variance > 0 else _CERTAIN
    return mean * n, n
