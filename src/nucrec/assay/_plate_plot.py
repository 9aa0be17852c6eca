"""A display of the rates of wells on a plate map."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from nucrec._plotting import OneAxesDisplay, frozen
from nucrec._reading.wells import Place, place_of, row_letters, smallest_plate
from nucrec._validation import invalid
from nucrec.assay._dose_plot import AssayLike

Array = npt.NDArray[Any]


@dataclass(eq=False, repr=False)
class PlateDisplay(OneAxesDisplay):
    """Plot the rate of each well at its position on the plate.

    Attributes
    ----------
    rates : ndarray of float, shape (n_rows, n_columns)
        Micronucleated cells per 1000, averaged over several plates; NaN for wells without cells.
    n_plates : int
        Number of plates, or of repeats of the same wells.
    ax_, figure_ : matplotlib Axes and Figure
        Set by `plot`.

    Examples
    --------
    >>> from nucrec.assay import summarize
    >>> assay = summarize({"well": ["A01", "A02", "B01"], "dose": [0, 1, 2], "scored": [2000] * 3,
    ...                    "micronucleated": [10, 15, 30]})
    >>> display = assay.plot_plate()
    >>> display.rates.shape, float(display.rates[1, 0])
    ((8, 12), 15.0)
    """

    rates: Array
    n_plates: int

    @classmethod
    def from_assay(cls, assay: AssayLike) -> Self:
        """Create the display from the rates of the wells of an assay.

        Parameters
        ----------
        assay : Assay
            The result of `summarize`, with wells named like "B03".

        Returns
        -------
        PlateDisplay
            The display, not yet drawn.

        Raises
        ------
        InvalidParameterError
            `assay` is not an `Assay`, or a well has another name.
        """
        if not isinstance(assay, AssayLike):
            raise invalid("assay", "the result of nucrec.assay.summarize", assay)
        found: dict[Place, list[float]] = defaultdict(list)
        for unit in assay.units:
            found[_place(unit.well)].append(unit.rate.value)
        rates = np.full(smallest_plate(found), np.nan)
        for place, values in found.items():
            present = [value for value in values if value == value]
            rates[place] = sum(present) / len(present) if present else np.nan
        return cls(frozen(rates), max(map(len, found.values())))

    @property
    def title(self) -> str:
        """The title of the picture."""
        mean = f", mean of {self.n_plates}" if self.n_plates > 1 else ""
        return f"Micronucleated cells per 1000{mean}"

    @property
    def _size(self) -> tuple[float, float]:
        rows, columns = self.rates.shape
        return 2.0 + 0.5 * columns, 1.2 + 0.42 * rows

    def _draw(self, ax: Any) -> None:
        rows, columns = self.rates.shape
        top = float(np.nanmax([*self.rates.ravel(), 1.0]))
        image = ax.imshow(self.rates, cmap="cividis", vmin=0, vmax=top)
        for (row, column), rate in np.ndenumerate(self.rates):
            if rate == rate:
                colour = "black" if rate > 0.6 * top else "white"
                size = "small" if columns <= 12 else "xx-small"
                ax.text(
                    column, row, f"{rate:.0f}", ha="center", va="center", color=colour, size=size
                )
        ax.set_xticks(range(columns), [str(column + 1) for column in range(columns)])
        ax.set_yticks(range(rows), [row_letters(row) for row in range(rows)])
        ax.set_title(self.title, fontsize="medium")
        ax.figure.colorbar(image, ax=ax, shrink=0.8)


def _place(well: str) -> Place:
    """Return the row and column of a well, counted from 0."""
    place = place_of(well)
    if place is None:
        raise invalid("well", "names such as 'B03' for a plate map of at most 1536 wells", well)
    return place
