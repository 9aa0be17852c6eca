"""Tables of files and labels: CSV written by programs or people, and data frames."""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._class_names import is_missing, look_alike_key, plain_name
from nucrec._endings import TABLES
from nucrec._reading.kinds import other_kind
from nucrec._spelling import did_you_mean
from nucrec._validation import is_missing_value
from nucrec.errors import DatasetError, DatasetNotFoundError

Array = npt.NDArray[Any]
Wanted = Callable[[str], bool]

_WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".ods", ".numbers")
_ALSO_CALLED = {
    "file": (
        "image",
        "filename",
        "file_name",
        "path",
        "filepath",
        "img",
        "datei",
        "bild",
        "fichier",
    ),
    "label": (
        "class",
        "class_name",
        "category",
        "klasse",
        "classe",
        "clase",
        "target",
        "y",
        "truth",
    ),
}
"""Names of columns that are not read, and are asked for."""
_DELIMITERS = ",;\t|"
_WHOLE = re.compile(r"-?(0|[1-9]\d{0,17})")  # 01 is a name
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(\.\d{3})+")
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


@dataclass(frozen=True)
class Table:
    """Columns of text.

    Attributes
    ----------
    name : str
        The name of the table in messages.
    columns : dict of str to list of str
        The stripped cells, by column name.
    lines : sequence of int
        The line of each row.
    names : sequence of str
        All columns of the table, including those not requested.
    """

    name: str
    columns: dict[str, list[str]]
    lines: Sequence[int]
    names: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.lines)

    def __contains__(self, column: str) -> bool:
        return column in self.columns

    def where(self, row: int) -> str:
        """Return the name of a row in messages."""
        return f"{self.name}, line {self.lines[row]}"

    def without_gaps(self, column: str) -> list[str]:
        """Return the cells of a column, or raise if one is empty, NA or NaN."""
        for row, cell in enumerate(self.columns[column]):
            if is_missing(cell):
                received = f" (received {cell!r})" if cell else ""
                raise DatasetError(f"{self.where(row)}: {column} must not be empty{received}")
        return self.columns[column]

    def typed(self, column: str) -> Array:
        """Return a column as whole numbers or floats if it holds nothing else, otherwise as text."""
        cells = self.columns[column]
        present = [cell for cell in cells if not is_missing(cell)]
        if len(present) == len(cells) and all(map(_WHOLE.fullmatch, cells)):
            return np.array(cells, np.int64)
        if present and all(map(_NUMBER.fullmatch, present)):
            return np.array([np.nan if is_missing(cell) else float(cell) for cell in cells])
        return np.array(cells)


def looks_like_table(path: Path) -> bool:
    """Return whether a path is that of a table rather than of a folder or archive."""
    return path.suffix.lower() in (*TABLES, *_WORKBOOKS) and not path.is_dir()


def read_table(path: Path, needed: Sequence[str], wanted: Wanted | None = None) -> Table:
    """Read a table from a file; for a long one, only the requested columns.

    Raises
    ------
    DatasetNotFoundError, DatasetError
        There is no such file, or it is not UTF-8 or UTF-16 text that `parse_table` reads.
    """
    return parse_table(text_of_table(path), needed, str(path), wanted)


