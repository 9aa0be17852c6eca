"""The layout of a plate: a table of the treatment of each well, joined to a table of cells."""

from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np

from nucrec._class_names import look_alike_key
from nucrec._paths import checked_path
from nucrec._reading.column_names import looks_like_dose, misspelt, plain
from nucrec._reading.plate_map import PlateCell, is_plate_map, read_plate_map
from nucrec._reading.spelling import well_key
from nucrec._reading.table import text_of_table
from nucrec._text import from_spreadsheet, shown
from nucrec.assay._source import Column, Source, read_source
from nucrec.errors import DatasetError

Key = tuple[str, ...]

_KEYS = ("well", "field", "file")
_DESIGN = ("condition", "dose", "replicate")
_SHOWN = 5


def with_layout(
    source: Source, layout: object, read: Sequence[str | None] = ()
) -> tuple[Source, list[str]]:
    """Return a table with the columns of its layout, and remarks on mismatches.

    Rows are matched by well, and by plate if both tables have plates; without wells, by field or
    file. Values in the layout replace those in the table. Columns in `read` are used besides ours.

    Raises
    ------
    InvalidParameterError, DatasetNotFoundError, DatasetError
        The layout is not such a table, or none of its rows matches.
    """
    plan = _read_layout(layout)
    by = _shared_keys(source, plan)
    if "dose" in plan:
        plan.doses()  # errors state the line in the layout
    places = _places(plan, by)
    keys = _keys(source, by)
    rows = [places.get(key, -1) for key in keys]
    used = set(rows) - {-1}
    if not used:
        raise DatasetError(_no_match(plan, by, keys))
    remarks = [
        *_on_unused(plan, by, places, used),
        *_on_missing(by, keys, places),
        *_on_replaced(source, plan, by),
        *_on_misspelt(plan, read),
    ]
    return _joined(source, plan, by, rows), remarks


def _read_layout(layout: object) -> Source:
    """Read a layout: a list of wells, fields or files, or blocks in the shape of the plate."""
    if isinstance(layout, str | PathLike):
        path = checked_path("layout", layout)
        text = text_of_table(path)
        if is_plate_map(text):
            return _of_plate_map(text, str(path))
    return read_source(layout, name="layout", everything=True)


def _of_plate_map(text: str, name: str) -> Source:
    """Return the blocks of a plate map as a list of wells."""
    told = read_plate_map(text, name, _DESIGN)
    columns: dict[str, Column] = {"well": list(told)}
    for what in _DESIGN:
        if any(what in cells for cells in told.values()):
            columns[what] = [_said(cells.get(what)) for cells in told.values()]
    places = []
    for well, cells in told.items():
        cell = cells.get("dose") or next(iter(cells.values()))  # only a dose can be invalid
        places.append(f"{name}, line {cell.line}, well {well}")
    called = {column: column for column in columns}
    return Source(name, columns, called, places.__getitem__, tuple(columns))


def _said(cell: PlateCell | None) -> str:
    return from_spreadsheet(cell.text) if cell else ""


def _shared_keys(source: Source, plan: Source) -> tuple[str, ...]:
    shared = [name for name in _KEYS if name in source and name in plan and any(source.text(name))]
    if not shared:
        own = " or ".join(name for name in _KEYS if name in source and any(source.text(name)))
        raise DatasetError(
            f"{plan.name}: expected a column {own or 'well'}, as in the table of cells, with "
            f"one row each. Received: {', '.join(plan.names)}"
        )
    plates = "plate" in source and "plate" in plan
    return (*(("plate",) if plates else ()), shared[0])


def _keys(source: Source, by: Sequence[str]) -> list[Key]:
    columns = []
    for name in by:
        texts = source.text(name)
        known = {text: _key(name, text) for text in set(texts)}
        columns.append([known[text] for text in texts])
    return list(zip(*columns, strict=True))


