"""The columns of the tables of cells, micronuclei and fields, in memory and as CSV."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._class_names import is_missing
from nucrec._files import ANY_NAME, replacing
from nucrec._reading.table import parse_table
from nucrec._text import csv_lines, from_spreadsheet, to_spreadsheet
from nucrec.errors import DatasetError, DatasetNotFoundError

Array = npt.NDArray[Any]
Columns = Mapping[str, Array]
Kinds = Mapping[str, type]

_OF_THE_FIELD: Kinds = {
    "file": str,
    "field": str,
    "well": str,
    "condition": str,
    "dose": float,
    "replicate": str,
}
_PLACE: Kinds = {"x": float, "y": float, "x_um": float, "y_um": float}
_AREA: Kinds = {"area": int, "area_um2": float}

CELLS: Kinds = {
    **_OF_THE_FIELD,
    "cell_id": int,
    **_PLACE,
    **_AREA,
    "eccentricity": float,
    "solidity": float,
    "mean_intensity": float,
    "n_micronuclei": int,
    "probability": float,
    "focus": float,
    "edge": bool,
    "small": bool,
    "out_of_focus": bool,
    "saturated": bool,
    "crowded": bool,
    "condensed": bool,
    "apoptotic": bool,
    "scored": bool,
    "excluded": str,
}
MICRONUCLEI: Kinds = {
    **_OF_THE_FIELD,
    "micronucleus_id": int,
    "cell_id": int,
    **_PLACE,
    **_AREA,
    "eccentricity": float,
    "diameter_ratio": float,
    "distance": float,
    "distance_um": float,
    "probability": float,
    "ambiguous": bool,
    "humn": bool,
    "counted": bool,
    "excluded": str,
}
FIELDS: Kinds = {
    **_OF_THE_FIELD,
    "height": int,
    "width": int,
    "pixel_size": float,
    "diameter": float,
    "mask": bool,
    "n_cells": int,
    "n_scored": int,
    "n_micronuclei": int,
    "remarks": str,
    "error": str,
}

_TYPES = {str: np.str_, float: np.float64, int: np.int64, bool: np.bool_}
_BOOLEANS = {
    "true": True,
    "1": True,
    "yes": True,
    "false": False,
    "0": False,
    "no": False,
    "": False,
}
_EXACT = {"dose", "pixel_size"}
_MARK = "\ufeff"


def columns(kinds: Kinds, values: Mapping[str, Any]) -> dict[str, Array]:
    """Return columns in the order and types of `kinds`, followed by any further ones unchanged.

    Floats have six digits, as in the files, so that tables are equal after writing and reading.
    """
    found = {name: _column(name, kind, values[name]) for name, kind in kinds.items()}
    found.update({name: np.asarray(v) for name, v in values.items() if name not in kinds})
    for column in found.values():
        column.setflags(write=False)
    return found


def _column(name: str, kind: type, values: Any) -> Array:
    array = np.asarray(values)
    if kind is not float:
        return array.astype(_TYPES[kind])
    return array.astype(np.float64) if name in _EXACT else six_digits(array)


def six_digits(values: Array) -> Array:
    """Return floats rounded to six significant digits."""
    return np.array([float(f"{value:.6g}") for value in values.tolist()], np.float64)


def join(kinds: Kinds, tables: Sequence[Columns]) -> dict[str, Array]:
    """Join several tables. A column missing from some is filled with empty text."""
    names = dict.fromkeys([*kinds, *(name for table in tables for name in table)])
    return {name: _joined(kinds.get(name), name, tables) for name in names}


def _joined(kind: type | None, name: str, tables: Sequence[Columns]) -> Array:
    parts = [
        table[name] if name in table else np.full(n_rows(table), "")
        for table in tables
        if n_rows(table)
    ]
    if not parts:
        return np.empty(0, _TYPES[kind or str])
    if kind is None and len({part.dtype.kind for part in parts}) > 1:
        parts = [part.astype(np.str_) for part in parts]
    return np.concatenate(parts)


def n_rows(table: Columns) -> int:
    """Return the number of rows."""
    return len(next(iter(table.values()))) if table else 0


def write_table(path: Path, table: Columns) -> None:
    """Write a table as CSV that spreadsheets display correctly.

    Text that they would interpret as a formula is prefixed with an apostrophe, and a byte order
    mark marks non-ASCII text as UTF-8.
    """
    cells = [_texts(column) for column in table.values()]
    lines = list(csv_lines([list(table), *zip(*cells, strict=True)]))
    text = "".join(lines)
    with replacing(path) as temporary, temporary.open("xb") as file:
        file.write(("" if text.isascii() else _MARK).encode())
        file.write(text.encode("utf-8", ANY_NAME))


def _texts(column: Array) -> list[str]:
    values = column.tolist()
    if column.dtype.kind == "b":
        return ["true" if value else "false" for value in values]
    if column.dtype.kind == "f":
        return ["" if value != value else f"{value:.15g}" for value in values]
    return [to_spreadsheet(str(value)) for value in values]


def read_table(path: Path, kinds: Kinds, needed: Iterable[str]) -> dict[str, Array]:
    """Read a table written by `write_table`, possibly saved again by a spreadsheet.

    Missing optional columns are filled with empty values; further columns are kept as text.

    Raises
    ------
    DatasetNotFoundError, DatasetError
        The file is missing, or is not such a table.
    """
    try:
        text = path.read_bytes().decode("utf-8", ANY_NAME).removeprefix(_MARK)
    except FileNotFoundError as error:
        raise DatasetNotFoundError(f"{path}: there is no such file") from error
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from error
    needed = list(needed)
    if len(text.splitlines()) == 1 and set(needed) <= set(text.strip().split(",")):
        return columns(kinds, {name: [] for name in kinds})
    found = parse_table(text, needed, str(path))
    values = {
        name: _parsed(path, name, kinds.get(name, str), found.columns.get(name, [""] * len(found)))
        for name in (*kinds, *(name for name in found.columns if name not in kinds))
    }
    return columns(kinds, values)


def _parsed(path: Path, name: str, kind: type, cells: list[str]) -> Array:
    try:
        if kind is bool:
            return np.array([_BOOLEANS[cell.lower()] for cell in cells], bool)
        if kind is float:
            return np.array([np.nan if is_missing(cell) else float(cell) for cell in cells])
        if kind is int:
            return np.array([int(float(cell or 0)) for cell in cells], np.int64)
    except (KeyError, ValueError) as error:
        raise DatasetError(f"{path}: the column {name} holds {str(error)[:80]}") from error
    return np.array([from_spreadsheet(cell) for cell in cells], np.str_)
