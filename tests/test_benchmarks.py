"""The arithmetic of the benchmarks; what they find is not tested."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import keras
import pytest
from benchmarks import __main__ as run
from benchmarks.limits import operations
from benchmarks.timing import Comparison, Elsewhere, compare


def test_ratios_are_of_pairs_in_turn():
    calls = []

    def work(name, seconds):
        def once():
            calls.append(name)
            return seconds.pop(0)

        return once

    comparison = Comparison(
        work="work",
        peer="peer",
        ours=work("ours", [9.0, 2.0, 1.0, 4.0]),
        theirs=work("theirs", [9.0, 6.0, 4.0, 4.0]),
        repeats=3,
        items=8,
        goal=2.5,
        limit=("memory", work("limit", [9.0, 0.5, 1.5, 1.0])),
    )
    timing = compare(comparison)
    assert calls == ["ours", "theirs", "limit"] * 4
    assert timing.ratios == [1.0, 3.0, 4.0]
    assert timing.cells()[2:] == (
        *("2.0 s (4/s)", "4.0 s (2/s)"),
        *("3.00", "1.00 to 4.00", "2.5", "50% of memory"),
    )
    assert json.loads(json.dumps(timing.to_dict()))["ours"] == [2.0, 1.0, 4.0]


def double(x):
    return 2.0 * x


def test_work_elsewhere_says_what_counts():
    with contextlib.closing(Elsewhere(double, 21)) as work:
        assert work() == 42.0


def test_operations_of_a_network():
    layers = keras.layers
    inner = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(5, 3, padding="same")])
    outer = keras.Sequential([inner, layers.DepthwiseConv2D(2, strides=2), layers.Flatten()])
    outer.build((None, 8, 8, 3))
    assert operations(outer) == 2 * (3 * 3 * 3 * 5 * 64) + 2 * (2 * 2 * 5 * 16)


def test_every_subject_is_there_and_others_are_refused():
    folder = Path(run.__file__).parent
    assert all((folder / f"{name}.py").is_file() for name in run.SUBJECTS)
    command = [sys.executable, "-m", "benchmarks", "tea"]
    done = subprocess.run(command, cwd=folder.parent, capture_output=True, text=True)
    assert done.returncode == 2
    assert "no such comparisons: tea" in done.stderr


@pytest.mark.parametrize("module", ["benchmarks", "benchmarks.growth"])
def test_help(module):
    command = [sys.executable, "-m", module, "--help"]
    root = Path(run.__file__).parents[1]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert "--out" in done.stdout
