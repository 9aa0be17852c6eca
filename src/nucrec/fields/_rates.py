"""The rate of micronucleated cells of each well, or of each field where wells are not known."""

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
    """The micronucleated cells of a well, a field, a condition, or all of them.

    Attributes
    ----------
    name : str
        The well, the field or the condition.
    described : tuple of str
        Its condition, dose and replicate, each "" where it is not known or differs.
    n_fields, scored, excluded, positive, micronuclei : int
        Fields; cells scored and not scored; micronucleated cells, and micronuclei of scored cells.
    per_1000 : Metric
        Micronucleated cells per 1000 scored cells, with its interval.
    micronuclei_rate : Metric
        Micronuclei per 1000 scored cells, with its interval.
    n_units : int
        Wells with scored cells, or fields where wells are not known.
    units_per_1000 : tuple of float
        The micronucleated cells per 1000 of each of these.
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
        """Micronuclei per 1000 scored cells."""
        return self.micronuclei_rate.value


@dataclass(frozen=True)
class Rates:
    """The rates of all wells, or of all fields, of all conditions, and of all together.

    Attributes
    ----------
    unit : {"well", "field"}
        What there is a rate for.
    units : tuple of Rate
        Of each; the interval is that of its cells alone.
    total : Rate
        Of all. Its interval carries the variation between units; it has none with fewer than three, or
        with several conditions.
    confidence : float
        Of the intervals.
    conditions : tuple of Rate
        Of each condition and dose, where they are known. Intervals carry the variation between units,
        as in `nucrec.assay.summarize`: there is none with fewer than three.
    remarks : tuple of str
        What has to be known of the conditions.
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
        """Return a table with a row for each unit, unrounded."""
        rows = [
            (*map(to_spreadsheet, (rate.name, *rate.described)), *_counted(rate))
            for rate in self.units
        ]
        return csv_text((self.unit, "condition", "dose", "replicate", *_COUNTED), rows)

    def conditions_to_csv(self) -> str:
        """Return a table with a row for each condition, unrounded."""
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
