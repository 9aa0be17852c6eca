"""The paper's Figure 4: the CNN and the pre-trained network side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from nucrec._files import replacing
from nucrec._plotting import DPI, Display, new_axes
from nucrec._validation import invalid
from nucrec.evaluate import Metric
from nucrec.paper._epochs import MEAN
from nucrec.paper._tables import TableResult

_COLUMNS = {
    "TR-ACC": "training\naccuracy",
    "VAL-ACC": "validation\naccuracy",
    "VAL-PRE": "precision",
    "VAL-REC": "recall",
    "VAL-AUC": "AUC",
}
_BARS = {
    3: ("CNN, plain", "#9ecae1", ""),
    4: ("CNN, augmented", "#3182bd", "//"),
    5: ("pre-trained, plain", "#fdae6b", ".."),
    6: ("pre-trained, augmented", "#b35806", "xx"),
}
"""Label, colour and hatching of each table: told apart in grey and by the colour-blind, too."""


@dataclass(eq=False, repr=False)
class Figure4Display(Display):
    """The paper's Figure 4: bars of four trainings, as published and as obtained by each protocol.

    Attributes
    ----------
    panels : dict of str to dict
        The values of each table, by panel title and table number: the means over the reported epochs
        from 20 on, as ``{"VAL-ACC": Metric, ...}``. Values that were not obtained are left out.
    axes_, figure_ : array of matplotlib Axes, and Figure
        Available after `plot`.

    Examples
    --------
    >>> from nucrec.paper import Figure4Display, TableResult, published_table
    >>> tables = [TableResult(published_table(number), {}, {}) for number in (3, 6)]
    >>> display = Figure4Display.from_tables(tables).plot()
    >>> round(display.panels["published"][6]["VAL-ACC"].value, 4)
    0.9722
    """

    panels: dict[str, dict[int, dict[str, Metric]]]

    @classmethod
    def from_tables(cls, tables: Sequence[TableResult]) -> Self:
        """Collect the means over the reported epochs.

        Parameters
        ----------
        tables : sequence of TableResult
            Any of Tables III to VI, such as the ``tables`` of a `Reproduction`; others are ignored.

        Returns
        -------
        Figure4Display
            The display; call `plot` to draw it.

        Raises
        ------
        InvalidParameterError
            None of Tables III to VI is given.
        """
        shown = {t.published.number: t for t in tables if t.published.number in _BARS}
        if not shown:
            numbers = [table.published.number for table in tables]
            raise invalid("tables", "some of Tables III to VI", numbers)
        panels = {"published": {n: _published(table) for n, table in shown.items()}}
        for protocol in next(iter(shown.values())).obtained:
            values = {n: _obtained(table, protocol) for n, table in shown.items()}
            panels[f"obtained, {protocol} protocol"] = values
        return cls(panels)

    def plot(self, ax: Sequence[Any] | None = None) -> Self:
        """Draw the panels side by side.

        Parameters
        ----------
        ax : sequence of matplotlib Axes, optional
            The axes, one for each panel; by default those of a new figure.

        Returns
        -------
        Figure4Display
            This object, with ``axes_`` and ``figure_``.

        Raises
        ------
        InvalidParameterError
            The number of axes differs from that of the panels.
        MissingExtraError
            matplotlib is not installed.
        """
        n = len(self.panels)
        axes = np.ravel(
            np.asarray(new_axes((4.6 * n, 4.4), columns=n) if ax is None else ax, object)
        )
        if len(axes) != n:
            raise invalid("ax", f"{n} axes, one for each panel", ax)
        for panel, (title, values) in zip(axes, self.panels.items(), strict=True):
            _draw_panel(panel, title, values)
        for panel in axes[1:]:
            panel.tick_params(labelleft=False)
        axes[0].set_ylabel("mean of the logged epochs from 20 on")
        self.axes_, self.figure_ = axes, axes[0].figure
        if ax is None:
            handles, labels = axes[0].get_legend_handles_labels()
            below = {"loc": "outside lower center", "ncols": len(labels), "frameon": False}
            self.figure_.legend(handles, labels, **below)
        else:
            axes[0].legend(fontsize="small")
        return self


def draw_figure_4(tables: Sequence[TableResult], path: Path) -> None:
    """Draw Figure 4 as a PNG file; an existing file is replaced atomically."""
    figure = Figure4Display.from_tables(tables).plot().figure_
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=DPI)


def _published(table: TableResult) -> dict[str, Metric]:
    nan = float("nan")
    return {c: Metric(table.rows[MEAN][c], nan, nan, "published") for c in _COLUMNS}


def _obtained(table: TableResult, protocol: str) -> dict[str, Metric]:
    found = {column: table.metric(protocol, MEAN, column) for column in _COLUMNS}
    return {column: metric for column, metric in found.items() if metric is not None}


def _draw_panel(panel: Any, title: str, values: Mapping[int, Mapping[str, Metric]]) -> None:
    width = 0.8 / len(values)
    for i, (number, metrics) in enumerate(values.items()):
        label, colour, hatch = _BARS[number]
        at = [k + (i - (len(values) - 1) / 2) * width for k in range(len(_COLUMNS))]
        heights = [metrics[c].value if c in metrics else 0.0 for c in _COLUMNS]
        panel.bar(at, heights, width, label=label, color=colour, hatch=hatch, edgecolor="white")
        for x, column in zip(at, _COLUMNS, strict=True):
            metric = metrics.get(column)
            if metric is not None and metric.low == metric.low:
                panel.plot([x, x], [metric.low, metric.high], color="black", linewidth=1.2)
    panel.set_title(title, fontsize="medium")
    panel.set_xticks(range(len(_COLUMNS)), list(_COLUMNS.values()), fontsize="small")
    panel.set_ylim(0, 1)
    panel.grid(axis="y", linewidth=0.4)
    panel.set_axisbelow(True)


def can_draw(tables: Sequence[TableResult]) -> bool:
    """Return whether any training among the tables reached epoch 20."""
    trained = [table for table in tables if table.spec.is_network]
    return any(r.status(MEAN) == "ok" for table in trained for r in table.obtained.values())
