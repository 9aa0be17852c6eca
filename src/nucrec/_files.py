"""Writing files so that a final path is never half-written."""

import os
import tempfile
from pathlib import Path

from nucrec.errors import NucrecError


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8 to `path`: to a temporary file beside it first, then move.

    Parameters
    ----------
    path : Path
        The file; an older one of that name is replaced as a whole or not at all.
    text : str
        The content.

    Raises
    ------
    NucrecError
        The file cannot be written. What was at `path` before is still there.
    """
    try:
        handle, temporary = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.name}.", suffix=".tmp"
        )
    except OSError as error:
        raise NucrecError(f"cannot write {path}: {error.strerror}") from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except OSError as error:
        raise NucrecError(f"cannot write {path}: {error.strerror}") from error
    finally:
        Path(temporary).unlink(missing_ok=True)


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


def _umask() -> int:
    """Return the mask for new files (reading it means setting it)."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
