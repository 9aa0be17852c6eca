"""How long it takes until nucrec is there."""

import subprocess
import sys
from collections.abc import Iterator

from benchmarks.timing import Comparison, Work


def comparisons() -> Iterator[Comparison]:
    """Yield imports, and the help of the command line."""
    imports = [
        ("nucrec", "numpy", 0.5),
        ("nucrec.datasets", "numpy, PIL.Image", None),
    ]
    for ours, theirs, goal in imports:
        peer = f"`import {theirs}`"
        yield Comparison(f"`import {ours}`", peer, _import(ours), _import(theirs), 15, goal=goal)
    bare = _run("-c", "pass")
    yield Comparison("`nucrec --help`", "bare Python", _run("-m", "nucrec", "--help"), bare, 15)


def _run(*arguments: str) -> Work:
    """Return a function that runs a fresh interpreter with these arguments."""

    def run() -> None:
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)

    return run


def _import(module: str) -> Work:
    """Return a function that times an import in a fresh interpreter, from inside."""
    code = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"

    def measure() -> float:
        command = [sys.executable, "-c", code]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    return measure
