"""The rate of micronucleated cells of each well, or of each field where wells are not known."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._text import csv_text, to_spreadsheet
from nucrec.evaluate import Metric, proportion_interval

Array = npt.NDArray[Any]

_DESCRIBED = ("condition", "dose", "replicate")
HEADER = (
    "condition",
    "dose",
    "replicate",
    "fields",
    "cells_scored",
    "cells_excluded",
    "micronucleated",
    "per_1000",
    "low",
    "high",
    "micronuclei_per_1000",
)


@dataclass(frozen=True)
class Rate:
    """The micronucleated cells of a well, a field, or all of them.

    Attributes
    ----------
    name : str
        The well or the field.
    described : tuple of str
        Its condition, dose and replicate, each "" where it is not known or differs.
    n_fields, scored, excluded, positive, micronuclei : int
        Fields; cells scored and not scored; micronucleated cells, and micronuclei of scored cells.
    per_1000 : Metric
        Micronucleated cells per 1000 scored cells, with its interval.
    """

    name: str
    described: tuple[str, ...]
    n_fields: int
    scored: int
    excluded: int
    positive: int
    micronuclei: int
    per_1000: Metric

    @property
    def micronuclei_per_1000(self) -> float:
        """Micronuclei per 1000 scored cells."""
        return 1000 * self.micronuclei / self.scored if self.scored else float("nan")


@dataclass(frozen=True)
class Rates:
    """The rates of all wells, or of all fields, and of all together.

    Attributes
    ----------
    unit : {"well", "field"}
        What there is a rate for.
    units : tuple of Rate
        Of each.
    total : Rate
        Of all; in its interval, units count as groups.
    confidence : float
        Of the intervals.
    """

    unit: str
    units: tuple[Rate, ...]
    total: Rate
    confidence: float

    def to_csv(self) -> str:
        """Return a table with a row for each unit, unrounded."""
        rows = [
            (
                *map(to_spreadsheet, (rate.name, *rate.described)),
                rate.n_fields,
                rate.scored,
                rate.excluded,
                rate.positive,
                *(_blank(value) for value in _values(rate.per_1000)),
                _blank(rate.micronuclei_per_1000),
            )
            for rate in self.units
        ]
        return csv_text((self.unit, *HEADER), rows)


def find_rates(columns: Mapping[str, Array], fields: Sequence[str], confidence: float) -> Rates:
    """Count the cells of a table by well where every field has one, else by field.

    Parameters
    ----------
    columns : mapping of str to ndarray
        The columns of the table of cells.
    fields : sequence of str
        The names of all fields, also of those without a cell.
    confidence : float
        Of the intervals.
    """
    wells = np.array([text(value) for value in columns["well"]], dtype=object)
    by_well = len(wells) > 0 and bool(np.all(wells != ""))
    unit = "well" if by_well else "field"
    names = np.array([text(value) for value in columns[unit]], dtype=object)
    known = dict.fromkeys(names.tolist())
    order = natural_order(known if by_well else dict.fromkeys(fields) | known)
    parts = [_rate(name, columns, names == name, confidence) for name in order]
    whole = _rate("all", columns, np.ones(len(names), bool), confidence)
    counted = [(part.positive, part.scored) for part in parts if part.scored]
    if len(counted) > 1:
        positive, scored = zip(*counted, strict=True)
        interval = _per_1000(positive, scored, confidence)
        whole = Rate(**{**vars(whole), "per_1000": interval})
    return Rates(unit, tuple(parts), whole, confidence)


def _rate(name: str, columns: Mapping[str, Array], chosen: Array, confidence: float) -> Rate:
    scored = np.asarray(columns["scored"], bool) & chosen
    counts = np.asarray(columns["n_micronuclei"])[scored]
    described = [
        {text(value) for value in np.asarray(columns[column], object)[chosen]}
        for column in _DESCRIBED
    ]
    positive = int((counts > 0).sum())
    return Rate(
        name=name,
        described=tuple(values.pop() if len(values) == 1 else "" for values in described),
        n_fields=len({text(value) for value in np.asarray(columns["field"], object)[chosen]}),
        scored=len(counts),
        excluded=int(chosen.sum()) - len(counts),
        positive=positive,
        micronuclei=int(counts.sum()),
        per_1000=_per_1000(positive, len(counts), confidence),
    )


def _per_1000(positive: Any, scored: Any, confidence: float) -> Metric:
    n = int(np.sum(scored))
    low, high = proportion_interval(positive, scored, confidence)
    value = float(np.sum(positive)) / n if n else float("nan")
    method = "Wilson, groups" if np.ndim(positive) else "Wilson"
    return Metric(1000 * value, 1000 * low, 1000 * high, method)


def _values(metric: Metric) -> tuple[float, float, float]:
    return metric.value, metric.low, metric.high


def _blank(value: float) -> float | str:
    return value if value == value else ""


def text(value: object) -> str:
    """Return a value of a table as text; "" where it is missing."""
    if value is None or value != value:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def natural_order(names: Iterable[str]) -> list[str]:
    """Return names in the order of people: B2 before B10."""
    return sorted(names, key=lambda name: [_part(part) for part in re.split(r"(\d+)", name)])


def _part(part: str) -> tuple[int, str]:
    return (int(part), part) if part.isdecimal() else (-1, part)
