"""Run all comparisons and print one Markdown table."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

REPEATS = 15


def seconds_of(*arguments: str) -> Callable[[], float]:
    """Return a function that times a fresh interpreter with these arguments."""

    def measure() -> float:
        started = time.perf_counter()
        command = [sys.executable, *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - started

    return measure


def import_seconds(module: str) -> Callable[[], float]:
    """Return a function that times an import in a fresh interpreter, from inside."""
    code = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"

    def measure() -> float:
        output = subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        )
        return float(output.stdout)

    return measure


COMPARISONS = {
    "`import nucrec` / `import numpy`": (import_seconds("nucrec"), import_seconds("numpy")),
    "`import nucrec.datasets` / `import numpy, PIL.Image`": (
        import_seconds("nucrec.datasets"),
        import_seconds("numpy, PIL.Image"),
    ),
    "`nucrec --help` / bare Python": (
        seconds_of("-m", "nucrec", "--help"),
        seconds_of("-c", "pass"),
    ),
}


def compare(
    ours: Callable[[], float], peer: Callable[[], float]
) -> tuple[list[float], list[float]]:
    """Time both in turn, after one run of each that does not count."""
    ours(), peer()
    pairs = [(ours(), peer()) for _ in range(REPEATS)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def row(name: str, ours: list[float], peer: list[float]) -> str:
    """Return a line of the table: medians in milliseconds, and the ratio of each pair."""
    ratios = sorted(a / b for a, b in zip(ours, peer, strict=True))
    cells = [
        name,
        f"{statistics.median(ours) * 1e3:.1f}",
        f"{statistics.median(peer) * 1e3:.1f}",
        f"{statistics.median(ratios):.2f}",
        f"{ratios[0]:.2f} to {ratios[-1]:.2f}",
    ]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Print the table."""
    print("| ours / peer | ours, ms | peer, ms | ratio | spread |")
    print("|:--|--:|--:|--:|--:|")
    for name, (ours, peer) in COMPARISONS.items():
        print(row(name, *compare(ours, peer)), flush=True)


if __name__ == "__main__":
    main()
