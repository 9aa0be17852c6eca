"""Positions of a folder's images on a plate, as far as their names tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from nucrec._reading.plates import plates_of
from nucrec._reading.well_names import locate_wells


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
        stems, wells = locate_wells([_without_ending(file) for file in files])
        if len(set(wells) - {None}) < 2:
            return cls({})
        plates = (f"{plate}/" if plate else "" for plate in plates_of(stems, wells))
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
