"""Images for the commands, and what runs them as a user does."""

import contextlib
import io
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nucrec.__main__ import main


@pytest.fixture(scope="session")
def run() -> Callable[..., subprocess.CompletedProcess]:
    """Run the command line: in this process, or in one of its own where it has another environment."""

    def run(*arguments: object, **options) -> subprocess.CompletedProcess:
        texts = [str(argument) for argument in arguments]
        if "env" in options:
            command = [sys.executable, "-m", "nucrec", *texts]
            return subprocess.run(command, capture_output=True, text=True, timeout=1200, **options)
        return run_here(texts, **options)

    return run


def run_here(arguments: list[str], cwd: Path | str = ".") -> subprocess.CompletedProcess:
    """Run the command line in this process, where a second start of TensorFlow takes no time."""
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("default")  # they are shown, as they are outside the tests
        for hidden in (DeprecationWarning, PendingDeprecationWarning, ResourceWarning):
            warnings.simplefilter("ignore", hidden)
        try:
            code = main(arguments)
        except SystemExit as stop:  # argparse's
            code = stop.code
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


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
