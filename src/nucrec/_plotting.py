"""Shared parts of all displays: axes outside pyplot, styles, and intervals as points and bars."""

import copy
import io
import textwrap
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from nucrec._optional import require
from nucrec._text import interval, number, printable
from nucrec.errors import MissingExtraError

Array = npt.NDArray[Any]

GREY = "0.55"
_WIDTH = 24  # maximum length of a line in a name
DPI = 200
"""Pixels per inch of a picture that is saved."""
_SCREEN_DPI = 100  # of a picture in a notebook


class Style(NamedTuple):
    """The style of one series, distinguishable for the colour-blind and in grey."""

    colour: str
    line: Any
    marker: str


STYLES = (
    Style("#0072B2", "-", "o"),
    Style("#D55E00", "--", "s"),
    Style("#009E73", "-.", "^"),
    Style("#CC79A7", ":", "D"),
    Style("#E69F00", (0, (5, 1, 1, 1, 1, 1)), "v"),
    Style("#56B4E9", (0, (8, 2)), "P"),
    Style("#000000", (0, (1, 3)), "X"),
)
"""Colours of M. Okabe, K. Ito, "Color universal design", 2008; each with its own line and marker."""


class Display(ABC):
    """A display of stored numbers.

    A notebook shows it after drawing, unless pyplot does.
    """

    figure_: Any = None

    @abstractmethod
    def plot(self, ax: Any = None) -> Self:
        """Draw the display into a new figure, or into the given axes."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def _repr_png_(self) -> bytes | None:
        figure = self.figure_
        if figure is None:
            try:
                figure = copy.copy(self).plot().figure_
            except MissingExtraError:
                return None
        if figure.canvas.manager is not None:
            return None
        file = io.BytesIO()
        figure.canvas.figure.savefig(file, format="png", dpi=_SCREEN_DPI)
        return file.getvalue()


class OneAxesDisplay(Display):
    """A display with a single pair of axes."""

    ax_: Any = None

    def plot(self, ax: Any = None) -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            The axes to draw on; by default those of a new figure.

        Returns
        -------
        Self
            The display itself, with ``ax_`` and ``figure_`` set.

        Raises
        ------
        MissingExtraError
            matplotlib is not installed.
        """
        ax = new_axes(self._size) if ax is None else ax
        self._draw(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @property
    @abstractmethod
    def _size(self) -> tuple[float, float]:
        """Width and height of a new figure, in inches."""

    @abstractmethod
    def _draw(self, ax: Any) -> None:
        """Draw the display into axes."""


def new_axes(size: tuple[float, float], columns: int = 1) -> Any:
    """Return the axes of a new figure, or an array of several side by side."""
    figure = require("matplotlib.figure", extra="plots").Figure(
        figsize=size, dpi=DPI, layout="constrained"
    )
    return figure.subplots(1, columns)


def stacked_figure(panels: Sequence[tuple[str, OneAxesDisplay]]) -> Any:
    """Return a figure with displays below one another, each with a title; "" keeps its own."""
    sizes = [display._size for _, display in panels]
    heights = [height for _, height in sizes]
    size = max(width for width, _ in sizes), sum(heights)
    figure = require("matplotlib.figure", extra="plots").Figure(
        figsize=size, dpi=DPI, layout="constrained"
    )
    axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
    for ax, (title, display) in zip(axes, panels, strict=True):
        display.plot(ax)
        if title:
            ax.set_title(printable(title).replace("$", r"\$"), fontsize="medium")
    return figure


def style(k: int) -> Style:
    """Return the style of the k-th series."""
    return STYLES[k % len(STYLES)]


def label(name: str) -> str:
    """Return a name as lines that matplotlib shows literally, with "$" not starting a formula."""
    return "\n".join(textwrap.wrap(printable(name), _WIDTH)).replace("$", r"\$")


def frozen(values: npt.ArrayLike) -> Array:
    """Return a read-only copy."""
    array = np.array(values)
    array.setflags(write=False)
    return array


def draw_intervals(ax: Any, names: Sequence[str], values: Array, low: Array, high: Array) -> None:
    """Draw one line per name, the first at the top, with its point, its interval, and both as text."""
    places = np.arange(len(names))
    ax.axvline(0, color=GREY, linewidth=0.8)
    ax.hlines(places, low, high, color=STYLES[0].colour, linewidth=2)
    ax.plot(values, places, STYLES[0].marker, color="black", markersize=5)
    for place, value, *span in zip(places, values, low, high, strict=True):
        words = number(value) + (f" ({interval(*span)})" if span[0] == span[0] else "")
        ax.text(1.03, place, words, va="center", transform=ax.get_yaxis_transform())
    ax.set_yticks(places, list(map(label, names)))
    ax.set_ylim(len(names) - 0.5, -0.5)
    smallest = min(0.0, *np.nan_to_num([*low, *values]))
    ax.set_xlim(smallest - 0.02 if smallest else 0, 1.02)
    ax.grid(axis="x", linewidth=0.4)
    ax.set_axisbelow(True)
