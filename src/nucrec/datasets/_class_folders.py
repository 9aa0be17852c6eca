"""One folder for each class: which of the folders they are, and what the groups are."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from nucrec._class_meaning import meaning
from nucrec._class_names import look_alike_key
from nucrec._reading.kinds import SUFFIXES
from nucrec._reading.listing import Listing, Quarantined
from nucrec._warnings import warn
from nucrec.datasets._load import Entry
from nucrec.errors import DatasetError, DataWarning


def entries_of_folders(
    listing: Listing, group_by: str, where: str
) -> tuple[list[Entry], list[str], list[Quarantined]]:
    """Return the images with the classes and groups of their folders, all classes, and strays.

    Raises
    ------
    DatasetError
        There are no class folders, or it is not clear which they are.
    """
    places = {
        folder: PurePosixPath(folder) for folder in {_parent(name) for name in listing.images}
    }
    top = _top(listing.folders, places)
    outer = [path.name for path in map(PurePosixPath, listing.folders) if path.parent == top]
    if not outer or not listing.images:
        raise DatasetError(_no_classes(listing, where))
    _warn_if_passed_through(top, outer)
    inner = {name: places[_parent(name)].parts[len(top.parts) :] for name in listing.images}
    if group_by == "image":
        _check_level(inner.values(), where)
    depth = 2 if group_by == "top" else 1
    entries = [
        _entry(name, parts, group_by) for name, parts in inner.items() if len(parts) >= depth
    ]
    strays = [name for name, parts in inner.items() if len(parts) < depth]
    classes = outer if depth == 1 else [entry.class_name for entry in entries]
    if not classes:
        raise DatasetError(
            f"{where}: group_by='top' asks for classes inside {', '.join(outer[:3])}"
        )
    return entries, classes, [Quarantined(name, "lies in no class folder") for name in strays]


def _entry(name: str, parts: tuple[str, ...], group_by: str) -> Entry:
    if group_by == "top":
        return Entry(name, parts[1], parts[0])
    group = "/".join(parts[1:]) if group_by == "folder" else ""
    return Entry(name, parts[0], group or None)


def _check_level(inner: Iterable[tuple[str, ...]], where: str) -> None:
    """Raise if the folders may be slides or parts of a data set, with the classes inside them."""
    outer: dict[str, Counter[str]] = {}
    for parts in inner:
        if parts:
            below = look_alike_key(parts[1]) if len(parts) > 1 else ""
            outer.setdefault(parts[0], Counter())[below] += 1
    holders = Counter(name for below in outer.values() for name in below if name)
    shared = [name for name, count in holders.items() if count > 1]
    if not shared or not _is_unclear(outer, shared):
        return
    outside, inside = (", ".join(map(repr, sorted(names)[:3])) for names in (outer, shared))
    raise DatasetError(
        f"{where}: the folders {outside}{', ...' if len(outer) > 3 else ''} hold folders of the same "
        f"names, {inside}, so either may be the classes. With group_by='top' the classes are {inside}, "
        f"and {outside} are groups; with group_by='folder' it is the other way round. Parts of a data "
        "set, such as train and test, are loaded one by one."
    )


def _is_unclear(outer: Mapping[str, Counter[str]], shared: list[str]) -> bool:
    if len({meaning(name) for name in shared if not name.isdigit()}) > 1:
        return True  # the classes are inside
    names_tell = len({meaning(name) for name in outer}) > 1
    images_outside = all(below[""] for below in outer.values())
    return not names_tell and not images_outside


def _warn_if_passed_through(top: PurePosixPath, classes: list[str]) -> None:
    """Warn if what was passed through looks like a class folder itself."""
    odd = [name for name in top.parts if meaning(name)]
    if odd:
        warn(
            f"the only folder is {odd[-1]!r}, so the classes are taken to be the folders inside it: "
            f"{', '.join(classes[:5])}. If it is a class itself, load the folder around both classes.",
            DataWarning,
        )


def _top(folders: list[str], places: Mapping[str, PurePosixPath]) -> PurePosixPath:
    """Return the folder that holds the class folders: below those that only hold one folder."""
    top = PurePosixPath()
    paths = [PurePosixPath(name) for name in folders]
    with_images = set(places.values())
    while True:
        inside = [path for path in paths if path.parent == top]
        only_one = len(inside) == 1 and top not in with_images
        if not only_one or not any(path.parent == inside[0] for path in paths):
            return top
        top = inside[0]


def _parent(name: str) -> str:
    return name.rpartition("/")[0]


def _no_classes(listing: Listing, where: str) -> str:
    message = f"{where}: expected one sub-folder with images ({', '.join(SUFFIXES)}) for each class"
    if listing.images:
        return f"{message}; found {len(listing.images)} images, but no sub-folders"
    return f"{message}; found no images{listing.instead}"
