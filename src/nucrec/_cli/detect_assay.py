"""The assay on what `nucrec detect` found."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nucrec._spelling import did_you_mean
from nucrec._written import ASSAY_FOLDER, PAGE, pages_beside
from nucrec.errors import InvalidParameterError

if TYPE_CHECKING:
    from nucrec.assay import SavedReport
    from nucrec.fields import Cells, Field


def wants_assay(arguments: argparse.Namespace) -> bool:
    """Return whether an option was given that only the assay needs."""
    return arguments.control is not None or arguments.historical is not None


def check_assay(fields: "Sequence[Field]", arguments: argparse.Namespace) -> None:
    """Raise, before the detection, if the assay could not be made after it.

    Raises
    ------
    InvalidParameterError, DatasetError
        The control is not a condition of the fields, or the table of historical controls cannot be
        read.
    """
    from nucrec.assay import HistoricalControls

    if not wants_assay(arguments):
        return
    if arguments.historical is not None:
        HistoricalControls.from_table(arguments.historical)
    option = "--historical" if arguments.control is None else "--control"
    known = dict.fromkeys(field.condition for field in fields if field.condition)
    if not known:
        raise InvalidParameterError(
            f"{option}: no field has a condition. State the treatment of each well with --layout, a "
            "table with the columns well, condition and dose."
        )
    wanted = arguments.control
    if not any(field.well for field in fields):
        raise InvalidParameterError(
            f"{option}: the assay counts by well, but neither the names of the fields nor the layout "
            "tell their wells"
        )
    if wanted is not None and wanted.casefold() not in {name.casefold() for name in known}:
        hint = did_you_mean(wanted, known)
        raise InvalidParameterError(
            f"--control: {wanted!r} is not a condition of the layout: {', '.join(known)}. "
            f"{hint}".rstrip()
        )


def links_of(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the links of the results page, to the pages of this command and of earlier ones."""
    report = [f"{ASSAY_FOLDER}/{PAGE}"] if wants_assay(arguments) else []
    return pages_beside(arguments.out, report)


def save_assay(cells: "Cells", arguments: argparse.Namespace) -> "SavedReport":
    """Analyse the cells as an assay, and write its report beside their tables."""
    from nucrec.assay import save_report, summarize

    out = Path(arguments.out)
    return save_report(
        summarize(cells, control=arguments.control),
        out / ASSAY_FOLDER,
        historical=arguments.historical,
        inputs=[path for path in (out / "cells.csv", arguments.layout) if path is not None],
        command=arguments.command,
        progress=not arguments.quiet,
    )
