"""Selection of the most doubtful micronucleated cells, with reasons."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nucrec.fields._columns import Columns, n_rows

Array = npt.NDArray[Any]

_OF_CELLS = {"crowded": "touches other nuclei", "saturated": "its nucleus is saturated"}
_MOST = 1 / 3  # share of the diameter of the nucleus


class Doubts(NamedTuple):
    """Scored micronucleated cells, the most doubtful first.

    Attributes
    ----------
    rows : ndarray of int, shape (n,)
        Their rows in the table of cells.
    reasons : list of tuple of str
        The reasons for doubt of each, besides its probability.
    """

    rows: Array
    reasons: list[tuple[str, ...]]


def find_doubts(cells: Columns, micronuclei: Columns) -> Doubts:
    """Return the scored micronucleated cells, ordered from most to least doubtful.

    Cells are sorted by probability, rounded to the two decimals shown. Calibrated probabilities
    have many ties, which are broken by the number of reasons for doubt, then by fewer micronuclei,
    then by a smaller diameter ratio of the most probable micronucleus.
    """
    rows = np.flatnonzero(cells["scored"] & (cells["n_micronuclei"] > 0))
    surest = _surest(cells, micronuclei)
    reasons = [_reasons(cells, row, micronuclei, surest.get(row)) for row in rows.tolist()]
    ratios = [
        float(micronuclei["diameter_ratio"][surest[row]]) if row in surest else 0.0
        for row in rows.tolist()
    ]
    order = np.lexsort(
        (
            np.array(ratios, float),
            cells["n_micronuclei"][rows],
            -np.array([len(each) for each in reasons], int),
            np.round(cells["probability"][rows], 2),
        )
    )
    return Doubts(rows[order], [reasons[k] for k in order.tolist()])


def _surest(cells: Columns, micronuclei: Columns) -> dict[int, int]:
    """Return, for the row of each cell, the row of its most probable counted micronucleus."""
    keys = zip(cells["field"].tolist(), cells["cell_id"].tolist(), strict=True)
    row_of = {key: row for row, key in enumerate(keys)}
    counted = np.flatnonzero(micronuclei["counted"]) if n_rows(micronuclei) else np.empty(0, int)
    order = counted[np.argsort(micronuclei["probability"][counted], kind="stable")]
    fields, labels = (micronuclei[name][order].tolist() for name in ("field", "cell_id"))
    owners = (row_of.get(key) for key in zip(fields, labels, strict=True))
    return {
        row: spot for row, spot in zip(owners, order.tolist(), strict=True) if row is not None
    }  # the last of several is kept: the most probable


def _reasons(cells: Columns, row: int, micronuclei: Columns, spot: int | None) -> tuple[str, ...]:
    told = [words for flag, words in _OF_CELLS.items() if cells[flag][row]]
    if spot is None:
        return tuple(told)
    ratio = micronuclei["diameter_ratio"][spot]
    if micronuclei["ambiguous"][spot]:
        told.append("another nucleus is almost as near")
    if not micronuclei["humn"][spot]:
        told.append(
            "larger than 1/3 of its nucleus"
            if ratio > _MOST
            else "smaller than 1/16 of its nucleus"
        )
    return tuple(told)
