"""Data that several tests share."""

import os
import random
import signal
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image
from sklearn.pipeline import Pipeline

from nucrec.datasets import ImageDataset, load_mnfinder_crops
from nucrec.models import classical_zoo, save

# as nucrec starts TensorFlow, whichever test does so first: new processes compute alike to the last bit
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

# the same examples in every run, so that a failure can be repeated
settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")


def _draw_alike(name: str) -> None:
    """Have global generators draw the same in every run: Keras seeds layers from Python's."""
    random.seed(name)
    np.random.seed(zlib.crc32(name.encode()))


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef) -> None:
    _draw_alike(fixturedef.argname)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item) -> None:
    _draw_alike(item.nodeid)


@pytest.fixture(scope="session")
def crops() -> ImageDataset:
    return load_mnfinder_crops("paper")


@pytest.fixture(scope="session")
def gnb(crops) -> Pipeline:
    """A classical classifier that is fitted at once, without names of its classes."""
    return classical_zoo(random_state=0)["GNB"].fit(crops, crops.labels)


@pytest.fixture(scope="session")
def gnb_file(gnb, crops, tmp_path_factory) -> Path:
    """Its file, with names of its classes."""
    path = tmp_path_factory.mktemp("gnb") / "gnb.skops"
    save(gnb, path, class_names=crops.class_names)
    return path


@pytest.fixture
def random_image() -> Callable[..., np.ndarray]:
    """Return random values of a shape and a dtype, always the same ones."""

    def make(shape: tuple[int, ...], dtype: str = "uint8") -> np.ndarray:
        rng = np.random.default_rng(7)
        if np.dtype(dtype).kind == "f":
            return rng.random(shape).astype(dtype)
        return rng.integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)

    return make


@pytest.fixture
def class_folder(tmp_path: Path) -> Path:
    """A folder with 6 nucleus and 4 micronucleus images; each is 20 x 30 and of one value."""
    for name, n, first in (("nucleus", 6, 10), ("micronucleus", 4, 100)):
        (tmp_path / "cells" / name).mkdir(parents=True)
        for i in range(n):
            image = Image.new("L", (30, 20), first + i)
            image.save(tmp_path / "cells" / name / f"{name} {i}.png")
    return tmp_path / "cells"


@pytest.fixture(scope="session")
def plain_environment() -> dict[str, str]:
    """The environment of a user who has told TensorFlow nothing."""
    ours = ("TF_CPP_MIN_LOG_LEVEL", "TF_ENABLE_ONEDNN_OPTS", "CUDA_VISIBLE_DEVICES")
    return {name: value for name, value in os.environ.items() if name not in ours}


@pytest.fixture
def start_interruptible():
    """Start processes that can be interrupted, also where we ourselves run in the background."""
    started = []

    def hear_signals() -> None:  # what runs in the background may inherit that they are ignored
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)

    def start(command: list[str]) -> subprocess.Popen:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=hear_signals,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
