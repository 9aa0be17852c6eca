"""The result of writing a report."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nucrec import _notebook as show
from nucrec import _text as fmt
from nucrec.assay._correction import Correction
from nucrec.assay._decision import Decision
from nucrec.assay._findings import Findings
from nucrec.assay._report_tables import ReportTable

_PRINTED = ("conditions", "trend", "against-control", "cytotoxicity")


@dataclass(frozen=True)
class SavedReport:
    """The result of `save_report`: the files written, and the results.

    Attributes
    ----------
    folder : Path
        The output folder.
    files : tuple of str
        The files written, the page first.
    tables : dict of str to list of dict
        The unrounded rows of each table, by the name of its CSV file; unknown numbers are NaN.
    decisions : tuple of Decision
        One decision per compound with two or more doses, or one for all conditions if there is no
        compound.
    correction : Correction or None
        The corrected rates, if cells were reviewed.
    remarks : tuple of str
        Remarks on the numbers.
    left_out : tuple of str
        The pictures that could not be drawn, and why.
    text : str
        The rates, tests, decisions and remarks for a terminal.

    Examples
    --------
    >>> import tempfile
    >>> from nucrec.assay import save_report, summarize
    >>> assay = summarize({"well": ["B02", "B03", "B04"], "condition": ["DMSO"] * 3,
    ...                    "scored": [2000] * 3, "micronucleated": [10, 14, 21]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     saved = save_report(assay, folder)
    >>> saved.files[0], saved.tables["conditions"][0]["per_1000"]
    ('report.html', 7.5)
    """

    folder: Path
    files: tuple[str, ...]
    tables: dict[str, list[dict[str, Any]]]
    decisions: tuple[Decision, ...]
    correction: Correction | None = None
    remarks: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    text: str = field(default="", repr=False)

    def __str__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        rows = [("folder", str(self.folder)), ("page", self.files[0]), *self._others]
        decisions = (decision._repr_html_() for decision in self.decisions)
        corrected = "" if self.correction is None else self.correction._repr_html_()
        remarks = show.paragraphs(*self.remarks)
        return show.fragment(show.facts(rows), *decisions, corrected, remarks)

    @property
    def _others(self) -> list[tuple[str, str]]:
        left_out = [("left out", each) for each in self.left_out]
        return [("beside it", ", ".join(self.files[1:])), *left_out]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain dicts, lists and numbers.

        Returns
        -------
        dict
            ``{"folder", "files", "tables", "decisions", "correction", "remarks", "left_out"}``.
        """
        return {
            "folder": str(self.folder),
            "files": list(self.files),
            "tables": self.tables,
            "decisions": [decision.to_dict() for decision in self.decisions],
            "correction": None if self.correction is None else self.correction.to_dict(),
            "remarks": list(self.remarks),
            "left_out": list(self.left_out),
        }


def saved_report(
    folder: Path,
    files: tuple[str, ...],
    findings: Findings,
    tables: Mapping[str, ReportTable],
    left_out: list[str],
) -> SavedReport:
    """Return the result of writing a report."""
    return SavedReport(
        folder,
        files,
        {name: _records(table.numbers) for name, table in tables.items()},
        findings.decisions,
        findings.correction,
        findings.remarks,
        tuple(left_out),
        _printed(findings, tables),
    )


def _records(numbers: list[list[Any]]) -> list[dict[str, Any]]:
    header, *rows = numbers
    return [dict(zip(header, row, strict=True)) for row in rows]


def _printed(findings: Findings, tables: Mapping[str, ReportTable]) -> str:
    shown = [tables[name] for name in _PRINTED if name in tables]
    parts = [f"{table.caption}\n{fmt.text_table(*table.words)}" for table in shown]
    if findings.correction is not None:
        parts.append(f"Corrected rates\n{findings.correction}")
    parts += map(str, findings.decisions)
    if findings.remarks:
        parts.append("\n".join(findings.remarks))
    return "\n\n".join(parts)
