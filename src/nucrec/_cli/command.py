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
