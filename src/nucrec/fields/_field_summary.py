"""Metrics of a group of fields against their annotation, with intervals."""

import math
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec import _notebook as show
from nucrec._shares import student_quantile
from nucrec._text import many, number
from nucrec.evaluate import Metric, proportion_interval
from nucrec.fields._field_counts import FieldCounts

Array = npt.NDArray[Any]

_FEWEST_FOR_R = 4  # number of fields: Fisher's z has a standard error of 1 / sqrt(n - 3)
_UNDEFINED = Metric(math.nan, math.nan, math.nan, "")


@dataclass(frozen=True)
class FieldSummary:
    """The metrics of a group of fields.

    Attributes
    ----------
    name : str
        The value that the fields share.
    n_fields : int
        Number of fields.
    metrics : dict of str to Metric
        The metrics by name, as in `FieldReport.metrics`.

    Examples
    --------
    >>> import numpy as np
    >>> from nucrec.fields import evaluate_fields
    >>> nuclei, micronuclei = np.zeros((2, 40, 40), int)
    >>> nuclei[5:20, 5:20], micronuclei[21:24, 10:13] = 1, 1
    >>> truth = [(nuclei, micronuclei)] * 2
    >>> report = evaluate_fields(truth, truth, by={"stain": ["DAPI", "Hoechst"]})
    >>> [(part.name, part.n_fields) for part in report.by["stain"]]
    [('DAPI', 1), ('Hoechst', 1)]
    """

    name: str
    n_fields: int
    metrics: dict[str, Metric]

    def _repr_html_(self) -> str:
        rows = [(METRICS[name], *map(_told, astuple(m))) for name, m in self.metrics.items()]
        title = f"{self.name}: {many(self.n_fields, 'field')}"
        header = ("metric", "value", "low", "high", "method")
        return show.fragment(show.heading(title), show.table(header, rows))


def _told(value: float | str) -> str:
    return value if isinstance(value, str) else number(value, 3)


def summarize_fields(
    name: str, counts: Sequence[FieldCounts], confidence: float = 0.95
) -> FieldSummary:
    """Return the metrics of a group of fields."""
    table = _Table(counts)
    shares = {
        key: _share(parts(table), wholes(table), confidence)
        for key, (parts, wholes) in SHARES.items()
    }
    shares["false_positives"] = _per_1000(shares["false_positives"])
    shares["artefacts"] = _per_1000(shares["artefacts"])
    has_cells = (table["nuclei_found"] > 0) & (table["nuclei_annotated"] > 0)
    found, annotated = (
        1000 * table[f"positive_{kind}"][has_cells] / table[f"nuclei_{kind}"][has_cells]
        for kind in ("found", "annotated")
    )
    rates = {
        "rate_found": _mean_rate(found, confidence),
        "rate_annotated": _mean_rate(annotated, confidence),
        "bias_ratio": _ratio(found, annotated, confidence),
        "bias_difference": _mean(found - annotated, confidence),
        "pearson_r": _pearson(found, annotated, confidence),
        "r2_identity": Metric(_r2_identity(found, annotated), math.nan, math.nan, ""),
    }
    metrics = shares | rates
    return FieldSummary(name, len(counts), {key: metrics[key] for key in METRICS})


class _Table:
    """The counts of fields as columns."""

    def __init__(self, counts: Sequence[FieldCounts]) -> None:
        self._counts = counts

    def __getitem__(self, name: str) -> Array:
        return np.array([getattr(each, name) for each in self._counts], dtype=np.int64)


_Column = Callable[[_Table], Array]


def _column(name: str) -> _Column:
    return lambda table: table[name]


def _doubled(name: str) -> _Column:
    return lambda table: 2 * table[name]


def _sum(name: str, other: str) -> _Column:
    return lambda table: table[name] + table[other]


def _difference(name: str, other: str) -> _Column:
    return lambda table: table[name] - table[other]


SHARES: dict[str, tuple[_Column, _Column]] = {
    "nuclei_f1": (_doubled("nuclei_matched"), _sum("nuclei_found", "nuclei_annotated")),
    "nuclei_precision": (_column("nuclei_matched"), _column("nuclei_found")),
    "nuclei_recall": (_column("nuclei_matched"), _column("nuclei_annotated")),
    "micronuclei_f1": (
        _doubled("micronuclei_matched"),
        _sum("micronuclei_found", "micronuclei_annotated"),
    ),
    "micronuclei_precision": (_column("micronuclei_matched"), _column("micronuclei_found")),
    "micronuclei_recall": (_column("micronuclei_matched"), _column("micronuclei_annotated")),
    "right_parents": (_column("parents_right"), _column("parents_known")),
    "sensitivity": (_column("called_with"), _column("with_micronucleus")),
    "false_positives": (
        _difference("without_micronucleus", "called_without"),
        _column("without_micronucleus"),
    ),
    "artefacts": (_column("false_by_artefact"), _column("without_micronucleus")),
}
"""The metrics that are shares: the number that counts and that of all, in each field."""

