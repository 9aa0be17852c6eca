"""Where on a plate the images of a folder are from, as far as their names tell."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from pathlib import PurePosixPath

from nucrec._reading.well_names import find_wells
from nucrec._reading.wells import plain_well


@dataclass(frozen=True)
class Places:
    """The wells that names of files tell.

    Attributes
    ----------
    wells : dict of str to str
        By file, the well: "B03", or "exp 1/plate 1/B03" where several folders have the same wells.
        Files whose names tell none are missing.
    """

    wells: dict[str, str]

    @classmethod
    def of(cls, files: Sequence[str]) -> "Places":
        """Read wells off names of files, or of the folders that they are in.

        A single well is no plate: the names probably mean something else.
        """
        stems = [_without_ending(file) for file in files]
        wells = find_wells(stems)
        if not any(wells):
            stems = [PurePosixPath(stem).parent.as_posix() for stem in stems]
            wells = find_wells(stems)
        if len(set(wells) - {None}) < 2:
            return cls({})
        plates = _plates(stems, wells)
        return cls({f: p + w for f, p, w in zip(files, plates, wells, strict=True) if w})

    @property
    def plates(self) -> list[str]:
        """The names of the plates; "" where there is one."""
        return sorted({key.rpartition("/")[0] for key in self.wells.values()})

    def well_of(self, file: str) -> str | None:
        """Return the well of a file, None where it is not known."""
        return self.wells.get(file)


def _without_ending(file: str) -> str:
    path = PurePosixPath(file)
    return str(path.with_name(path.stem.removesuffix(".ome"))) if path.stem else file


def _plates(stems: Sequence[str], wells: Sequence[str | None]) -> list[str]:
    """Return the plate of each file, such as "exp 1/plate 1/".

    It is "" unless the same well occurs in several folders that are not wells themselves.
    """
    folders = [_outside(stem, well) for stem, well in zip(stems, wells, strict=True)]
    of_well = defaultdict(set)
    for folder, well in zip(folders, wells, strict=True):
        if well:
            of_well[well].add(folder)
    several = any(len(found) > 1 for found in of_well.values())
    return [f"{folder}/" if folder and several else "" for folder in folders]


def _outside(stem: str, well: str | None) -> str:
    """Return the folders of a file down to the first that is its well, or all of them."""
    folders = PurePosixPath(stem).parts[:-1]
    return "/".join(takewhile(lambda name: _well_of_folder(name) != well, folders))


@lru_cache(maxsize=4096)
def _well_of_folder(name: str) -> str | None:
    return plain_well(name) or find_wells([f"{name}/-"])[0]
