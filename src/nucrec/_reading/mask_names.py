"""Which files are masks of images, or pictures made from them, judging by their names and folders."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

_OUTLINED = (
    r"masks?|masken?|outlines?|seg|segmentations?|labels?|lbls?|gt|ground[_ ]?truth|annotations?"
)
_MADE = (
    r"bw|binary|rois?|overlays?|contours?|annotated|predictions?|pred|heat[_ ]?maps?|flows"
    r"|thumb(?:nail)?s?"
)
_END = re.compile(rf"[_\-. ](?:cp[_\-. ])?(?:{_OUTLINED}|{_MADE})$", re.IGNORECASE)
"""The end of the name of a mask, after that of its image."""
_START = re.compile(
    r"(?:masks?|masken?|outlines?|seg|segmentation|labels?|overlay|binary|bw)(?: of)?[_\-. ]+",
    re.IGNORECASE,
)
"""The start of the name of a mask, before that of its image."""
_FOLDER = re.compile(rf"(?:.*[_\-. ])?(?:{_OUTLINED})", re.IGNORECASE)


def masks_among(images: Sequence[str]) -> set[str]:
    """Return the files that look like masks of other files, or like pictures made from them.

    These are called after an image in the same folder, such as ``a_mask`` beside ``a``, or lie in a
    folder such as "masks" whose files are called like images beside that folder or anywhere beside it.
    If half of a folder of masks are called so, the others are masks, too.

    Parameters
    ----------
    images : sequence of str
        The files, including folders.

    Returns
    -------
    set of str
        Those that are masks.
    """
    return _beside_their_image(images) | _in_folders_of_masks(images)


def _beside_their_image(images: Sequence[str]) -> set[str]:
    called = {name: stems for name in images if (stems := _without_mask(name))}
    others = {_stem(name) for name in images if name not in called} if called else set()
    return {name for name, stems in called.items() if not others.isdisjoint(stems)}


def _without_mask(name: str) -> list[str]:
    """Return what the image may be called, without ending, whose mask a file is."""
    folder, slash, last = _stem(name).rpartition("/")
    end, start = _END.search(last), _START.match(last)
    stems = [last[: end.start()]] if end else []
    stems += [last[start.end() :]] if start else []
    return [folder + slash + stem for stem in stems if stem]


def _in_folders_of_masks(images: Sequence[str]) -> set[str]:
    places: dict[str, list[tuple[str, int]]] = defaultdict(list)
    levels = {name: _levels_of_masks(name) for name in images}
    for name, own in levels.items():
        for level in own:
            places["/".join(name.split("/")[: level + 1])].append((name, level))
    around = {place.rpartition("/")[0] for place in places}
    known = _names_within(around, levels) if around else {}
    found: set[str] = set()
    for place, inside in places.items():
        beside = known[place.rpartition("/")[0]]
        alike = {name for name, level in inside if not beside.isdisjoint(_image_names(name, level))}
        found |= {name for name, _ in inside} if 2 * len(alike) >= len(inside) and alike else alike
    return found


def _levels_of_masks(name: str) -> list[int]:
    """Return which of the folders of a file, counted from the outermost, are called like masks."""
    return [i for i, part in enumerate(name.split("/")[:-1]) if _FOLDER.fullmatch(part)]


def _names_within(around: set[str], levels: dict[str, list[int]]) -> dict[str, set[str]]:
    """Return what images within each folder are called, unless a folder of masks lies between."""
    known: dict[str, set[str]] = {place: set() for place in around}
    for name, own in levels.items():
        parts = _stem(name).split("/")
        lowest = own[-1] + 1 if own else 0
        for depth in range(lowest, len(parts)):
            if (place := "/".join(parts[:depth])) in known:
                known[place].update(_joined(parts[depth:]))
    return known


def _joined(parts: list[str]) -> Iterator[str]:
    """Yield a name with fewer and fewer of its folders: a_b_c, b_c, c."""
    return ("_".join(parts[i:]).casefold() for i in range(len(parts)))


def _image_names(name: str, level: int) -> set[str]:
    """Return what the image of a mask may be called, with the folders within that of the masks."""
    stems = [_stem(name), *_without_mask(name)]
    return {"_".join(stem.split("/")[level + 1 :]).casefold() for stem in stems}


def _stem(name: str) -> str:
    return name.rpartition(".")[0]
