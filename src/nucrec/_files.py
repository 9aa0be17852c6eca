"""Writing files so that a final path is never partially written."""

import contextlib
import errno
import functools
import os
import platform
import re
import secrets
import sys
import tempfile
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from nucrec.errors import NucrecError

ANY_NAME = "surrogateescape"
"""How Python reads and writes names of files that are not UTF-8."""
LOCK = ".nucrec.lock"
_HELD = {errno.EACCES, errno.EAGAIN, errno.EDEADLK}
_WITHOUT_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP}


_TEMPORARY = re.compile(r"\..+\.([0-9a-f]{8})-(\d+)-[0-9a-f]{8}\.tmp(\.\w+)?")
"""Name, machine, process, and what tells the temporary files of one process apart."""


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Provide a temporary path beside `path`, and move the file written there to `path` at the end.

    Temporary files that killed processes left in the folder are deleted.

    Parameters
    ----------
    path : Path
        The file; an existing one is replaced completely or not at all. For a link, its target is
        replaced.

    Raises
    ------
    NucrecError
        The file cannot be written. An existing file at `path` is unchanged.
    """
    with contextlib.suppress(OSError):
        path = path.resolve() if path.is_symlink() else path
    _sweep(path.parent)
    owner = f"{_machine()}-{os.getpid()}-{secrets.token_hex(4)}"
    temporary = path.with_name(f".{path.name[:40]}.{owner}.tmp")
    try:
        if path.exists() and not path.is_file():
            raise NucrecError(f"cannot write {path}: it is no regular file")
        yield temporary
        temporary.replace(path)
    except NucrecError:  # some are also errors of the operating system
        raise
    except OSError as error:
        raise NucrecError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):  # if it could not be created
            temporary.unlink()


@functools.cache  # once per process, since folders may be large
def _sweep(folder: Path) -> None:
    """Delete the temporary files of terminated processes of this machine."""
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            found = _TEMPORARY.fullmatch(entry.name)
            if found and found[1] == _machine() and not _is_running(int(found[2])):
                Path(entry).unlink(missing_ok=True)


@functools.cache
def _machine() -> str:
    """Return an identifier of the machine or container, which has its own process ids."""
    namespace = Path("/proc/self/ns/pid")
    number = namespace.stat().st_ino if namespace.exists() else 0
    return f"{zlib.crc32(f'{platform.node()} {number}'.encode()):08x}"


def _is_running(process: int) -> bool:
    if sys.platform == "win32":
        return True  # asking would terminate it
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # belongs to another user
        pass
    return True


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8 to a temporary file beside `path`, then move it to `path`.

    File names that are not UTF-8 are written as their original bytes.

    Raises
    ------
    NucrecError
        The file cannot be written. An existing file at `path` is unchanged.
    """
    content = text.encode("utf-8", ANY_NAME)
    with replacing(path) as temporary, temporary.open("xb") as file:
        file.write(content)


def remove_file(path: Path) -> None:
    """Delete a file that an earlier call wrote, if there is one.

    Raises
    ------
    NucrecError
        It cannot be deleted.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise NucrecError(f"cannot remove {path}: {error.strerror or error}") from error


def make_folder(path: Path) -> None:
    """Create the folder `path` and its parents, and check that files can be written there.

    Raises
    ------
    NucrecError
        The folder cannot be created or written.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path) as file:
            file.write(bytes(4096))  # on a full disk, files can be created but not filled
    except OSError as error:
        raise NucrecError(
            f"cannot write to the folder {path}: {error.strerror}. Choose another output folder."
        ) from error


@contextlib.contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Lock `folder` while several related files are written.

    The operating system releases the lock when the process ends in any way, so no stale lock
    remains.

    Raises
    ------
    NucrecError
        Another process or another call in this one holds the lock, or the folder cannot be written.

    Warns
    -----
    RuntimeWarning
        The file system does not support locks.
    """
    path = folder / LOCK
    with _locked(path):
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # Windows cannot delete an open file
                path.unlink()


def _locked(path: Path) -> IO[bytes]:
    """Return the locked file at `path`."""
    while True:
        try:
            file = path.open("ab")
        except OSError as error:
            raise NucrecError(f"cannot write {path}: {error.strerror}") from error
        try:
            _lock(file)
        except OSError as error:
            if error.errno in _WITHOUT_LOCKS:
                warnings.warn(
                    f"{path.parent}: its file system knows no locks. See to it that nothing else "
                    "writes there.",
                    RuntimeWarning,
                    stacklevel=2,
                )
                return file
            file.close()
            reason = error.strerror
            if error.errno in _HELD:
                reason = "another process is writing to it. Wait for it, or choose another folder"
            raise NucrecError(f"the folder {path.parent} cannot be locked: {reason}") from error
        if _is_at(file, path):
            return file
        file.close()  # its previous holder has just deleted it


def _lock(file: IO[bytes]) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_at(file: IO[bytes], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
