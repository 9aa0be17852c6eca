"""The processes in which classifiers run: where, how many, and that none is left."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from threadpoolctl import threadpool_info, threadpool_limits

from nucrec.models import run_zoo

X, Y = np.zeros((4, 1)), np.array([0, 1, 0, 1])


class Does(ClassifierMixin, BaseEstimator):
    """A classifier that calls a function with a folder instead of learning."""

    def __init__(self, function: Callable[[Path], object], folder: Path | None = None) -> None:
        self.function = function
        self.folder = folder

    def fit(self, X, y):
        self.function(self.folder)
        return self

    def predict(self, X):
        return np.zeros(len(X), int)


def run(functions: dict, folder: Path | None = None, **options):
    zoo = {name: Does(function, folder) for name, function in functions.items()}
    return run_zoo(zoo, (X, Y), (X, Y), **options)


def note_process(folder: Path) -> None:
    (folder / f"{time.monotonic_ns()} {os.getpid()}").touch()
    time.sleep(0.2)


def noted(folder: Path) -> list[int]:
    return [int(path.name.split()[1]) for path in folder.iterdir()]


def wait_until_gone(pid: int) -> bool:
    for _ in range(6000):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_few_processes_serve_many_classifiers_and_are_gone_at_the_end(tmp_path, n_jobs):
    found = run(dict.fromkeys("abcdef", note_process), tmp_path, n_jobs=n_jobs)
    assert [row.status for row in found] == ["ok"] * 6
    pids = noted(tmp_path)
    assert len(pids) == 6
    assert 1 <= len(set(pids)) <= n_jobs
    assert os.getpid() not in pids
    assert all(wait_until_gone(pid) for pid in pids)


def wait_for_others(folder: Path) -> None:
    """Wait until as many are at work at once as the name of the folder says."""
    note_process(folder)
    deadline = time.monotonic() + 1200
    while len(noted(folder)) < int(folder.name):
        assert time.monotonic() < deadline, "nobody else came"
        time.sleep(0.01)


def test_joblib_says_how_many_run_at_a_time(tmp_path):
    for n in (2, 3):
        folder = tmp_path / str(n)
        folder.mkdir()
        with joblib.parallel_config(n_jobs=n):
            found = run(dict.fromkeys("abc"[:n], wait_for_others), folder)
        assert [row.status for row in found] == ["ok"] * n
    with joblib.parallel_config(n_jobs=1):
        (tmp_path / "1").mkdir()
        run(dict.fromkeys("abc", note_process), tmp_path / "1")
    assert len(set(noted(tmp_path / "1"))) == 1


def check_threads(_: Path) -> None:
    assert os.environ["OMP_NUM_THREADS"] == "1"
    assert {pool["num_threads"] for pool in threadpool_info()} == {1}


def test_each_process_has_one_thread_for_sums():
    found = run({"a": check_threads})
    assert found["a"].status == "ok", found["a"].error


def blas_threads() -> list[int]:
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_products_of_matrices_here_take_one_thread_while_others_are_at_work():
    during = []
    with threadpool_limits(2, "blas"):
        before = blas_threads()
        run(dict.fromkeys("ab", print), progress=lambda *_: during.append(blas_threads()))
        assert set(before) == {2}
        assert during[0] == before  # no process has started yet
        assert during[1:] == [[1] * len(before)] * 2
        assert blas_threads() == before


def be_noisy(_: Path) -> None:
    print("on python's standard output")
    os.write(1, b"on the real one\n")


def test_what_is_printed_goes_to_standard_error(capfd):
    assert run({"a": be_noisy})["a"].status == "ok"
    told = capfd.readouterr()
    assert told.out == ""
    assert "on python's standard output" in told.err
    assert "on the real one" in told.err


def test_odd_entries_of_the_search_path_do_no_harm(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "path", [tmp_path, *sys.path])
    assert run({"a": print})["a"].status == "ok"


def hang_with_a_child(folder: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    (folder / "pids").write_text(f"{os.getpid()} {child.pid}")
    while True:
        pass


def test_a_classifier_that_takes_too_long_is_killed_with_its_children(tmp_path):
    started = time.monotonic()
    found = run({"a": hang_with_a_child, "b": print}, tmp_path, timeout=10, n_jobs=1)
    assert time.monotonic() - started < 500
    assert [row.status for row in found] == ["timeout", "ok"]
    for pid in map(int, (tmp_path / "pids").read_text().split()):
        assert wait_until_gone(pid)


class EnoughError(Exception):
    """What the tests below raise."""


def sleep_long(_: Path) -> None:
    time.sleep(600)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_error_in_the_middle_ends_all_processes_at_once(tmp_path, n_jobs):
    def refuse(*_: object) -> None:
        raise EnoughError

    started = time.monotonic()
    functions = {"a": note_process, **dict.fromkeys("bcd", sleep_long)}
    with pytest.raises(EnoughError):
        run(functions, tmp_path, n_jobs=n_jobs, progress=refuse)
    assert time.monotonic() - started < 500
    assert all(wait_until_gone(pid) for pid in noted(tmp_path))


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.system.test_children import hang_with_a_child, run
run({{"a": hang_with_a_child}}, Path(sys.argv[1]))
"""


def test_processes_end_with_the_one_that_started_them(tmp_path):
    script, pids = tmp_path / "script.py", tmp_path / "pids"
    script.write_text(SCRIPT.format(root=str(Path(__file__).parents[2])))
    parent = subprocess.Popen([sys.executable, str(script), str(tmp_path)])
    deadline = time.monotonic() + 1200
    while not (pids.exists() and pids.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    for pid in map(int, pids.read_text().split()):
        assert wait_until_gone(pid)
