"""The command `nucrec reproduce`."""

import argparse
import shutil
import sys
from typing import Any

from nucrec._cli.command import add_command, add_out_folder, add_output_options, add_seed
from nucrec._cli.inputs import check_input
from nucrec._cli.output import print_json
from nucrec._cli.parser import number, whole_number
from nucrec._written import REPRODUCTION, check_not_replaced

DESCRIPTION = """\
Reproduce the six tables and Figure 4 of the paper, as published and as obtained on real
micrographs.

Without options, all tables are made under both protocols, with the 306 crops that ship with nucrec.
The "paper" protocol augments first and then draws the test images at random, so that copies of one
image are in both the training and the test set; the "honest" protocol cross-validates on unseen
fields of view. Tables V and VI need the extra "offline", the figure needs "plots":
pip install "nucrec[offline,plots]".
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
    about = "reproduce the tables of the paper"
    command = add_command(commands, "reproduce", run, about, DESCRIPTION, EXAMPLES)
    add = command.add_argument
    add(
        "--tables",
        default="all",
        metavar="N,N",
        help="the numbers of the tables, from 1 to 6, such as 1,2 (default: all)",
    )
    add(
        "--protocol",
        choices=("paper", "honest", "both"),
        default="both",
        help="how test images are chosen (default: both)",
    )
    add(
        "--preset",
        choices=("quick", "overnight", "full"),
        default="quick",
        help="quick takes minutes on a laptop; full fine-tunes the paper's network for 100 epochs, and "
        "overnight for 20; called again, both continue (default: quick)",
    )
    _add_networks(command)
    add(
        "--data",
        metavar="PATH",
        help="the NucRec folder or zip, a class folder, a zip of it, or a CSV file (default: the crops "
        "that ship)",
    )
    add_out_folder(command, "results")
    add(
        "--from-record",
        metavar="FILE",
        help="repeat the run of a run.json with its parameters, and compare the numbers",
    )
    add_seed(command, "all splits and trainings")
    _add_run(command)
    add_output_options(command, "the record of the run instead of the tables")


def _add_networks(command: Any) -> None:
    add = command.add_argument
    add(
        "--backbone",
        metavar="NAME",
        help="the pre-trained network of Tables V and VI, such as inception-resnet-v2, the paper's "
        "(default: efficientnet-lite0; for overnight and full: the paper's)",
    )
    add(
        "--weights",
        default="imagenet",
        metavar="FILE",
        help="its weights from a file, if they cannot be downloaded (default: imagenet)",
    )


def _add_run(command: Any) -> None:
    add = command.add_argument
    add(
        "--repeats",
        type=whole_number,
        default=2,
        metavar="N",
        help="how many times the honest protocol draws its three folds (default: 2)",
    )
    add(
        "--jobs",
        type=whole_number,
        metavar="N",
        help="how many classifiers are fitted at a time (default: one for each core)",
    )
    add(
        "--timeout",
        type=number,
        default=600.0,
        metavar="S",
        help="the longest time for one classifier, in seconds (default: 600)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the reproduction, print its tables and return the exit code."""
    from nucrec.paper import reproduce

    check_input("--data", arguments.data, "labelled")
    check_input("--from-record", arguments.from_record, "record")
    weights = None if arguments.weights == "imagenet" else arguments.weights
    reads = [arguments.data, arguments.from_record, weights]
    check_not_replaced("--out", arguments.out, REPRODUCTION, reads)
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
