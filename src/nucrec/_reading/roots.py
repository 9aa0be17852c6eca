"""Folders and zip archives with a common interface: a list of image names, and a reader of files."""

import contextlib
import mmap
import os
import stat
import threading
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Protocol, cast

from nucrec._class_names import plain_name
from nucrec._endings import TABLES
from nucrec._reading.kinds import is_image_name, other_kind, too_large
from nucrec._reading.listing import Listing, Quarantined, is_litter
from nucrec._zip import is_bomb, read_member
from nucrec.errors import DatasetError, DatasetNotFoundError, ImageError

MAX_FILE_BYTES = 512 * 2**20
MAX_MEMBERS = 1_000_000
MAX_DEPTH = 50  # maximum depth of folders around a file
_ENCRYPTED = 0x1
_TOO_DEEP = f"lies in more than {MAX_DEPTH} folders"
_FOR_READING = os.O_RDONLY
for _flag in ("O_BINARY", "O_NOFOLLOW", "O_NONBLOCK"):
    _FOR_READING |= getattr(os, _flag, 0)
_REPLACED = "the archive holds another image of this name further on, which is the one that is read"


class Root(Protocol):
    """A folder or archive from which files are read."""

    def read(self, name: str) -> bytes:
        """Return the content of the file `name`."""

    def view(self, name: str) -> bytes:
        """Return the content of the file `name`, read only as far as it is accessed."""

    def stamp(self, name: str) -> tuple[int, int] | None:
        """Return a stamp that changes with the file, or None if there is no such file."""

    def listing(self) -> Listing:
        """List the image files."""


def open_root(path: Path) -> "Folder | Archive":
    """Return the folder or the zip archive at `path`.

    Raises
    ------
    DatasetNotFoundError
        There is nothing at `path`.
    DatasetError
        `path` is neither a folder nor a zip archive.
    """
    try:
        resolved = path.resolve(strict=True)
        if resolved.is_dir():
            return Folder(resolved)
        if not resolved.is_file():  # reading from a pipe would block
            raise DatasetError(f"{path}: neither a folder nor a file")
        return Archive(resolved)
    except FileNotFoundError as error:
        raise DatasetNotFoundError(f"{path}: there is no such folder or file") from error
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of symbolic links
        raise DatasetError(f"{path}: cannot be opened ({_why(error)})") from error