def text_of_table(path: Path) -> str:
    """Return the text of a table file.

    Raises
    ------
    DatasetNotFoundError, DatasetError
        There is no such file, or it is not text in UTF-8 or UTF-16.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise DatasetNotFoundError(f"{path}: there is no such file") from error
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from error
    if path.suffix.lower() in _WORKBOOKS or other_kind(content):
        raise DatasetError(
            f"{path}: a workbook or another binary file. Save the table as 'CSV UTF-8'."
        )
    marks = (encoding for mark, encoding in _BYTE_ORDER_MARKS.items() if content.startswith(mark))
    try:
        return content.decode(next(marks, "utf-8"))
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}: not UTF-8 text. Save it as 'CSV UTF-8'.") from error


def parse_table(text: str, needed: Sequence[str], name: str, wanted: Wanted | None = None) -> Table:
    """Read a table from text whose first line names the columns.

    Separators are commas, semicolons, tabs or bars, determined from the first line. Empty lines,
    comment lines before the first, and a line ``sep=;`` are skipped.

    Raises
    ------
    DatasetError
        A required column is missing or occurs twice, there are no rows, or the text is damaged.
    """
    lines = text.splitlines(keepends=True)
    start = next((i for i, line in enumerate(lines) if _is_header(line)), len(lines))
    if start == len(lines) or not _has_columns(lines[start], needed):  # "#" may number rows
        start = next((i for i in range(start) if _has_columns(lines[i], needed)), start)
    header = lines[start] if start < len(lines) else ""
    delimiter = _delimiter(header, needed)
    reader = csv.reader(
        io.StringIO("".join(lines[start:]), newline=""),
        delimiter=delimiter,
        strict=True,
        skipinitialspace=True,
    )
    try:
        rows = [(reader.line_num + start, cells) for cells in reader]
    except csv.Error as error:
        raise DatasetError(f"{name}: not a readable CSV file ({error})") from error
    rows = [(line, cells) for line, cells in rows if any(map(str.strip, cells))]
    names = _column_names(rows[0][1] if rows else [], needed)
    if len(rows) < 2 or not set(needed) <= set(names):
        raise DatasetError(
            f"{name}: expected a header line{_with(needed)} and at least one row. "
            f"Received: {repr(header.strip()[:80]) if header else 'an empty file'}"
            f"{_missing(needed, names) if header else ''}"
        )
    return _table(name, names, rows[1:], wanted)


def table_of_frame(frame: Any, needed: Sequence[str]) -> Table:
    """Return the columns of a data frame from any library as text.

    Raises
    ------
    DatasetError
        A required column is missing, or there are no rows.
    """
    names = _column_names(list(map(str, frame.columns)), needed)
    _check_names(names, "the table")
    columns = {str(column): _texts(frame[column]) for column in frame.columns}
    if not set(needed) <= set(names) or not any(map(len, columns.values())):
        expected = f"the columns {', '.join(needed)}" if needed else "columns"
        raise DatasetError(
            f"the table: expected {expected} and at least one row. Received: {', '.join(columns)}"
            f"{_missing(needed, names)}"
        )
    rows = list(zip(*columns.values(), strict=True))
    return _table("the table", names, [(i, list(row)) for i, row in enumerate(rows, start=1)])


def _missing(needed: Sequence[str], names: Sequence[str]) -> str:
    """Return which column is missing, and which may be meant, as further sentences."""
    missing = next((column for column in needed if column not in names), None)
    if missing is None:
        return ""
    others = [name for name in names if name not in needed]
    known = next(
        (name for name in others if name.casefold() in _ALSO_CALLED.get(missing, ())), None
    )
    hint = f"Did you mean {known!r}?" if known else did_you_mean(missing, others)
    told = f"{hint} Rename it to {missing!r}." if hint else "Rename one, or add it."
    return f". There is no column {missing!r}. {told}"


def _with(needed: Sequence[str]) -> str:
    return f" with {', '.join(needed)}" if needed else ""


def ambiguous_thousands(cells: Collection[str]) -> str | None:
    """Return a number that may mean one thousand or one, such as "1.000"; None if there is none.

    A point is a decimal point if no number has a decimal comma, such as "1,5", and either another
    number certainly has a decimal point, such as "0.5", or none ends in 0, which programs omit.
    """
    commas = any(re.fullmatch(r"\d+,\d+", cell) for cell in cells)
    dotted = [cell for cell in cells if re.fullmatch(r"\d+(\.\d+)+", cell)]
    thousands = [cell for cell in dotted if _THOUSANDS.fullmatch(cell)]
    only = len(thousands) == len(dotted) and any(cell.endswith("0") for cell in thousands)
    return thousands[0] if thousands and (commas or only) else None


def decimal_number(cell: str) -> float:
    """Return a number; a comma not followed by exactly three digits is a decimal comma.

    Raises
    ------
    ValueError
        The text is not a number, or is "1,000", which may mean one thousand or one, or "1_000".
    """
    text = cell.replace(" ", "")
    if "_" in text:
        raise ValueError("an underscore between digits")
    if re.fullmatch(r"-?\d+,\d+", text):
        if re.fullmatch(r"-?[1-9]\d{0,2},\d{3}", text):
            raise ValueError("thousands or decimals")
        text = text.replace(",", ".")
    return float(text)


def is_frame(value: object) -> bool:
    """Return whether an object is a data frame of pandas, polars or similar."""
    return hasattr(value, "columns") and hasattr(value, "__getitem__")


def _texts(column: Any) -> list[str]:
    """Return the cells of a data frame column as text, with missing values empty."""
    values = np.asarray(column, dtype=object).tolist()
    missing = [is_missing_value(value) for value in values]
    whole = all(
        isinstance(v, float) and v.is_integer()
        for v, m in zip(values, missing, strict=True)
        if not m
    )
    return [
        ""
        if none
        else str(int(value))
        if whole and isinstance(value, float)
        else str(value).strip()
        for value, none in zip(values, missing, strict=True)
    ]


def _is_header(line: str) -> bool:
    return bool(line.strip()) and not line.startswith("#") and not _separator_line(line)


def _has_columns(header: str, needed: Sequence[str]) -> bool:
    cells = header.split(_delimiter(header, needed))
    return {plain_name(cell).strip('"').casefold() for cell in cells}.issuperset(needed)


def _separator_line(line: str) -> bool:
    """Return whether a line states the separator for Excel."""
    return re.fullmatch(r'"?sep=.?"?', line.strip("\r\n"), re.IGNORECASE) is not None


def _delimiter(header: str, needed: Sequence[str]) -> str:
    """Return the separator that yields the required columns, or the most frequent one."""

    def found(delimiter: str) -> tuple[int, int]:
        names = {plain_name(cell).strip('"').casefold() for cell in header.split(delimiter)}
        return len(names.intersection(needed)), header.count(delimiter)

    return max(_DELIMITERS, key=found)


def _column_names(header: Sequence[str], needed: Sequence[str]) -> list[str]:
    """Return column names, with required ones in lower case however they are written."""
    known = {*needed, "group"}
    return [
        name.casefold() if name.casefold() in known else name for name in map(plain_name, header)
    ]


def meant_column(name: str, columns: Collection[str]) -> str | None:
    """Return the column that the user means, ignoring case; None if there is none."""
    alike = [column for column in columns if look_alike_key(column) == look_alike_key(name)]
    return name if name in columns else alike[0] if len(alike) == 1 else None


def _check_names(names: Sequence[str], table: str) -> None:
    twice = [column for column, count in Counter(filter(None, names)).items() if count > 1]
    if twice:
        raise DatasetError(f"{table}: two columns are called {twice[0]!r}. Rename one of them.")


def _table(
    name: str,
    names: Sequence[str],
    rows: Sequence[tuple[int, list[str]]],
    wanted: Wanted | None = None,
) -> Table:
    _check_names(names, name)
    width = len(names)
    for line, cells in rows:
        if len(cells) > width and any(map(str.strip, cells[width:])):
            raise DatasetError(
                f"{name}, line {line}: {len(cells)} cells under {width} names of columns"
            )
    places = {n: i for i, n in enumerate(names) if n and (wanted is None or wanted(n))}
    columns = {
        n: [cells[i].strip() if i < len(cells) else "" for _, cells in rows]
        for n, i in places.items()
    }
    # file names are looked up unchanged
    plain = {n: c if n == "file" else _plain_cells(c) for n, c in columns.items()}
    return Table(name, plain, [line for line, _ in rows], [n for n in names if n])


def _plain_cells(cells: Sequence[str]) -> list[str]:
    together = "".join(cells)
    if together.isascii() and together.isprintable() and "  " not in together:
        return list(cells)
    return list(map(plain_name, cells))
