"""Tables of cells or counts from any source, as checked columns."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from nucrec._class_names import is_missing
from nucrec._files import ANY_NAME
from nucrec._flags import read_flag
from nucrec._paths import checked_path
from nucrec._reading.column_names import find, is_known, looks_like_dose, plain
from nucrec._reading.table import ambiguous_thousands, decimal_number, is_frame, read_table
from nucrec._spelling import did_you_mean
from nucrec._text import from_spreadsheet, shown
from nucrec._validation import check_unmasked, invalid, is_missing_value
from nucrec.errors import DatasetError

Array = npt.NDArray[Any]
Column = Array | list[str]

_EXPECTED = "a table of cells or counts: Cells, a mapping of columns, a data frame, or a CSV's path"
_NEEDED = (
    "cells need a column n_micronuclei; counts need n_scored and n_micronucleated, with one "
    "row per well. If the columns have other names, give these with columns."
)
_THOUSANDS = re.compile(r"[1-9]\d{0,2}([.,]\d{3})+")
_MOST = 2**53  # beyond it, floats cannot represent every whole number


@runtime_checkable
class CellsLike(Protocol):
    """An object with its cells as a table of columns, such as `nucrec.fields.Cells`."""

    @property
    def cells(self) -> Mapping[str, Array]: ...


@dataclass(frozen=True)
class Source:
    """A table whose columns are accessed by our names, whatever their names in the table.

    Attributes
    ----------
    name : str
        The name of the table in messages.
    columns : dict of str to (ndarray of shape (n,) or list of str)
        The columns by their own names; text from files, stripped of blanks, as lists.
    called : dict of str to str
        The name in the table of each of our columns that it has.
    where : callable
        Returns the name of a row in messages, given its number from 0.
    names : tuple of str
        All columns of the table, including those that were not read.
    """

    name: str
    columns: dict[str, Column]
    called: dict[str, str]
    where: Callable[[int], str]
    names: tuple[str, ...] = ()

    def __contains__(self, column: str) -> bool:
        return column in self.called

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def fault(self, column: str, row: int, expected: str) -> DatasetError:
        """Return the error for one cell of the table."""
        name = self.called[column]
        received = shown(repr(_plain_value(self.columns[name][row])))
        return DatasetError(f"{self.where(row)}: {name} must be {expected} (received {received})")

    def text(self, column: str) -> list[str]:
        """Return a column as text; missing values, NA and NaN are empty, and 1.0 becomes 1."""
        values = self.columns[self.called[column]]
        if isinstance(values, list):
            return _without_missing(values)
        if values.dtype.kind in "biu":
            return [str(value) for value in values.tolist()]
        if values.dtype.kind == "f":
            return ["" if value != value else f"{value:.15g}" for value in values.tolist()]
        if values.dtype.kind == "U":
            return _without_missing([str(value).strip() for value in values.tolist()])
        return _without_missing(["" if is_missing_value(v) else _text(v) for v in values.tolist()])

    def whole(self, column: str) -> Array:
        """Return a column as non-negative whole numbers."""
        expected = "a whole number of at least 0"
        numbers = self.numbers(column, expected, whole=True)
        bad = ~np.isfinite(numbers) | (numbers < 0) | (numbers != np.floor(numbers))
        if bad.any():
            raise self.fault(column, int(bad.argmax()), expected)
        if (numbers > _MOST).any():
            raise self.fault(column, int(numbers.argmax()), f"{expected}, and at most 2**53")
        return numbers.astype(np.int64)

    def doses(self) -> Array:
        """Return the doses, with NaN for missing ones."""
        expected = "a number of at least 0, without its unit"
        numbers = self.numbers("dose", expected, gaps=True)
        if self._is_text("dose"):
            texts = self.text("dose")
            text = ambiguous_thousands(set(texts))
            if text is not None:
                told = f"{expected}, without thousands separators: 1000, or 1.0"
                raise self.fault("dose", texts.index(text), told)
        bad = (numbers < 0) | np.isinf(numbers)
        if bad.any():
            raise self.fault("dose", int(bad.argmax()), "a number of at least 0")
        return numbers

    def numbers(
        self, column: str, expected: str, *, gaps: bool = False, whole: bool = False
    ) -> Array:
        """Return a column as floats; with `gaps`, missing values are NaN."""
        if not self._is_text(column):
            return np.asarray(self.columns[self.called[column]], np.float64)
        found: dict[str, float] = {}
        texts = self.text(column)
        for row, text in enumerate(texts):
            if text not in found:
                if whole and _THOUSANDS.fullmatch(text):
                    raise self.fault(column, row, f"{expected}, without thousands separators")
                found[text] = self._number(text, column, row, expected, gaps)
        return np.array([found[text] for text in texts], np.float64)

    def _is_text(self, column: str) -> bool:
        values = self.columns[self.called[column]]
        return isinstance(values, list) or values.dtype.kind not in "biuf"

    def _number(self, text: str, column: str, row: int, expected: str, gaps: bool) -> float:
        if gaps and is_missing(text):
            return np.nan
        try:
            return decimal_number(text)
        except ValueError:
            raise self.fault(column, row, expected) from None

    def flags(self, column: str) -> Array:
        """Return a column of yes and no as booleans."""
        values = self.columns[self.called[column]]
        if not isinstance(values, list) and values.dtype.kind == "b":
            return values
        flags = [read_flag(text) for text in self.text(column)]
        if None in flags:
            raise self.fault(column, flags.index(None), "true or false")
        return np.array(flags, bool)


def read_source(
    table: object,
    *further: str,
    name: str = "cells",
    columns: Mapping[str, str] | None = None,
    everything: bool = False,
) -> Source:
    """Read a table, with our columns and those named in `further`.

    Parameters
    ----------
    table : object
        A path, a mapping of columns, a data frame, or an object with cells.
    *further : str
        Names of additional columns to read.
    name : str, default="cells"
        The parameter's name in messages.
    columns : mapping of str to str, optional
        The names in the table of some of our columns.
    everything : bool, default=False
        Whether to read all columns of a file.

    Raises
    ------
    InvalidParameterError, DatasetNotFoundError, DatasetError
        The source is not a table, or is damaged.
    """
    given = dict(columns or {})
    if isinstance(table, str | PathLike):
        wanted = {plain(each) for each in (*further, *given.values())}
        return _of_file(name, table, None if everything else wanted, given)
    if isinstance(table, Mapping):
        return _of_columns(name, table, given)
    if is_frame(table):
        frame: Any = table
        frame_columns = {str(each): _as_saved(frame[each]) for each in frame.columns}
        return _of_columns(name, frame_columns, given)
    if isinstance(table, CellsLike):
        return _of_columns(name, table.cells, given)
    raise invalid(name, _EXPECTED, table)


def _of_file(parameter: str, path: Any, further: set[str] | None, given: dict[str, str]) -> Source:
    where = checked_path(parameter, path)
    table = read_table(
        where, [], lambda name: further is None or _is_wanted(name) or plain(name) in further
    )
    columns: dict[str, Column] = {
        name: [from_spreadsheet(cell) for cell in cells] for name, cells in table.columns.items()
    }
    names = tuple(table.names)
    called = find(columns, str(where), _own_names(columns, given, names))
    return Source(str(where), columns, called, table.where, names)


def _is_wanted(name: str) -> bool:
    return is_known(name) or looks_like_dose(name)


def _of_columns(name: str, table: Mapping[Any, Any], given: dict[str, str]) -> Source:
    for key, values in table.items():
        check_unmasked(f"{name}[{str(key)!r}]", values)
    columns = {str(key): _decoded(np.asarray(values)) for key, values in table.items()}
    lengths = {values.shape for values in columns.values()}
    if len(lengths) != 1 or len(next(iter(lengths))) != 1 or not next(iter(lengths))[0]:
        raise invalid(
            name, "columns of the same length, with at least one row", sorted(map(str, lengths))
        )
    names = tuple(columns)
    called = find(columns, name, _own_names(columns, given, names))
    return Source(name, {**columns}, called, lambda row: f"{name}, row {row + 1}", names)


def _own_names(
    columns: Mapping[str, Column], given: Mapping[str, str], names: tuple[str, ...]
) -> dict[str, str]:
    """Return the exact names of the given columns, ignoring case and punctuation."""
    own = {plain(key): key for key in columns}
    for ours, theirs in given.items():
        if theirs not in columns and plain(theirs) not in own:
            expected = f"a column of the table for {ours}: {', '.join(names)}"
            raise invalid("columns", expected, theirs, did_you_mean(theirs, names))
    return {
        ours: theirs if theirs in columns else own[plain(theirs)] for ours, theirs in given.items()
    }


def missing_columns(source: Source) -> DatasetError:
    """Return the error for a table of neither cells nor counts."""
    return DatasetError(f"{source.name}: {_NEEDED} Received: {', '.join(source.names)}")


def _as_saved(values: Any) -> Array:
    """Return a column of a data frame, possibly read from a file for spreadsheets."""
    column = np.asarray(values)
    if column.dtype.kind not in "OU":
        return column
    cells = column.astype(object).tolist()
    return _objects([from_spreadsheet(each) if isinstance(each, str) else each for each in cells])


def _decoded(column: Array) -> Array:
    """Return bytes, as HDF5 has them, as text; all else as it is."""
    return np.char.decode(column, "utf-8", ANY_NAME) if column.dtype.kind == "S" else column


def _objects(cells: list[Any]) -> Array:
    column = np.empty(len(cells), object)
    column[:] = cells
    return column


def _without_missing(texts: list[str]) -> list[str]:
    """Return texts with those for missing values emptied; "none" may be a treatment."""
    gaps = {text for text in set(texts) if is_missing(text) and text.casefold() != "none"}
    return ["" if text in gaps else text for text in texts] if gaps - {""} else texts


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def _plain_value(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
