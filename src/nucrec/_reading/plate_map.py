"""Layouts in the shape of a plate, with one block per property of the wells."""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nucrec._class_names import is_missing, plain_name
from nucrec._reading.wells import plain_well
from nucrec.errors import DatasetError

_DELIMITERS = ",;\t|"
_NUMBER = re.compile(r"0*(\d{1,2})(?:\.0)?")
_KEYS = {
    *("well", "wellid", "wellname", "metadatawell", "imagemetadatawell"),
    *("field", "image", "imagenumber", "metadatasite", "file", "filename"),
}
_DESIGN = {
    *("condition", "treatment", "compound", "substance", "drug"),
    *("dose", "concentration", "replicate"),
}
_NOTHING = ("", "<>", "-")  # written by plate readers in the corner of a block


@dataclass(frozen=True)
class PlateCell:
    """The entry of a block for one well.

    Attributes
    ----------
    what : str
        The name of the block, such as "dose".
    well : str
        The well, such as "B03".
    text : str
        The text of the entry.
    line : int
        The line of the file, counted from 1.
    """

    what: str
    well: str
    text: str
    line: int


Line = tuple[int, list[str]]


def is_plate_map(text: str) -> bool:
    """Tell whether a layout has the shape of a plate: a line with the numbers of columns."""
    try:
        lines = _lines(text)
    except csv.Error:
        return False
    return any(_columns(cells) for _, cells in lines) and not _is_list(lines)


def read_plate_map(text: str, name: str, known: Sequence[str]) -> dict[str, dict[str, PlateCell]]:
    """Return, for each well in a plate map, its entry in each block.

    Parameters
    ----------
    text : str
        The content of the file: blocks that consist of a line with the column numbers, followed by
        one line per plate row, which begins with its letter. The name of a block is in its top left
        corner, or alone on the line above it.
    name : str
        The name of the file in error messages.
    known : sequence of str
        The allowed names of blocks.

    Raises
    ------
    DatasetError
        A block has another name or none, two blocks have the same name, a line is not a plate row,
        or all blocks are empty.
    """
    wells: dict[str, dict[str, PlateCell]] = defaultdict(dict)
    for cell in _cells_of_blocks(text, name, known):
        wells[cell.well][cell.what] = cell
    if not wells:
        raise DatasetError(f"{name}: the map of the plate is empty")
    return dict(wells)


def _cells_of_blocks(text: str, name: str, known: Sequence[str]) -> list[PlateCell]:
    found: list[PlateCell] = []
    names: dict[str, int] = {}
    title, columns, rows = "", [], set[str]()
    for line, cells in _lines(text):
        where = f"{name}, line {line}"
        if numbers := _columns(cells):
            columns, rows = numbers, set()
            title = _name_of_block(cells[0], title, where, known)
            if title in names:
                raise DatasetError(
                    f"{where}: a second block {title!r}, after that of line {names[title]}. Load one "
                    "plate at a time"
                )
            names[title] = line
        elif _is_title(cells):
            title, columns = cells[0], []
        elif columns:
            letter = cells[0].upper()
            _check_row(letter, cells, columns, rows, where)
            rows.add(letter)
            found += _cells_of_row(title, letter, columns, cells[1:], line)
        else:
            raise DatasetError(
                f"{where}: expected the numbers of the plate's columns. {_shape(known)}"
            )
    return found


def _lines(text: str) -> list[Line]:
    """Return the non-empty lines with their numbers, as stripped cells."""
    every = [_split(text, delimiter) for delimiter in _DELIMITERS]
    return max(every, key=lambda lines: sum(bool(_columns(cells)) for _, cells in lines))


def _split(text: str, delimiter: str) -> list[Line]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    lines = [(reader.line_num, [plain_name(cell) for cell in cells]) for cells in reader]
    kept = [(line, cells) for line, cells in lines if any(cells) and not _is_remark(cells)]
    return [(line, _without_end(cells)) for line, cells in kept]


def _is_remark(cells: Sequence[str]) -> bool:
    return cells[0].startswith("#") or cells[0].casefold().startswith("sep=")


def _without_end(cells: list[str]) -> list[str]:
    """Return cells without trailing empty ones."""
    n = max(i for i, cell in enumerate(cells) if cell) + 1
    return cells[:n]


def _is_list(lines: Sequence[Line]) -> bool:
    """Return whether the first line names the columns of a list of wells, fields or files."""
    names = [re.sub(r"[^a-z]", "", cell.casefold()) for cell in lines[0][1]]
    return not _KEYS.isdisjoint(names) or not _DESIGN.isdisjoint(names[1:])


def _columns(cells: Sequence[str]) -> list[int]:
    """Return the column numbers in a line, or none if it is not such a line."""
    matches = [_NUMBER.fullmatch(cell) for cell in cells[1:]]
    numbers = [int(found[1]) for found in matches if found]
    is_header = len(numbers) == len(matches) > 1 and not _NUMBER.fullmatch(cells[0])
    ascending = numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else False
    is_row = any(map(plain_well, (cells[0], f"{cells[0]}1")))  # A,1,2,3 may be doses
    return numbers if is_header and ascending and numbers[0] >= 1 and not is_row else []


def _is_title(cells: Sequence[str]) -> bool:
    """Return whether a line is the name of the block below it."""
    return len(cells) == 1 and plain_well(f"{cells[0]}1") is None


def _name_of_block(corner: str, title: str, where: str, known: Sequence[str]) -> str:
    """Return the name of a block, from its corner or the line above."""
    given = title if corner in _NOTHING else corner
    found = given.strip(" :").casefold()
    if found not in known:
        received = f"{given!r}" if given else "nothing"
        raise DatasetError(
            f"{where}: what is this block of the plate map? Received: {received}. {_shape(known)}"
        )
    return found


def _shape(known: Sequence[str]) -> str:
    named = ", ".join(map(repr, known[:-1])) + f" or {known[-1]!r}"
    return (
        f"In the top left corner of a block stands {named}, beside it the numbers of columns, and "
        "below it the letters of rows. Or make it a list with the columns 'well' and 'condition' or "
        "'dose'"
    )


def _check_row(
    letter: str, cells: Sequence[str], columns: Sequence[int], rows: set[str], where: str
) -> None:
    if plain_well(f"{letter}1") is None:
        raise DatasetError(f"{where}: expected a row of the plate, A to P. Received: {cells[0]!r}")
    if letter in rows:
        raise DatasetError(f"{where}: row {letter} is there twice in this block")
    if len(cells) - 1 > len(columns):
        raise DatasetError(f"{where}: {len(cells) - 1} wells below {len(columns)} columns")


def _cells_of_row(
    what: str, letter: str, columns: Sequence[int], cells: Sequence[str], line: int
) -> Iterator[PlateCell]:
    for column, text in zip(columns, cells, strict=False):
        well = plain_well(f"{letter}{column}")
        if well is not None and not is_missing(text):
            yield PlateCell(what, well, text, line)
