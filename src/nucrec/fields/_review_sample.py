"""The random sample of cells that a person reviews."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._reviewed import name_in_table
from nucrec._text import csv_lines, printable, to_spreadsheet
from nucrec.errors import DatasetError

Array = npt.NDArray[Any]

_POSITIVE = 1 / 3  # share of the reviewed cells, if there are enough
_FEWEST = 5  # minimum number of positive cells per group in the sample; otherwise groups are merged


@dataclass(frozen=True)
class Drawn:
    """Cells to review, in a random order.

    Attributes
    ----------
    rows : ndarray of int, shape (n,)
        The rows in the table of cells.
    called : ndarray of bool, shape (n,)
        Whether each was called micronucleated.
    strata : list of str
        The stratum of each cell.
    sizes, taken : ndarray of int, shape (n,)
        The number of cells in the stratum, and of those in the sample.
    """

    rows: Array
    called: Array
    strata: list[str]
    sizes: Array
    taken: Array

    def lines(self, table: Mapping[str, Array], key: str) -> list[str]:
        """Return the CSV row of each cell in the table of reviewed cells, without the answer."""
        parts = zip(
            self.rows.tolist(), self.called, self.strata, self.sizes, self.taken, strict=True
        )
        rows = (
            [
                f"{key}-{number:04d}",
                *(_name(table[column][row]) for column in ("file", "field", "well", "condition")),
                *(f"{table[column][row]:.6g}" for column in ("cell_id", "x", "y")),
                *(to_spreadsheet(stratum), str(size), f"{size / taken:.15g}"),
                "yes" if called else "no",
            ]
            for number, (row, called, stratum, size, taken) in enumerate(parts, 1)
        )
        return [line.removesuffix("\n") for line in csv_lines(rows)]


def _name(value: object) -> str:
    return to_spreadsheet(printable(str(value)))


def draw_sample(table: Mapping[str, Array], n: int, random_state: int) -> Drawn:
    """Draw the cells to review.

    Strata are the calls within conditions and doses, if these are known. A third of the cells are
    positive, if there are enough. Each stratum has a share in proportion to the square root of its
    size, so that small conditions are represented. Within a stratum, cells are drawn systematically
    in the order of wells and fields, so that they are spread over these.

    Raises
    ------
    DatasetError
        No cell is scored.
    """
    rng = np.random.default_rng(random_state)
    scored = np.flatnonzero(np.asarray(table["scored"], bool))
    if not scored.size:
        raise DatasetError("cells: no cell is scored, so there is nothing to review")
    positive = np.asarray(table["n_micronuclei"])[scored] > 0
    n_positive = min(int(positive.sum()), round(_POSITIVE * n))
    n_negative = min(int((~positive).sum()), n - n_positive)
    n_positive = min(int(positive.sum()), n - n_negative)
    groups = _groups(table, scored, n_positive)
    parts = [
        _of_kind(table, scored[positive == kind], groups[positive == kind], bool(kind), k, rng)
        for kind, k in ((1, n_positive), (0, n_negative))
    ]
    rows, called, strata, sizes, taken = (
        np.concatenate(each) for each in zip(*(p for part in parts for p in part), strict=True)
    )
    order = rng.permutation(len(rows))
    return Drawn(rows[order], called[order], strata[order].tolist(), sizes[order], taken[order])


def _groups(table: Mapping[str, Array], rows: Array, n_positive: int) -> Array:
    """Return the condition and dose of each cell as one string; "all cells" if there are too many."""
    conditions = [name_in_table(str(name)) for name in table["condition"][rows].tolist()]
    doses = ["" if dose != dose else f" {dose:.6g}" for dose in table["dose"][rows].tolist()]
    groups = np.array([(a + b).strip() for a, b in zip(conditions, doses, strict=True)], np.str_)
    names = np.unique(groups)
    if len(names) == 1 or len(names) * _FEWEST > max(n_positive, 2 * _FEWEST):
        return np.full(len(rows), "all cells")
    return np.where(groups == "", "no condition", groups)


def _of_kind(
    table: Mapping[str, Array], rows: Array, groups: Array, called: bool, n: int, rng: Any
) -> list[tuple[Array, ...]]:
    """Return the rows, calls, strata, stratum sizes and sample sizes of all groups."""
    names, sizes = np.unique(groups, return_counts=True)
    found = []
    for name, size, k in zip(names.tolist(), sizes.tolist(), _shares(sizes, n), strict=True):
        chosen = _spread(table, rows[groups == name], k, rng)
        stratum = f"{name}, called {'positive' if called else 'negative'}"
        columns = (called, stratum, size, k)
        found.append((chosen, *(np.full(k, value) for value in columns)))
    return found


def _shares(sizes: Array, n: int) -> list[int]:
    """Return the number of cells per group, n in total, proportional to the square roots of sizes."""
    given = np.zeros(len(sizes), np.int64)
    while given.sum() < n:  # one at a time, for the group farthest below its share
        ratio = np.where(given < sizes, given / np.sqrt(sizes), np.inf)
        given[ratio.argmin()] += 1
    return [int(k) for k in given]


def _spread(table: Mapping[str, Array], rows: Array, k: int, rng: Any) -> Array:
    """Draw k rows systematically, in the order of wells and fields."""
    order = np.lexsort((rng.random(len(rows)), table["field"][rows], table["well"][rows]))
    if not k:
        return rows[:0]
    places = ((rng.random() + np.arange(k)) * (len(rows) / k)).astype(np.int64)
    chosen: Array = rows[order[np.minimum(places, len(rows) - 1)]]
    return chosen


def n_called(drawn: Drawn) -> Sequence[int]:
    """Return the numbers of cells called positive and negative."""
    return int(drawn.called.sum()), int((~drawn.called).sum())
