"""Plates: folders that hold the same wells, unless they are sites or other parts of a well."""

import re
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from itertools import takewhile
from pathlib import PurePosixPath

from nucrec._reading.well_names import find_wells
from nucrec._reading.wells import plain_well

_PART_OF_A_WELL = re.compile(
    r"(?:s|site|f|field|fov|pos|position|point|xy|tile|image|img|z|z[ _-]?(?:step|slice|stack|plane)"
    r"|t|time|time[ _-]?point|channel|ch)[ _-]*\d+",
    re.IGNORECASE,
)
"""A folder of one site, z position, time or channel, with images of many wells."""


def plates_of(names: Sequence[str], wells: Sequence[str | None]) -> list[str]:
    """Return the plate of each file, such as "exp 1/plate 1"; "" if there is only one.

    There are several plates if the same well occurs in several folders that are neither wells
    themselves nor parts of wells, such as "site 1".

    Parameters
    ----------
    names : sequence of str
        Names of files, including folders.
    wells : sequence of (str or None)
        The well of each file, as `find_wells` returns it.
    """
    folders = [_around(name, well) for name, well in zip(names, wells, strict=True)]
    of_well = defaultdict(set)
    for folder, well in zip(folders, wells, strict=True):
        if well:
            of_well[well].add(folder)
    several = any(len(found) > 1 for found in of_well.values())
    return folders if several else [""] * len(folders)


def _around(name: str, well: str | None) -> str:
    """Return the folders of a file down to the first that is its well, without parts of wells."""
    path = PurePosixPath(name)
    folders, last = list(path.parts[:-1]), path.name
    if folders and _well_of(folders[-1]) == well != _well_of(last):  # "B03_s1/image"
        folders.pop()
    around = takewhile(lambda folder: _well_of_folder(folder) != well, folders)
    return "/".join(folder for folder in around if not _PART_OF_A_WELL.fullmatch(folder))


@lru_cache(maxsize=4096)
def _well_of_folder(name: str) -> str | None:
    return plain_well(name) or find_wells([f"{name}/-"])[0]


@lru_cache(maxsize=4096)
def _well_of(name: str) -> str | None:
    return find_wells([name])[0]
