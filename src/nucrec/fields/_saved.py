"""What was written of a detection, and its rates as text and as plain numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nucrec._text import Row, number, percent, text_table
from nucrec.evaluate import Metric
from nucrec.fields._plate import LABELS
from nucrec.fields._rates import Rate, Rates

PAGE = "report.html"
SUMMARY = "summary.csv"
CONDITIONS = "conditions.csv"
OVERLAYS = "overlays"


@dataclass(frozen=True)
class SavedResults:
    """What `save_results` wrote.

    Attributes
    ----------
    folder : Path
        The folder with ``cells.csv``, ``micronuclei.csv``, ``fields.csv``, ``summary.csv``,
        ``conditions.csv`` where conditions are known, ``report.html``, and the pictures of all fields
        in ``overlays``.
    rates : Rates
        The rate of micronucleated cells of each well, or of each field where wells are not known, and
        of each condition.
    failed : dict of str to str
        Fields that were not analysed, and files that are no fields, with the reason.
    has_labels : bool
        Whether label images are in the folder ``labels``.
    """

    folder: Path
    rates: Rates
    failed: dict[str, str]
    has_labels: bool = False

    @property
    def files(self) -> tuple[str, ...]:
        """What there is in the folder, the page first."""
        conditions = (CONDITIONS,) if self.rates.conditions else ()
        tables = (*conditions, SUMMARY, "cells.csv", "micronuclei.csv", "fields.csv")
        return (PAGE, *tables, OVERLAYS, *((LABELS,) if self.has_labels else ()))

    def __str__(self) -> str:
        rates = self.rates
        unit, total = rates.unit, [rates.total] if len(rates.units) > 1 else []
        tables = [_table(unit, [*rates.units, *total])]
        if rates.conditions:
            tables = [_table("condition", rates.conditions, f"{unit}s"), *tables]
        return "\n\n".join([*tables, "\n".join([_note(rates), *rates.remarks])])

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain dicts, lists and numbers.

        Returns
        -------
        dict
            ``{"folder", "unit", "confidence", "conditions", "units", "total", "failed", "remarks"}``;
            each rate has its counts, ``per_1000`` with ``low`` and ``high``, and
            ``micronuclei_per_1000`` with ``micronuclei_low`` and ``micronuclei_high``.
        """
        return {
            "folder": str(self.folder),
            "unit": self.rates.unit,
            "confidence": self.rates.confidence,
            "conditions": [_plain(rate) for rate in self.rates.conditions],
            "units": [_plain(rate) for rate in self.rates.units],
            "total": _plain(self.rates.total),
            "failed": self.failed,
            "remarks": list(self.rates.remarks),
        }


def span(metric: Metric) -> str:
    """Return the interval of a rate, "n/a" where it has none."""
    if metric.low != metric.low:
        return "n/a"
    return f"{number(metric.low, 1)} to {number(metric.high, 1)}"


def _table(what: str, rates: Sequence[Rate], *units: str) -> str:
    header = (what, *units, "cells scored", "micronucleated", "per 1000", "interval")
    return text_table(header, [_row(rate, with_units=bool(units)) for rate in rates])


def _row(rate: Rate, *, with_units: bool) -> Row:
    units = [str(rate.n_units)] if with_units else []
    counts = (str(rate.scored), str(rate.positive))
    return (rate.name, *units, *counts, number(rate.per_1000.value, 1), span(rate.per_1000))


def _note(rates: Rates) -> str:
    unit = rates.unit
    return (
        f"Intervals: {percent(rates.confidence)}. That of a {unit} is of its cells alone; those of "
        f"conditions and of all carry what differs between {unit}s, which fewer than three do not tell "
        "(n/a). None covers errors of the detector."
    )


def _plain(rate: Rate) -> dict[str, Any]:
    condition, dose, replicate = rate.described
    return {
        "name": rate.name,
        "condition": condition,
        "dose": float(dose) if dose else None,
        "replicate": replicate,
        "units": rate.n_units,
        "fields": rate.n_fields,
        "cells_scored": rate.scored,
        "cells_excluded": rate.excluded,
        "micronucleated": rate.positive,
        "micronuclei": rate.micronuclei,
        **_ends(rate.per_1000, "per_1000", "low", "high"),
        **_ends(
            rate.micronuclei_rate, "micronuclei_per_1000", "micronuclei_low", "micronuclei_high"
        ),
    }


def _ends(metric: Metric, *names: str) -> dict[str, float]:
    return dict(zip(names, (metric.value, metric.low, metric.high), strict=True))
