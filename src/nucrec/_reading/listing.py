"""Listing of a folder or archive, sorted by name into images and skipped files."""

import re
from collections import Counter
from collections.abc import Container, Iterable
from pathlib import PurePosixPath
from typing import NamedTuple

from nucrec._reading.kinds import MICROSCOPE_SUFFIXES, PICTURE_SUFFIXES, is_image_name
from nucrec._text import many
from nucrec._warnings import warn
from nucrec.errors import DataWarning

_ZARR = ".zarr/"
_CONVERT = "save them as PNG or TIFF"
_EXPORT = "export them as TIFF or PNG, for example with Fiji (File > Import > Bio-Formats)"
_LITTER = {
    "__macosx", "@eadir", "#recycle", "#snapshot", "@recycle", "@recently-snapshot", "$recycle.bin",
    "system volume information", "lost+found", "found.000", "recycler", "temporary items",
    "network trash folder", "__pycache__",
}  # fmt: skip
_MASKS = re.compile(
    r"[_\-. ](?:cp[_\-. ])?(?:masks?|outlines?|flows|seg|segmentation|labels?|lbls?|gt)$",
    re.IGNORECASE,
)
"""The end of the name of a mask, after that of its image."""

_FOLDERS_OF_MASKS = {
    "mask", "masks", "cp_masks", "label", "labels", "segmentation", "segmentations", "outlines",
    "ground truth", "ground_truth", "groundtruth", "gt", "annotations",
}  # fmt: skip


class Quarantined(NamedTuple):
    """A file that was left out of a data set, with the reason.

    Attributes
    ----------
    name : str
        The name of the file.
    reason : str
        The reason.

    Examples
    --------
    >>> from nucrec.datasets import Quarantined
    >>> Quarantined("a.png", "the file is truncated").reason
    'the file is truncated'
    """

    name: str
    reason: str


class Listing(NamedTuple):
    """The content of a folder or archive, in sorted order.

    Attributes
    ----------
    images : list of str
        Files that are treated as images.
    folders : list of str
        The folders.
    others : Counter
        The endings of files of other kinds, with counts.
    masks : list of str
        Files that are skipped because they look like the mask of an image beside them.
    quarantined : list of Quarantined
        The files that cannot be listed.
    other_files : list of str
        Files of other kinds.
    """

    images: list[str]
    folders: list[str]
    others: Counter[str]
    masks: list[str]
    quarantined: list[Quarantined]
    other_files: list[str]

    @classmethod
    def of(
        cls, files: Iterable[str], folders: Iterable[str], quarantined: list[Quarantined]
    ) -> "Listing":
        """Sort files by their names."""
        images: list[str] = []
        others: Counter[str] = Counter()
        other_files: list[str] = []
        zarr: set[str] = set()
        for name in files:
            if is_image_name(name):
                images.append(name)
            elif _ZARR in name:
                zarr.add(name.partition(_ZARR)[0])
            else:
                other_files.append(name)
                path = PurePosixPath(name)
                others[path.suffix.lower() or path.name] += 1
        others[_ZARR[:-1]] += len(zarr)
        masks = _masks_of(images) | _in_folders_of_masks(images)
        kept = [name for name in images if name not in masks] if masks else images
        places = sorted(folder for folder in folders if _ZARR not in f"{folder}/")
        return cls(sorted(kept), places, +others, sorted(masks), quarantined, sorted(other_files))

    @property
    def microscope_files(self) -> Counter[str]:
        """The endings of files in microscope vendor formats, with counts."""
        return self._counted(MICROSCOPE_SUFFIXES)

    @property
    def other_pictures(self) -> Counter[str]:
        """The endings of pictures in formats that are not read, with counts."""
        return self._counted(PICTURE_SUFFIXES)

    def _counted(self, endings: Container[str]) -> Counter[str]:
        return Counter({ending: n for ending, n in self.others.items() if ending in endings})

    @property
    def instead(self) -> str:
        """The content instead of images, as the end of a sentence."""
        if self.microscope_files:
            found = endings_in_words(self.microscope_files)
            return f", but files of microscopes ({found}): {_EXPORT}"
        if self.other_pictures:
            found = endings_in_words(self.other_pictures)
            return f", but pictures in formats that are not read ({found}): {_CONVERT}"
        if self.others:
            return f", but files of other kinds: {endings_in_words(self.others)}"
        if self.quarantined:
            return f", and {self.quarantined[0].name}: {self.quarantined[0].reason}"
        return ""

    def warn(self) -> None:
        """Warn about skipped files that the user may have meant."""
        if self.microscope_files:
            n_files = self.microscope_files.total()
            warn(
                f"{many(n_files, 'file')} of microscopes {_was(n_files)} passed over "
                f"({endings_in_words(self.microscope_files)}): {_EXPORT}",
                DataWarning,
            )
        if self.other_pictures:
            n_pictures = self.other_pictures.total()
            form = "a format that is" if n_pictures == 1 else "formats that are"
            warn(
                f"{many(n_pictures, 'picture')} in {form} not read {_was(n_pictures)} passed over "
                f"({endings_in_words(self.other_pictures)}): {_CONVERT}",
                DataWarning,
            )
        if self.masks:
            n_masks, more = len(self.masks), ", ..." if len(self.masks) > 3 else ""
            looks = "looks like" if n_masks == 1 else "look like"
            warn(
                f"{many(n_masks, 'file')} {looks} masks of the images beside them and "
                f"{_was(n_masks)} passed over: {', '.join(self.masks[:3])}{more}",
                DataWarning,
            )


def _was(n: int) -> str:
    return "was" if n == 1 else "were"


def is_litter(name: str) -> bool:
    """Return whether a file, or a folder around it, is hidden or a system file."""
    return any(
        (part.startswith(".") and part not in (".", "..")) or part.casefold() in _LITTER
        for part in name.split("/")
    )


def endings_in_words(endings: Counter[str]) -> str:
    """Return counts of endings, such as "3 .czi, 1 .lif"."""
    return ", ".join(f"{count} {ending}" for ending, count in endings.most_common(5))


def _masks_of(images: list[str]) -> set[str]:
    """Return the files named after an image in the same folder, with "mask"."""
    called = {name: stem for name in images if (stem := _without_mask(name)) is not None}
    others = {_stem(name) for name in images if name not in called} if called else set()
    return {name for name, stem in called.items() if stem in others}


def _without_mask(name: str) -> str | None:
    """Return the name of the image whose mask a file may be, without ending, from its own name."""
    stem = _stem(name)
    found = _MASKS.search(stem)
    return stem[: found.start()] if found else None


def _in_folders_of_masks(images: list[str]) -> set[str]:
    """Return the files in a folder "masks" that are named after an image beside that folder."""
    folders = {name.rpartition("/")[0] for name in images}
    of_masks = {f for f in folders if f.rpartition("/")[2].casefold() in _FOLDERS_OF_MASKS}
    if not of_masks:
        return set()
    beside: set[tuple[str, str]] = set()
    for name in images:
        folder, _, last = name.rpartition("/")
        if folder not in of_masks:
            beside |= {(place, _stem(last)) for place in (folder, folder.rpartition("/")[0])}
    found = set()
    for name in images:
        folder, _, last = name.rpartition("/")
        stems = {_stem(last), _without_mask(last)}
        around = folder.rpartition("/")[0]
        if folder in of_masks and any((around, stem) in beside for stem in stems):
            found.add(name)
    return found


def _stem(name: str) -> str:
    return name.rpartition(".")[0]
