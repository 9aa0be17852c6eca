"""How a command is added to the parser."""

import argparse
from collections.abc import Callable
from typing import Any

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
