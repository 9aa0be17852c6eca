"""The pictures for the page, collected while the fields are processed one by one."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nucrec._text import number
from nucrec._written import OVERLAYS
from nucrec.fields._cells import Cells
from nucrec.fields._doubt import find_doubts
from nucrec.fields._field import Field
from nucrec.fields._gallery import cell_pictures, random_cells
from nucrec.fields._outlines import grey_levels
from nucrec.fields._overlay import overlay
from nucrec.fields._page import Shown
from nucrec.fields._plate import file_name

Array = npt.NDArray[Any]

_LARGE = 1400  # minimum size of an overlay in pixels, if enlarged at most threefold
_ON_THE_PAGE = 840


class View(NamedTuple):
    """The parts of a field that are kept for the page.

    Attributes
    ----------
    overlay : ndarray of uint8, shape (h, w, 3)
        The field with outlines.
    cells : dict of int to (ndarray, ndarray)
        The picture of each cell shown, without and with outlines, by its row.
    words : str
        The result in words.
    """

    overlay: Array
    cells: dict[int, tuple[Array, Array]]
    words: str


class Views:
    """Draw fields, and choose the cells and fields for the page.

    Parameters
    ----------
    cells : Cells
        All cells.
    n_cells : int
        Maximum number of micronucleated cells on the page; half as many others are shown.
    n_fields : int
        Maximum number of fields on the page; those with remarks come first.
    random_state : int
        Seed of the choice of cells without a micronucleus.
    """

    def __init__(self, cells: Cells, n_cells: int, n_fields: int, random_state: int) -> None:
        self._table = cells.cells
        doubts = find_doubts(cells.cells, cells.micronuclei)
        self._doubtful = doubts.rows[:n_cells].tolist()
        self._reasons = dict(zip(self._doubtful, doubts.reasons, strict=False))
        self._others = random_cells(cells.cells, -(-n_cells // 2), random_state).tolist()
        self._chosen = set(_fields_to_show(cells, n_fields))
        self._pictures: dict[int, tuple[Array, Array]] = {}
        self.fields: list[Shown] = []

    @property
    def doubtful(self) -> list[Shown]:
        """The micronucleated cells, the most doubtful first."""
        return self._shown(self._doubtful)

    @property
    def others(self) -> list[Shown]:
        """The cells without a micronucleus."""
        return self._shown(self._others)

    def draw(self, field: Field, image: Array, nuclei: Array, micronuclei: Array) -> View:
        """Return the pictures of a field and of those of its cells that are shown."""
        table = self._table
        rows = np.flatnonzero(table["field"] == field.name)
        labels, is_scored = table["cell_id"][rows], table["scored"][rows]
        positive = labels[is_scored & (table["n_micronuclei"][rows] > 0)].tolist()
        kinds = {"positive": positive, "excluded": labels[~is_scored].tolist()}
        grey = grey_levels(image)
        wanted = {*self._doubtful, *self._others}.intersection(rows.tolist())
        pictures = {
            row: cell_pictures(grey, nuclei, micronuclei, int(table["cell_id"][row]), **kinds)
            for row in wanted
        }
        zoom = min(3, max(1, -(-_LARGE // max(image.shape))))
        whole = overlay(image, nuclei, micronuclei, **kinds, pixel_size=field.pixel_size, zoom=zoom)
        words = f"{len(positive)} of {int(is_scored.sum())} scored cells micronucleated"
        return View(whole, pictures, words)

    def keep(self, name: str, view: View) -> None:
        """Keep the parts of a field that the page shows."""
        self._pictures |= view.cells
        if name in self._chosen:
            file = f"{OVERLAYS}/{file_name(name)}.png"
            self.fields.append(Shown(name, view.words, (_reduced(view.overlay),), file))

    def _shown(self, rows: Sequence[int]) -> list[Shown]:
        return [
            Shown(self._name(row), self._words(row), self._pictures[row])
            for row in rows
            if row in self._pictures
        ]

    def _name(self, row: int) -> str:
        field, label = self._table["field"][row], self._table["cell_id"][row]
        return f"{field}, cell {label}"

    def _words(self, row: int) -> str:
        n, probability = (self._table[name][row] for name in ("n_micronuclei", "probability"))
        place = f"at {self._table['x'][row]:.0f}, {self._table['y'][row]:.0f}"
        if not n:
            return place
        found = f"{n} micronucle{'us' if n == 1 else 'i'}, probability {number(probability)}"
        return "; ".join([found, *self._reasons[row], place])


def _fields_to_show(cells: Cells, most: int) -> list[str]:
    """Return the names of the fields to show: those with remarks first, then an even selection."""
    table = cells.fields
    names, good = table["field"], table["error"] == ""
    marked = names[good & (table["remarks"] != "")][:most].tolist()
    others = names[good & ~np.isin(names, marked)]
    left = min(most - len(marked), len(others))
    even = np.linspace(0, len(others) - 1, left).round().astype(int)
    return [*marked, *others[even].tolist()]


def _reduced(picture: Array) -> Array:
    """Return a picture at the size shown on the page."""
    from PIL import Image

    image = Image.fromarray(picture)
    image.thumbnail((_ON_THE_PAGE, _ON_THE_PAGE), Image.Resampling.LANCZOS)
    return np.asarray(image)
