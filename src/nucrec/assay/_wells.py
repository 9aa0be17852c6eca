"""The wells of a table: the design and the counts of each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec.assay._cell_table import CellTable

Array = npt.NDArray[Any]

MOST = 6
"""Cells with this many micronuclei or more are counted together in the distribution."""


@dataclass(frozen=True)
class Wells:
    """The counts of each unit of the design, usually a well.

    Attributes
    ----------
    names, wells, plates, replicates, blocks, conditions : list of str
        The name and the position in the design of each unit; empty if unknown.
    doses : ndarray of float, shape (n_units,)
        The doses; NaN if there is none.
    scored, micronucleated : ndarray of int, shape (n_units,)
        Numbers of scored cells, and of those with a micronucleus.
    micronuclei : ndarray of float, shape (n_units,)
        Numbers of micronuclei in scored cells; NaN if only cells were counted.
    excluded : list of dict of str to int
        Numbers of cells that were not scored, by reason.
    squares : ndarray of float, shape (n_units,)
        The sum over scored cells of squared numbers of micronuclei; NaN if cells are unknown.
    distribution : ndarray of int, shape (n_units, MOST + 1), or None
        Numbers of scored cells with 0, 1, 2 and more micronuclei.
    nuclei : ndarray of int, shape (n_units, 3), or None
        Numbers of cells with one, two, and three or more nuclei.
    initial, final : ndarray of int, shape (n_units,), or None
        Numbers of cells before and after the treatment.
    remarks : list of str
        Remarks on rows left out.
    cells : CellTable or None
        The cells that were counted, if the table has them.
    columns : dict of str to str
        The name in the table of each column that was read.
    """

    names: list[str]
    wells: list[str]
    plates: list[str]
    replicates: list[str]
    blocks: list[str]
    conditions: list[str]
    doses: Array
    scored: Array
    micronucleated: Array
    micronuclei: Array
    squares: Array
    excluded: list[dict[str, int]]
    distribution: Array | None = None
    nuclei: Array | None = None
    initial: Array | None = None
    final: Array | None = None
    remarks: list[str] = field(default_factory=list)
    cells: CellTable | None = None
    columns: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.names)


def numbered(*columns: Sequence[Any]) -> tuple[Array, Array]:
    """Return the number of each row's combination of values, and the first row of each number.

    Combinations are numbered in the order in which they first occur.
    """
    seen: dict[Any, int] = {}
    rows = columns[0] if len(columns) == 1 else zip(*columns, strict=True)
    numbers = np.array([seen.setdefault(row, len(seen)) for row in rows], np.int64)
    first = np.full(len(seen), -1, np.int64)
    first[numbers[::-1]] = np.arange(len(numbers))[::-1]
    return numbers, first
