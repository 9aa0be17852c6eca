"""The provenance of a report: files with their hashes, versions, command and date."""

import hashlib
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from nucrec._paths import checked_path
from nucrec._version import __version__
from nucrec.errors import DatasetError, DatasetNotFoundError

_CHUNK = 1 << 20


@dataclass(frozen=True)
class FileHash:
    """A file and its SHA-256.

    Attributes
    ----------
    name : str
        The file name as given.
    size : int
        The size in bytes.
    sha256 : str
        64 hexadecimal digits.
    """

    name: str
    size: int
    sha256: str


def hash_of(path: object) -> FileHash:
    """Return the hash of a file.

    Raises
    ------
    InvalidParameterError, DatasetNotFoundError, DatasetError
        The file is not a path, or cannot be read.
    """
    where = checked_path("inputs", path)
    digest, size = hashlib.sha256(), 0
    try:
        with where.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except FileNotFoundError as error:
        raise DatasetNotFoundError(f"{where}: there is no such file") from error
    except OSError as error:
        raise DatasetError(f"{where}: cannot be read ({error.strerror})") from error
    return FileHash(str(where), size, digest.hexdigest())


def hashes_of(paths: Iterable[object]) -> list[FileHash]:
    """Return the hashes of files, without repetition."""
    return [hash_of(path) for path in dict.fromkeys(paths)]


def versions() -> dict[str, str]:
    """Return the versions of the software used for the numbers."""
    return {
        "nucrec": __version__,
        "NumPy": version("numpy"),
        "SciPy": version("scipy"),
        "Python": f"{platform.python_version()} on {platform.system()} {platform.machine()}",
    }


def now() -> str:
    """Return date and time with the offset from UTC."""
    return datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")


def is_path(value: object) -> bool:
    """Return whether something names a file."""
    return isinstance(value, str | Path)
