"""The tables of cells, micronuclei and fields."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from nucrec import _notebook as show
from nucrec import _text as fmt
from nucrec._files import make_folder
from nucrec._optional import require
from nucrec._paths import checked_path
from nucrec._text import many
from nucrec._validation import check_choice, invalid
from nucrec._written import CELL_TABLES
from nucrec.fields._cells_shown import pictures_of
from nucrec.fields._columns import (
    CELLS,
    FIELDS,
    MICRONUCLEI,
    Kinds,
    columns,
    join,
    n_rows,
    read_table,
    write_table,
)
from nucrec.fields._counts import counts_of

Array = npt.NDArray[Any]
TableName = Literal["cells", "micronuclei", "fields"]

_KINDS: dict[str, Kinds] = {"cells": CELLS, "micronuclei": MICRONUCLEI, "fields": FIELDS}
_KEYS = {
    "cells": ("field", "cell_id", "n_micronuclei", "scored"),
    "micronuclei": ("field", "micronucleus_id", "cell_id"),
    "fields": ("field",),
}
"""What a table must have to be read."""


class Cells:
    """The tables of cells, micronuclei and fields of a detection.

    `detect` and `Cells.from_csv` create it. The three tables are linked by ``field`` and
    ``cell_id``. Lengths are in pixels, with x to the right and y down from the centre of the first
    pixel; columns ending in ``_um`` and ``_um2`` are NaN if the pixel size is unknown. Unknown text
    is empty. Floats are rounded to six significant digits.

    Parameters
    ----------
    cells, micronuclei, fields : mapping of str to array_like
        The columns of each table.

    Attributes
    ----------
    cells : dict of str to ndarray of shape (n_cells,)
        One row per nucleus: ``file``, ``field``, ``well``, ``condition``, ``dose``, ``replicate``;
        ``cell_id``, the label of the nucleus; ``x``, ``y``, ``x_um``, ``y_um`` of its centre;
        ``area``, ``area_um2``, ``eccentricity``, ``solidity``, ``mean_intensity``;
        ``n_micronuclei``, the number of counted micronuclei; ``probability``, the largest
        probability of these, or 0; ``focus``, the steepness of the outline; the flags ``edge``,
        ``small``, ``out_of_focus``, ``saturated``, ``crowded``, ``condensed`` and ``apoptotic``;
        ``scored``, and ``excluded``, the reason why not.
    micronuclei : dict of str to ndarray of shape (n_micronuclei,)
        One row per micronucleus: the same first six columns; ``micronucleus_id``; ``cell_id`` of
        its nucleus, or 0; ``x``, ``y``, ``x_um``, ``y_um``, ``area``, ``area_um2``,
        ``eccentricity``; ``diameter_ratio``, its diameter divided by that of its nucleus;
        ``distance`` and ``distance_um``, the gap between both outlines; ``probability``;
        ``ambiguous``, whether another nucleus is almost as near; ``humn``, whether the ratio is
        from 1/16 to 1/3; ``counted``, and ``excluded``, the reason why not.
        Those in cells that are not scored count, too.
    fields : dict of str to ndarray of shape (n_fields,)
        One row per field: the same first six columns; ``height``, ``width``; ``pixel_size`` in um;
        ``diameter``, the median nuclear diameter; ``mask``, whether the nuclei were given;
        ``n_cells``, ``n_scored``; ``n_micronuclei``, the number of counted micronuclei, also of cells
        that are not scored; ``remarks``; ``error``, the reason why the
        field was not analysed, or empty.

    Raises
    ------
    InvalidParameterError
        A column is missing, or the columns of a table differ in length.

    Examples
    --------
    >>> import tempfile
    >>> from nucrec.fields import Cells
    >>> none = Cells.concatenate([])
    >>> none
    Cells(0 cells of 0 fields, 0 scored, 0 of them with micronuclei)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     none.to_csv(folder)
    ...     len(Cells.from_csv(folder))
    0
    """

    cells: dict[str, Array]
    micronuclei: dict[str, Array]
    fields: dict[str, Array]

    def __init__(
        self,
        cells: Mapping[str, npt.ArrayLike],
        micronuclei: Mapping[str, npt.ArrayLike],
        fields: Mapping[str, npt.ArrayLike],
    ) -> None:
        self.cells = _checked("cells", cells)
        self.micronuclei = _checked("micronuclei", micronuclei)
        self.fields = _checked("fields", fields)
        self._source: Sequence[Any] | None = None

    def _with_source(self, fields: Sequence[Any] | None) -> "Cells":
        """Return these cells with their fields, of which a notebook shows some cells."""
        cells = Cells(self.cells, self.micronuclei, self.fields)
        cells._source = fields
        return cells

    @classmethod
    def concatenate(cls, parts: Iterable["Cells"]) -> "Cells":
        """Join the tables of several fields.

        Parameters
        ----------
        parts : iterable of Cells
            The parts, with different fields.

        Returns
        -------
        Cells
            All rows, in this order.

        Raises
        ------
        InvalidParameterError
            Two fields have the same name.
        """
        all_parts = list(parts)
        tables = [[getattr(part, name) for part in all_parts] for name in _KINDS]
        joined = [join(kinds, each) for kinds, each in zip(_KINDS.values(), tables, strict=True)]
        names, times = np.unique(joined[2]["field"], return_counts=True)
        if (times > 1).any():
            twice = str(names[times > 1][0])
            raise invalid("parts", "fields of different names", f"{twice!r} more than once")
        return cls(*joined)

    @classmethod
    def from_csv(cls, folder: str | Path) -> "Cells":
        """Read the tables written by `to_csv`.

        Parameters
        ----------
        folder : str or Path
            The folder with ``cells.csv``, ``micronuclei.csv`` and ``fields.csv``.

        Returns
        -------
        Cells
            The tables. Additional columns are kept as text.

        Raises
        ------
        DatasetNotFoundError
            One of the files is missing.
        DatasetError
            One of the files is not such a table.
        """
        where = checked_path("folder", folder)
        return cls(
            **{
                name: read_table(where / f"{name}.csv", kinds, _KEYS[name])
                for name, kinds in _KINDS.items()
            }
        )

    def to_csv(self, folder: str | Path) -> None:
        """Write the tables to ``cells.csv``, ``micronuclei.csv`` and ``fields.csv``.

        Text that a spreadsheet would interpret as a formula, such as "+S9", is prefixed with an
        apostrophe, which `from_csv` removes. Unknown values are empty.

        Parameters
        ----------
        folder : str or Path
            The output folder, which is created if necessary. Existing tables are replaced.

        Raises
        ------
        NucrecError
            The folder or a file cannot be written.
        """
        where = checked_path("folder", folder)
        make_folder(where)
        for name in CELL_TABLES:
            write_table(where / f"{name}.csv", getattr(self, name))

    def to_pandas(self, table: TableName = "cells") -> Any:
        """Return one of the tables as a pandas data frame.

        Parameters
        ----------
        table : {"cells", "micronuclei", "fields"}, default="cells"
            The table to return.

        Returns
        -------
        pandas.DataFrame
            A copy of the table.

        Raises
        ------
        InvalidParameterError
            No table has this name.
        MissingExtraError
            pandas is not installed.
        """
        check_choice("table", table, tuple(_KINDS))
        frame = require("pandas", extra="all").DataFrame
        return frame({name: column.copy() for name, column in getattr(self, table).items()})

    def of_field(self, name: str) -> "Cells":
        """Return the cells of one field.

        Parameters
        ----------
        name : str
            The name of the field.

        Returns
        -------
        Cells
            The rows of this field.

        Raises
        ------
        InvalidParameterError
            No field has this name.
        """
        if name not in self.fields["field"]:
            raise invalid("name", "the name of a field", name)
        tables = [getattr(self, table) for table in _KINDS]
        kept = [{key: column[t["field"] == name] for key, column in t.items()} for t in tables]
        return Cells(*kept)._with_source(self._source)

    @property
    def failed(self) -> dict[str, str]:
        """The fields that were not analysed, with the reasons."""
        bad = self.fields["error"] != ""
        names, reasons = (self.fields[key][bad].tolist() for key in ("field", "error"))
        return dict(zip(names, reasons, strict=True))

    def __len__(self) -> int:
        return n_rows(self.cells)

    def __add__(self, other: object) -> "Cells":
        return Cells.concatenate([self, other]) if isinstance(other, Cells) else NotImplemented

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Cells):
            return NotImplemented
        return all(_equal(getattr(self, name), getattr(other, name)) for name in _KINDS)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Cells({self._summary()})"

    def __str__(self) -> str:
        return "\n".join([self._summary(), fmt.text_table(("", "number"), self._rows())])

    def _repr_html_(self) -> str:
        summary = show.paragraphs(f"Cells: {self._summary()}")
        counts = show.table(("", "number"), self._rows())
        pictures = pictures_of(self, self._source) if self._source is not None else ""
        return show.fragment(summary, counts, pictures)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_source": None}  # fields may be large

    def counts(self) -> dict[str, int]:
        """Return the numbers of cells, micronuclei and fields, and of exclusions by reason.

        Returns
        -------
        dict of str to int
            The numbers, by what is counted. A cell may have several flags.
        """
        return counts_of(self.cells, self.micronuclei, self.fields)

    def _rows(self) -> Sequence[tuple[str, str]]:
        return [(what, f"{n}") for what, n in self.counts().items()]

    def _summary(self) -> str:
        scored = self.cells["scored"]
        positive = int((self.cells["n_micronuclei"][scored] > 0).sum())
        failed = f"; {many(len(self.failed), 'field')} failed" if self.failed else ""
        return (
            f"{many(len(self), 'cell')} of {many(n_rows(self.fields), 'field')}, "
            f"{scored.sum()} scored, {positive} of them with micronuclei{failed}"
        )


def _checked(name: str, values: Mapping[str, npt.ArrayLike]) -> dict[str, Array]:
    kinds = _KINDS[name]
    missing = [key for key in kinds if key not in values]
    if missing:
        raise invalid(name, f"the columns {', '.join(kinds)}", f"no {missing[0]}")
    found = columns(kinds, values)
    lengths = {len(column) for column in found.values()}
    if len(lengths) > 1:
        raise invalid(name, "columns of the same length", f"lengths {sorted(lengths)}")
    return found


def _equal(one: Mapping[str, Array], other: Mapping[str, Array]) -> bool:
    return list(one) == list(other) and all(
        np.array_equal(one[key], other[key], equal_nan=one[key].dtype.kind == "f") for key in one
    )
