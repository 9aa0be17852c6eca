"""Look-up of cells in a table of cells."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._validation import invalid

Array = npt.NDArray[Any]


class CellRows:
    """Find the row of a cell by its field and label.

    Parameters
    ----------
    table : mapping of str to ndarray of shape (n,)
        The columns of the table of cells.
    """

    def __init__(self, table: Mapping[str, Array]) -> None:
        self._table = table
        keys = zip(table["field"].tolist(), table["cell_id"].tolist(), strict=True)
        self._rows = {(str(field), int(label)): row for row, (field, label) in enumerate(keys)}

    def find(self, field: str, label: int) -> int:
        """Return the row of a cell."""
        row = self._rows.get((field, label))
        if row is None:
            received = f"none of cell {label} of field {field}"
            raise invalid("cells", "one row per nucleus in the masks", received)
        return row

    def is_scored(self, row: int) -> bool:
        """Return whether a cell is scored."""
        return bool(self._table["scored"][row])

    def label(self, row: int) -> int:
        """Return 1 for a cell with a micronucleus, otherwise 0."""
        return int(self._table["n_micronuclei"][row] > 0)

    def take(self, rows: Sequence[int | None]) -> dict[str, Array]:
        """Return the columns of some rows, with the file renamed to ``field_file``."""
        chosen = np.array(rows, dtype=np.int64)
        return {
            "field_file" if name == "file" else name: _plain(self._table[name][chosen])
            for name in self._table
        }


def _plain(values: Array) -> Array:
    """Return object values as strings, with "" for missing ones."""
    if values.dtype.kind != "O":
        return values
    return np.array(["" if value is None else str(value) for value in values.tolist()])