METRICS = {
    "nuclei_f1": "nuclei: F1",
    "nuclei_precision": "nuclei: precision",
    "nuclei_recall": "nuclei: recall",
    "micronuclei_f1": "micronuclei: F1",
    "micronuclei_precision": "micronuclei: precision",
    "micronuclei_recall": "micronuclei: recall",
    "right_parents": "right parents",
    "sensitivity": "micronucleated cells called so",
    "false_positives": "false-positive cells per 1000",
    "artefacts": "of these, by false micronuclei",
    "rate_found": "mean rate found, per 1000",
    "rate_annotated": "mean rate annotated, per 1000",
    "bias_ratio": "bias: rate found / annotated",
    "bias_difference": "bias: rate found - annotated, per 1000",
    "pearson_r": "Pearson's r of the rates",
    "r2_identity": "R2 of the rates (identity line)",
}
"""All metrics, in order, and how they are called in tables."""


def _share(parts: Array, wholes: Array, confidence: float) -> Metric:
    """Return a share over fields, allowing for dependence of the objects within a field."""
    n = int(wholes.sum())
    if not n:
        return _UNDEFINED
    low, high = proportion_interval(parts, wholes, confidence)
    return Metric(float(parts.sum()) / n, low, high, "Wilson, groups")


def _per_1000(share: Metric) -> Metric:
    value, low, high = (1000 * number for number in (share.value, share.low, share.high))
    return Metric(value, low, high, share.method)


def _mean(values: Array, confidence: float) -> Metric:
    """Return the mean over fields, with Student's t interval."""
    if not len(values):
        return _UNDEFINED
    mean = float(values.mean())
    half = _reach(len(values), confidence) * _standard_error(values)
    return Metric(mean, mean - half, mean + half, "t")


def _mean_rate(values: Array, confidence: float) -> Metric:
    """Return the mean rate over fields, with an interval limited to possible rates."""
    mean = _mean(values, confidence)
    low, high = np.clip([mean.low, mean.high], 0, 1000).tolist()  # this keeps NaN
    return Metric(mean.value, low, high, mean.method)


def _ratio(found: Array, annotated: Array, confidence: float) -> Metric:
    """Return the ratio of two means over fields, with its linearisation interval."""
    if not len(found) or annotated.sum() == 0:
        return _UNDEFINED
    ratio = float(found.sum() / annotated.sum())
    error = _standard_error(found - ratio * annotated) / float(annotated.mean())
    half = _reach(len(found), confidence) * error
    low = float(np.maximum(0, ratio - half))  # this keeps NaN
    return Metric(ratio, low, ratio + half, "t of a ratio")


def _standard_error(values: Array) -> float:
    return float(values.std(ddof=1) / math.sqrt(len(values))) if len(values) > 1 else math.nan


def _reach(n: int, confidence: float) -> float:
    return student_quantile(0.5 + confidence / 2, n - 1) if n > 1 else math.nan


def _pearson(found: Array, annotated: Array, confidence: float) -> Metric:
    """Return the correlation over fields, with its interval on Fisher's z."""
    if len(found) < 2 or np.ptp(found) == 0 or np.ptp(annotated) == 0:
        return _UNDEFINED
    r = float(np.clip(np.corrcoef(found, annotated)[0, 1], -1, 1))
    if len(found) < _FEWEST_FOR_R or abs(r) == 1:
        return Metric(r, math.nan, math.nan, "Fisher's z")
    half = NormalDist().inv_cdf(0.5 + confidence / 2) / math.sqrt(len(found) - 3)
    low, high = (math.tanh(math.atanh(r) + step) for step in (-half, half))
    return Metric(r, low, high, "Fisher's z")


def _r2_identity(found: Array, annotated: Array) -> float:
    """Return the share of the variance of annotated rates explained by the found rates unchanged."""
    spread = float(np.square(annotated - annotated.mean()).sum()) if len(annotated) > 1 else 0.0
    if not spread:
        return math.nan
    return 1 - float(np.square(found - annotated).sum()) / spread
