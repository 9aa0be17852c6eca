"""The report of an evaluation on annotated fields, with tables in several formats."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from nucrec import _notebook as show
from nucrec._text import Row, markdown_table, number, percent, text_table
from nucrec.evaluate import Metric
from nucrec.fields._field_counts import FieldCounts
from nucrec.fields._field_summary import METRICS, FieldSummary
from nucrec.fields._rates_plot import RatesDisplay

_PER_1000 = {"false_positives", "artefacts", "rate_found", "rate_annotated", "bias_difference"}
_BY = {
    "nuclei_f1": "nuclei F1",
    "micronuclei_precision": "precision",
    "micronuclei_recall": "recall",
    "right_parents": "parents",
    "false_positives": "false per 1000",
    "artefacts": "by artefacts",
    "rate_found": "rate per 1000",
    "rate_annotated": "annotated",
}


@dataclass(frozen=True)
class FieldReport:
    """The agreement of a detection with annotated fields of view.

    Attributes
    ----------
    fields : tuple of FieldCounts
        The counts of each field, with the rates found and annotated.
    metrics : mapping of str to Metric
        The metrics over all fields, also available as attributes: `nuclei_f1`,
        `micronuclei_precision` and so on. Shares are from 0 to 1; ``false_positives``,
        ``artefacts``, ``rate_found``, ``rate_annotated`` and ``bias_difference`` are per 1000
        cells.
    by : mapping of str to tuple of FieldSummary
        For each property, such as "cell_line", the metrics of the fields that share a value.
    confidence : float
        Confidence level of the intervals.
    parts : tuple of str
        The value of the first of these properties for each field; empty without properties.
    trained_on : tuple of str
        The fields that the detector was trained on, for which its metrics are too optimistic.

    Examples
    --------
    >>> import numpy as np
    >>> from nucrec.fields import evaluate_fields
    >>> nuclei, micronuclei = np.zeros((2, 40, 40), int)
    >>> nuclei[5:20, 5:20], micronuclei[21:24, 10:13] = 1, 1
    >>> found = evaluate_fields([(nuclei, 0 * micronuclei)], [(nuclei, micronuclei)])
    >>> found.nuclei_f1.value, found.micronuclei_recall.value
    (1.0, 0.0)
    """

    fields: tuple[FieldCounts, ...]
    metrics: Mapping[str, Metric]
    by: Mapping[str, tuple[FieldSummary, ...]]
    confidence: float
    parts: tuple[str, ...] = ()
    trained_on: tuple[str, ...] = ()

    @property
    def nuclei_f1(self) -> Metric:
        """The harmonic mean of precision and recall of nuclei, at an IoU of at least 0.5."""
        return self.metrics["nuclei_f1"]

    @property
    def micronuclei_precision(self) -> Metric:
        """The share of found micronuclei that match an annotated one, at an IoU of at least 0.1."""
        return self.metrics["micronuclei_precision"]

    @property
    def micronuclei_recall(self) -> Metric:
        """The share of annotated micronuclei that were found, at an IoU of at least 0.1."""
        return self.metrics["micronuclei_recall"]

    @property
    def right_parents(self) -> Metric:
        """The share of matched micronuclei that were assigned to the annotated nucleus."""
        return self.metrics["right_parents"]

    @property
    def sensitivity(self) -> Metric:
        """The share of micronucleated cells that were called micronucleated."""
        return self.metrics["sensitivity"]

    @property
    def false_positives(self) -> Metric:
        """Cells called micronucleated per 1000 cells without an annotated micronucleus."""
        return self.metrics["false_positives"]

    @property
    def artefacts(self) -> Metric:
        """The false-positive cells with a detected micronucleus that is not annotated, per 1000.

        The other false-positive cells were assigned the micronucleus of a neighbour. Those are rare
        where micronuclei are rare, as in controls; artefacts are not.
        """
        return self.metrics["artefacts"]

    @property
    def bias_ratio(self) -> Metric:
        """The mean rate found divided by the mean rate annotated, over fields."""
        return self.metrics["bias_ratio"]

    @property
    def bias_difference(self) -> Metric:
        """The mean difference between the rates found and annotated over fields, per 1000."""
        return self.metrics["bias_difference"]

    @property
    def pearson_r(self) -> Metric:
        """The correlation between the rates found and annotated over fields."""
        return self.metrics["pearson_r"]

    @property
    def r2_identity(self) -> float:
        """R2 of the identity line: 1 minus squared differences divided by the annotated variance.

        Unlike the square of `pearson_r`, it decreases with bias, and may be negative.
        """
        return self.metrics["r2_identity"].value

    @property
    def remarks(self) -> tuple[str, ...]:
        """Remarks on the interpretation of the metrics."""
        annotated = self.metrics["rate_annotated"].value
        told = [
            f"Intervals: {percent(self.confidence)}; fields are treated as groups, so a "
            "single field has no interval.",
            "False-positive cells are counted among cells without an annotated micronucleus. "
            "Those with a false micronucleus also raise the rate of a control; the others "
            f"were assigned a neighbour's micronucleus, in fields with {number(annotated, 0)} "
            "micronucleated cells per 1000.",
        ]
        if self.trained_on:
            told.append(
                f"The detector was trained on {len(self.trained_on)} of {len(self.fields)} "
                "fields, or on the fields they were cut from, so these metrics are better "
                "than on unseen fields. Its card states those."
            )
        return tuple(told)

    def __str__(self) -> str:
        tables = (f"{caption}\n{text_table(*each)}" for caption, each in self._tables().items())
        return "\n\n".join([*tables, "\n".join(self.remarks)])

    def _repr_html_(self) -> str:
        tables = (
            show.heading(caption) + show.table(*each) for caption, each in self._tables().items()
        )
        return show.fragment(*tables, show.paragraphs(*self.remarks))

    def to_markdown(self) -> str:
        """Return all tables and remarks as Markdown."""
        tables = (
            f"{caption}\n\n{markdown_table(*each)}" for caption, each in self._tables().items()
        )
        return "\n\n".join([*tables, *self.remarks]) + "\n"

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain dicts, lists and numbers.

        Returns
        -------
        dict
            ``{"n_fields", "metrics": {"nuclei_f1": {"value", "low", "high", "method"}, ...}, "by":
            {"cell_line": {"HeLa": {"n_fields", "metrics"}, ...}}, "fields": [...], "confidence",
            "remarks"}``.
        """
        return {
            "n_fields": len(self.fields),
            "metrics": _plain(self.metrics),
            "by": {
                column: {
                    part.name: {"n_fields": part.n_fields, "metrics": _plain(part.metrics)}
                    for part in parts
                }
                for column, parts in self.by.items()
            },
            "fields": [
                asdict(each)
                | {"rate_found": each.rate_found, "rate_annotated": each.rate_annotated}
                for each in self.fields
            ],
            "confidence": self.confidence,
            "remarks": list(self.remarks),
        }

    def plot(self, ax: Any = None) -> RatesDisplay:
        """Draw the rate found against the rate annotated, one point per field.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            The axes to draw on; by default those of a new figure.

        Returns
        -------
        RatesDisplay
            The display, drawn, with ``ax_`` and ``figure_`` set.
        """
        return RatesDisplay.from_report(self).plot(ax)

    def _tables(self) -> dict[str, tuple[Row, list[Row]]]:
        """Return header and rows of the tables of all fields, parts and single fields, by caption."""
        n = len(self.fields)
        overall = [
            (METRICS[key], _shown(key, metric.value), _span(key, metric), metric.method)
            for key, metric in self.metrics.items()
        ]
        tables: dict[str, tuple[Row, list[Row]]] = {
            f"{n} field{'s' * (n != 1)}": (("metric", "value", "interval", "method"), [*overall])
        }
        for column, parts in self.by.items():
            tables[f"By {column.replace('_', ' ')}"] = _part_table(column, parts)
        return tables | {"By field": self._field_table()}

    def _field_table(self) -> tuple[Row, list[Row]]:
        header = ("field", "nuclei", "annotated", "micronuclei", "annotated")
        rows: list[Row] = [
            (
                each.field,
                *map(str, (each.nuclei_found, each.nuclei_annotated)),
                *map(str, (each.micronuclei_found, each.micronuclei_annotated)),
                *(number(rate, 1) for rate in (each.rate_found, each.rate_annotated)),
            )
            for each in self.fields
        ]
        return (*header, "rate per 1000", "annotated"), rows


def _part_table(column: str, parts: tuple[FieldSummary, ...]) -> tuple[Row, list[Row]]:
    header = (column.replace("_", " "), "fields", *_BY.values())
    rows: list[Row] = [
        (part.name, str(part.n_fields), *(_shown(key, part.metrics[key].value) for key in _BY))
        for part in parts
    ]
    return header, rows


def _shown(key: str, value: float) -> str:
    return number(value, 1 if key in _PER_1000 else 3)


def _span(key: str, metric: Metric) -> str:
    if math.isnan(metric.low) and math.isnan(metric.high):
        return "n/a"
    return f"{_shown(key, metric.low)} to {_shown(key, metric.high)}"


def _plain(metrics: Mapping[str, Metric]) -> dict[str, Any]:
    return {key: asdict(metric) for key, metric in metrics.items()}
