"""Where on a plate the images of a folder are from, as far as their names tell."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from nucrec._reading.well_names import find_wells


@dataclass(frozen=True)
class Places:
    """The wells that names of files tell.

    Attributes
    ----------
    wells : dict of str to str
        By file, the well: "B03", or "plate 1/B03" where several folders have the same wells. Files
        whose names tell none are missing.
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
            wells = find_wells([PurePosixPath(stem).parent.as_posix() for stem in stems])
        found = {file: well for file, well in zip(files, wells, strict=True) if well}
        if len(set(found.values())) < 2:
            return cls({})
        plates = _plates(found)
        return cls({file: plates.get(file, "") + well for file, well in found.items()})

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


def _plates(wells: dict[str, str]) -> dict[str, str]:
    """Return the outermost folder of each file, where one well is in several that are no wells."""
    tops = {file: PurePosixPath(file).parts[0] for file in wells if "/" in file}
    names = sorted(set(tops.values()))
    is_well = dict(zip(names, find_wells(names), strict=True))
    folders = defaultdict(set)
    for file, top in tops.items():
        folders[wells[file]].add(top)
    several = any(len(found) > 1 for found in folders.values())
    if not several or any(is_well.values()):
        return {}
    return {file: f"{top}/" for file, top in tops.items()}
