"""Output of the command line besides the text of each command."""

import contextlib
import io
import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def prepare_streams() -> None:
    """Make standard output and standard error accept whatever is printed.

    Where they are closed, nothing is shown. Standard output escapes what the terminal cannot encode,
    as standard error does.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):  # it may be replaced by anything that has write()
        sys.stdout.reconfigure(errors="backslashreplace")


def abandon_output() -> None:
    """Discard further standard output: its reader is gone, or its disk is full."""
    with contextlib.suppress(OSError):  # it may be replaced by what is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_json(value: dict[str, Any]) -> None:
    """Print plain dicts, lists and numbers; undefined numbers become null."""
    print(json.dumps(json.loads(json.dumps(value), parse_constant=lambda _: None), indent=2))


def show_line(text: object) -> None:
    """Show `text` as one line on standard error, with control characters escaped."""
    line = " ".join(str(text).split())
    shown = "".join(char if char.isprintable() else repr(char)[1:-1] for char in line)
    print(f"nucrec: {shown}", file=sys.stderr)


@contextlib.contextmanager
def saying_if_slow(what: str, *, quiet: bool, seconds: float = 2.0) -> Iterator[None]:
    """Report on standard error what is being done, if it takes longer than some seconds."""
    timer = threading.Timer(seconds, show_line, (what,))
    timer.daemon = True
    if not quiet:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()
