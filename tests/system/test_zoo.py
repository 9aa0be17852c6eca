"""Classifiers that hang, crash or are interrupted: a row that says so, and no process left."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression

from nucrec.models import ZooResult, run_zoo

X = np.array([[0.0], [0.2], [0.9], [1.0]] * 5)
Y = np.array([0, 0, 1, 1] * 5)


class Base(ClassifierMixin, BaseEstimator):
    def predict(self, X):
        return np.zeros(len(X), int)


class Hangs(Base):
    def fit(self, X, y):
        time.sleep(600)


class Dies(Base):
    def fit(self, X, y):
        os._exit(3)


class Segfaults(Base):
    def fit(self, X, y):
        os.kill(os.getpid(), 11)


@pytest.fixture(scope="module")
def everything() -> ZooResult:
    zoo = {
        "before": LogisticRegression(),
        "hangs": Hangs(),
        "dies": Dies(),
        "segfaults": Segfaults(),
        "after": LogisticRegression(),
    }
    return run_zoo(zoo, (X, Y), (X, Y), timeout=20, n_jobs=2)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("dies", "the process ended with exit code 3"),
        ("segfaults", "the process ended with exit code -11"),
    ],
)
def test_a_crash_says_where_and_how(everything, name, error):
    row = everything[name]
    assert (row.status, row.stage, row.error, row.report) == ("failed", "fit", error, None)


def test_the_others_are_not_affected(everything):
    assert [everything[name].report.accuracy.value for name in ("before", "after")] == [1, 1]


def test_a_hanging_one_is_stopped(everything):
    row = everything["hangs"]
    assert (row.status, row.report) == ("timeout", None)
    assert 20 <= row.seconds < 500


SCRIPT = """
import os, sys, threading, signal, time
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from nucrec.models import run_zoo

class Mine(ClassifierMixin, BaseEstimator):  # a class of the script, and no main guard around it
    def fit(self, X, y):
        if {hang}:
            open({path!r}, "w").write(str(os.getpid()))
            while True:
                pass
        return self
    def predict(self, X):
        return np.zeros(len(X), int)

X, y = np.zeros((4, 1)), [0, 1, 0, 1]
print(run_zoo({{"mine": Mine()}}, (X, y), (X, y))["mine"].status)
"""


def test_scripts_need_no_main_guard(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT.format(hang=False, path="")))
    result = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=1200)
    assert (result.stdout, result.returncode) == ("ok\n", 0), result.stderr


def test_interrupt_leaves_no_process_behind(tmp_path, start_interruptible):
    script, pid_file = tmp_path / "script.py", tmp_path / "pid"
    script.write_text(textwrap.dedent(SCRIPT.format(hang=True, path=str(pid_file))))
    process = start_interruptible([sys.executable, str(script)])
    deadline = time.monotonic() + 1200
    while not (pid_file.exists() and pid_file.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=1200)
    assert "KeyboardInterrupt" in errors
    child = int(pid_file.read_text())
    for _ in range(6000):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError("the child is still running")
