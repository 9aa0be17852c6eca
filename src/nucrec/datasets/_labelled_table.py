"""The files, labels, groups and further columns that a table lists."""

import itertools
import os
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

import numpy.typing as npt

from nucrec._class_names import is_missing
from nucrec._reading.listing import Quarantined
from nucrec._reading.roots import Folder, look_alike_name
from nucrec._reading.table import Table, meant_column
from nucrec._spelling import did_you_mean
from nucrec._validation import invalid
from nucrec._warnings import warn
from nucrec.datasets._load import Entry
from nucrec.errors import DatasetError, DataWarning, ImageError

Array = npt.NDArray[Any]

NEEDED = ("file", "label")
_OF_GROUPS = re.compile(
    r"(slide|patient|donor|subject|animal|mouse|rat|specimen|culture|well|field|fov)"
    r"s?([ _-]?(id|no|nr|number|name))?"
)
_LOOKED_THROUGH = 20_000  # files, to say which one may be meant


def entries_of_table(
    table: Table, root: Folder, group_by: str, *, are_named: bool = False
) -> tuple[list[Entry], dict[str, Array], list[Quarantined]]:
    """Return the images that a table lists, its further columns for them, and the missing files.

    Columns that may be the groups are warned of, unless the classes `are_named` by the user.

    Raises
    ------
    DatasetError
        A required cell is empty, or a file is listed twice.
    InvalidParameterError
        There is no such column to group by.
    """
    column = _group_column(table, group_by)
    if column is None and not are_named:
        _warn_of_groups(table)
    files, labels = table.without_gaps("file"), table.without_gaps("label")
    groups = [None] * len(table) if column is None else table.without_gaps(column)
    found = [root.spelled(file) for file in files]
    _check_different(table, [name or file for name, file in zip(found, files, strict=True)])
    there = [name is not None for name in found]
    rows = itertools.compress(zip(found, labels, groups, strict=True), there)
    entries = [Entry(str(name), label, group) for name, label, group in rows]
    further = [name for name in table.columns if name not in (*NEEDED, "group")]
    metadata = {name: table.typed(name)[there] for name in further}
    missing = [file for file, is_there in zip(files, there, strict=True) if not is_there]
    return entries, metadata, _not_there(root, missing)


def _group_column(table: Table, group_by: str) -> str | None:
    """Return the column of the groups, if there are any."""
    if group_by in ("folder", "top"):
        raise invalid("group_by", "the name of a column, since a table has no folders", group_by)
    if group_by != "image":
        meant = meant_column(group_by, table.columns)
        if meant is None:
            hint = did_you_mean(group_by, table.columns)
            raise invalid(
                "group_by", f"one of the columns {', '.join(table.columns)}", group_by, hint
            )
        return meant
    named = "group" in table and not all(map(is_missing, table.columns["group"]))
    return "group" if named else None


def _warn_of_groups(table: Table) -> None:
    """Warn of a column that may say which images belong together, and is not used."""
    for name, values in table.columns.items():
        if _OF_GROUPS.fullmatch(name.casefold()) and 1 < len(set(values)) < len(values):
            warn(
                f"each image is a group of its own, though the column {name!r} may say which images "
                f"belong together. If it does, pass group_by={name!r}; if not, pass class_names.",
                DataWarning,
            )
            return


def _check_different(table: Table, names: list[str]) -> None:
    first: dict[str, int] = {}
    for row, name in enumerate(names):
        if first.setdefault(name, row) != row:
            raise DatasetError(
                f"{table.name}: {name!r} is listed more than once, in the lines "
                f"{table.lines[first[name]]} and {table.lines[row]}"
            )


def _not_there(root: Folder, missing: list[str]) -> list[Quarantined]:
    """Return why files cannot be read, and which existing files may be meant."""
    if not missing:
        return []
    by_name: dict[str, list[str]] = {}
    for name in itertools.islice(_all_files(root), _LOOKED_THROUGH):
        path = PurePosixPath(name)
        for key in {look_alike_name(path.name), look_alike_name(path.stem)}:
            by_name.setdefault(key, []).append(name)
    return [Quarantined(file, _why_not(root, file, by_name)) for file in missing]


def _why_not(root: Folder, file: str, by_name: dict[str, list[str]]) -> str:
    try:
        root.read(file)
        reason = "there is no such file"
    except ImageError as error:
        reason = str(error).removeprefix(f"{file}: ")
    last = PurePosixPath(file.replace("\\", "/")).name
    meant = by_name.get(look_alike_name(last), [])
    hint = f"; is {meant[0]!r} meant? Paths are relative to {root.path}" if len(meant) == 1 else ""
    return reason + hint


def _all_files(root: Folder) -> Iterable[str]:
    for top, folders, files in os.walk(root.path):
        folders.sort()
        here = Path(top).relative_to(root.path).as_posix()
        yield from (f"{here}/{name}".removeprefix("./") for name in sorted(files))


def root_of_paths(files: list[str]) -> tuple[Folder, list[str]]:
    """Return the folder that contains all files of a data frame, and their paths relative to it.

    Paths are absolute or relative to the working directory.
    """
    paths = [_without_tilde(file) for file in files]
    if not any(path.is_absolute() for path in paths):
        return Folder(Path.cwd()), files
    # links are followed, or a folder around them would not hold what they lead to
    real = {path.parent: _real(Path.cwd() / path.parent) for path in paths}
    whole = [f"{real[path.parent]}/{path.name}" for path in paths]
    try:
        base = Path(os.path.commonpath([os.path.dirname(path) for path in whole]))  # noqa: PTH120
    except ValueError as error:  # several drives
        raise DatasetError("the table: its files lie on several drives") from error
    return Folder(base), [Path(path).relative_to(base).as_posix() for path in whole]


def _without_tilde(file: str) -> Path:
    try:
        return Path(file).expanduser()
    except RuntimeError:  # there is no such user, and so no such file
        return Path(file)


def _real(folder: Path) -> str:
    try:
        return os.path.realpath(folder)
    except ValueError:  # a zero in its name
        return os.path.normpath(folder)
