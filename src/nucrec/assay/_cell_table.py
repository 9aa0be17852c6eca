"""The single cells behind the counts of an assay, for looking up reviewed cells."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._reviewed import name_in_table
from nucrec.assay._source import Source
from nucrec.errors import DatasetError

Array = npt.NDArray[Any]

_KEYS = ("plate", "field", "cell_id")


@dataclass(frozen=True, eq=False)
class CellTable:
    """The calls of single cells in a table.

    Attributes
    ----------
    source : Source
        The table.
    is_positive, is_scored, is_known : ndarray of bool, shape (n,)
        Whether a cell has micronuclei, is scored, and belongs to a condition.
    """

    source: Source
    is_positive: Array
    is_scored: Array
    is_known: Array

    @classmethod
    def of(
        cls, source: Source, is_positive: Array, is_scored: Array, is_known: Array
    ) -> "CellTable":
        """Return the cells of a table, in a form that can be pickled."""
        return cls(dataclasses.replace(source, where=str), is_positive, is_scored, is_known)

    def kept(self, reviewed: Source, called: Array) -> Array:
        """Return which reviewed cells belong to a condition of this table.

        Parameters
        ----------
        reviewed : Source
            The reviewed cells.
        called : ndarray of shape (n,)
            1 for cells called micronucleated in the review.

        Raises
        ------
        DatasetError
            A cell is missing from this table, is not scored, or is called differently in it.
        """
        keys = [key for key in _KEYS if key in self.source and key in reviewed]
        if "cell_id" not in keys or "field" not in keys:
            return np.ones(len(called), bool)
        wanted = _keys(reviewed, keys)
        _check_once(reviewed, wanted)
        found = self._rows(wanted, keys)
        for row, key in enumerate(wanted):
            self._check(reviewed, row, key, found.get(key), bool(called[row]))
        return self.is_known[[found[key] for key in wanted]]

    def _rows(self, wanted: list[tuple[str, ...]], keys: list[str]) -> dict[tuple[str, ...], int]:
        known, found = set(wanted), dict[tuple[str, ...], int]()
        for row, key in enumerate(_keys(self.source, keys)):
            if key in known and found.setdefault(key, row) != row:
                add = "" if "plate" in keys else ", or give the reviewed cells a column plate"
                raise DatasetError(
                    f"{self.source.name}: cell {key[-1]} of field {key[-2]} occurs more than "
                    "once, so reviewed cells cannot be identified. Pass the table of one "
                    f"plate{add}."
                )
        return found

    def _check(
        self, reviewed: Source, row: int, key: tuple[str, ...], place: int | None, called: bool
    ) -> None:
        cell = f"cell {key[-1]} of field {key[-2]}"
        told = None
        if place is None:
            told = f"{cell} is not in {self.source.name}"
        elif not self.is_scored[place] and self.is_known[place]:
            told = f"{cell} is not scored in {self.source.name}"
        elif self.is_positive[place] != called:
            here = "with" if self.is_positive[place] else "without"
            there = "with" if called else "without"
            told = (
                f"{cell} was called {there} a micronucleus in the review, but is {here} one "
                f"in {self.source.name}"
            )
        if told:
            raise DatasetError(
                f"{reviewed.where(row)}: {told}. Pass the table of cells that the review was made from."
            )


def _keys(source: Source, names: list[str]) -> list[tuple[str, ...]]:
    columns = [source.text(name) for name in names]
    plain = [{text: name_in_table(text) for text in set(column)} for column in columns]
    return [
        tuple(of[text] for of, text in zip(plain, row, strict=True))
        for row in zip(*columns, strict=True)
    ]


def _check_once(reviewed: Source, keys: list[tuple[str, ...]]) -> None:
    first: dict[tuple[str, ...], int] = {}
    for row, key in enumerate(keys):
        if first.setdefault(key, row) != row:
            raise DatasetError(
                f"{reviewed.where(row)}: cell {key[-1]} of field {key[-2]} is listed twice, "
                f"first in {reviewed.where(first[key])}. Keep one answer per cell."
            )
