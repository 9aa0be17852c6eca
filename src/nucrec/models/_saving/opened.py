"""Opening a model file once, so that the content checked is the content loaded."""

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import BinaryIO

from nucrec._endings import MODELS, PRETRAINED
from nucrec._paths import checked_path
from nucrec.errors import ModelFileError


def model_file(name: str, value: object) -> Path:
    """Return the path of a model that a user gave, or asked for as "pretrained".

    Raises
    ------
    InvalidParameterError
        It is no path.
    """
    if isinstance(value, str) and value == PRETRAINED:
        return Path(str(resources.files("nucrec.models") / "data" / "classifier.keras"))
    return checked_path(name, value)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a model file for reading.

    Raises
    ------
    ModelFileError
        There is no such regular file, or its name has another ending.
    """
    # do not wait for a file that has been replaced by a pipe
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        hint = "" if path.suffix in MODELS else f"; the model that ships is called {PRETRAINED!r}"
        raise ModelFileError(f"{path}: there is no such file{hint}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ModelFileError(f"{path}: this is not a regular file")
    with os.fdopen(descriptor, "rb") as file:
        if path.suffix not in MODELS:
            raise ModelFileError(
                f"{path}: the name of a file with a model ends in {' or '.join(MODELS)}"
            )
        yield file


@contextlib.contextmanager
def private_copy(file: BinaryIO, ending: str) -> Iterator[Path]:
    """Provide a private copy of an open file as a path for Keras, so that nobody can change it."""
    with tempfile.TemporaryDirectory(prefix="nucrec-") as folder:
        copy = Path(folder, f"model{ending}")
        with copy.open("wb") as target:
            shutil.copyfileobj(file, target)
        yield copy
