"""Timing two ways to do the same work, in turn, and how fast the machine could do it at best."""

import multiprocessing
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

Work = Callable[[], Any]
"""Does the work once. A float that it returns is the seconds that count, where not all of it does."""


def fresh_process() -> ProcessPoolExecutor:
    """Return what runs calls in one new process, where TensorFlow was never started."""
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))


class Elsewhere:
    """Does work in a process of its own, where TensorFlow starts as in anybody's script.

    Parameters
    ----------
    function : callable
        Of a module, so that the process finds it.
    *args
        Its arguments.
    """

    def __init__(self, function: Callable[..., Any], *args: Any) -> None:
        self._process = fresh_process()
        self._work = function, args

    def close(self) -> None:
        """End the process."""
        self._process.shutdown()

    def __call__(self) -> float:
        """Do the work, and return the seconds that it says count, or that it took there."""
        function, args = self._work
        return float(self._process.submit(_seconds, function, *args).result())


@dataclass(frozen=True)
class Comparison:
    """The same work, done by nucrec and by a peer.

    Attributes
    ----------
    work : str
        What is done.
    peer : str
        Who else does it.
    ours, theirs : callable
        Do it once.
    repeats : int
        How often each is timed.
    items : int or None
        How many images that is, for a rate.
    goal : float or None
        How many times as long the peer should take, at least.
    limit : (str, callable) or None
        What bounds the work on this machine, and what does just that.
    warm : bool
        Whether to run each once before, which does not count.
    """

    work: str
    peer: str
    ours: Work
    theirs: Work
    repeats: int = 5
    items: int | None = None
    goal: float | None = None
    limit: tuple[str, Work] | None = None
    warm: bool = True


@dataclass(frozen=True)
class Timing:
    """What a comparison found: seconds of each run, in turn."""

    comparison: Comparison
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    limits: tuple[float, ...]

    HEADER = ("work", "peer", "nucrec", "peer took", "ratio", "range", "goal", "limit")

    @property
    def ratios(self) -> list[float]:
        """How many times as long the peer took, pair by pair, sorted."""
        return sorted(b / a for a, b in zip(self.ours, self.theirs, strict=True))

    def cells(self) -> tuple[str, ...]:
        """Return the line of the table."""
        ratios, goal, limit = self.ratios, self.comparison.goal, self.comparison.limit
        share = statistics.median(self.limits) / statistics.median(self.ours) if limit else 0.0
        return (
            self.comparison.work,
            self.comparison.peer,
            self._shown(self.ours),
            self._shown(self.theirs),
            f"{statistics.median(ratios):.2f}",
            f"{ratios[0]:.2f} to {ratios[-1]:.2f}",
            "" if goal is None else f"{goal:.2g}",
            "" if limit is None else f"{share:.0%} of {limit[0]}",
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain dicts, lists and numbers."""
        seconds = {"ours": self.ours, "theirs": self.theirs, "limits": self.limits}
        names = {"work": self.comparison.work, "peer": self.comparison.peer}
        return {**names, "goal": self.comparison.goal, **{k: list(v) for k, v in seconds.items()}}

    def _shown(self, seconds: tuple[float, ...]) -> str:
        median = statistics.median(seconds)
        time_taken = f"{median * 1e3:.1f} ms" if median < 1 else f"{median:.1f} s"
        if self.comparison.items is None:
            return time_taken
        return f"{time_taken} ({self.comparison.items / median:.0f}/s)"


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table, the first column left-aligned."""
    rule = [":--", *["--:"] * (len(header) - 1)]
    return "\n".join("| " + " | ".join(line) + " |" for line in (header, rule, *rows))


def compare(comparison: Comparison) -> Timing:
    """Time nucrec, the peer and the limit in turn."""
    limit = comparison.limit[1] if comparison.limit else None
    works = [work for work in (comparison.ours, comparison.theirs, limit) if work]
    if comparison.warm:
        for work in works:
            work()
    rounds = [[_seconds(work) for work in works] for _ in range(comparison.repeats)]
    if isinstance(comparison.theirs, Elsewhere):
        comparison.theirs.close()
    ours, theirs, *limits = zip(*rounds, strict=True)
    return Timing(comparison, ours, theirs, limits[0] if limits else ())


def _seconds(work: Callable[..., Any], *args: Any) -> float:
    started = time.perf_counter()
    found = work(*args)
    return found if isinstance(found, float) else time.perf_counter() - started
