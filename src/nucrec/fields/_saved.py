"""The files written for a detection, and its rates as text and plain numbers."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nucrec import _notebook as show
from nucrec._text import text_table
from nucrec._written import CONDITIONS, LABELS, OVERLAYS, PAGE, SUMMARY
from nucrec.evaluate import Metric
from nucrec.fields._rate_tables import note_on, rate_tables
from nucrec.fields._rates import Rate, Rates


@dataclass(frozen=True)
class SavedResults:
    """The result of `save_results`: the files written, and the rates.

    Attributes
    ----------
    folder : Path
        The folder with ``cells.csv``, ``micronuclei.csv``, ``fields.csv``, ``summary.csv``,
        ``conditions.csv`` if conditions are known, ``report.html``, and the pictures of all fields in
        ``overlays``.
    rates : Rates
        The rates of micronucleated cells by well, or by field if wells are unknown, and by condition.
    failed : dict of str to str
        The fields that were not analysed and the files that are not fields, with the reasons.
    has_labels : bool
        Whether the folder ``labels`` holds label images.
    remarks : tuple of str
        Remarks on the detection as a whole, such as how many fields the detector was trained on.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from nucrec.fields import Detection, FieldSet, detect, save_results
    >>> class Known:
    ...     def predict(self, field, *, pixel_size=None, nuclei=None):
    ...         return Detection(nuclei, np.zeros_like(nuclei), np.zeros(0), diameter=20.0)
    >>> mask = np.zeros((100, 150), int)
    >>> mask[30:50, 30:50], mask[60:80, 90:110] = 1, 2
    >>> fields = FieldSet.from_arrays([200 * (mask > 0).astype(np.uint8)], masks=[mask])
    >>> cells = detect(fields, Known())
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     saved = save_results(cells, fields, folder, detector=Known())
    >>> saved.files[:2], saved.rates.total.scored, saved.failed
    (('report.html', 'summary.csv'), 2, {})
    """

    folder: Path
    rates: Rates
    failed: dict[str, str]
    has_labels: bool = False
    remarks: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """The contents of the folder, the page first."""
        conditions = (CONDITIONS,) if self.rates.conditions else ()
        tables = (*conditions, SUMMARY, "cells.csv", "micronuclei.csv", "fields.csv")
        return (PAGE, *tables, OVERLAYS, *((LABELS,) if self.has_labels else ()))

    def __str__(self) -> str:
        tables = (text_table(*each) for each in rate_tables(self.rates))
        return "\n\n".join([*tables, "\n".join([note_on(self.rates), *self._remarks()])])

    def _repr_html_(self) -> str:
        failed = show.table(("file", "reason"), self.failed.items())
        summary = f"{len(self.failed)} not analysed"
        return show.fragment(
            self.rates._repr_html_(),
            show.paragraphs(*self.remarks, f"Page: {self.folder / PAGE}"),
            show.folded(summary, failed) if self.failed else "",
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain dicts, lists and numbers.

        Returns
        -------
        dict
            ``{"folder", "unit", "confidence", "conditions", "units", "total", "failed", "remarks"}``;
            each rate has its counts, ``per_1000`` with ``low`` and ``high``, and
            ``micronuclei_per_1000`` with ``micronuclei_low`` and ``micronuclei_high``.
        """
        return {
            "folder": str(self.folder),
            "unit": self.rates.unit,
            "confidence": self.rates.confidence,
            "conditions": [_plain(rate) for rate in self.rates.conditions],
            "units": [_plain(rate) for rate in self.rates.units],
            "total": _plain(self.rates.total),
            "failed": self.failed,
            "remarks": self._remarks(),
        }

    def _remarks(self) -> list[str]:
        return [*self.remarks, *self.rates.remarks]


def _plain(rate: Rate) -> dict[str, Any]:
    condition, dose, replicate = rate.described
    return {
        "name": rate.name,
        "condition": condition,
        "dose": float(dose) if dose else None,
        "replicate": replicate,
        "units": rate.n_units,
        "fields": rate.n_fields,
        "cells_scored": rate.scored,
        "cells_excluded": rate.excluded,
        "micronucleated": rate.positive,
        "micronuclei": rate.micronuclei,
        **_ends(rate.per_1000, "per_1000", "low", "high"),
        **_ends(
            rate.micronuclei_rate, "micronuclei_per_1000", "micronuclei_low", "micronuclei_high"
        ),
    }


def _ends(metric: Metric, *names: str) -> dict[str, float]:
    return dict(zip(names, (metric.value, metric.low, metric.high), strict=True))
