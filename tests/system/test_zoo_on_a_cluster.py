"""Work that joblib hands out: the same from threads, processes and the workers of a cluster."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import joblib
import numpy as np
import psutil
import pytest
from distributed import Client, LocalCluster, get_task_stream
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from nucrec.datasets import ImageDataset
from nucrec.errors import NucrecError
from nucrec.evaluate import RocCurveDisplay
from nucrec.models import PixelFeatures, cross_validate, run_zoo

X = np.random.default_rng(0).normal(size=(60, 3))
Y = (X[:, 0] + np.random.default_rng(1).normal(size=60) > 0).astype(int)


class Alternates(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.arange(len(X)) % 2


class SaysWhere(Alternates):
    """Leaves a file that is named after the process that started its own."""

    def __init__(self, folder):
        self.folder = folder

    def fit(self, X, y):
        (Path(self.folder) / str(os.getppid())).touch()
        return super().fit(X, y)


class WaitsTheFirstTime(Alternates):
    """Leaves the ids of the process above and of its own, and hangs; later it works."""

    def __init__(self, path):
        self.path = path

    def fit(self, X, y):
        if not Path(self.path).exists():
            Path(self.path).write_text(f"{os.getppid()} {os.getpid()}\n")
            time.sleep(600)
        return super().fit(X, y)


class Hangs(Alternates):
    def fit(self, X, y):
        time.sleep(600)


class Dies(Alternates):
    def fit(self, X, y):
        os._exit(3)


class CannotBeSent(Alternates):
    def __init__(self):
        self.lock = threading.Lock()


@pytest.fixture(scope="module")
def client():
    with (
        LocalCluster(2, threads_per_worker=1, host="127.0.0.1", dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.fixture
def workers(client) -> set[int]:
    """The process ids of two workers, whatever became of those that a test before had."""
    client.wait_for_workers(2, timeout=1200)
    return set(client.run(os.getpid).values())


@pytest.fixture(scope="module")
def images() -> ImageDataset:
    """So many images that the resamples of each fold are drawn in several chunks."""
    rng = np.random.default_rng(0)
    labels = np.arange(6000) % 2
    pixels = rng.integers(0, 120, (6000, 2, 2)) + 25 * labels[:, None, None]
    return ImageDataset(pixels.astype(np.uint8), labels, groups=np.arange(6000) // 6)


def cross_validated(images) -> list:
    """Return everything but the seconds from the folds of two classifiers."""
    linear = make_pipeline(PixelFeatures(2), LogisticRegression())
    zoo = {"linear": linear, "alternates": Alternates()}
    found = cross_validate(zoo, images, 2, random_state=0)
    return [(contents(fold), fold.ranking) for fold in found.folds]


@pytest.fixture(scope="module")
def plain(images) -> list:
    return cross_validated(images)


def contents(result) -> list:
    return [
        (row.name, row.status, row.report, row.y_pred.tolist(), row.y_score is None)
        for row in result
    ]


def children_left() -> list[int]:
    """Return our child processes, and those of our workers, after some time to end."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        left = []
        for process in psutil.Process().children(recursive=True):
            try:
                left += [process.pid] if "serve()" in " ".join(process.cmdline()) else []
            except psutil.NoSuchProcess:
                continue
        if not left:
            break
        time.sleep(0.1)
    return left


def has_ended(pid: int) -> bool:
    """Tell whether a process has ended; it looks for its parent once a second, or later under load."""
    deadline = time.monotonic() + 300
    while psutil.pid_exists(pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not psutil.pid_exists(pid)


def test_a_zoo_runs_on_the_workers(client, workers, tmp_path):
    zoo = {
        "linear": LogisticRegression(),
        "where": SaysWhere(str(tmp_path)),
        "dies": Dies(),
        "hangs": Hangs(),
        "send": CannotBeSent(),
    }
    seen = []
    with joblib.parallel_config(backend="dask"):
        found = run_zoo(zoo, (X, Y), (X, Y), timeout=15, progress=lambda *step: seen.append(step))
    assert {int(path.name) for path in tmp_path.iterdir()} <= workers
    good = {name: zoo[name] for name in ("linear", "where")}
    plain = run_zoo(good, (X, Y), (X, Y))
    assert contents(found[:2]) == contents(plain)
    assert found.ranking == plain.ranking
    assert (found["dies"].status, found["dies"].stage) == ("failed", "fit")
    assert found["dies"].error == "the process ended with exit code 3"
    assert found["hangs"].status == "timeout"
    assert (found["send"].status, found["send"].stage) == ("failed", "send")
    assert [step[:2] for step in seen] == [(k, 5) for k in range(6)]  # 0: child processes start
    assert children_left() == []


def test_folds_run_on_the_workers(client, workers, images, plain):
    with joblib.parallel_config(backend="dask"):
        assert cross_validated(images) == plain
    assert children_left() == []


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_folds_are_the_same_from_every_backend(backend, images, plain):
    with joblib.parallel_config(backend=backend, n_jobs=2):
        assert cross_validated(images) == plain
    assert children_left() == []


def test_a_killed_worker_loses_nothing(client, workers, tmp_path):
    zoo = {
        "before": GaussianNB(),
        "killed": WaitsTheFirstTime(str(tmp_path / "pids")),
        "after": LogisticRegression(),
    }
    killed = []

    def kill():
        deadline = time.monotonic() + 1200
        while time.monotonic() < deadline:
            if (tmp_path / "pids").exists() and (tmp_path / "pids").read_text().endswith("\n"):
                killed.extend(map(int, (tmp_path / "pids").read_text().split()))
                os.kill(killed[0], signal.SIGKILL)
                return
            time.sleep(0.05)

    killer = threading.Thread(target=kill)
    killer.start()
    with joblib.parallel_config(backend="dask"):
        found = run_zoo(zoo, (X, Y), (X, Y))
    killer.join()
    assert killed[0] in workers
    assert contents(found) == contents(run_zoo(zoo, (X, Y), (X, Y)))
    assert [row.status for row in found] == ["ok"] * 3
    assert children_left() == []
    assert has_ended(killed[1])


def hide():
    sys.hidden = sys.modules["nucrec"]
    sys.modules["nucrec"] = None


def show():
    sys.modules["nucrec"] = sys.hidden


def test_workers_without_nucrec_are_told_of(client, workers):
    client.run(hide)
    try:
        with joblib.parallel_config(backend="dask"):
            with pytest.raises(
                NucrecError, match="^a worker cannot load what it is sent .import of"
            ):
                run_zoo({"linear": LogisticRegression()}, (X, Y), (X, Y))
    finally:
        client.run(show)


def test_chunks_of_the_bootstrap_run_on_the_workers(client, workers, images):
    scores = np.random.default_rng(0).random(6000)

    def bands() -> list:
        either = [
            RocCurveDisplay.from_predictions(images.labels, scores, groups=groups).curves[0]
            for groups in (None, images.groups)
        ]
        return [(curve.low.tolist(), curve.high.tolist()) for curve in either]

    expected = bands()
    with joblib.parallel_config(backend="dask"), get_task_stream(client) as tasks:
        found = bands()
    assert found == expected
    assert len({task["worker"] for task in tasks.data}) == len(workers) == 2
