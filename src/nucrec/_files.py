"""Writing files so that a final path is never half-written."""

import contextlib
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

from nucrec.errors import NucrecError


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; what was written there is moved to `path` at the end.

    Parameters
    ----------
    path : Path
        The file; an older one of that name is replaced as a whole or not at all.

    Raises
    ------
    NucrecError
        The file cannot be written. What was at `path` before is still there.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise NucrecError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8 to `path`: to a temporary file beside it first, then move.

    Raises
    ------
    NucrecError
        The file cannot be written. What was at `path` before is still there.
    """
    with replacing(path) as temporary, temporary.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)


def make_folder(path: Path) -> None:
    """Make the folder `path` and its parents, and check that files can be written there.

    Raises
    ------
    NucrecError
        The folder cannot be made or written to.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise NucrecError(
            f"cannot write to the folder {path}: {error.strerror}. Choose another output folder."
        ) from error
