"""Registration of commands, and the options that several of them share."""

import argparse
from collections.abc import Callable
from typing import Any

from nucrec._cli.output import show_line
from nucrec._cli.outputs import folder_to_write
from nucrec._cli.parser import CommandParser, HelpFormatter, number, whole_number

Run = Callable[[argparse.Namespace], int]

LABELLED = (
    "a folder with one sub-folder for each class, a zip of it, or a CSV file with the columns "
)


def add_command(
    commands: Any, name: str, run: Run, about: str, description: str, examples: str
) -> CommandParser:
    """Add a command that calls `run` with its arguments, and return its parser."""
    command: CommandParser = commands.add_parser(
        name,
        help=about,
        description=description,
        epilog=examples,
        formatter_class=HelpFormatter,
    )
    command.set_defaults(run=run, parser=command)
    return command


def add_channel(command: Any) -> None:
    """Add the option for images of several channels to a command, or to a group of its options."""
    command.add_argument(
        "--channel",
        type=lambda text: int(text) if text.isdecimal() else text,
        metavar="CHANNEL",
        help="the channel to read from images that have several: its number, counted from 0, or its "
        "name, such as DAPI or blue",
    )


def add_labelled(command: Any, *, classes: str) -> None:
    """Add the labelled images, and the options for their classes and groups, to a command."""
    add = command.add_argument
    add("data", metavar="LABELLED", help=f"{LABELLED}file and label (and group)")
    add(
        "--group-by",
        default="image",
        metavar="HOW",
        help="which images belong together, such as those of a slide: folder (folders of the same name "
        "inside the class folders), top (outer folders that hold the class folders), image (each "
        "image by itself), or a column of the CSV file (default: image, or the column group)",
    )
    add(
        "--classes",
        type=_names,
        metavar="NAME,NAME",
        help=f"{classes} (default: told from the names)",
    )
    add_channel(command)
    add(
        "--images",
        metavar="FOLDER",
        help="the folder that the paths in a CSV file start from (default: that of the CSV file)",
    )


def add_out_folder(command: Any, default: str) -> None:
    """Add the option for the output folder to a command, or to a group of its options."""
    command.add_argument(
        *("-o", "--out"),
        default=default,
        type=folder_to_write,
        metavar="FOLDER",
        help=f"the folder to write to (default: {default})",
    )


def add_output_options(command: Any, printed: str) -> None:
    """Add the options for what is printed to a command, or to a group of its options."""
    command.add_argument("--json", action="store_true", help=f"print {printed} as JSON")
    command.add_argument("--quiet", action="store_true", help="show no progress")


def add_seed(command: Any, what: str) -> None:
    """Add the seed to a command, or to a group of its options."""
    command.add_argument(
        "--seed",
        type=whole_number,
        default=0,
        metavar="N",
        help=f"the seed of {what}; the same seed gives the same result (default: 0)",
    )


def add_confidence(command: Any) -> None:
    """Add the confidence level of intervals to a command."""
    command.add_argument(
        "--confidence",
        type=number,
        default=0.95,
        metavar="C",
        help="the confidence level of the intervals, between 0 and 1 (default: 0.95)",
    )


def _names(text: str) -> list[str]:
    """Return the names of "name,name"."""
    names = [name.strip() for name in text.split(",")]
    if not all(names) or len(set(names)) < max(2, len(names)):
        raise argparse.ArgumentTypeError(
            f"expected at least two different names, separated by commas, received {text!r}"
        )
    return names


class FormerName(argparse.Action):
    """The former name of an option: it is set, and one line on standard error names the new one."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Set the option."""
        old, new = self.option_strings[0], "--" + self.dest.replace("_", "-")
        show_line(f"warning: {old} is now called {new}; the old name works in this release only")
        setattr(namespace, self.dest, values)
