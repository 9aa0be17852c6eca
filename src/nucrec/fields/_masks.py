"""Nuclear masks, matched with their fields by name."""

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from nucrec._paths import checked_path
from nucrec._reading.listing import is_litter
from nucrec._reading.roots import Folder, Root, look_alike_name, open_root
from nucrec.errors import DatasetError, ImageError
from nucrec.fields._json_files import JSON_SUFFIXES, JsonFile, JsonMask
from nucrec.fields._names import FieldFiles, stem_of
from nucrec.fields._pixels import FileMask
from nucrec.fields._roi_files import ROI_SUFFIXES, is_roi_set

_ENDS = re.compile(
    r"([_\-. ]+(cp|cellpose|stardist|instance|instances|nuclear|nuclei|nucleus|cell|cells|dapi)?"
    r"[_\-. ]*(masks?|labels?|labelled|labeled|label[_ ]?(image|img)|lbl|seg|segm|segmentation"
    r"|instances|objects|nuclei|nucleus|stardist|cellpose|rois?|roi[_ ]?set|outlines))+$",
    re.IGNORECASE,
)
_STARTS = re.compile(
    r"^(masks?|labels?|seg|segmentation|roi[_ ]?set|rois?)(?:\s+of)?[_\-. ]+", re.IGNORECASE
)
_ARRAY = ".npy"
_OTHERS = (_ARRAY, *ROI_SUFFIXES, *JSON_SUFFIXES)

NamedMask = FileMask | JsonMask


class Masks:
    """Label images and outlines in a folder or archive, by the names of their fields.

    Parameters
    ----------
    root : Root
        The folder or archive.
    files : sequence of str
        The files.
    """

    def __init__(self, root: Root, files: Sequence[str]) -> None:
        self._by_key: dict[str, list[NamedMask]] = defaultdict(list)
        self._used: set[str] = set()
        self._masks = [mask for file in files for mask in _masks_in(root, file)]
        for mask in self._masks:
            for key in _keys(_image_of(mask)):
                self._by_key[key].append(mask)

    def __len__(self) -> int:
        return len(self._masks)

    @property
    def images(self) -> list[str]:
        """The images named in files with many masks."""
        return [mask.image for mask in self._masks if isinstance(mask, JsonMask) and mask.image]

    @property
    def remarks(self) -> list[str]:
        """Remarks on files with many masks, as sentences."""
        files = dict.fromkeys(
            mask.file for mask in self._masks if isinstance(mask, JsonMask) and mask.image
        )
        return [remark for file in files for remark in file.remarks]

    def of(self, group: FieldFiles, files: Sequence[str]) -> list[NamedMask]:
        """Return the masks of a field; more than one if the names are ambiguous."""
        stems = (*(stem_of(file) for file in files), _last(group.key))
        folder = _plain(group.key.rpartition("/")[0])
        for name in dict.fromkeys(map(_plain, (*_joined(group.key), *stems))):
            exact = next((self._by_key[k] for k in _within(folder, name) if k in self._by_key), [])
            found = _preferred([*exact] or self._elsewhere(name))
            if found:
                self._used.update(mask.name for mask in self._by_key[name])
                return found
        return []

    def _elsewhere(self, name: str) -> list[NamedMask]:
        """Return the masks of a name in any folder, unless several folders have one."""
        found = self._by_key.get(name, [])
        folders = {PurePosixPath(_image_of(mask)).parent for mask in found}
        return found if len(folders) <= 1 else []

    @property
    def unused(self) -> list[str]:
        """The masks that belong to no field, without files that may not be masks."""
        return [
            mask.name
            for mask in self._masks
            if mask.name not in self._used and _is_surely_mask(mask)
        ]


def _masks_in(root: Root, file: str) -> list[NamedMask]:
    """Return the masks in a file; a COCO file has one per image."""
    if not file.lower().endswith(JSON_SUFFIXES):
        return [FileMask(root, file)]
    outlines = JsonFile(root, file)
    try:
        images = outlines.images
    except ImageError:  # reported when a field requests it
        images = []
    return [JsonMask(outlines, image) for image in images] or [JsonMask(outlines)]