def _key(name: str, text: str) -> str:
    """Return the normalised name of a well, common to all its spellings."""
    return well_key(text) if name == "well" else look_alike_key(text)


def _places(plan: Source, by: Sequence[str]) -> dict[Key, int]:
    """Return the row of each key of the layout."""
    places: dict[Key, int] = {}
    for row, key in enumerate(_keys(plan, by)):
        if not key[-1]:
            raise DatasetError(f"{plan.where(row)}: {by[-1]} must not be empty")
        if key in places:
            raise DatasetError(
                f"{plan.where(row)}: {by[-1]} {_named(plan, by, row)} is listed twice, first "
                f"in {plan.where(places[key])}"
            )
        places[key] = row
    return places


def _named(source: Source, by: Sequence[str], row: int) -> str:
    return " ".join(shown(source.text(name)[row]) for name in by)


def _no_match(plan: Source, by: Sequence[str], keys: Sequence[Key]) -> str:
    return (
        f"{plan.where(0)}: no row of the layout matches. The layout has names such as "
        f"{_named(plan, by, 0)}, the cells have names such as {shown(' '.join(keys[0]))}"
    )


def _on_unused(
    plan: Source, by: Sequence[str], places: dict[Key, int], used: set[int]
) -> list[str]:
    unused = [row for row in places.values() if row not in used]
    if not unused:
        return []
    names = _listed([_named(plan, by, row) for row in unused])
    return [f"Rows of the layout without cells ({len(unused)}): {names}."]


def _on_missing(by: Sequence[str], keys: Sequence[Key], places: dict[Key, int]) -> list[str]:
    missing = [key for key in dict.fromkeys(keys) if key not in places]
    if not missing:
        return []
    names = _listed([" ".join(key) or "without a name" for key in missing])
    return [f"Missing from the layout, so left out ({by[-1]}s: {len(missing)}): {names}."]


def _on_replaced(source: Source, plan: Source, by: Sequence[str]) -> list[str]:
    both = [
        name
        for name in _DESIGN
        if name in plan and name in source and name not in by and any(source.text(name))
    ]
    return [f"The layout replaces columns of the table: {', '.join(both)}."] if both else []


def _on_misspelt(plan: Source, read: Sequence[str | None]) -> list[str]:
    """Return remarks on columns of the layout that are not used and resemble one that is missing."""
    used = {plain(name) for name in read if name}
    unused = [
        name
        for name in plan.names
        if name not in plan.called.values()
        and plain(name) not in used
        and not looks_like_dose(name)
    ]
    told = misspelt(unused, plan.called, (*_KEYS, "plate", *_DESIGN))
    return [f"{text[0].upper()}{text[1:]}" for text in told]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(map(shown, names[:_SHOWN])) + more


def _joined(source: Source, plan: Source, by: Sequence[str], rows: list[int]) -> Source:
    """Return the table with the layout's columns; they are empty for rows missing from the layout."""
    own = {plan.called[name] for name in by}
    added = {name: column for name, column in plan.columns.items() if name not in own}
    called = {ours: name for ours, name in plan.called.items() if ours not in by}
    replaced = {source.called[ours] for ours in called if ours in source.called}
    kept = {name: column for name, column in source.columns.items() if name not in replaced}
    columns: dict[str, Column] = kept | {n: _spread(plan, n, rows) for n in added}
    names = tuple(dict.fromkeys((*source.names, *added)))
    return Source(source.name, columns, source.called | called, source.where, names)


def _spread(plan: Source, name: str, rows: list[int]) -> Column:
    """Return a column of the layout, expanded to the rows of the table."""
    values: Any = plan.columns[name]
    if not isinstance(values, list) and values.dtype.kind in "biuf":
        found = np.append(values.astype(np.float64), np.nan)[rows]
        return np.asarray(found)
    texts = [*Source(plan.name, plan.columns, {name: name}, plan.where).text(name), ""]
    return [texts[row] for row in rows]
