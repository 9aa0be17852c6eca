"""Progress of long tasks: a bar in a notebook, lines on standard error elsewhere."""

import sys
import time
import warnings
from collections.abc import Callable
from typing import Any, TextIO, TypeAlias

Progress: TypeAlias = Callable[[int, int, str], None]
"""Called with (steps done, total steps, message)."""


def silent(done: int, total: int, what: str) -> None:
    """Show nothing."""


def progress_function(progress: Progress | bool) -> Progress:
    """Return the function that shows progress: the given one, a bar or line for True, none for False.

    The bar is that of tqdm, in a notebook where tqdm is installed; otherwise it is a line on standard
    error.
    """
    if callable(progress):
        return progress
    if not progress or sys.stderr is None:
        return silent
    bar = _notebook_bar() if _is_notebook() else None
    return ProgressLine() if bar is None else ProgressBar(bar)


class ProgressLine:
    """Show progress as a line redrawn in place on a terminal, or as occasional lines elsewhere.

    Parameters
    ----------
    stream : text stream, optional
        The stream to write to; by default standard error.
    interval : float, default=5.0
        Seconds between two lines if the stream is not a terminal; the first is written at once.
    """

    def __init__(self, stream: TextIO | None = None, interval: float = 5.0) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._interval = interval
        self._started = time.monotonic()
        self._shown = self._started - interval

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


class ProgressBar:
    """A progress bar of tqdm, which begins with the first step and is closed with the last.

    Parameters
    ----------
    make : callable
        The class of the bar, such as `tqdm.auto.tqdm`.
    """

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make
        self._bar: Any = None
        self._finished = 0  # the steps of the last bar that was closed

    def __call__(self, done: int, total: int, what: str) -> None:
        """Show that `done` of `total` steps are done."""
        if done >= total == self._finished:
            return  # told of the last step once more
        if self._bar is None or self._bar.total != total:
            self._close()
            self._bar = self._make(total=total)
        self._bar.set_description_str(what, refresh=False)
        self._bar.update(done - self._bar.n)
        self._bar.refresh()
        if done >= total:
            self._close()
            self._finished = total

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
        self._bar = None


def _is_notebook() -> bool:
    """Return whether this runs in a kernel of Jupyter, or of what speaks to such a kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and "IPKernelApp" in getattr(shell, "config", {})


def _notebook_bar() -> Callable[..., Any] | None:
    """Return the class of tqdm's bars; None where tqdm is not installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # without ipywidgets tqdm warns, and draws the bar as text
        try:
            from tqdm.auto import tqdm
        except ModuleNotFoundError:
            return None
    return tqdm  # type: ignore[no-any-return]
