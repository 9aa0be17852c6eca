"""Writing files so that a final path is never half-written."""

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
    """Give a temporary path beside `path`; what was written there is moved to `path` at the end.

    What earlier processes left in the folder, since they were killed, is deleted.

    Parameters
    ----------
    path : Path
        The file; an older one of that name is replaced as a whole or not at all. Of a link, that is
        the file that it leads to.

    Raises
    ------
    NucrecError
        The file cannot be written. What was at `path` before is still there.
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
    except NucrecError:  # some are errors of the operating system, too
        raise
    except OSError as error:
        raise NucrecError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):  # where it could not even be made
            temporary.unlink()


@functools.cache  # once in each process, since folders may be long
def _sweep(folder: Path) -> None:
    """Delete the temporary files of processes of this machine that are no more."""
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            found = _TEMPORARY.fullmatch(entry.name)
            if found and found[1] == _machine() and not _is_running(int(found[2])):
                Path(entry).unlink(missing_ok=True)


@functools.cache
def _machine() -> str:
    """Return what tells apart machines, and containers on one, that have process ids of their own."""
    namespace = Path("/proc/self/ns/pid")
    number = namespace.stat().st_ino if namespace.exists() else 0
    return f"{zlib.crc32(f'{platform.node()} {number}'.encode()):08x}"


def _is_running(process: int) -> bool:
    if sys.platform == "win32":
        return True  # there is no asking without ending it
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # of another user
        pass
    return True


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8 to `path`: to a temporary file beside it first, then move.

    Names of files that are not UTF-8 are written as the bytes that they are.

    Raises
    ------
    NucrecError
        The file cannot be written. What was at `path` before is still there.
    """
    content = text.encode("utf-8", ANY_NAME)
    with replacing(path) as temporary, temporary.open("xb") as file:
        file.write(content)


def make_folder(path: Path) -> None:
    """Make the folder `path` and its parents, and check that files can be written there.

    Raises
    ------
    NucrecError
        The folder cannot be made or written to.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path) as file:
            file.write(bytes(4096))  # on a full disk files can be made, but hold nothing
    except OSError as error:
        raise NucrecError(
            f"cannot write to the folder {path}: {error.strerror}. Choose another output folder."
        ) from error


@contextlib.contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Hold `folder` for writing several files that belong together.

    The operating system ends the lock with the process that holds it, however that ends, so none is
    ever left over.

    Raises
    ------
    NucrecError
        Another process, or another call in this one, holds it; or the folder cannot be written to.

    Warns
    -----
    RuntimeWarning
        The file system knows no locks.
    """
    path = folder / LOCK
    with _locked(path):
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # Windows deletes no open file
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
        file.close()  # who held it has just deleted it


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