class Folder:
    """A folder of files. Nothing outside it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._resolved: dict[str, str] = {}  # folders from which files were read
        self._inside_of: dict[str, tuple[set[str], dict[str, str]]] = {}
        self._real: dict[str, PurePosixPath] = {}  # folders of absolute paths
        self._identity: dict[str, tuple[int, int]] = {}  # for folders that are inside

    def listing(self) -> Listing:
        """List the image files below the folder, without following links to folders."""
        found: list[str] = []
        below: list[str] = []
        problems: list[Quarantined] = []

        def unreadable(error: OSError) -> None:
            problems.append(Quarantined(self._relative(Path(error.filename)), _why(error)))

        for top, folders, files in os.walk(self.path, onerror=unreadable):
            folders[:] = sorted(name for name in folders if not is_litter(name))
            here = "" if top == str(self.path) else f"{self._relative(Path(top))}/"
            if here.count("/") >= MAX_DEPTH and folders:
                problems += [Quarantined(here + name, _TOO_DEEP) for name in folders]
                folders.clear()
            for name in folders:
                if (Path(top) / name).is_symlink():
                    problems.append(Quarantined(here + name, "a link to a folder is not followed"))
                else:
                    below.append(here + name)
            found += [here + name for name in files if not is_litter(name)]
        if not below and not found and problems and problems[0].name == ".":
            raise DatasetError(f"{self.path}: cannot be read ({problems[0].reason})")
        return Listing.of(found, below, problems)

    def read(self, name: str) -> bytes:
        """Return the content of a regular file inside the folder."""
        with _reasons(name):
            descriptor, size = self._opened(name)
            try:
                if size > MAX_FILE_BYTES:
                    raise ImageError(f"{name}: {too_large(size, MAX_FILE_BYTES)}")
                return _read(descriptor, size)
            finally:
                os.close(descriptor)

    def view(self, name: str) -> bytes:
        """Return the content of a regular file, read only as far as it is accessed."""
        with _reasons(name):
            descriptor, size = self._opened(name)
            try:
                if not size:
                    return b""
                view = mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
            finally:
                os.close(descriptor)
            return cast("bytes", view)  # indexing and unpacking work the same way

    def _opened(self, name: str) -> tuple[int, int]:
        """Open a regular file inside the folder; return its descriptor and its size.

        Anyone with write access could replace a checked file by a link or a pipe before it is
        opened, so links are not followed, and pipes do not block.
        """
        path = self._regular_file(name)
        descriptor = os.open(path, _FOR_READING)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise ImageError(f"{name}: not a regular file")
            self._check_folder(path.rpartition("/")[0], name)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor, status.st_size

    def _regular_file(self, name: str) -> str:
        """Return the real path of a file in the folder."""
        parent, _, last = name.rpartition("/")
        if parent not in self._resolved:
            self._resolved[parent] = str(self._inside(parent, name))
        path = f"{self._resolved[parent]}/{last}"
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode):
            path = str(self._inside(name, name))
            status = os.lstat(path)
        if not stat.S_ISREG(status.st_mode):
            raise ImageError(f"{name}: not a regular file")
        return path

    def _check_folder(self, folder: str, name: str) -> None:
        """Raise if a folder has become a link that leads outside this one."""
        status = Path(folder).stat()
        if self._identity.get(folder) != (status.st_dev, status.st_ino):
            self._inside(folder, name)
            self._identity[folder] = status.st_dev, status.st_ino

    def stamp(self, name: str) -> tuple[int, int] | None:
        """Return size and modification time of a file, or None if there is none."""
        try:
            status = (self.path / name).stat()
        except (OSError, ValueError):
            return None
        return status.st_size, status.st_mtime_ns

    def spelled(self, name: str) -> str | None:
        """Return the name of the file that the user means, or None if there is none.

        Backslashes separate folders unless such a file exists; Unicode composition and case are
        ignored.
        """
        for candidate in dict.fromkeys((name, name.replace("\\", "/"))):
            path = PurePosixPath(candidate)
            if path.is_absolute() and not path.is_relative_to(self.path):
                path = self._without_links(path)
            if path.is_absolute() and path.is_relative_to(self.path):
                path = path.relative_to(self.path)
            found = "" if path.is_absolute() else self._descend(path.parts)
            if found:
                return found
        return None

    def _without_links(self, path: PurePosixPath) -> PurePosixPath:
        """Return a path with its folder resolved, if that exists."""
        parent = str(path.parent)
        if parent not in self._real:
            with contextlib.suppress(OSError, RuntimeError, ValueError):
                self._real[parent] = PurePosixPath(Path(parent).resolve(strict=True).as_posix())
        return self._real.setdefault(parent, path.parent) / path.name

    def _descend(self, parts: tuple[str, ...]) -> str:
        """Return the entry at a path, each part of which may be spelled differently."""
        here: list[str] = []
        for part in parts:
            if part == "..":
                if not here:
                    return ""
                here.pop()
                continue
            names, alike = self._entries("/".join(here))
            found = part if part in names else alike.get(look_alike_name(part))
            if found is None:
                return ""
            here.append(found)
        return "/".join(here)

    def _entries(self, folder: str) -> tuple[set[str], dict[str, str]]:
        """Return the entries of a folder, and those without look-alikes by their normalised names."""
        if folder not in self._inside_of:
            try:
                names = [path.name for path in (self.path / folder).iterdir()]
            except OSError:
                names = []
            counts = Counter(map(look_alike_name, names))
            alike = {look_alike_name(name): name for name in names}
            single = {key: name for key, name in alike.items() if counts[key] == 1}
            self._inside_of[folder] = set(names), single
        return self._inside_of[folder]

    def _inside(self, relative: str, name: str) -> Path:
        """Return the real path of a file or folder, or raise if it is outside this folder."""
        path = (self.path / relative).resolve(strict=True)
        if not path.is_relative_to(self.path):
            raise ImageError(f"{name}: leads out of the folder {self.path}")
        return path

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.path).as_posix()


class Archive:
    """A zip archive, read in place without unpacking to disk.

    Limits on the number of members, and on the unpacked size of each and in total, protect against
    decompression bombs.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._file: zipfile.ZipFile | None = None
        self._process = os.getpid()
        self._members: dict[str, zipfile.ZipInfo] = {}
        self._replaced: list[str] = []
        self._open()

    def __reduce__(self) -> tuple[type["Archive"], tuple[Path]]:
        return Archive, (self.path,)

    def listing(self) -> Listing:
        """List the image members, skipping hidden ones and those of macOS."""
        names = [name for name in self._members if not is_litter(name)]
        reasons = {name: _refusal(name) for name in names}
        problems = [Quarantined(name, reason) for name, reason in reasons.items() if reason]
        problems += [Quarantined(name, _REPLACED) for name in self._replaced if name in reasons]
        inside = [name for name in names if not reasons[name]]
        folders = {str(folder) for name in inside for folder in PurePosixPath(name).parents}
        folders |= {name.rstrip("/") for name in inside if name.endswith("/")}
        found = (name for name in inside if not name.endswith("/"))
        return Listing.of(found, folders - {"."}, problems)

    def read(self, name: str) -> bytes:
        """Return the content of a member."""
        member = self._members.get(name)
        if member is None:
            raise ImageError(f"{name}: there is no such file in {self.path.name}")
        if member.flag_bits & _ENCRYPTED:
            raise ImageError(f"{name}: is encrypted")
        if member.file_size > MAX_FILE_BYTES:
            raise ImageError(f"{name}: {too_large(member.file_size, MAX_FILE_BYTES)}")
        try:
            return read_member(self._open(), member)
        except Exception as error:  # zipfile raises many kinds of errors on damaged archives
            raise ImageError(f"{name}: cannot be unpacked ({_why(error)})") from error

    def view(self, name: str) -> bytes:
        """Return the completely unpacked content of a member."""
        return self.read(name)

    def stamp(self, name: str) -> tuple[int, int] | None:
        """Return size and checksum of a member, or None if there is none."""
        member = self._members.get(name)
        return None if member is None else (member.file_size, member.CRC)

    def _open(self) -> zipfile.ZipFile:
        with self._lock:
            # after a fork, two processes would share one file position
            if self._file is None or self._process != os.getpid():
                self._process = os.getpid()
                try:
                    self._file = zipfile.ZipFile(self.path)
                except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
                    raise DatasetError(
                        f"{self.path}: neither a folder nor a readable zip archive "
                        f"({_what_it_is(self.path) or error})"
                    ) from error
                self._members, self._replaced = _checked_members(self._file, self.path)
        return self._file


