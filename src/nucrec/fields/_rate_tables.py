"""Rates as tables of text."""

from collections.abc import Sequence
from typing import Any

from nucrec._text import Row, number, percent
from nucrec.evaluate import Metric


def rate_tables(rates: Any) -> list[tuple[Row, list[Row]]]:
    """Return the header and the rows of conditions, if known, and of units with their total."""
    unit, total = rates.unit, [rates.total] if len(rates.units) > 1 else []
    tables = [_table(unit, [*rates.units, *total])]
    if rates.conditions:
        tables = [_table("condition", rates.conditions, f"{unit}s"), *tables]
    return tables


def note_on(rates: Any) -> str:
    """Return a note on the intervals."""
    unit = rates.unit
    return (
        f"Intervals: {percent(rates.confidence)}. That of a {unit} is based on its cells alone; those "
        f"of conditions and of all cells include the variation between {unit}s, which cannot be "
        "estimated from fewer than three (n/a). No interval covers errors of the detector."
    )


def span(metric: Metric) -> str:
    """Return the interval of a rate, or "n/a" if it has none."""
    if metric.low != metric.low:
        return "n/a"
    return f"{number(metric.low, 1)} to {number(metric.high, 1)}"


def _table(what: str, rates: Sequence[Any], *units: str) -> tuple[Row, list[Row]]:
    header = (what, *units, "cells scored", "micronucleated", "per 1000", "interval")
    return header, [_row(rate, with_units=bool(units)) for rate in rates]


def _row(rate: Any, *, with_units: bool) -> Row:
    units = [str(rate.n_units)] if with_units else []
    counts = (str(rate.scored), str(rate.positive))
    return (rate.name, *units, *counts, number(rate.per_1000.value, 1), span(rate.per_1000))
