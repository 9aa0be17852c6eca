"""A reviewer's answers on single cells, from the table saved by a review page."""

import math
from pathlib import Path
from typing import Any, NamedTuple

from nucrec._paths import checked_path
from nucrec._reading.table import Table, is_frame, read_table, table_of_frame
from nucrec._reviewed import name_in_table, read_answer
from nucrec._validation import invalid
from nucrec.errors import DatasetError

_NEEDED = ("field", "cell_id", "called", "reviewed")


class Answer(NamedTuple):
    """The calls of the detector and of the reviewer for one cell: whether it has a micronucleus."""

    called: bool
    truth: bool
    where: str


class Answers:
    """The answers to a review; cells without a clear answer are left out.

    Parameters
    ----------
    reviewed : path or data frame
        The table: field, cell_id, called, reviewed.

    Raises
    ------
    DatasetError
        `reviewed` is not such a table, lists a cell twice, or has no answers.
    """

    def __init__(self, reviewed: str | Path | Any) -> None:
        table = _read(reviewed)
        self._name = table.name
        self._answers: dict[tuple[str, int], Answer] = {}
        self._seen: set[tuple[str, int]] = set()
        for row in range(len(table)):
            key = name_in_table(table.columns["field"][row]), _cell_id(table, row)
            if key in self._seen:
                raise DatasetError(f"{table.where(row)}: {_words(*key)} is listed twice")
            self._seen.add(key)
            truth = _answer(table, "reviewed", row)
            if not math.isnan(truth):
                called = bool(_answer(table, "called", row) == 1)
                self._answers[key] = Answer(called, bool(truth), table.where(row))
        if not self._answers:
            raise DatasetError(f"{table.name}: no cell has an answer, yes or no")
        self._seen.clear()

    def of(self, field: str, cell_id: int) -> Answer | None:
        """Return the answer for a cell, or None if there is none."""
        key = name_in_table(field), cell_id
        answer = self._answers.get(key)
        if answer is not None:
            self._seen.add(key)
        return answer

    def check_called(self, field: str, cell_id: int, is_positive: bool) -> None:
        """Raise if the detector's call of a cell differs from that in the review."""
        answer = self._answers[name_in_table(field), cell_id]
        if answer.called != is_positive:
            with_, without = ("with", "without") if is_positive else ("without", "with")
            raise DatasetError(
                f"{answer.where}: {_words(field, cell_id)} was called {without} a "
                f"micronucleus in the review, but is {with_} one in cells. Pass the cells "
                "that the review was made from."
            )

    def check_all_found(self) -> None:
        """Raise if an answer was not used, which means that its cell belongs to another plate."""
        for key, answer in self._answers.items():
            if key not in self._seen:
                raise DatasetError(
                    f"{answer.where}: {_words(*key)} is not in the masks of these fields. Pass the "
                    "fields and masks that the review was made from."
                )


def _read(reviewed: str | Path | Any) -> Table:
    if isinstance(reviewed, str | Path):
        return read_table(checked_path("reviewed", reviewed), _NEEDED)
    if is_frame(reviewed):
        return table_of_frame(reviewed, _NEEDED)
    raise invalid("reviewed", "the path of a CSV, or a data frame", reviewed)


def _cell_id(table: Table, row: int) -> int:
    text = table.columns["cell_id"][row]
    try:
        return int(text)
    except ValueError:
        raise DatasetError(f"{table.where(row)}: cell_id must be a whole number") from None


def _answer(table: Table, column: str, row: int) -> float:
    text = table.columns[column][row]
    answer = read_answer(text)
    if answer is None:
        raise DatasetError(f"{table.where(row)}: {column} must be yes, no or empty ({text!r})")
    return answer


def _words(field: str, cell_id: int) -> str:
    return f"cell {cell_id} of field {field}"
