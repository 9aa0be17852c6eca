"""Checks that a table is of the expected kind: one row per cell, or one per well."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._flags import read_flag
from nucrec._reading.column_names import looks_like_dose, plain
from nucrec._reading.table import decimal_number
from nucrec.assay._source import Source
from nucrec.assay._wells import MOST
from nucrec.errors import DatasetError

Array = npt.NDArray[Any]


def check_flags_of_cells(source: Source) -> None:
    """Raise if a column that should state whether each cell is scored holds counts."""
    if "n_scored" not in source:
        return
    texts = source.text("n_scored")
    row = next(
        (i for i, text in enumerate(texts) if read_flag(text) is None and _is_number(text)), -1
    )
    if row >= 0:
        scored, found = source.called["n_scored"], source.called["n_micronuclei"]
        raise DatasetError(
            f"{source.where(row)}: {scored} is {texts[row]}, so rows are wells rather than "
            "cells. Use columns to name the count of cells with micronuclei; if it is this "
            f"column: --columns n_micronucleated={found}"
        )


def check_is_of_cells(source: Source, micronuclei: Array, n_units: int, unit: str) -> None:
    """Raise if a table read as cells looks like a table of counts."""
    found = source.called["n_micronuclei"]
    if (micronuclei > MOST).mean() > 0.5:
        row = int((micronuclei > MOST).argmax())
        why = f"most rows have more than {MOST} micronuclei, such as {micronuclei[row]} in "
        why += f"{source.where(row)}"
    elif n_units == len(source) and "cell_id" not in source:
        why = f"there is one row per {unit}, and no column cell_id"
    else:
        return
    raise DatasetError(
        f"{source.name}: with {found} and no count of cells, each row would be one cell, but "
        f"{why}. Use columns to name the counts of cells, and of cells with micronuclei "
        f"(--columns n_scored=COLUMN,n_micronucleated={found})"
    )


def check_is_of_counts(source: Source) -> None:
    """Raise if a table read as counts has one row per cell."""
    flags = {read_flag(text) for text in set(source.text("n_scored"))}
    if flags in ({True}, {True, False}):
        found = source.called["n_micronucleated"]
        raise DatasetError(
            f"{source.name}: with {source.called['n_scored']} and {found}, each row would be "
            "a well, but none has more than one cell. If each row is a cell, say so with "
            f"columns (--columns n_micronuclei={found}), and give its well in a column well"
        )


def check_some_are_scored(source: Source, reasons: Sequence[str], known: Array) -> None:
    """Raise if no cell with a condition is scored."""
    left = [reasons[row] for row in np.flatnonzero(known).tolist()]
    if all(left):
        why = ", ".join(sorted(set(left))[:3])
        raise DatasetError(
            f"{source.name}: all {len(left)} cells with a condition are excluded, so none is "
            f"scored ({why})"
        )


def on_unused_doses(source: Source, used: Sequence[str | None]) -> list[str]:
    """Return a remark on unused columns that look like doses."""
    keys = {plain(name) for name in used if name}
    names = [
        name
        for name in source.columns
        if name not in source.called.values() and plain(name) not in keys and looks_like_dose(name)
    ]
    numeric = [name for name in names if _holds_numbers(source, name)]
    if not numeric:
        return []
    listed = ", ".join(map(repr, numeric))
    return [
        f"Not used, although the name looks like a dose: {listed}. If it is one, say so with "
        f"columns (--columns dose={numeric[0]})."
    ]


def _holds_numbers(source: Source, name: str) -> bool:
    texts = set(Source(source.name, source.columns, {name: name}, source.where).text(name)) - {""}
    return bool(texts) and all(map(_is_number, texts))


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(decimal_number(text)))
    except ValueError:
        return False
