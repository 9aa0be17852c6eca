"""The command `nucrec assay`."""

import argparse
from collections.abc import Sequence
from typing import Any

from nucrec._cli.command import (
    add_command,
    add_confidence,
    add_out_folder,
    add_output_options,
    add_seed,
)
from nucrec._cli.inputs import check_input
from nucrec._cli.output import print_json, saying_if_slow
from nucrec._written import ASSAY, check_not_replaced
from nucrec.errors import InvalidParameterError

DESCRIPTION = """\
Turn a table of cells into a decision: rates of micronucleated cells by condition and dose with
intervals over wells, tests for an increase, and the three criteria of OECD test guideline 487. The
table has one row for each cell, or one for each well with the numbers of scored and micronucleated
cells. It may come from nucrec detect, from another program, or from a person at the microscope.
Written to a folder:

  report.html        design, counts, exclusions, rates, tests, decision, methods with sources, versions,
                     hashes of the inputs: one page to read from top to bottom, and to print
  *.csv              each table, unrounded
  tables.md, .tex    all tables as Markdown and LaTeX
  dose-response.png  rates per 1000 cells with intervals, wells as points
  plate.png          the rate of each well at its position

Columns are recognized by their usual names, such as well, treatment, dose, cells scored, MN cells,
or Children_Micronuclei_Count; name others with --columns.
"""
EXAMPLES = """\
examples:
  nucrec assay results/cells.csv --control DMSO -o report
  nucrec assay counts.csv --control DMSO --historical historical.csv -o report
  nucrec assay cells.csv --layout layout.csv --control DMSO --reviewed reviewed.csv -o report
  nucrec assay counts.csv --control DMSO --columns n_micronucleated=MNBN,n_scored=BN -o report
"""


def add_to(commands: Any) -> None:
    """Add the command to the parser's commands."""
    about = "turn a table of cells or counts into rates, tests and a decision"
    command = add_command(commands, "assay", run, about, DESCRIPTION, EXAMPLES)
    add = command.add_argument
    add("cells", metavar="CELLS", help="a CSV file of cells, or of counts for each well")
    add_out_folder(command, "report")
    add_control(command)
    add(
        "--layout",
        metavar="CSV",
        help="the treatment of each well: a table with the column well (or field, or file), and any of "
        "condition, dose and replicate",
    )
    add(
        "--reviewed",
        metavar="CSV",
        help="cells reviewed by a person, which correct the rates for the errors of the detector",
    )
    _add_columns(add)
    add_confidence(command)
    add_seed(command, "permutations")
    add_output_options(command, "all numbers")


def _add_columns(add: Any) -> None:
    add(
        "--by",
        default="condition",
        metavar="COLUMN",
        help="the column with the conditions (default: condition)",
    )
    add(
        "--unit",
        default="well",
        metavar="COLUMN",
        help="the column of the units that were treated independently (default: well)",
    )
    add(
        "--block",
        metavar="COLUMN",
        help="the column with repeats, such as plate or day: tests exchange wells within a repeat only",
    )
    add(
        "--columns",
        action="extend",
        type=_pairs,
        metavar="NAME=COLUMN,...",
        help="the names of columns in the table, such as n_micronuclei=MN,well=WellName",
    )


def add_control(command: Any) -> None:
    """Add the options for controls to a command, or to a group of its options."""
    command.add_argument(
        "--control",
        metavar="NAME",
        help="the condition that is the concurrent control, such as DMSO (default: the only one of "
        "dose 0)",
    )
    command.add_argument(
        "--historical",
        metavar="CSV",
        help="a table of historical controls, with one row for each experiment: scored and "
        "micronucleated cells, or the rate per 1000",
    )


def _pairs(text: str) -> list[tuple[str, str]]:
    """Return the pairs of "name=column,name=column"."""
    pairs = [part.partition("=") for part in text.split(",")]
    for name, sign, column in pairs:
        if not (name.strip() and sign and column.strip()):
            raise argparse.ArgumentTypeError(f"expected NAME=COLUMN, received {text!r}")
    return [(name.strip(), column.strip()) for name, _, column in pairs]


def _columns_of(pairs: Sequence[tuple[str, str]] | None) -> dict[str, str] | None:
    """Return what columns are called; a name that is told twice is refused."""
    told: dict[str, str] = {}
    for name, column in pairs or ():
        if told.setdefault(name, column) != column:
            raise InvalidParameterError(
                f"--columns: {name} is given twice, as {told[name]!r} and as {column!r}"
            )
    return told or None


def run(arguments: argparse.Namespace) -> int:
    """Summarize, test, write everything, print the decision and return the exit code."""
    from nucrec.assay import save_report, summarize

    check_input("CELLS", arguments.cells, "table")
    for name in ("layout", "historical", "reviewed"):
        check_input(f"--{name}", getattr(arguments, name), "table")
    reads = [arguments.cells, arguments.layout, arguments.historical, arguments.reviewed]
    check_not_replaced("--out", arguments.out, ASSAY, reads)
    with saying_if_slow(f"reading {arguments.cells}", quiet=arguments.quiet):
        assay = summarize(
            arguments.cells,
            by=arguments.by,
            unit=arguments.unit,
            control=arguments.control,
            confidence=arguments.confidence,
            block=arguments.block,
            layout=arguments.layout,
            columns=_columns_of(arguments.columns),
        )
    saved = save_report(
        assay,
        arguments.out,
        historical=arguments.historical,
        reviewed=arguments.reviewed,
        random_state=arguments.seed,
        inputs=[path for path in (arguments.cells, arguments.layout) if path is not None],
        command=arguments.command,
        progress=not arguments.quiet,
    )
    if arguments.json:
        print_json(saved.to_dict())
    else:
        print(saved)
        print(f"\nWritten to {arguments.out}: {', '.join(saved.files)}")
    return 0
