"""Computation of the rates of wells, fields and conditions from the table of cells."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nucrec._dose_names import Key, condition_names, in_order
from nucrec._reading.spelling import one_spelling, one_spelling_of_wells
from nucrec._text import many
from nucrec._unit_rates import (
    FEWEST_UNITS,
    NOT_ESTIMABLE,
    Interval,
    clustering,
    mean_of_unit,
    mean_over_units,
    share_over_units,
)
from nucrec.evaluate import Metric, proportion_interval
from nucrec.fields._rates import Rate, Rates

Array = npt.NDArray[Any]

_TEXTS = ("field", "well", "condition", "dose", "replicate")
_DESCRIBED = ("condition", "dose", "replicate")
_MERGE = {
    "well": one_spelling_of_wells,
    "condition": one_spelling,
    "replicate": one_spelling_of_wells,
}
_SEVERAL = f"{NOT_ESTIMABLE}: several conditions"
_EFFECTIVE = "effective number of cells"
_POISSON = f"Poisson score, {_EFFECTIVE}"
_NONE: Interval = (math.nan, math.nan)


def find_rates(columns: Mapping[str, Array], fields: Sequence[str], confidence: float) -> Rates:
    """Count the cells of a table by well (by field unless all wells are known) and by condition.

    Parameters
    ----------
    columns : mapping of str to ndarray
        The columns of the table of cells.
    fields : sequence of str
        The names of all fields, including those without cells.
    confidence : float
        Confidence level of the intervals.
    """
    return _Counting(columns, confidence).rates(fields)


class _Tally(NamedTuple):
    """Counts of several units, and the sum over cells of squared numbers of micronuclei."""

    cells: Array
    positive: Array
    micronuclei: Array
    squares: float

    @property
    def n(self) -> int:
        """The number of scored cells."""
        return int(self.cells.sum())

    @property
    def clustered(self) -> float:
        """The variance of the micronuclei per cell, relative to that expected by chance."""
        return clustering(float(self.micronuclei.sum()), self.squares, self.n)


class _Counting:
    """A table of cells, with text columns as strings, for counting by parts."""

    def __init__(self, columns: Mapping[str, Array], confidence: float) -> None:
        self._merged: list[str] = []
        self._texts = {name: self._spelled(name, columns[name]) for name in _TEXTS}
        self._scored = np.asarray(columns["scored"], bool)
        self._numbers = np.asarray(columns["n_micronuclei"])
        self._doses = np.asarray(columns["dose"], float)
        self._confidence = confidence
        wells = self._texts["well"]
        self.by_well = len(wells) > 0 and bool(np.all(wells != ""))

    def _spelled(self, name: str, column: Array) -> Array:
        """Return a column as text, with one spelling of the names that look the same."""
        texts = [text(value) for value in column]
        if name in _MERGE:
            texts, remarks = _MERGE[name](texts, f"{name}s")
            self._merged.extend(remarks)
        return np.array(texts, object)

    def rates(self, fields: Sequence[str]) -> Rates:
        """Return the rates of all parts."""
        unit = "well" if self.by_well else "field"
        names = self._texts[unit]
        known = dict.fromkeys(names.tolist())
        order = natural_order(known if self.by_well else dict.fromkeys(fields) | known)
        units = tuple(self._unit(name, names == name) for name in order)
        keys = self._keys()
        conditions = self._conditions(keys)
        every = np.ones(len(names), bool)
        several = len(order) > 1
        total = (
            self._units("all", every, alike=len(conditions) < 2)
            if several
            else self._unit("all", every)
        )
        remarks = (*self._merged, *(self._remarks(keys) if conditions else ()))
        return Rates(unit, units, total, self._confidence, conditions, remarks)

    def _keys(self) -> list[Key | None]:
        """Return the condition and dose of each cell; None for cells without a condition."""
        names, doses = self._texts["condition"], self._doses.tolist()
        if np.any(names != ""):
            pairs = zip(names.tolist(), doses, strict=True)
            return [(n, None if math.isnan(dose) else dose) if n else None for n, dose in pairs]
        return [None if math.isnan(dose) else (f"{dose:.15g}", dose) for dose in doses]

    def _conditions(self, keys: Sequence[Key | None]) -> tuple[Rate, ...]:
        order = in_order([key for key in keys if key is not None])
        numbers = {key: k for k, key in enumerate(order)}
        at = np.array([-1 if key is None else numbers[key] for key in keys], np.int64)
        return tuple(
            self._units(name, at == k) for k, name in enumerate(condition_names(order).values())
        )

    def _unit(self, name: str, chosen: Array) -> Rate:
        """Return the rate of a well or field, with intervals based on its cells alone."""
        tally = self._tally(chosen, np.zeros(int(chosen.sum()), np.int64), 1)
        n, positive, total = tally.n, int(tally.positive[0]), float(tally.micronuclei[0])
        share = proportion_interval(positive, n, self._confidence)
        mean = mean_of_unit(total, n, self._confidence, tally.clustered)
        return self._rate(name, chosen, tally, (share, mean), ("Wilson", ""))

    def _units(self, name: str, chosen: Array, *, alike: bool = True) -> Rate:
        """Return the rate of several units, with intervals that include the variation between them."""
        units, n_units = self._unit_numbers(chosen)
        tally = self._tally(chosen, units, n_units)
        if not alike:
            return self._rate(name, chosen, tally, (_NONE, _NONE), ("", _SEVERAL))
        share = share_over_units(tally.positive, tally.cells, self._confidence)
        mean = mean_over_units(tally.micronuclei, tally.cells, self._confidence, tally.clustered)
        few = f"{NOT_ESTIMABLE}: fewer than {FEWEST_UNITS} {'wells' if self.by_well else 'fields'}"
        return self._rate(name, chosen, tally, (share, mean), (f"Wilson, {_EFFECTIVE}", few))

    def _unit_numbers(self, chosen: Array) -> tuple[Array, int]:
        """Return the number of each chosen cell's unit: a well of a replicate, or a field."""
        names = ("replicate", "well") if self.by_well else ("field",)
        seen: dict[tuple[str, ...], int] = {}
        rows = zip(*(self._texts[name][chosen].tolist() for name in names), strict=True)
        numbers = [seen.setdefault(row, len(seen)) for row in rows]
        return np.array(numbers, np.int64), len(seen)

    def _tally(self, chosen: Array, units: Array, n_units: int) -> "_Tally":
        at, numbers = units[self._scored[chosen]], self._numbers[chosen & self._scored]
        positive, micronuclei = (np.bincount(at, w, n_units) for w in (numbers > 0, numbers))
        squares = float(np.square(numbers).sum())
        return _Tally(np.bincount(at, minlength=n_units), positive, micronuclei, squares)

    def _rate(
        self,
        name: str,
        chosen: Array,
        tally: "_Tally",
        intervals: tuple[Interval, Interval],
        methods: tuple[str, str],
    ) -> Rate:
        described = [set(self._texts[column][chosen].tolist()) for column in _DESCRIBED]
        positive, micronuclei = int(tally.positive.sum()), int(tally.micronuclei.sum())
        method, reason = methods if tally.n else ("", f"{NOT_ESTIMABLE}: no cell scored")
        used = tally.cells > 0
        return Rate(
            name=name,
            described=tuple(values.pop() if len(values) == 1 else "" for values in described),
            n_fields=len(set(self._texts["field"][chosen].tolist())),
            scored=tally.n,
            excluded=int(chosen.sum()) - tally.n,
            positive=positive,
            micronuclei=micronuclei,
            per_1000=_metric(positive, tally.n, intervals[0], method, reason),
            micronuclei_rate=_metric(micronuclei, tally.n, intervals[1], _POISSON, reason),
            n_units=int(used.sum()),
            units_per_1000=tuple((1000 * tally.positive[used] / tally.cells[used]).tolist()),
        )

    def _remarks(self, keys: Sequence[Key | None]) -> tuple[str, ...]:
        told = []
        if not self.by_well:
            told.append(
                "Wells are unknown, so fields are used as units. Fields of the same well are "
                "alike, so the intervals of conditions are too narrow."
            )
        left = sum(key is None for key in keys)
        if left:
            told.append(f"Without a condition, and in none of the rows: {many(left, 'cell')}.")
        return tuple(told)


def _metric(count: int, n: int, interval: Interval, method: str, reason: str) -> Metric:
    """Return a rate per 1000; `reason` says why it has no interval, if so."""
    low, high = interval
    value = 1000 * count / n if n else math.nan
    return Metric(value, 1000 * low, 1000 * high, method if low == low else reason)


def text(value: object) -> str:
    """Return a table value as a string; "" if it is missing."""
    if value is None or value != value:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def natural_order(names: Iterable[str]) -> list[str]:
    """Return names in natural order: B2 before B10."""
    return sorted(names, key=lambda name: [_part(part) for part in re.split(r"(\d+)", name)])


def _part(part: str) -> tuple[int, str]:
    return (int(part), part) if part.isdecimal() else (-1, part)
