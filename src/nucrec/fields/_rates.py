"""Rates of micronucleated cells by well, or by field if wells are unknown."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nucrec import _notebook as show
from nucrec._notebook import Facts
from nucrec._text import csv_text, to_spreadsheet
from nucrec.evaluate import Metric
from nucrec.fields._rate_tables import note_on, rate_tables

_COUNTED = (
    "fields",
    "cells_scored",
    "cells_excluded",
    "micronucleated",
    "micronuclei",
    "per_1000",
    "low",
    "high",
    "micronuclei_per_1000",
    "micronuclei_low",
    "micronuclei_high",
)


@dataclass(frozen=True)
class Rate(Facts):
    """The rate of micronucleated cells of a well, a field, a condition, or all cells.

    Attributes
    ----------
    name : str
        The well, the field or the condition.
    described : tuple of str
        Its condition, dose and replicate, each "" if it is unknown or not unique.
    n_fields, scored, excluded, positive, micronuclei : int
        Numbers of fields, of scored and excluded cells, of micronucleated cells, and of micronuclei in
        scored cells.
    per_1000 : Metric
        Micronucleated cells per 1000 scored cells, with its interval.
    micronuclei_rate : Metric
        Micronuclei per 1000 scored cells, with its interval.
    n_units : int
        Number of wells with scored cells, or of fields if wells are unknown.
    units_per_1000 : tuple of float
        Micronucleated cells per 1000 in each of these units.

    Examples
    --------
    >>> from nucrec.evaluate import Metric
    >>> from nucrec.fields import Rate
    >>> per_1000 = Metric(20.0, 13.8, 29.0, "Wilson")
    >>> micronuclei = Metric(24.0, 16.9, 34.1, "Poisson score")
    >>> rate = Rate("B03", ("mitomycin C", "0.1", "1"), 4, 1500, 70, 30, 36, per_1000, micronuclei)
    >>> rate.positive, rate.scored, rate.micronuclei_per_1000
    (30, 1500, 24.0)
    """

    name: str
    described: tuple[str, ...]
    n_fields: int
    scored: int
    excluded: int
    positive: int
    micronuclei: int
    per_1000: Metric
    micronuclei_rate: Metric
    n_units: int = 1
    units_per_1000: tuple[float, ...] = ()

    @property
    def micronuclei_per_1000(self) -> float:
        """The number of micronuclei per 1000 scored cells."""
        return self.micronuclei_rate.value


@dataclass(frozen=True)
class Rates:
    """The rates of all wells or fields, of all conditions, and of all cells.

    Attributes
    ----------
    unit : {"well", "field"}
        The unit of the rates.
    units : tuple of Rate
        The rate of each unit, with an interval based on its cells alone.
    total : Rate
        The rate of all cells. Its interval includes the variation between units; there is none with
        fewer than three units, or with several conditions.
    confidence : float
        Confidence level of the intervals.
    conditions : tuple of Rate
        The rate of each condition and dose, if they are known. The intervals include the variation
        between units, as in `nucrec.assay.summarize`; there is none with fewer than three units.
    remarks : tuple of str
        Remarks on the conditions.

    Examples
    --------
    >>> from nucrec.evaluate import Metric
    >>> from nucrec.fields import Rate, Rates
    >>> per_1000 = Metric(20.0, 13.8, 29.0, "Wilson")
    >>> micronuclei = Metric(24.0, 16.9, 34.1, "Poisson score")
    >>> rate = Rate("B03", ("mitomycin C", "0.1", "1"), 4, 1500, 70, 30, 36, per_1000, micronuclei)
    >>> rates = Rates("well", (rate,), total=rate, confidence=0.95)
    >>> rates.total.per_1000.value, [unit.name for unit in rates.units]
    (20.0, ['B03'])
    """

    unit: str
    units: tuple[Rate, ...]
    total: Rate
    confidence: float
    conditions: tuple[Rate, ...] = ()
    remarks: tuple[str, ...] = ()

    def _repr_html_(self) -> str:
        tables = (show.table(*each) for each in rate_tables(self))
        return show.fragment(*tables, show.paragraphs(note_on(self), *self.remarks))

    def to_csv(self) -> str:
        """Return the unrounded rates as CSV text, with one row per unit."""
        rows = [
            (*map(to_spreadsheet, (rate.name, *rate.described)), *_counted(rate))
            for rate in self.units
        ]
        return csv_text((self.unit, "condition", "dose", "replicate", *_COUNTED), rows)

    def conditions_to_csv(self) -> str:
        """Return the unrounded rates as CSV text, with one row per condition."""
        rows = [
            (
                *map(to_spreadsheet, (rate.name, *rate.described[:2])),
                *([rate.n_units] if self.unit == "well" else []),
                *_counted(rate),
            )
            for rate in self.conditions
        ]
        wells = ["wells"] if self.unit == "well" else []
        return csv_text(("name", "condition", "dose", *wells, *_COUNTED), rows)


def _counted(rate: Rate) -> Sequence[int | float | str]:
    counts = (rate.n_fields, rate.scored, rate.excluded, rate.positive, rate.micronuclei)
    metrics = (rate.per_1000, rate.micronuclei_rate)
    ends = (value for each in metrics for value in (each.value, each.low, each.high))
    return (*counts, *("" if math.isnan(value) else value for value in ends))
