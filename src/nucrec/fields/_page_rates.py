"""The section of the page on rates of conditions and of wells or fields."""

import re
from collections.abc import Sequence

from nucrec import _html as page
from nucrec._text import Row, number, percent
from nucrec._written import CONDITIONS, SUMMARY
from nucrec.fields._charts import Bar, interval_chart, plate_chart
from nucrec.fields._rate_tables import span
from nucrec.fields._rates import Rate, Rates

_MOST_BARS = 60
_MOST_ROWS = 400
_PLATES = ((2, 3), (4, 6), (6, 8), (8, 12), (16, 24), (32, 48))
_WELL = re.compile(r"([A-Z]|A[A-F])0*([1-9]\d?)")
_AXIS = "micronucleated cells per 1000"


def rates_sections(rates: Rates) -> list[str]:
    """Return the sections on conditions, if they are known, and on wells or fields."""
    conditions = [_conditions_section(rates)] if rates.conditions else []
    return [*conditions, _units_section(rates)]


def _conditions_section(rates: Rates) -> str:
    unit = rates.unit
    words = (
        f"Micronucleated cells per 1000 scored cells. The "
        f"{percent(rates.confidence)} intervals include the variation between {unit}s (Wilson, with an "
        f"effective number of cells), which cannot be estimated from fewer than three {unit}s (n/a). "
        f"Open circles: single {unit}s. No interval covers errors of the detector."
    )
    parts = [page.paragraph(each) for each in (words, *rates.remarks)]
    parts += _chart(rates.conditions, "Rate of each condition with its interval, as in the table")
    header = ("condition", f"{unit}s", *_HEADER[unit == "field" :])
    rows = [_row(each, (each.name, str(each.n_units)), unit) for each in _shown(rates.conditions)]
    parts.append(_table(header, rows, len(rates.conditions), "conditions", CONDITIONS))
    return page.section("Rates by condition", *parts)


def _units_section(rates: Rates) -> str:
    unit, units = rates.unit, rates.units
    words = (
        f"Micronucleated cells per 1000 scored cells, with {percent(rates.confidence)} intervals "
        f"(Wilson) from the cells of one {unit} alone. They cover neither the variation between "
        f"{unit}s, which the interval of all cells includes, nor errors of the detector."
    )
    parts = [page.paragraph(words)]
    parts += _chart(units, f"Rate of each {unit} with its interval, as in the table")
    plate = _plate(rates)
    if plate:
        parts.append(page.drawing(plate, "Plate map of the rates, as in the table"))
    return page.section(f"Rates by {unit}", *parts, _units_table(rates))


_HEADER = (
    *("fields", "scored", "not scored", "micronucleated", "per 1000", "interval"),
    *("micronuclei per 1000", "interval"),
)


def _units_table(rates: Rates) -> str:
    unit, shown = rates.unit, _shown(rates.units)
    named = ("condition", "dose", "replicate")
    has = [any(rate.described[k] for rate in shown) for k in range(len(named))]
    described = [name for name, wanted in zip(named, has, strict=True) if wanted]
    header = (unit, *described, *_HEADER[unit == "field" :])
    whole = [rates.total] if len(rates.units) > 1 else []
    rows = []
    for rate in (*shown, *whole):
        known = [value for value, wanted in zip(rate.described, has, strict=True) if wanted]
        rows.append(_row(rate, (rate.name, *known), unit))
    return _table(header, rows, len(rates.units), f"{unit}s", SUMMARY)


def _shown(rates: Sequence[Rate]) -> Sequence[Rate]:
    return rates[:_MOST_ROWS]


def _table(header: Row, rows: Sequence[Row], n: int, what: str, file: str) -> str:
    """Return a table, folded if it is long."""
    table = page.table(header, rows)
    left = n - _MOST_ROWS
    more = [page.paragraph(f"{left} more {what} are in {file}.")] if left > 0 else []
    if len(rows) > _MOST_BARS // 2:
        return page.folded(f"Table of {min(n, _MOST_ROWS)} {what}", table, *more)
    return "\n".join([table, *more])


def _row(rate: Rate, named: Row, unit: str) -> Row:
    counts = (rate.n_fields, rate.scored, rate.excluded, rate.positive)[unit == "field" :]
    metrics = (rate.per_1000, rate.micronuclei_rate)
    values = (word for each in metrics for word in (number(each.value, 1), span(each)))
    return (*named, *map(str, counts), *values)


def _chart(rates: Sequence[Rate], alt: str) -> list[str]:
    if len(rates) > _MOST_BARS:
        return []
    bars = [
        Bar(
            each.name,
            each.per_1000.value,
            each.per_1000.low,
            each.per_1000.high,
            each.units_per_1000 if each.n_units > 1 else (),
        )
        for each in rates
    ]
    return [page.drawing(interval_chart(bars, _AXIS), alt)]


def _plate(rates: Rates) -> str:
    """Return a map of the plate, if the names of several wells are positions on one."""
    found = {rate.name: _WELL.fullmatch(rate.name.upper()) for rate in rates.units}
    if rates.unit != "well" or len(found) < 2 or not all(found.values()):
        return ""
    places = {
        (_letters(match[1]), int(match[2]) - 1): rate.per_1000.value
        for rate in rates.units
        if (match := found[rate.name])
    }
    rows, columns = (1 + max(place[k] for place in places) for k in (0, 1))
    shape = next((p for p in _PLATES if p[0] >= max(rows, 8) and p[1] >= columns), None)
    return plate_chart(places, shape) if shape else ""


def _letters(row: str) -> int:
    return ord(row) - 65 if len(row) == 1 else 26 + ord(row[1]) - 65
