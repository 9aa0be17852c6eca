"""The paper's Figure 4: the CNN and the pre-trained network side by side."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nucrec._files import replacing
from nucrec._optional import require
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


def draw_figure_4(tables: Sequence[TableResult], path: Path) -> None:
    """Draw the means of the logged epochs from 20 on, published and obtained, as a PNG.

    Parameters
    ----------
    tables : sequence of TableResult
        Some of Tables III to VI.
    path : Path
        The file, replaced as a whole or not at all.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    NucrecError
        The file cannot be written.
    """
    figure_module = require("matplotlib.figure", extra="plots")
    shown = {table.published.number: table for table in tables if table.published.number in _BARS}
    protocols = list(next(iter(shown.values())).obtained)
    figure = figure_module.Figure(figsize=(4.6 * (1 + len(protocols)), 4.4), layout="constrained")
    panels = figure.subplots(1, 1 + len(protocols), sharey=True, squeeze=False)[0]
    _draw_panel(panels[0], "published", {n: _published(t) for n, t in shown.items()})
    for panel, protocol in zip(panels[1:], protocols, strict=True):
        values = {n: _obtained(table, protocol) for n, table in shown.items()}
        _draw_panel(panel, f"obtained, {protocol} protocol", values)
    panels[0].set_ylabel("mean of the logged epochs from 20 on")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(shown), frameon=False)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=150)


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
    """Tell whether there is any training among the tables that reached epoch 20."""
    trained = [table for table in tables if table.published.key == "EPOCH"]
    return any(r.status(MEAN) == "ok" for table in trained for r in table.obtained.values())
