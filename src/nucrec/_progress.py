"""Progress of long work, as lines on standard error."""

import sys
import time
from collections.abc import Callable
from typing import TextIO, TypeAlias

Progress: TypeAlias = Callable[[int, int, str], None]
"""Called with (steps done, steps in all, what is being done)."""


def silent(done: int, total: int, what: str) -> None:
    """Show nothing."""


def progress_function(progress: Progress | bool) -> Progress:
    """Return what shows progress: a function as it is, a line for True, nothing for False."""
    if callable(progress):
        return progress
    return ProgressLine() if progress and sys.stderr is not None else silent


class ProgressLine:
    """A progress line: redrawn in place on a terminal, a line now and then elsewhere.

    Parameters
    ----------
    stream : text stream, optional
        Where to write; standard error by default.
    interval : float, default=5.0
        Seconds between two lines where the stream is no terminal.
    """

    def __init__(self, stream: TextIO | None = None, interval: float = 5.0) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._interval = interval
        self._started = self._shown = time.monotonic()

    def __call__(self, done: int, total: int, what: str) -> None:
        """Show that `done` of `total` steps are done."""
        now = time.monotonic()
        line = f"[{done:>{len(str(total))}}/{total}] {now - self._started:4.0f} s  {what}"
        finished = done >= total
        if self._stream.isatty():
            self._stream.write(f"\r{line:<79.79}" + ("\n" if finished else ""))
        elif finished or now - self._shown >= self._interval:
            self._shown = now
            self._stream.write(line + "\n")
        self._stream.flush()
