"""Listing of a folder or archive, sorted by name into images and skipped files."""

from collections import Counter
from collections.abc import Container, Iterable
from pathlib import PurePosixPath
from typing import NamedTuple

from nucrec._reading.kinds import MICROSCOPE_SUFFIXES, PICTURE_SUFFIXES, is_image_name
from nucrec._reading.mask_names import masks_among
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
        Files that are skipped because they look like masks of images, or pictures made from them.
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
        masks = masks_among(images)
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
                f"{many(n_masks, 'file')} {looks} masks of the images beside them, or pictures made "
                f"from these, and {_was(n_masks)} passed over: {', '.join(self.masks[:3])}{more}",
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
