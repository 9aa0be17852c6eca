"""Conversion of a table of cells or counts to wells."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._class_names import is_missing
from nucrec._flags import read_flag
from nucrec._reading.column_names import plain
from nucrec._reading.spelling import one_spelling, one_spelling_of_wells
from nucrec._spelling import did_you_mean
from nucrec._validation import invalid
from nucrec.assay._cell_table import CellTable
from nucrec.assay._kind_of_table import (
    check_flags_of_cells,
    check_is_of_cells,
    check_is_of_counts,
    check_some_are_scored,
    on_unused_doses,
)
from nucrec.assay._layout import with_layout
from nucrec.assay._source import Source, missing_columns, read_source
from nucrec.assay._wells import MOST, Wells, numbered
from nucrec.errors import DatasetError

Array = npt.NDArray[Any]

_USED = (
    *("well", "plate", "condition", "dose", "replicate", "excluded"),
    *("n_micronuclei", "n_nuclei", "n_scored", "n_micronucleated", "n_excluded"),
    *("mononucleate", "binucleate", "multinucleate", "initial_cells", "final_cells"),
)
"""Columns of ours that are used; the others only tell rows apart."""
_NAMES_OF_FILES = ("field", "file", "image", "imagenumber", "image_number", "filename")
_SUMMARIES = {
    *("mean", "average", "avg", "median", "total", "sum", "sd", "std", "stdev", "sem", "se", "cv"),
    *("mittelwert", "mittel", "summe", "gesamt", "moyenne", "somme", "media", "suma", "somma"),
}
_NUCLEI = ("mononucleate", "binucleate", "multinucleate")


def read_wells(
    cells: object,
    by: str,
    unit: str,
    block: str | None,
    layout: object = None,
    columns: Mapping[str, str] | None = None,
) -> Wells:
    """Return the wells of a table.

    Raises
    ------
    InvalidParameterError, DatasetNotFoundError, DatasetError
        The table is not of this kind, a column is missing, or a value is invalid.
    """
    source = read_source(cells, by, unit, *([block] if block else []), columns=columns)
    of_counts = "n_micronucleated" in source and "n_scored" in source
    if not of_counts and "n_micronuclei" not in source:
        raise missing_columns(source)
    if not of_counts:
        check_flags_of_cells(source)
    remarks: list[str] = []
    if layout is not None:
        source, remarks = with_layout(source, layout, (by, unit, block))
    design = _Design(source, by, unit, block, rows_are_units=of_counts)
    wells = _of_counts(source, design) if of_counts else _of_cells(source, design)
    remarks += on_unused_doses(source, (by, unit, block))
    called = {ours: name for ours, name in source.called.items() if ours in _USED or ours == by}
    return replace(wells, remarks=[*remarks, *wells.remarks], columns=called)


def _rounded(doses: Array) -> Array:
    """Return doses rounded to 15 digits, so that 0.1 + 0.2 equals 0.3."""
    different, place = np.unique(doses, return_inverse=True)
    return np.array([float(f"{dose:.15g}") for dose in different.tolist()])[place]


class _Design:
    """The condition, dose and unit of each row that belongs to a condition."""

    def __init__(
        self, source: Source, by: str, unit: str, block: str | None, *, rows_are_units: bool
    ) -> None:
        self.source, self.unit = source, unit
        self.told: list[str] = []
        n = len(source)
        self.doses = _rounded(source.doses()) if "dose" in source else np.full(n, np.nan)
        self.conditions = self._merged(self._conditions(by, n), "conditions")
        plates, replicates, wells = (
            source.text(name) if name in source else [""] * n
            for name in ("plate", "replicate", "well")
        )
        self.plates = self._merged(plates, "plates")
        self.replicates = self._merged(replicates, "replicates")
        self.wells = self._merged(wells, "wells")
        blocks = self._column("block", block).text if block else [""] * n
        self.blocks = self._merged(blocks, "blocks")
        self.units = self._units(unit, rows_are_units)
        self.known = np.array([name != "" for name in self.conditions], bool)
        if not self.known.any():
            raise DatasetError(
                f"{source.name}: {by} is empty in all rows. Give the treatment of each well "
                "in a layout, a table with the columns well and condition or dose"
            )
        self._check(unit)

    def _merged(self, names: list[str], what: str) -> list[str]:
        """Return names with a single spelling for look-alikes, and keep the remark.

        A1 and A01 may be two compounds. Elsewhere they are the same, since any column may be the
        unit.
        """
        merge = one_spelling if what == "conditions" else one_spelling_of_wells
        merged, told = merge(names, what)
        self.told.extend(remark for remark in told if remark not in self.told)
        return merged

    def _conditions(self, by: str, n: int) -> list[str]:
        has_dose = bool(np.isfinite(self.doses).any())
        if by == "dose" and has_dose:
            return ["" if dose != dose else f"{dose:.15g}" for dose in self.doses.tolist()]
        if by == "condition" and has_dose:
            named = "condition" in self.source and any(self.source.text("condition"))
            if not named:
                return self._conditions("dose", n)
        return self._column("by", by).text

    def _column(self, parameter: str, name: str) -> "_Column":
        ours = next((key for key in self.source.called if key == plain(name)), None)
        own = {plain(key): key for key in self.source.columns}
        if ours is None and plain(name) not in own:
            hint = did_you_mean(name, self.source.names)
            if name == "condition" and not hint:
                hint = "State the treatment of each well in a column condition or dose, or in a layout."
            known = ", ".join(self.source.names)
            raise invalid(parameter, f"a column of the table: {known}", name, hint)
        return _Column(self.source, ours or plain(name), own.get(plain(name), ""))

    def _units(self, unit: str, rows_are_units: bool) -> list[str]:
        has_wells = any(self.wells)
        if unit == "well" and not has_wells:
            if rows_are_units:
                return [f"row {row + 1}" for row in range(len(self.source))]
            own = [name for name in ("field", "replicate") if name in self.source]
            hint = f"If each {own[0]} belongs to another well, pass unit={own[0]!r}." if own else ""
            columns = ", ".join(self.source.names)
            raise invalid("unit", f"a column of the table: {columns}", unit, hint)
        if unit == "well":
            return self.wells
        names = self._column("unit", unit).text
        are_files = plain(unit) in _NAMES_OF_FILES
        return names if are_files else self._merged(names, f"{unit}s")

    def _check(self, unit: str) -> None:
        """Raise unless each unit has a name and belongs to one condition and dose."""
        for row in np.flatnonzero(self.known).tolist():
            if self.units[row] == "":
                raise DatasetError(f"{self.source.where(row)}: {unit} must not be empty")
        _check_no_summaries(self.source, self.units, np.flatnonzero(self.known).tolist(), unit)
        own = self.are_wells = unit == "well" and any(self.wells)
        doses = ["" if dose != dose else dose for dose in self.doses.tolist()]
        design = (self.conditions, doses, self.blocks)
        keys = (self.plates, self.replicates, self.units)
        self.numbers, self.first = numbered(*keys, *(() if own else design))
        if own:
            self._check_one(design, ("condition", "dose", "block"))

    def _check_one(self, design: tuple[Any, ...], names: tuple[str, ...]) -> None:
        for name, values in zip(names, design, strict=True):
            if len(numbered(self.numbers.tolist(), values)[1]) == len(self.first):
                continue
            first = [values[row] for row in self.first.tolist()]
            for row, (number, value) in enumerate(zip(self.numbers.tolist(), values, strict=True)):
                if value != first[number]:
                    other = self.source.where(int(self.first[number]))
                    raise DatasetError(
                        f"{self.source.where(row)}: well {self.units[row]} has {name} "
                        f"{value!r}, but {first[number]!r} in {other}. Distinguish plates by "
                        "a column plate."
                    )

    def of_units(self, kept: Array) -> dict[str, Any]:
        """Return the columns of the design for some units, given by number."""
        rows = self.first[kept].tolist()
        columns = {
            "names": [self._name(row) for row in rows],
            "wells": [self.wells[row] for row in rows],
            "plates": [self.plates[row] for row in rows],
            "replicates": [self.replicates[row] for row in rows],
            "blocks": [self.blocks[row] for row in rows],
            "conditions": [self.conditions[row] for row in rows],
        }
        return columns | {"doses": self.doses[rows]}

    def _name(self, row: int) -> str:
        parts = (self.plates[row], self.replicates[row] if self.wells[row] else "", self.units[row])
        return " ".join(dict.fromkeys(part for part in parts if part))

    def remarks(self, n_rows: int, what: str) -> list[str]:
        """Return remarks on rows without a condition, and on replicates within one well."""
        left = int((~self.known).sum())
        without = [f"Left out because they have no condition: {left} of {n_rows} {what}."]
        return [*(without if left else []), *self.told, *self._on_single_wells()]

    def _on_single_wells(self) -> list[str]:
        """Return a remark on conditions whose units are one well with several replicates."""
        places: dict[tuple[str, str], list[tuple[str, ...]]] = {}
        for row in self.first[np.unique(self.numbers[self.known])].tolist():
            condition = self.conditions[row], repr(self.doses[row])
            place = self.plates[row], self.blocks[row], self.wells[row]
            places.setdefault(condition, []).append(place)
        single = [each[0][-1] for each in places.values() if len(each) > 1 == len(set(each))]
        if not single or not self.are_wells:
            return []
        return [
            "All units of a condition are one well with several replicates: "
            f"{', '.join(single)}. Counts from the same well are one unit: add them up, "
            "otherwise the interval is too narrow. If replicates are plates or days, say so "
            "with a column plate, or with block."
        ]


def _check_no_summaries(source: Source, units: list[str], rows: list[int], unit: str) -> None:
    """Raise if a row is that of a mean or a total, while all others have numbers in their names."""
    odd = [row for row in rows if plain(units[row]).rstrip("s") in _SUMMARIES]
    others = set(rows) - set(odd)
    if odd and others and all(re.search(r"\d", units[row]) for row in others):
        raise DatasetError(
            f"{source.where(odd[0])}: {unit} is {units[odd[0]]!r}, so this row sums up others and "
            "would be counted with them: delete it, or rename it if it is one"
        )


class _Column:
    """One column as text, under our name or its own."""

    def __init__(self, source: Source, ours: str, own: str) -> None:
        called = source.called if ours in source.called else {**source.called, ours: own}
        self.text = replace(source, called=called).text(ours)


def _of_cells(source: Source, design: _Design) -> Wells:
    """Return the wells of a table with one row per cell."""
    micronuclei = source.whole("n_micronuclei")
    check_is_of_cells(source, micronuclei, len(design.first), design.unit)
    reasons = _reasons(source)
    check_some_are_scored(source, reasons, design.known)
    is_scored = np.array([reason == "" for reason in reasons], bool)
    scored = is_scored & design.known
    kept = np.unique(design.numbers[design.known])
    place = np.full(len(design.first), 0)
    place[kept] = np.arange(len(kept))
    units, n = place[design.numbers], len(kept)
    distribution = _table_of(units[scored], np.minimum(micronuclei[scored], MOST), (n, MOST + 1))
    return Wells(
        **design.of_units(kept),
        scored=distribution.sum(axis=1),
        micronucleated=distribution[:, 1:].sum(axis=1),
        micronuclei=np.bincount(units[scored], micronuclei[scored], n),
        squares=np.bincount(units[scored], np.square(micronuclei[scored], dtype=float), n),
        excluded=_excluded(units, reasons, design.known & ~scored, n),
        distribution=distribution,
        nuclei=_nuclei_of_cells(source, units, design.known, n),
        remarks=design.remarks(len(source), "cells"),
        cells=CellTable.of(source, micronuclei > 0, is_scored, design.known),
    )


def _reasons(source: Source) -> list[str]:
    """Return why each cell is not scored; "" for scored cells."""
    texts = source.text("excluded") if "excluded" in source else [""] * len(source)
    known = {text: _reason(text) for text in set(texts)}
    reasons = [known[text] for text in texts]
    if source.called.get("n_scored") is None:
        return reasons
    flags = source.flags("n_scored").tolist()
    return [
        "" if flag else reason or "not scored" for flag, reason in zip(flags, reasons, strict=True)
    ]


def _reason(text: str) -> str:
    """Return why a cell is excluded; "" if it is not. A plain yes excludes it without a reason."""
    flag = read_flag(text)
    if flag is None:
        return "" if is_missing(text) else text
    return "excluded" if flag else ""


def _excluded(units: Array, reasons: list[str], chosen: Array, n: int) -> list[dict[str, int]]:
    rows = np.flatnonzero(chosen).tolist()
    counts = Counter((int(units[row]), reasons[row]) for row in rows)
    found: list[dict[str, int]] = [{} for _ in range(n)]
    for (unit, reason), count in sorted(counts.items()):
        found[unit][reason] = count
    return found


def _nuclei_of_cells(source: Source, units: Array, known: Array, n: int) -> Array | None:
    """Return the numbers of cells with one, two, and three or more nuclei."""
    if "n_nuclei" not in source:
        return None
    nuclei = source.whole("n_nuclei")
    counted = known & (nuclei > 0)
    return _table_of(units[counted], np.minimum(nuclei[counted], 3) - 1, (n, 3))


def _table_of(rows: Array, columns: Array, shape: tuple[int, int]) -> Array:
    return np.bincount(rows * shape[1] + columns, minlength=shape[0] * shape[1]).reshape(shape)


def _of_counts(source: Source, design: _Design) -> Wells:
    """Return the wells of a table with one row per well."""
    _check_different(source, design)
    check_is_of_counts(source)
    scored, found = source.whole("n_scored"), source.whole("n_micronucleated")
    _check_at_most(source, "n_micronucleated", found, "n_scored", scored)
    if "n_micronuclei" in source:
        micronuclei = source.whole("n_micronuclei")
        _check_at_most(source, "n_micronucleated", found, "n_micronuclei", micronuclei)
    kept = np.unique(design.numbers[design.known])
    rows = design.first[kept]
    optional = {name: source.whole(name)[rows] for name in _optional(source)}
    nuclei = [optional[name] for name in _NUCLEI if name in optional]
    left_out = optional.get("n_excluded", np.zeros(len(rows), np.int64)).tolist()
    return Wells(
        **design.of_units(kept),
        scored=scored[rows],
        micronucleated=found[rows],
        micronuclei=np.asarray(optional.get("n_micronuclei", np.full(len(rows), np.nan)), float),
        squares=np.full(len(rows), np.nan),
        excluded=[{"excluded": count} if count else {} for count in left_out],
        nuclei=np.stack(nuclei, axis=1) if len(nuclei) == len(_NUCLEI) else None,
        initial=optional.get("initial_cells"),
        final=optional.get("final_cells"),
        remarks=design.remarks(len(source), "rows"),
    )


def _check_at_most(source: Source, name: str, column: Array, of: str, limit: Array) -> None:
    if (column > limit).any():
        row = int((column > limit).argmax())
        raise source.fault(name, row, f"at most {source.called[of]}, {limit[row]}")


def _optional(source: Source) -> list[str]:
    names = ("n_micronuclei", "n_excluded", *_NUCLEI, "initial_cells", "final_cells")
    return [name for name in names if name in source]


def _check_different(source: Source, design: _Design) -> None:
    again = np.flatnonzero(design.first[design.numbers] != np.arange(len(source)))
    if again.size:
        row = int(again[0])
        other = source.where(int(design.first[design.numbers[row]]))
        raise DatasetError(
            f"{source.where(row)}: well {design.units[row]} is listed twice, first in "
            f"{other}. Distinguish plates by a column plate, and add up the counts of fields "
            "in one well."
        )
