"""The command `nucrec audit`."""

import argparse
import warnings
from typing import TYPE_CHECKING, Any

from nucrec._cli.command import add_channel, add_command, add_output_options
from nucrec._cli.inputs import check_input
from nucrec._cli.output import print_json
from nucrec._cli.outputs import check_outputs, file_to_write
from nucrec._cli.parser import number
from nucrec.errors import DatasetError

if TYPE_CHECKING:
    from nucrec.datasets import ImageDataset, Shortcuts

DESCRIPTION = """\
Find duplicate and near-duplicate images: exact, re-encoded, resized, brightened, flipped and
rotated copies, and overlapping windows. With one of a pair in the training set and the other in the
test set, any score is too good. The pairs are printed, and drawn side by side in a picture. For
class folders, a table shows which properties of the files alone reveal the class: bit depth,
colour, format, size.
"""
EXAMPLES = """\
examples:
  nucrec audit cells
  nucrec audit cells.zip -o pairs.png --csv pairs.csv
"""


def add_to(commands: Any) -> None:
    """Add the command to the parser's commands."""
    about = "find duplicate and overlapping images, and properties that reveal the class"
    command = add_command(commands, "audit", run, about, DESCRIPTION, EXAMPLES)
    add = command.add_argument
    add("data", metavar="FOLDER", help="images at any depth of a folder, or a zip of it")
    add_channel(command)
    add(
        *("-o", "--out"),
        default="duplicates.png",
        type=file_to_write(".png"),
        metavar="FILE",
        help="the picture of the pairs, if there are any; its name ends in .png (default: "
        "duplicates.png)",
    )
    add("--csv", type=file_to_write(), metavar="FILE", help="write all pairs as a table")
    add(
        "--similarity",
        type=number,
        default=0.965,
        metavar="S",
        help="the smallest correlation of two images to be paired, up to 1 (default: 0.965)",
    )
    add(
        "--min-overlap",
        type=number,
        default=0.5,
        metavar="SHARE",
        help="the smallest overlap of two windows to be paired, as a share of the area of the "
        "smaller one (default: 0.5)",
    )
    add_output_options(command, "the pairs")


def _load(path: str, channel: int | str | None) -> "tuple[ImageDataset, Shortcuts | None]":
    """Return the images of a folder, and what tells its classes apart, if it has class folders."""
    from nucrec.datasets import find_shortcuts, load_folder, load_images

    try:
        with warnings.catch_warnings():
            # it makes no difference here which class is the positive one
            warnings.filterwarnings("ignore", "the names of the classes do not say")
            images = load_folder(path, channel=channel)
    except DatasetError:
        return load_images(path, channel=channel), None
    return images, find_shortcuts(images)


def run(arguments: argparse.Namespace) -> int:
    """Search, print the pairs and return the exit code."""
    from nucrec.audit import duplicates, save_contact_sheet

    check_input("FOLDER", arguments.data, "images")
    check_outputs("audit", [arguments.data], {"--out": arguments.out, "--csv": arguments.csv})
    images, shortcuts = _load(arguments.data, arguments.channel)
    show = not arguments.quiet
    found = duplicates(images, arguments.similarity, arguments.min_overlap, progress=show)
    if arguments.json:
        told = {} if shortcuts is None else {"shortcuts": shortcuts.to_dict()}
        print_json(found.to_dict() | told)
    else:
        print(found)
        if shortcuts is not None:
            print(f"\nProperties besides the cells that reveal the class\n\n{shortcuts}")
    written = [arguments.csv] if arguments.csv else []
    if arguments.csv:
        found.save_csv(arguments.csv)
    if len(found):
        written.append(str(save_contact_sheet(found, arguments.out, images)))
    if written and not arguments.json:
        print(f"\nWritten to {' and '.join(written)}")
    return 0
