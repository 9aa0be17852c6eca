"""A reviewed sample of cells: read, checked and weighted."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec import _text as fmt
from nucrec._reading.column_names import plain
from nucrec._reading.spelling import well_key
from nucrec._reviewed import is_empty, name_in_table, read_answer
from nucrec.assay._cell_table import CellTable
from nucrec.assay._double_sampling import Share, weighted_share
from nucrec.assay._source import Source, read_source
from nucrec.assay._summaries import UnitSummary
from nucrec.errors import DatasetError

Array = npt.NDArray[Any]

_DESIGN = ("stratum", "stratum_cells", "weight")
_KINDS = ("negative", "positive")


@dataclass(frozen=True)
class ReviewedCells:
    """The cells of a review.

    Attributes
    ----------
    called, truth : ndarray of float, shape (n,)
        The calls of the detector and of the reviewer: 1 with a micronucleus, 0 without; NaN without
        an answer.
    is_unsure : ndarray of bool, shape (n,)
        Whether the reviewer was unsure.
    strata : list of (str, float)
        The stratum and the call of each cell; the cells of a stratum share its size.
    sizes : ndarray of float, shape (n,)
        The number of cells in the stratum of each cell.
    totals : pair of int
        Total numbers of cells on the plate called negative and positive.
    remarks : tuple of str
        Remarks on cells left out.
    """

    called: Array
    truth: Array
    is_unsure: Array
    strata: list[Any]
    sizes: Array
    totals: tuple[int, int]
    remarks: tuple[str, ...] = ()

    @property
    def is_sure(self) -> Array:
        """Whether each cell has a clear answer."""
        return np.isfinite(self.truth)

    def share(self, kind: int, unsure: float | None = None) -> Share:
        """Return the true share among cells called positive, 1, or negative, 0.

        Strata without an answer are assumed to be like the others. Unsure cells are left out, or
        counted as `unsure`.
        """
        truth = self.truth if unsure is None else np.where(self.is_unsure, unsure, self.truth)
        chosen = np.isfinite(truth) & (self.called == kind)
        answered = Counter(compress(self.strata, chosen.tolist()))
        times = np.array([answered[key] for key in compress(self.strata, chosen.tolist())], float)
        weights = self.sizes[chosen] / times
        return weighted_share(truth[chosen], weights * (self.totals[kind] / weights.sum()))


def read_reviewed(
    reviewed: object, units: tuple[UnitSummary, ...], cells: CellTable | None
) -> ReviewedCells:
    """Return the reviewed cells of a plate.

    Raises
    ------
    DatasetError
        A column or an answer is missing, or the cells belong to another plate.
    """
    source = _with(read_source(reviewed, "called", "reviewed", *_DESIGN, name="reviewed"))
    called, truth = (_answers(source, name) for name in ("called", "reviewed"))
    if np.isnan(called).any():
        row = int(np.isnan(called).argmax())
        raise DatasetError(f"{source.where(row)}: called must not be empty")
    empty = np.array([is_empty(text) for text in source.text("reviewed")], bool)
    kept = np.ones(len(called), bool) if cells is None else cells.kept(source, called)
    totals = _called_in(units)
    _check_counts(source, called[kept], totals)
    sure = np.isfinite(truth) & kept
    for kind in (1, 0):
        if not (sure & (called == kind)).any():
            raise DatasetError(f"{source.name}: no cell called {_KINDS[kind]} has been reviewed")
    strata, sizes = _design(source, called, units)
    where = np.flatnonzero(kept).tolist()
    remarks = () if kept.all() else (_without_condition(int((~kept).sum())),)
    return ReviewedCells(
        called[kept],
        truth[kept],
        (np.isnan(truth) & ~empty)[kept],
        [(strata[row], called[row]) for row in where],
        sizes[kept],
        totals,
        remarks,
    )


def _without_condition(n: int) -> str:
    return f"Left out because they have no condition: {fmt.many(n, 'reviewed cell')}."


def _with(source: Source) -> Source:
    """Return the table with the columns of a review under our names."""
    own = {plain(key): key for key in source.columns}
    called = {name: own[name] for name in ("called", "reviewed", *_DESIGN) if name in own}
    if not {"called", "reviewed"} <= called.keys():
        known = ", ".join(source.columns)
        raise DatasetError(
            f"{source.name}: expected columns called and reviewed. Received: {known}"
        )
    return Source(source.name, source.columns, {**source.called, **called}, source.where)


def _answers(source: Source, name: str) -> Array:
    answers = [read_answer(text) for text in source.text(name)]
    if None in answers:
        raise source.fault(name, answers.index(None), "yes or no, or empty")
    return np.array(answers, float)


def _check_counts(source: Source, called: Array, totals: tuple[int, int]) -> None:
    """Raise if more cells were reviewed than exist."""
    for kind, n in enumerate(totals):
        reviewed = int((called == kind).sum())
        if reviewed > n:
            raise DatasetError(
                f"{source.name}: {reviewed} cells were called {_KINDS[kind]}, but the table "
                f"of cells has {n}. Pass the table that the review was made from."
            )


def _design(
    source: Source, called: Array, units: tuple[UnitSummary, ...]
) -> tuple[Sequence[Any], Array]:
    """Return the stratum of each cell, and the size of that stratum.

    Without strata, cells have their own weights, if the table has any; otherwise wells are strata,
    if they are known, and otherwise calls are.
    """
    if "stratum" in source and "stratum_cells" in source:
        return source.text("stratum"), _above_0(source, "stratum_cells")
    if "weight" in source:
        return range(len(source)), _above_0(source, "weight")
    return _by_well(source, called, units)


def _above_0(source: Source, column: str) -> Array:
    numbers = source.numbers(column, "a number above 0")
    bad = ~(np.isfinite(numbers) & (numbers > 0))
    if bad.any():
        raise source.fault(column, int(bad.argmax()), "a number above 0")
    return numbers


def _by_well(
    source: Source, called: Array, units: tuple[UnitSummary, ...]
) -> tuple[Sequence[Any], Array]:
    """Return the well of each cell as its stratum, with its size; one stratum if wells are unknown."""
    there = {_well(unit.well): _called_in([unit]) for unit in units if unit.well}
    wells = [_well(text) for text in source.text("well")] if "well" in source else []
    kinds = called.astype(int).tolist()
    if len(there) != len(units) or not any(wells):
        total = _called_in(units)
        return [""] * len(kinds), np.array([total[kind] for kind in kinds], float)
    sizes = []
    for row, (well, kind) in enumerate(zip(wells, kinds, strict=True)):
        if not there.get(well, (0, 0))[kind]:
            expected = f"a well with cells called {_KINDS[kind]}"
            raise source.fault("well", row, expected)
        sizes.append(float(there[well][kind]))
    return wells, np.array(sizes)


def _well(text: str) -> str:
    return well_key(name_in_table(text))


def _called_in(units: Sequence[UnitSummary]) -> tuple[int, int]:
    """Return the numbers of cells called negative and positive."""
    positive = sum(unit.n_micronucleated for unit in units)
    return sum(unit.n_scored for unit in units) - positive, positive
