"""What the command line prints besides a command's own text."""

import io
import json
import sys
from typing import Any


def escape_unprintable() -> None:
    """Have standard output escape what the terminal cannot encode, as standard error does."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # it may be replaced by anything that has write()
        sys.stdout.reconfigure(errors="backslashreplace")


def print_json(value: dict[str, Any]) -> None:
    """Print plain dicts, lists and numbers; undefined numbers become null."""
    print(json.dumps(json.loads(json.dumps(value), parse_constant=lambda _: None), indent=2))


def show_warning(message: Warning | str, *_: object, **__: object) -> None:
    """Show a warning as one line, without the place in the code that it comes from."""
    show_line(f"warning: {message}")


def show_line(text: object) -> None:
    """Show `text` as one line on standard error, and nothing in it that a terminal would obey."""
    line = " ".join(str(text).split())
    shown = "".join(char if char.isprintable() else repr(char)[1:-1] for char in line)
    print(f"nucrec: {shown}", file=sys.stderr)
