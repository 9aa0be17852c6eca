"""Run the comparisons, and print and write a table: python -m benchmarks [NAME ...]."""

import argparse
import importlib
import json
import platform
import sys
from pathlib import Path

import numpy as np

from benchmarks.timing import Timing, compare, markdown_table
from nucrec.models import Embeddings

SUBJECTS = (
    "startup",
    "loading",
    "batches",
    "bootstrap",
    "zoo",
    "embedding",
    "frozen",
    "finetuning",
)


def main() -> None:
    """Run what was asked for, and write the table after each comparison."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"default: {' '.join(SUBJECTS)}")
    parser.add_argument("-o", "--out", type=Path, default=Path("benchmarks.md"), metavar="FILE")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(SUBJECTS)
    if unknown:
        parser.error(f"no such comparisons: {', '.join(sorted(unknown))}")
    # nucrec is the first here to start TensorFlow, as in a script of its users
    Embeddings(weights=None, image_size=32).fit_transform(np.zeros((1, 32, 32), np.uint8))
    timings: list[Timing] = []
    for name in arguments.names or SUBJECTS:
        module = importlib.import_module(f"benchmarks.{name}")
        for comparison in module.comparisons():
            print(f"{comparison.work}, against {comparison.peer}", file=sys.stderr)
            timings.append(compare(comparison))
            print("  " + " | ".join(timings[-1].cells()[2:]), file=sys.stderr)
            _write(arguments.out, timings)
    print(arguments.out.read_text(encoding="utf-8"))


def _write(path: Path, timings: list[Timing]) -> None:
    table = markdown_table(list(Timing.HEADER), [list(timing.cells()) for timing in timings])
    path.write_text(f"{_machine()}\n\n{table}\n", encoding="utf-8")
    record = {"machine": _machine(), "timings": [timing.to_dict() for timing in timings]}
    path.with_suffix(".json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _machine() -> str:
    import joblib
    import keras
    import tensorflow as tf

    from benchmarks.limits import has_bfloat16

    half = "with" if has_bfloat16() else "without"
    return (
        f"{joblib.cpu_count()} cores ({platform.machine()}, {half} bfloat16), Python "
        f"{platform.python_version()}, NumPy {np.__version__}, TensorFlow {tf.__version__}, Keras "
        f"{keras.__version__}. Times are medians; the ratio says how many times as long the peer took, "
        "pair by pair."
    )


if __name__ == "__main__":
    main()
