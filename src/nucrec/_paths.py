"""Validation of the user's paths before any work is done."""

import errno
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from nucrec._validation import invalid
from nucrec.errors import NucrecError


def checked_path(name: str, value: object, expected: str = "a path") -> Path:
    """Return the user's path, with "~" at the beginning expanded to the home folder.

    Raises
    ------
    InvalidParameterError
        The value is not a path, is empty, is too long for the system, or begins with "~" and an
        unknown user name.
    """
    text = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(text, str) or not text or "\0" in text:
        raise invalid(name, expected, value)
    try:
        path = Path(text).expanduser()
    except RuntimeError as error:
        hint = f"There is no user of that name. For a file of that name, write ./{text}."
        raise invalid(name, expected, value, hint) from error
    if _is_too_long(path):
        raise invalid(name, expected, value, "It is too long for a name of a file.")
    return path


def _is_too_long(path: Path) -> bool:
    try:
        path.lstat()
    except OSError as error:
        return error.errno == errno.ENAMETOOLONG
    return False


def output_file(name: str, value: object) -> Path:
    """Return the path of a file to write, after checking that it can be written.

    Raises
    ------
    InvalidParameterError
        The value is not a path, or something other than a file exists there.
    NucrecError
        No file can be written to its folder.
    """
    path = checked_path(name, value)
    try:
        if path.exists() and not path.is_file():
            what = "a folder" if path.is_dir() else "no regular file"
            raise invalid(name, "the name of a file", value, f"There is {what} of that name.")
        with tempfile.TemporaryFile(dir=path.parent) as file:
            file.write(bytes(4096))  # on a full disk, files can be created but not filled
    except OSError as error:
        is_there = path.parent.is_dir()
        reason = error.strerror if is_there else f"there is no folder {path.parent}"
        raise NucrecError(f"cannot write {path}: {reason}") from error
    return path


def check_not_read(name: str, path: Path, root: Path, files: Iterable[str]) -> None:
    """Raise if an output file is one of the input files in a folder or archive.

    Parameters
    ----------
    name : str
        The parameter's name in messages.
    path : Path
        The file to write.
    root : Path
        The folder or archive.
    files : iterable of str
        The input files, relative to the folder.

    Raises
    ------
    InvalidParameterError
        The output file is one of the inputs.
    """
    if not path.exists():
        return
    written, read = path.resolve(), root.resolve()
    inside = written.relative_to(read).as_posix() if written.is_relative_to(read) else None
    if inside == "." or any(inside == file for file in files):
        raise invalid(name, "another file than those that are read", str(path))
