"""The layout of a plate: the treatment of each well or file."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from nucrec._class_names import is_missing
from nucrec._paths import checked_path
from nucrec._reading import column_names
from nucrec._reading.plate_map import is_plate_map, read_plate_map
from nucrec._reading.roots import look_alike_name
from nucrec._reading.spelling import well_key
from nucrec._reading.table import (
    Table,
    ambiguous_thousands,
    decimal_number,
    is_frame,
    parse_table,
    table_of_frame,
    text_of_table,
)
from nucrec._reading.wells import plain_well
from nucrec._text import from_spreadsheet
from nucrec.errors import DatasetError
from nucrec.fields._field import Field
from nucrec.fields._names import stem_of
from nucrec.fields._remarks import listed, number_of

_COLUMNS = ("condition", "dose", "replicate")
_KEYS = ("file", "well", "field")  # a field is called by its file


@dataclass(frozen=True)
class Row:
    """The properties of one well or file."""

    key: str
    where: str
    condition: str | None = None
    dose: float | None = None
    replicate: str | None = None
    well: str | None = None


@dataclass(frozen=True)
class Layout:
    """The rows of a layout, by well or by file.

    Attributes
    ----------
    by : {"well", "file"}
        What the rows describe.
    rows : dict of str to Row
        The rows, by well, such as "B03", or by the normalised file name.
    remarks : tuple of str
        Remarks on columns that were not used.
    """

    by: str
    rows: dict[str, Row]
    remarks: tuple[str, ...] = ()

    def row_of(self, field: Field) -> Row | None:
        """Return the row of a field, or None if there is none."""
        if self.by == "well":
            return self.rows.get(well_key(field.well)) if field.well else None
        names = (field.file, PurePosixPath(field.file).name, stem_of(field.file), field.name)
        return next((self.rows[key] for key in map(file_key, names) if key in self.rows), None)


def read_layout(source: Any) -> Layout:
    """Read a layout from a CSV file or a data frame.

    Raises
    ------
    DatasetNotFoundError, DatasetError
        There is no such file, or it is neither a table with a column ``well`` or ``file`` and at
        least one of ``condition``, ``dose`` and ``replicate``, under any name that `nucrec.assay`
        knows, nor a plate map with blocks of these names.
    InvalidParameterError
        `source` is neither a path nor a data frame.
    """
    if is_frame(source):
        return _of_list(table_of_frame(source, ()))
    path = Path(checked_path("layout", source, "the path of a CSV file, or a data frame"))
    text = text_of_table(path)
    if is_plate_map(text):
        return _of_plate_map(text, str(path))
    return _of_list(parse_table(text, (), str(path)))


def _of_plate_map(text: str, name: str) -> Layout:
    """Return the layout described by blocks in the shape of a plate."""
    rows: dict[str, Row] = {}
    plan = read_plate_map(text, name, _COLUMNS)
    doses = [cells["dose"] for cells in plan.values() if "dose" in cells]
    _check_doses([f"{name}, line {each.line}" for each in doses], [each.text for each in doses])
    for well, cells in sorted(plan.items()):
        told = {what: cell.text for what, cell in cells.items()}
        if "dose" in cells:  # on a separate line
            _read(told, "dose", _dose, f"{name}, line {cells['dose'].line}, well {well}")
        first = next(iter(cells.values()))
        rows[well] = _row_of(told, well, f"{name}, line {first.line}")
    return Layout("well", rows)


def _of_list(table: Table) -> Layout:
    """Return the layout described by a list of wells or files."""
    columns = column_names.find(table.columns, table.name)
    by = next((key for key in _KEYS if key in columns), None)
    told = [name for name in _COLUMNS if name in columns]
    if by is None or not told:
        raise DatasetError(
            f"{table.name}: expected a column 'well' or 'file' with one row each, and at "
            "least one of 'condition', 'dose' and 'replicate'. Received: "
            f"{', '.join(table.columns)}.{_hint(table)}"
        )
    cells = {name: table.columns[columns[name]] for name in (by, "well", *told) if name in columns}
    if "dose" in cells:
        _check_doses([table.where(i) for i in range(len(table))], cells["dose"])
    rows: dict[str, Row] = {}
    for i in range(len(table)):
        row = _row(table, i, by, {name: column[i] for name, column in cells.items()})
        key = well_key(row.key) if by == "well" else file_key(row.key)
        if key in rows:
            raise DatasetError(f"{row.where}: {by} {row.key!r} is listed twice")
        rows[key] = row
    return Layout("well" if by == "well" else "file", rows, _on_unused(table, columns))


def _on_unused(table: Table, columns: Mapping[str, str]) -> tuple[str, ...]:
    """Return remarks on columns that are not used and look like doses or are misspelt."""
    unused = [name for name in table.columns if name not in columns.values()]
    like = [name for name in unused if column_names.looks_like_dose(name)]
    others = [name for name in unused if name not in like]
    told = column_names.misspelt(others, columns, (*_KEYS, *_COLUMNS))
    if like:
        named = ", ".join(map(repr, like))
        told.append(f"not used, though it looks like doses: {named}. If it is, call it 'dose'")
    return tuple(told)


def _check_doses(places: Sequence[str], cells: Sequence[str]) -> None:
    """Raise if a dose is ambiguous, such as 1,000, which may be one or one thousand."""
    text = ambiguous_thousands(set(cells))
    if text is not None:
        raise DatasetError(
            f"{places[cells.index(text)]}: dose: expected a number without thousands "
            f"separators: 1000, or 1.0. Received: {text!r}"
        )


def apply_layout(fields: Sequence[Field], layout: Layout) -> tuple[list[Field], list[str]]:
    """Return the fields with the properties in the layout, and the rows that match no field.

    Raises
    ------
    DatasetError
        No row matches a field.
    """
    rows = [layout.row_of(field) for field in fields]
    used = {row.key for row in rows if row is not None}
    if not used:
        raise DatasetError(_no_match(fields, layout))
    unused = [f"{row.key} ({row.where})" for row in layout.rows.values() if row.key not in used]
    without = [field.file for field, row in zip(fields, rows, strict=True) if row is None]
    remarks = [*layout.remarks]
    if unused:
        remarks.append(f"layout rows that match no field ({len(unused)}): {listed(unused)}")
    if without:
        remarks.append(f"not in the layout ({number_of(without)}: {listed(without)})")
    pairs = zip(fields, rows, strict=True)
    return [field if row is None else _described(field, row) for field, row in pairs], remarks


def _described(field: Field, row: Row) -> Field:
    return replace(
        field,
        well=field.well if row.well is None else row.well,
        condition=row.condition,
        dose=row.dose,
        replicate=row.replicate,
    )


def _no_match(fields: Sequence[Field], layout: Layout) -> str:
    first = next(iter(layout.rows.values()))
    if layout.by == "file":
        return (
            f"{first.where}: no row of the layout matches a field. The layout has names such "
            f"as {first.key!r}, the fields have names such as {fields[0].file!r}"
        )
    wells = sorted({field.well for field in fields if field.well})
    if wells:
        return (
            f"{first.where}: no row of the layout matches a field. The layout has names such "
            f"as {first.key}, the fields have {listed(wells)}"
        )
    return (
        f"the layout names wells, but names such as {fields[0].file!r} contain no "
        "recognisable well: pass well_pattern, or a layout with a column 'file'"
    )


def file_key(name: str) -> str:
    """Return the normalised name of a file, common to all its spellings."""
    return look_alike_name(name.replace("\\", "/").removeprefix("./"))


def _row(table: Table, i: int, by: str, cells: dict[str, str]) -> Row:
    where = table.where(i)
    if is_missing(cells[by]):
        raise DatasetError(f"{where}: {by} must not be empty")
    well = cells.get("well")
    if by == "well" and not plain_well(well_key(cells[by])) and re.fullmatch(r"[\d.]+", cells[by]):
        raise DatasetError(f"{where}: expected a well such as B03. Received: {cells[by]!r}")
    own = None if well is None or is_missing(well) else plain_well(well_key(well)) or well
    return _row_of(cells, cells[by], where, own)


def _row_of(cells: Mapping[str, str], key: str, where: str, well: str | None = None) -> Row:
    """Return the row described by table cells, given by column name."""
    return Row(
        key,
        where,
        _read(cells, "condition", from_spreadsheet, where),
        _read(cells, "dose", _dose, where),
        _read(cells, "replicate", from_spreadsheet, where),
        well,
    )


def _read(cells: Mapping[str, str], name: str, convert: Callable[[str], Any], where: str) -> Any:
    cell = cells.get(name, "")
    if is_missing(cell):
        return None
    try:
        return convert(cell)
    except ValueError as error:
        raise DatasetError(
            f"{where}: {name}: expected a number without a unit, such as 0.5. Received: {cell!r}"
        ) from error


def _dose(cell: str) -> float:
    value = decimal_number(cell)
    if not 0 <= value < float("inf"):
        raise ValueError("not a dose")
    return value


def _hint(table: Table) -> str:
    numbers = sum(name.strip().isdecimal() for name in table.columns)
    if numbers < 3:
        return ""
    return (
        " This looks like a plate map, rows by columns: pass its CSV file, or convert it to "
        "a list of wells (well, condition, dose)."
    )
