"""Masks of nuclei, matched with their fields by name."""

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from nucrec._paths import checked_path
from nucrec._reading.roots import Folder, Root, look_alike_name, open_root
from nucrec.errors import DatasetError
from nucrec.fields._names import FieldFiles, stem_of

_ENDS = re.compile(
    r"([_\-. ]+(cp|cellpose|stardist|instance|instances|nuclear|nuclei|nucleus|cell|cells|dapi)?"
    r"[_\-. ]*(masks?|labels?|labelled|labeled|label[_ ]?(image|img)|lbl|seg|segm|segmentation"
    r"|instances|objects|nuclei|nucleus|stardist|cellpose))+$",
    re.IGNORECASE,
)
_STARTS = re.compile(r"^(masks?|labels?|seg|segmentation)(?:\s+of)?[_\-. ]+", re.IGNORECASE)
_PICKLED = ".npy"


class Masks:
    """Label images of a folder or an archive, by the names of the fields they are of.

    Parameters
    ----------
    root : Root
        Where they are.
    files : sequence of str
        The files.
    """

    def __init__(self, root: Root, files: Sequence[str]) -> None:
        self.root = root
        self._by_key: dict[str, list[str]] = defaultdict(list)
        self._used: set[str] = set()
        self.files = tuple(files)
        for file in files:
            for key in _keys(file):
                self._by_key[key].append(file)

    def of(self, group: FieldFiles, files: Sequence[str]) -> list[str]:
        """Return the masks of a field; more than one where names do not decide."""
        stems = (*(stem_of(file) for file in files), _last(group.key))
        folder = _plain(group.key.rpartition("/")[0])
        for name in dict.fromkeys(map(_plain, (*_joined(group.key), *stems))):
            exact = self._by_key.get(f"{folder}/{name}" if folder else name, [])
            found = _without_pickles([*exact] or self._elsewhere(name))
            if found:
                self._used.update(self._by_key[name])
                return found
        return []

    def _elsewhere(self, name: str) -> list[str]:
        """Return the masks of a name in whatever folder, unless several folders have one."""
        found = self._by_key.get(name, [])
        return found if len({PurePosixPath(file).parent for file in found}) <= 1 else []

    @property
    def unused(self) -> list[str]:
        """Masks that no field has."""
        return [file for file in self.files if file not in self._used]


def open_masks(path: str | Path, root: Root, listed: Sequence[str]) -> tuple[Masks, set[str]]:
    """Return the masks at a path, and the files among those of the fields that are masks.

    Parameters
    ----------
    path : str or Path
        A folder, a zip archive or a file.
    root : Root
        Where the fields are.
    listed : sequence of str
        Their files.

    Raises
    ------
    DatasetNotFoundError, DatasetError
        There are no masks.
    """
    where = checked_path("masks", path)
    source, files = _files_of(where)
    inside: set[str] = set()
    if isinstance(root, Folder) and isinstance(source, Folder):
        here, there = root.path, source.path
        if there != here and there.is_relative_to(here):
            folder = there.relative_to(here).as_posix()
            inside = {file for file in listed if file.startswith(f"{folder}/")}
        elif there == here:  # masks beside the images, told apart by their names
            files = [file for file in files if file not in listed]
    if not files:
        raise DatasetError(
            f"{path}: no masks were found. Expected label images (TIFF or PNG) that are called as "
            "their fields, such as B03_1.tif or B03_1_cp_masks.png"
        )
    return Masks(source, files), inside


def _files_of(where: Path) -> tuple[Root, list[str]]:
    if where.is_file() and where.suffix.lower() != ".zip":
        return Folder(where.resolve().parent), [where.resolve().name]
    root = open_root(where)
    listing = root.listing()
    arrays = [file for file in listing.other_files if file.lower().endswith(_PICKLED)]
    return root, sorted([*listing.images, *listing.masks, *arrays])


def _keys(file: str) -> list[str]:
    """Return what a field of this mask may be called, with its folder and without."""
    stem = stem_of(file)
    folder = _plain(file[: len(file) - len(PurePosixPath(file).name)].rstrip("/"))
    bare = _STARTS.sub("", _ENDS.sub("", stem))
    names = dict.fromkeys(map(_plain, (stem, _ENDS.sub("", stem), bare)))
    return [*(f"{folder}/{name}" for name in names if folder), *names]


def _joined(key: str) -> list[str]:
    """Return the names that `detect` gives to label images of fields in folders: B02/s1 is B02_s1."""
    parts = key.split("/")
    return ["_".join(parts[i:]) for i in range(len(parts) - 1)]


def _without_pickles(files: list[str]) -> list[str]:
    """Return the masks without Cellpose's own files where it saved the masks, too."""
    others = [file for file in files if not file.lower().endswith("_seg.npy")]
    return others or files


def _last(key: str) -> str:
    return PurePosixPath(key).name


def _plain(name: str) -> str:
    return look_alike_name(name)
