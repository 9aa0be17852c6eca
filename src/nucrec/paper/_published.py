"""The paper's tables, value for value."""

import csv
from dataclasses import dataclass
from importlib import resources

from nucrec import _notebook as show
from nucrec._text import number
from nucrec._validation import check_int
from nucrec.paper._specification import TABLES


@dataclass(frozen=True)
class PublishedTable:
    """A table of the paper.

    Attributes
    ----------
    number : int
        The number, from 1 to 6.
    title : str
        The title.
    key : str
        The meaning of its rows: "ALGO" or "EPOCH".
    columns : tuple of str
        The metrics, in the paper's order.
    rows : dict of str to (dict of str to float)
        For each algorithm or epoch, in the paper's order, the value of each metric.

    Examples
    --------
    >>> from nucrec.paper import published_table
    >>> table = published_table(1)
    >>> table.key, table.columns[0], len(table.rows)
    ('ALGO', 'ACC', 11)
    """

    number: int
    title: str
    key: str
    columns: tuple[str, ...]
    rows: dict[str, dict[str, float]]

    def _repr_html_(self) -> str:
        rows = [(name, *map(number, values.values())) for name, values in self.rows.items()]
        table = show.table((self.key, *self.columns), rows)
        return show.fragment(show.heading(f"Table {self.number}: {self.title}"), table)


def published_table(number: int) -> PublishedTable:
    """Return one of the paper's Tables I to VI.

    The values are those of "Identifying Microscopic Augmented Images using Pre-Trained Deep
    Convolutional Neural Networks".

    Parameters
    ----------
    number : int
        The number of the table, from 1 to 6.

    Returns
    -------
    PublishedTable
        The table. All metrics are shares from 0 to 1, except MC and KS, from -1 to 1, and the losses.

    Raises
    ------
    InvalidParameterError
        There is no such table.

    Examples
    --------
    >>> from nucrec.paper import published_table
    >>> published_table(1).rows["RF"]["ACC"]
    0.78
    """
    check_int("number", number, low=1, high=6)
    table = TABLES[number]
    source = resources.files("nucrec.paper") / "published" / table.file
    with source.open(encoding="utf-8") as file:
        reader = csv.DictReader(file)
        key, *columns = reader.fieldnames or ()
        rows = {row[key]: {name: float(row[name]) for name in columns} for row in reader}
    return PublishedTable(number, table.title, key, tuple(columns), rows)
