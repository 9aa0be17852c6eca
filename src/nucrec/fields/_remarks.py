"""Remarks on a set of fields as a whole."""

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath

from nucrec._reading.plates import plates_of
from nucrec._text import shown
from nucrec.fields._field import Field

_TIME = re.compile(
    r"(?<=_)T\d{4}(?=F\d)|(?<=f\d\d)sk\d+$|(?<=[_\-. ])t_?\d{2,4}(?=$|[_\-. ])", re.I
)

_OF_A_TIME = re.compile(r"(?i)t(?:ime)?[ _-]*(?:point)?[ _-]*\d+")
"""A folder of one time."""


def listed(names: Sequence[str], most: int = 3) -> str:
    """Return the first of several names, and the number of others."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(shown(name) for name in names[:most]) + more


def number_of(files: Sequence[str]) -> str:
    """Return "1 field" or "2 fields"."""
    return f"{len(files)} field{'s' * (len(files) != 1)}"


def of_projections(files: Sequence[str]) -> list[str]:
    """Remark that z positions were projected."""
    if not files:
        return []
    return [
        f"several z positions were reduced to their maximum projection ({number_of(files)}: "
        f"{listed(files)})"
    ]


def of_losses(files: Sequence[str]) -> list[str]:
    """Remark on lossy compression."""
    if not files:
        return []
    return [
        f"lossy compression, such as JPEG, blurs small micronuclei ({number_of(files)}: "
        f"{listed(files)})"
    ]


def of_copies(groups: Sequence[Sequence[str]]) -> list[str]:
    """Remark that files have the same content."""
    n = sum(map(len, groups))
    if not n:
        return []
    alike = "; ".join(" = ".join(map(shown, group[:3])) for group in groups[:3])
    more = "; ..." if len(groups) > 3 else ""
    return [
        f"{n} fields are copies of each other, so their cells count more than once ({alike}{more}). "
        "Keep one of each"
    ]


def of_pixel_sizes(fields: Sequence[Field]) -> list[str]:
    """Remark that the pixel size differs, or is unknown for some fields."""
    sizes = sorted({round(field.pixel_size, 4) for field in fields if field.pixel_size is not None})
    unknown = [field.file for field in fields if field.pixel_size is None]
    remarks = []
    if len(sizes) > 1:
        remarks.append(
            f"fields have different pixel sizes: {', '.join(f'{s:g}' for s in sizes)} um"
        )
    if sizes and unknown:
        remarks.append(f"pixel size unknown ({number_of(unknown)}: {listed(unknown)})")
    return remarks


def of_times(keys: Sequence[str]) -> list[str]:
    """Remark that names look like a time series."""
    series: dict[str, set[str]] = defaultdict(set)
    for key in keys:
        path = PurePosixPath(key)
        parts = [
            ("", part) if _OF_A_TIME.fullmatch(part) else (part, "") for part in path.parts[:-1]
        ]
        found = _TIME.search(path.name)
        start, end = found.span() if found else (len(path.name), len(path.name))
        same = [*(part for part, _ in parts), path.name[:start] + path.name[end:]]
        series["/".join(same)].add("/".join((*(time for _, time in parts), path.name[start:end])))
    longest = max((len(times) for times in series.values()), default=1)
    if longest < 2:
        return []
    return [
        f"the names look like a time series of up to {longest} frames. Each frame is treated "
        "as a separate field, so the same cells count several times: remove frames if that "
        "is not intended"
    ]


def of_plates(keys: Sequence[str], wells: Sequence[str | None]) -> list[str]:
    """Remark that one well occurs in several folders, which may be plates."""
    folders: dict[str, set[str]] = defaultdict(set)
    for plate, well in zip(plates_of(keys, wells), wells, strict=True):
        if well:
            folders[well].add(plate or ".")
    several = sorted(well for well, found in folders.items() if len(found) > 1)
    if not several:
        return []
    return [
        f"well {several[0]} is in several folders ({listed(sorted(folders[several[0]]))}), "
        "and is treated as a single well. If the folders are plates, load each separately"
    ]


def of_masks(unused: Sequence[str]) -> list[str]:
    """Remark on masks that belong to no field."""
    if not unused:
        return []
    return [f"masks without a field ({len(unused)}): {listed(unused)}"]


def of_missing_wells(fields: Sequence[Field]) -> list[str]:
    """Remark that the wells of some fields are unknown."""
    without = [field.file for field in fields if field.well is None]
    if not without or len(without) == len(fields):
        return []
    return [f"no well in the name ({number_of(without)}: {listed(without)})"]
