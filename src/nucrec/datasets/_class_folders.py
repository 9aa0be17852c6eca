"""Determine which folders are the classes and which are the groups."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from nucrec._class_meaning import meaning
from nucrec._class_names import look_alike_key
from nucrec._endings import IMAGES
from nucrec._reading.listing import Listing, Quarantined
from nucrec._text import many
from nucrec._warnings import warn
from nucrec.datasets._load import Entry
from nucrec.errors import DatasetError, DataWarning

_PARTS = {"train", "training", "test", "testing", "val", "valid", "validation", "dev", "holdout"}
_OF_CLASSES = {"class", "klasse", "classe", "label", "category", "type", "grade", "stage", "score"}
_OF_SERIES = re.compile(
    r"(slide|plate|well|field|fov|site|position|tile|image|experiment|exp|run|batch|day|date|session|"
    r"replicate|rep|repeat|donor|patient|subject|case|animal|mouse|rat|sample|specimen|section|series|"
    r"set|fold|cohort|lab|scan|film|stack)s?[ _-]*(\d+|[a-z]|[ivx]+|\d*[ _-][a-z\d]+)"
)
"""Names of units of a study, which have numbers, letters or words behind."""


def entries_of_folders(
    listing: Listing, group_by: str, where: str, named: Sequence[str] | None = None
) -> tuple[list[Entry], list[str], list[Quarantined]]:
    """Return the images with their classes and groups, all classes, and stray files.

    Folders that the user `named` as classes are accepted without further checks.

    Raises
    ------
    DatasetError
        There are no class folders, or it is ambiguous which folders are the classes.
    """
    places = {
        folder: PurePosixPath(folder) for folder in {_parent(name) for name in listing.images}
    }
    depth = 2 if group_by == "top" else 1
    folders = _without_masks(listing)
    top = _top(folders, places, set(map(look_alike_key, map(str, named or ()))), depth)
    outer = [path.name for path in map(PurePosixPath, folders) if path.parent == top]
    if not outer or not listing.images:
        raise DatasetError(_no_classes(listing, where))
    was_told = _warn_if_passed_through(top, outer)
    inner = {name: places[_parent(name)].parts[len(top.parts) :] for name in listing.images}
    if not _are_named({parts[depth - 1] for parts in inner.values() if len(parts) >= depth}, named):
        _check_level(set(inner.values()), group_by, where)
    entries = [
        _entry(name, parts, group_by) for name, parts in inner.items() if len(parts) >= depth
    ]
    strays = [name for name, parts in inner.items() if len(parts) < depth]
    classes = outer if depth == 1 else [entry.class_name for entry in entries]
    if not classes:
        raise DatasetError(
            f"{where}: group_by='top' needs folders of the classes inside {', '.join(outer[:3])}, "
            "which hold images"
        )
    if named is None and not was_told:
        _warn_of_series(sorted({entry.class_name for entry in entries}))
    return entries, classes, [Quarantined(name, "lies in no class folder") for name in strays]


def _entry(name: str, parts: tuple[str, ...], group_by: str) -> Entry:
    if group_by == "top":
        return Entry(name, parts[1], parts[0])
    group = "/".join(parts[1:]) if group_by == "folder" else ""
    return Entry(name, parts[0], group or None)


def _without_masks(listing: Listing) -> list[str]:
    """Return the folders that contain more than masks."""

    def around(names: list[str]) -> set[str]:
        folders = map(PurePosixPath, {_parent(name) for name in names})
        return {str(place) for folder in folders for place in (folder, *folder.parents)}

    empty = around(listing.masks) - around(listing.images) if listing.masks else set()
    return [name for name in listing.folders if name not in empty]


def _are_named(folders: set[str], named: Sequence[str] | None) -> bool:
    """Return whether all class names that the user gave are names of these folders."""
    keys = set(map(look_alike_key, folders))
    return isinstance(named, list | tuple) and keys.issuperset(
        look_alike_key(str(n)) for n in named
    )


def _check_level(places: set[tuple[str, ...]], group_by: str, where: str) -> None:
    """Raise if the folders may be slides or parts of a data set that contain the class folders."""
    taken = 1 if group_by == "top" else 0
    paths = [parts for parts in places if len(parts) > taken]
    outer = {parts[taken] for parts in paths}
    names_tell = _tell(outer)
    if taken and not names_tell:
        _warn_of_classes_outside({parts[0] for parts in paths}, outer)
    if names_tell and group_by != "image":
        return
    depth = max(map(len, paths), default=0)
    for level in range(taken + 1, depth):
        inside = _telling(paths, taken, level, outer_tell=names_tell)
        if inside:
            raise DatasetError(f"{where}: {_two_readings(outer, inside, level - taken, group_by)}")
    shared = _shared(paths, 0, 1) if group_by == "image" and depth > 1 else []
    if names_tell:
        _warn_of_groups(outer, shared)
    elif shared and not outer <= {parts[0] for parts in paths if len(parts) == 1}:
        raise DatasetError(f"{where}: {_two_readings(outer, shared, 1, group_by)}")


def _telling(
    paths: Iterable[tuple[str, ...]], taken: int, level: int, *, outer_tell: bool
) -> list[str]:
    """Return the names of sub-folders if these say that they are the classes.

    If those of the supposed classes say so, too, only names that occur in several of them count.
    """
    shared = _shared(paths, taken, level)
    every = sorted({parts[level] for parts in paths if len(parts) > level})
    if not outer_tell and {-1, 1} <= {meaning(name) for name in every if not name.isdigit()}:
        return every
    return shared if _tell(name for name in shared if not name.isdigit()) else []


def _tell(names: Iterable[str]) -> bool:
    """Return whether names say that they are of different classes."""
    return len({meaning(name) for name in names}) > 1


def _shared(paths: Iterable[tuple[str, ...]], taken: int, level: int) -> list[str]:
    """Return the names of sub-folders that occur in several of the supposed class folders."""
    holders: dict[str, set[str]] = {}
    spelled: dict[str, str] = {}
    for parts in sorted(paths):
        if len(parts) > level:
            key = look_alike_key(parts[level])
            spelled.setdefault(key, parts[level])
            holders.setdefault(key, set()).add(parts[taken])
    return [spelled[key] for key, outer in holders.items() if len(outer) > 1]


def _two_readings(outer: Iterable[str], inner: Iterable[str], below: int, group_by: str) -> str:
    """Return the two possible meanings of nested folders, and how to select each."""
    names = sorted(outer)
    outside, inside = (", ".join(map(repr, sorted(each)[:3])) for each in (names, inner))
    every = ", ".join(map(repr, names))
    outside += ", ..." if len(names) > 3 else ""
    one = len(names) == 1
    told = (
        f"the {'folder' if one else 'folders'} {outside} {'holds' if one else 'hold'} folders named "
        f"{inside}"
    )
    if below > 1 or group_by == "top":
        return (
            f"{told}, further inside, so either may be the classes. If {inside} are, load the folders "
            f"around them one by one, with group_by='top'; if {outside} {'is' if one else 'are'}, pass "
            "class_names."
        )
    return (
        f"{told}, so either may be the classes. With group_by='top' the classes are {inside}, and "
        f"{outside} are groups; with class_names=[{every}] and group_by='folder' it is the other way "
        "round. Parts of a data set, such as train and test, are loaded one by one."
    )


def _warn_of_groups(outer: Iterable[str], shared: Sequence[str]) -> None:
    """Warn if folders of the same names inside the classes may be groups, which are not used."""
    if len(shared) > 1:
        inside = ", ".join(map(repr, sorted(shared)[:3])) + (", ..." if len(shared) > 3 else "")
        warn(
            f"the classes {', '.join(map(repr, sorted(outer)[:3]))} hold folders of the same names, "
            f"{inside}, and each image is a group of its own. If images in folders of one name belong "
            "together, such as those of a slide, pass group_by='folder'; if not, pass class_names.",
            DataWarning,
        )


def _warn_of_classes_outside(groups: Iterable[str], classes: Iterable[str]) -> None:
    """Warn if groups are named like classes, and classes are not."""
    outside, inside = sorted(groups), sorted(classes)
    if {-1, 1} <= set(map(meaning, outside)):
        shown, taken = (", ".join(map(repr, names[:3])) for names in (outside, inside))
        warn(
            f"with group_by='top', {shown} are groups, though they are called like classes, and "
            f"{taken} are taken for classes. If it is the other way round, pass group_by='folder'.",
            DataWarning,
        )


def _warn_of_series(classes: Sequence[str]) -> None:
    """Warn of classes that are named like slides, wells, or parts of a data set."""
    keys = [look_alike_key(name) for name in classes]
    stems = {re.sub(r"\d+", "", key) for key in keys}
    numbered = len(stems) == 1 and not {stem.strip(" _-.") for stem in stems} & _OF_CLASSES
    numbered = numbered and not stems & {"", "."}  # numbers alone
    wells = all(re.fullmatch(r"[a-p]\d{1,2}", key) for key in keys)
    units = all(map(_OF_SERIES.fullmatch, keys))
    if (
        len(keys) > 1
        and not any(map(meaning, keys))
        and (numbered or wells or units or _PARTS.issuperset(keys))
    ):
        shown = ", ".join(map(repr, classes[:3])) + (", ..." if len(classes) > 3 else "")
        warn(
            f"the folders {shown} are taken for classes, but are called like slides, wells or parts of "
            "a data set. If they are, put folders of the classes inside them (group_by='top'), or load "
            "unlabelled images with load_images. If they are classes, pass class_names.",
            DataWarning,
        )


def _warn_if_passed_through(top: PurePosixPath, classes: list[str]) -> bool:
    """Warn if a folder that was passed through looks like a class folder; return whether it does."""
    odd = [name for name in top.parts if meaning(name)]
    if odd:
        warn(
            f"the only folder is {odd[-1]!r}, so the classes are taken to be the folders inside it: "
            f"{', '.join(classes[:5])}. If it is a class itself, load the folder around both classes.",
            DataWarning,
        )
    return bool(odd)


def _top(
    folders: list[str], places: Mapping[str, PurePosixPath], named: set[str], depth: int
) -> PurePosixPath:
    """Return the folder that contains the class folders, skipping folders with a single sub-folder.

    A single sub-folder that the user `named` as a class is one. At least `depth` levels of folders
    with images are kept.
    """
    top = PurePosixPath()
    paths = [PurePosixPath(name) for name in folders]
    with_images = set(places.values())
    deepest = max((len(path.parts) for path in with_images), default=0)
    while len(top.parts) + depth < deepest and top not in with_images:
        inside = [path for path in paths if path.parent == top]
        if len(inside) != 1 or look_alike_key(inside[0].name) in named:
            break
        top = inside[0]
    return top


def _parent(name: str) -> str:
    return name.rpartition("/")[0]


def _no_classes(listing: Listing, where: str) -> str:
    message = f"{where}: expected one sub-folder with images ({', '.join(IMAGES)}) for each class"
    if listing.images:
        name = Path(where).resolve().name
        one_up = f". If {name!r} is a class itself, load the folder around all classes"
        found = many(len(listing.images), "image")
        return f"{message}; found {found}, but no sub-folders{one_up if meaning(name) else ''}"
    return f"{message}; found no images{listing.instead}"
