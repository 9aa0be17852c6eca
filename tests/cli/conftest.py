"""Images for the commands, and what runs them as a user does."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def run() -> Callable[..., subprocess.CompletedProcess]:
    """Run the command line in a process of its own."""

    def run(*arguments: object, **options) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "nucrec", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=300, **options)

    return run


@pytest.fixture
def images(tmp_path) -> Path:
    """A folder of two classes, 10 images of 12 x 12 pixels each."""
    rng = np.random.default_rng(0)
    for k, name in enumerate(("nucleus", "micronucleus")):
        (tmp_path / "cells" / name).mkdir(parents=True)
        for i in range(10):
            values = rng.integers(0, 60, (12, 12)) + 150 * k
            Image.fromarray(values.astype(np.uint8)).save(tmp_path / "cells" / name / f"{i}.png")
    return tmp_path / "cells"