def _image_of(mask: NamedMask) -> str:
    """Return the name that identifies the field of a mask."""
    return mask.image.replace("\\", "/") if isinstance(mask, JsonMask) and mask.image else mask.name


def _is_surely_mask(mask: NamedMask) -> bool:
    """Return whether an unused file was meant as a mask; other archives and JSON files are not."""
    if isinstance(mask, JsonMask):
        return bool(mask.image)
    return not mask.name.lower().endswith(".zip") or "roi" in mask.name.lower()


def open_masks(path: str | Path, root: Root, listed: Sequence[str]) -> tuple[Masks, set[str]]:
    """Return the masks at a path, and the listed files that are masks themselves.

    Parameters
    ----------
    path : str or Path
        A folder, a zip archive or a file.
    root : Root
        The folder or archive of the fields.
    listed : sequence of str
        The files of the fields.

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
        elif there == here:  # masks beside the images, distinguished by their names
            files = [file for file in files if file not in listed]
    masks = Masks(source, files)
    if where.suffix.lower() in JSON_SUFFIXES and not masks.images:
        JsonFile(source, files[0]).check()
    if not len(masks):
        raise DatasetError(
            f"{path}: no masks were found. Expected label images (TIFF or PNG) named like "
            "their fields, such as B03_1.tif or B03_1_cp_masks.png, or outlines (ImageJ's "
            "RoiSet.zip, COCO)"
        )
    return masks, inside


def _files_of(where: Path) -> tuple[Root, list[str]]:
    if where.is_file() and where.suffix.lower() != ".zip":
        return Folder(where.resolve().parent), [where.resolve().name]
    root = open_root(where)
    listing = root.listing()
    others = [file for file in listing.other_files if not is_litter(file)]
    if where.is_file() and not listing.images and is_roi_set(others):
        return Folder(where.resolve().parent), [where.resolve().name]  # a RoiSet.zip of one field
    kept = [file for file in others if file.lower().endswith(_OTHERS)]
    return root, sorted([*listing.images, *listing.masks, *kept])


def _keys(file: str) -> list[str]:
    """Return the possible names of the field of this mask, with and without its folder."""
    stem = stem_of(file)
    folder = _plain(file[: len(file) - len(PurePosixPath(file).name)].rstrip("/"))
    bare = _STARTS.sub("", _ENDS.sub("", stem))
    names = dict.fromkeys(map(_plain, (stem, _ENDS.sub("", stem), bare)))
    return [*(f"{folder}/{name}" for name in names if folder), *names]


def _joined(key: str) -> list[str]:
    """Return the names that `detect` gives to label images of fields in folders: B02/s1 is B02_s1."""
    parts = key.split("/")
    return ["_".join(parts[i:]) for i in range(len(parts) - 1)]


def _within(folder: str, name: str) -> list[str]:
    """Return a name in fewer and fewer of its folders, but at least one: a/b/name, b/name."""
    parts = folder.split("/") if folder else []
    return ["/".join((*parts[i:], name)) for i in range(len(parts))] or [name]


def _preferred(masks: list[NamedMask]) -> list[NamedMask]:
    """Return label images if there are any, otherwise outlines, otherwise Cellpose's own files.

    Cellpose saves all of them side by side.
    """
    own = [mask for mask in masks if mask.name.lower().endswith("_seg.npy")]
    outlines = [mask for mask in masks if _is_of_outlines(mask)]
    images = [mask for mask in masks if mask not in own and mask not in outlines]
    return images or outlines or own


def _is_of_outlines(mask: NamedMask) -> bool:
    return isinstance(mask, JsonMask) or mask.name.lower().endswith(ROI_SUFFIXES)


def _last(key: str) -> str:
    return PurePosixPath(key).name


def _plain(name: str) -> str:
    return look_alike_name(name)
