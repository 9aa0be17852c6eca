"""The assay on what `nucrec detect` found."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nucrec._spelling import did_you_mean
from nucrec.errors import InvalidParameterError

if TYPE_CHECKING:
    from nucrec.assay import SavedReport
    from nucrec.fields import Cells, Field

REPORT = "report"
"""The folder of the report, in that of the results."""


def wants_assay(arguments: argparse.Namespace) -> bool:
    """Return whether there is an option that only the assay needs."""
    return arguments.control is not None or arguments.historical is not None


def check_assay(fields: "Sequence[Field]", arguments: argparse.Namespace) -> None:
    """Raise, before the detection, if the assay could not be made after it.

    Raises
    ------
    InvalidParameterError, DatasetError
        The control is no condition of the fields, or the historical controls are no such table.
    """
    from nucrec.assay import HistoricalControls

    if not wants_assay(arguments):
        return
    if arguments.historical is not None:
        HistoricalControls.from_table(arguments.historical)
    known = dict.fromkeys(field.condition for field in fields if field.condition)
    if not known:
        raise InvalidParameterError(
            "--control: no field has a condition. Tell which well got what with --layout, a table with "
            "the columns well, condition and dose."
        )
    wanted = arguments.control
    if not any(field.well for field in fields):
        raise InvalidParameterError(
            "--control: the wells of the fields are not known, neither from their names nor from the "
            "layout, and the assay counts by wells"
        )
    if wanted is not None and wanted.casefold() not in {name.casefold() for name in known}:
        hint = did_you_mean(wanted, known)
        raise InvalidParameterError(
            f"--control: {wanted!r} is no condition of the layout: {', '.join(known)}. {hint}".rstrip()
        )


def links_of(arguments: argparse.Namespace) -> dict[str, str]:
    """Return what the page of the results links to: what is made now, or was by an earlier call."""
    report, review = f"{REPORT}/report.html", "review.html"
    made = {
        "Rates by condition, tests and decision": (report, wants_assay(arguments)),
        "Review cells, to correct the rates": (review, arguments.review is not None),
    }
    out = Path(arguments.out)
    return {words: page for words, (page, now) in made.items() if now or (out / page).is_file()}


def save_assay(cells: "Cells", arguments: argparse.Namespace) -> "SavedReport":
    """Make the assay of the cells, and write its report beside their tables."""
    from nucrec.assay import save_report, summarize

    out = Path(arguments.out)
    return save_report(
        summarize(cells, control=arguments.control),
        out / REPORT,
        historical=arguments.historical,
        inputs=[path for path in (out / "cells.csv", arguments.layout) if path is not None],
        command=arguments.command,
        progress=not arguments.quiet,
    )
