"""The command `nucrec audit`."""

import argparse
from typing import Any

from nucrec._cli.command import add_channel, add_command
from nucrec._cli.output import print_json
from nucrec._cli.outputs import check_outputs, file_to_write

DESCRIPTION = """\
Find images of a folder that show the same or almost the same: copies, re-encoded, resized, brighter,
flipped or turned ones, and windows that overlap. On both sides of a split they make any score too
good. The pairs are printed, and written as a picture, side by side.
"""
EXAMPLES = """\
examples:
  nucrec audit cells
  nucrec audit cells.zip -o pairs.png --csv pairs.csv
"""


def add_to(commands: Any) -> None:
    """Add the command to the parser's commands."""
    about = "find images that show the same"
    command = add_command(commands, "audit", run, about, DESCRIPTION, EXAMPLES)
    add = command.add_argument
    add("data", metavar="FOLDER", help="images at any depth, or a zip of them")
    add_channel(command)
    add(
        *("-o", "--out"),
        default="duplicates.png",
        type=file_to_write(".png"),
        metavar="FILE",
        help="the picture of the pairs, if there are any (default: duplicates.png)",
    )
    add("--csv", type=file_to_write(), metavar="FILE", help="write all pairs as a table")
    add(
        "--similarity",
        type=float,
        default=0.965,
        metavar="S",
        help="smallest correlation of two whole images (default: 0.965)",
    )
    add(
        "--min-overlap",
        type=float,
        default=0.5,
        metavar="SHARE",
        help="smallest share of the smaller of two windows (default: 0.5)",
    )
    add("--json", action="store_true", help="print the pairs as JSON")
    add("--quiet", action="store_true", help="no progress on standard error")


def run(arguments: argparse.Namespace) -> int:
    """Search, print the pairs and return the exit code."""
    from nucrec.audit import duplicates, save_contact_sheet
    from nucrec.datasets import load_images

    check_outputs([arguments.data], {"--out": arguments.out, "--csv": arguments.csv})
    images = load_images(arguments.data, channel=arguments.channel)
    show = not arguments.quiet
    found = duplicates(images, arguments.similarity, arguments.min_overlap, progress=show)
    print_json(found.to_dict()) if arguments.json else print(found)
    written = [arguments.csv] if arguments.csv else []
    if arguments.csv:
        found.save_csv(arguments.csv)
    if len(found):
        written.append(str(save_contact_sheet(found, arguments.out, images)))
    if written and not arguments.json:
        print(f"\nWritten to {' and '.join(written)}")
    return 0
