"""A display of the rates of conditions."""

import re
from dataclasses import dataclass
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

from nucrec._plotting import GREY, STYLES, OneAxesDisplay, frozen, label
from nucrec._text import percent
from nucrec._validation import invalid
from nucrec.assay._historical import HistoricalControls
from nucrec.assay._summaries import ConditionSummary, UnitSummary

Array = npt.NDArray[Any]


_FITS = 11  # letters that fit below a position
_UNIT = re.compile(r"[(\[]\s*([^()\[\]]+?)\s*[)\]]\s*$")


@runtime_checkable
class AssayLike(Protocol):
    """The part of `Assay` that is drawn."""

    @property
    def conditions(self) -> tuple[ConditionSummary, ...]: ...
    @property
    def units(self) -> tuple[UnitSummary, ...]: ...
    @property
    def unit(self) -> str: ...
    @property
    def confidence(self) -> float: ...
    @property
    def columns(self) -> dict[str, str]: ...


@dataclass(eq=False, repr=False)
class DoseResponseDisplay(OneAxesDisplay):
    """Plot the rate of each condition with its interval, and its units as points.

    Attributes
    ----------
    names : tuple of str
        The conditions, the control first.
    rates, low, high : ndarray of float, shape (n_conditions,)
        Micronucleated cells per 1000, and their intervals; NaN if not estimable.
    unit_places : ndarray of int, shape (n_units,)
        The position of each unit's condition.
    unit_rates : ndarray of float, shape (n_units,)
        Micronucleated cells per 1000 of each unit.
    unit : str
        The kind of unit, such as "well".
    confidence : float
        Confidence level of the intervals.
    historical : HistoricalControls or None
        The historical controls, whose limits are drawn as a band.
    x_label : str
        The compound, if all conditions except the control are its doses, which then label the axis;
        empty otherwise.
    ax_, figure_ : matplotlib Axes and Figure
        Set by `plot`.

    Examples
    --------
    >>> from nucrec.assay import summarize
    >>> assay = summarize({"well": list("abc"), "dose": [0, 1, 2], "scored": [2000] * 3,
    ...                    "micronucleated": [10, 15, 30]})
    >>> display = assay.plot()
    >>> display.ax_.get_ylabel()
    'micronucleated cells per 1000'
    """

    names: tuple[str, ...]
    rates: Array
    low: Array
    high: Array
    unit_places: Array
    unit_rates: Array
    unit: str
    confidence: float
    historical: HistoricalControls | None = None
    x_label: str = ""
    _places: tuple[str, ...] = ()

    @classmethod
    def from_assay(cls, assay: AssayLike, *, historical: HistoricalControls | None = None) -> Self:
        """Create the display from the rates of an assay.

        Parameters
        ----------
        assay : Assay
            The result of `summarize`.
        historical : HistoricalControls, optional
            Historical controls, whose limits are shown.

        Returns
        -------
        DoseResponseDisplay
            The display, not yet drawn.

        Raises
        ------
        InvalidParameterError
            `assay` is not an `Assay`.
        """
        if not isinstance(assay, AssayLike):
            raise invalid("assay", "the result of nucrec.assay.summarize", assay)
        names = tuple(each.name for each in assay.conditions)
        metrics = [each.rate for each in assay.conditions]
        compound, places = _of_one_compound(assay)
        return cls(
            names,
            frozen([metric.value for metric in metrics]),
            frozen([metric.low for metric in metrics]),
            frozen([metric.high for metric in metrics]),
            frozen([names.index(unit.condition) for unit in assay.units]),
            frozen([unit.rate.value for unit in assay.units]),
            assay.unit,
            assay.confidence,
            historical,
            compound,
            places,
        )

    @property
    def _size(self) -> tuple[float, float]:
        return max(6.4, 2.0 + 0.8 * len(self.names)), 4.2

    def _draw(self, ax: Any) -> None:
        places = np.arange(len(self.names))
        colour = STYLES[0].colour
        if self.historical is not None and np.isfinite(self.historical.low):
            band = self.historical.low, self.historical.high
            ax.axhspan(*band, color="0.9", linewidth=0, label="historical controls, 95%")
        ax.vlines(places, self.low, self.high, color=colour, linewidth=2)
        told = f"rate, with its {percent(self.confidence)} interval"
        ax.plot(
            places, self.rates, "_", color=colour, markersize=16, markeredgewidth=2.5, label=told
        )
        x = self.unit_places + self._shifts()
        ax.plot(
            x, self.unit_rates, "o", color=GREY, markersize=4, alpha=0.8, label=f"one {self.unit}"
        )
        names = list(map(label, self._places or self.names))
        longest = max(len(line) for name in names for line in name.split("\n"))
        ax.set_xticks(places, names, rotation=90 if longest > _FITS else 0)
        ax.set_xlabel(label(self.x_label))
        ax.set_xlim(-0.6, len(places) - 0.4)
        ax.set_ylim(0, 1.08 * float(np.nanmax([*self.high, *self.unit_rates, 1.0])))
        ax.set_ylabel("micronucleated cells per 1000")
        ax.grid(axis="y", linewidth=0.4)
        ax.set_axisbelow(True)
        ax.legend(
            loc="lower right",
            bbox_to_anchor=(1.0, 1.0),
            ncols=3,
            fontsize="small",
            frameon=False,
            borderaxespad=0.2,
        )

    def _shifts(self) -> Array:
        """Return the horizontal shift of each point, so that none hides another."""
        shifts = np.zeros(len(self.unit_places))
        for place in np.unique(self.unit_places):
            there = self.unit_places == place
            n = int(there.sum())
            shifts[there] = np.linspace(-0.2, 0.2, n) if n > 1 else 0.0
        return shifts


def _of_one_compound(assay: AssayLike) -> tuple[str, tuple[str, ...]]:
    """Return the compound, if all conditions except the control are its doses, and the doses."""
    others = [each for each in assay.conditions if not each.is_control]
    compounds = {each.condition for each in others}
    if len(compounds) != 1 or len(others) < 2 or any(each.dose != each.dose for each in others):
        return "", ()
    unit = _UNIT.search(assay.columns.get("dose", ""))
    words = f"{compounds.pop()} ({unit[1]})" if unit else compounds.pop()
    places = (
        each.name if each.is_control else each.name.removeprefix(f"{each.condition} ")
        for each in assay.conditions
    )
    return words, tuple(places)
