"""The wells of a table: for each its design, and what was counted in it."""

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
    """What was counted in each unit of the design, mostly a well.

    Attributes
    ----------
    names, wells, plates, replicates, blocks, conditions : list of str
        What each is called, and where it belongs; empty where that is unknown.
    doses : ndarray of float, shape (n_units,)
        NaN where there is none.
    scored, micronucleated : ndarray of int, shape (n_units,)
        Cells scored, and those of them with a micronucleus.
    micronuclei : ndarray of float, shape (n_units,)
        Micronuclei in the scored cells; NaN where only cells were counted.
    excluded : list of dict of str to int
        The cells that were not scored, by reason.
    squares : ndarray of float, shape (n_units,)
        The sum of the squared micronuclei of the scored cells; NaN where cells are not known.
    distribution : ndarray of int, shape (n_units, MOST + 1), or None
        Scored cells with 0, 1, 2 and more micronuclei.
    nuclei : ndarray of int, shape (n_units, 3), or None
        Cells with one, two, and three or more nuclei.
    initial, final : ndarray of int, shape (n_units,), or None
        Cells before and after the treatment.
    remarks : list of str
        What had to be left out.
    cells : CellTable or None
        The cells that were counted, if the table has them.
    columns : dict of str to str
        What the columns that were read are called in the table.
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
