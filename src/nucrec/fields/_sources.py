"""Sources of field files: a folder, an archive, one file, or files anywhere."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from nucrec._paths import checked_path
from nucrec._reading.listing import Quarantined
from nucrec._reading.roots import Folder, Root, open_root
from nucrec._validation import invalid
from nucrec.errors import DatasetError, DatasetNotFoundError

_ARCHIVE = ".zip"
_COPIES = ("_thumb", "_thumbnail", "_preview")


class Source(NamedTuple):
    """Files that may be fields, and their location.

    Attributes
    ----------
    root : Root
        The folder or archive.
    files : list of str
        The files, in the order of their names.
    quarantined : list of Quarantined
        The files that cannot be listed.
    remarks : list of str
        Remarks on the files.
    """

    root: Root
    files: list[str]
    quarantined: list[Quarantined]
    remarks: list[str]


def open_source(path: object, *, with_masks: bool) -> Source:
    """Return the files at a path, or those of a list.

    Raises
    ------
    DatasetNotFoundError, DatasetError
        There are no files.
    InvalidParameterError
        `path` is neither a path nor a list of paths.
    """
    if isinstance(path, Sequence) and not isinstance(path, str | bytes):
        return _of_list(path)
    where = checked_path("path", path, "a path, a list of paths, or arrays")
    if where.is_file() and where.suffix.lower() != _ARCHIVE:
        whole = where.resolve()
        return Source(Folder(whole.parent), [whole.name], [], [])
    root = open_root(where)
    listing = root.listing()
    files, remarks = _without_copies(sorted([*listing.images, *filter(_is_copy, listing.masks)]))
    listing = listing._replace(masks=[name for name in listing.masks if not _is_copy(name)])
    if not files:
        raise DatasetError(f"{path}: no images were found{listing.instead}")
    (listing._replace(masks=[]) if with_masks else listing).warn()
    return Source(root, files, listing.quarantined, remarks)


def _of_list(paths: Sequence[object]) -> Source:
    """Return files anywhere as files below their common folder."""
    if not paths:
        raise invalid("path", "a path, or a list of at least one path", paths)
    whole = [checked_path("path", path, "a list of paths of images").absolute() for path in paths]
    for path in whole:
        if not path.exists():
            raise DatasetNotFoundError(f"{path}: there is no such file")
        if not path.is_file():
            raise DatasetError(f"{path}: is a folder; each path in a list must be an image")
    common = Path(os.path.commonpath([path.parent for path in whole])).resolve()
    names = [path.parent.resolve() / path.name for path in whole]
    files = [path.relative_to(common).as_posix() for path in names]
    return Source(Folder(common), list(dict.fromkeys(files)), [], [])


def _without_copies(files: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the files without the small copies that microscopes store beside the images."""
    copies = [file for file in files if _is_copy(file)]
    kept = [file for file in files if not _is_copy(file)]
    n = len(files) - len(kept)
    return kept, [f"{n} thumbnails were skipped, such as {copies[0]}"] if n else []


def _is_copy(file: str) -> bool:
    is_named = "_thumb" in file.rpartition("/")[2].lower()
    return is_named or file.rpartition(".")[0].lower().endswith(_COPIES)