@contextlib.contextmanager
def _reasons(name: str) -> Iterator[None]:
    """Raise an ImageError that names the file if it cannot be read."""
    try:
        yield
    except ImageError:
        raise
    except FileNotFoundError as error:
        raise ImageError(f"{name}: there is no such file") from error
    except (OSError, RuntimeError, ValueError) as error:
        raise ImageError(f"{name}: cannot be read ({_why(error)})") from error


def _read(descriptor: int, size: int) -> bytes:
    """Return the content of a file; Python's file objects take twice as long for small files."""
    content = os.read(descriptor, size)
    while len(content) < size and (more := os.read(descriptor, size - len(content))):
        content += more
    return content


def _checked_members(
    file: zipfile.ZipFile, path: Path
) -> tuple[dict[str, zipfile.ZipInfo], list[str]]:
    """Return the members by name, and the images that a later one of the same name replaces.

    As in unpacking, the last one takes precedence.

    Raises
    ------
    DatasetError
        The archive as a whole exceeds the limits.
    """
    infos = file.infolist()
    if len(infos) > MAX_MEMBERS:
        raise DatasetError(f"{path}: {len(infos)} members are more than {MAX_MEMBERS}")
    unpacked = sum(info.file_size for info in infos if info.file_size <= MAX_FILE_BYTES)
    packed = max(path.stat().st_size, 1)
    if is_bomb(unpacked, packed):
        raise DatasetError(
            f"{path}: would unpack from {packed} to {unpacked} bytes, which looks like an archive bomb"
        )
    members: dict[str, zipfile.ZipInfo] = {}
    replaced = []
    for info in infos:
        name = _member_name(info.filename)
        older = members.get(name, info)
        if (older.CRC, older.file_size) != (info.CRC, info.file_size) and is_image_name(name):
            replaced.append(name)
        members[name] = info
    return members, replaced


def _member_name(name: str) -> str:
    """Return the name under which a member would be unpacked."""
    # some Windows programs write backslashes instead of slashes
    name = name.replace("\\", "/")
    if "//" in name or "./" in name:
        name = str(PurePosixPath(name)) + "/" * name.endswith("/")
    return name


def _what_it_is(path: Path) -> str:
    """Return the kind of the file and what to do; empty if unknown."""
    if path.suffix.lower() in TABLES:
        return "a table: load_folder reads tables; here, give the folder of the images"
    if is_image_name(path.name):
        return "an image: give the folder that holds it"
    with path.open("rb") as file:
        start = file.read(512)
    return "" if start.startswith(b"PK") else other_kind(start)


def look_alike_name(name: str) -> str:
    """Return a key that is equal for file names that look the same."""
    return plain_name(name).casefold()


def _refusal(name: str) -> str:
    """Return why a member with this name is left out; empty if it is not."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or ":" in (path.parts or ("",))[0]:
        return "its name leads out of the archive"
    # the names of all parent folders take quadratic space
    return _TOO_DEEP if len(path.parts) > MAX_DEPTH + 1 else ""


def _why(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
