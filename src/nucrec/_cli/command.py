"""How a command is added to the parser."""

import argparse
from collections.abc import Callable
from typing import Any

from nucrec._cli.output import show_line

Run = Callable[[argparse.Namespace], int]


def add_command(
    commands: Any, name: str, run: Run, about: str, description: str, examples: str
) -> argparse.ArgumentParser:
    """Add a command that calls `run` with its arguments, and return its parser."""
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=about,
        description=description,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=run)
    return command


def add_channel(command: Any) -> None:
    """Add the option for images of several channels to a command, or to a group of its options."""
    command.add_argument(
        "--channel",
        type=lambda text: int(text) if text.isdecimal() else text,
        metavar="CHANNEL",
        help="the channel to read, of images that have several: its number from 0, or its name, such "
        "as DAPI or blue",
    )


def add_labelled(command: Any, *, classes: str) -> None:
    """Add the labelled images, and what says their classes and groups, to a command."""
    add = command.add_argument
    add(
        "data",
        metavar="LABELLED",
        help="a folder with one sub-folder for each class, a zip of it, or a CSV file with the columns "
        "file and label, and group if images belong together",
    )
    add(
        "--group-by",
        default="image",
        metavar="HOW",
        help="which images belong together: image, each for itself; folder, those in folders of one "
        "name inside the class folders; top, those in one outer folder, with class folders inside; "
        "or the name of a column of the CSV file (default: image, or the column group)",
    )
    add("--classes", metavar="NAME,NAME", help=f"{classes} (default: as the names say)")


def names_of_classes(arguments: argparse.Namespace) -> list[str] | None:
    """Return the classes that were told, None where none were."""
    told = arguments.classes
    return None if told is None else [name.strip() for name in told.split(",")]


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
