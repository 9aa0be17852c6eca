"""Names of classes and groups: equivalent spellings, and the positive class."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from nucrec._class_meaning import meaning
from nucrec._validation import invalid
from nucrec._warnings import warn
from nucrec.errors import DataWarning

_MISSING = {"", "na", "n/a", "#n/a", "nan", "null", "none", "nat", "<na>"}


_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2212\ufe58\ufe63"
_SAME_LOOK = {
    **dict.fromkeys(map(ord, _DASHES), "-"),
    **{0xFEE0 + c: chr(c) for c in range(33, 127)},
}
"""Other dashes, and letters of full width."""
_CYRILLIC = str.maketrans(
    "\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445\u0456\u0458\u0455",
    "abekmhopctyxijs",
)
"""Cyrillic letters whose capitals look like those of Latin ones, as in "MMC"."""


def plain_name(name: str) -> str:
    """Return a name in Unicode's composed form, without invisible characters and superfluous blanks."""
    if name.isascii() and name.isprintable() and "  " not in name:
        return name.strip()
    visible = (c for c in unicodedata.normalize("NFC", name) if unicodedata.category(c) != "Cf")
    return " ".join("".join(visible).split())


def look_alike_key(name: str) -> str:
    """Return a key that is equal for names that a person reads as the same: "a" and "A", 1 and 1.0."""
    key = plain_name(name).casefold()
    if not key.isascii():
        key = key.translate(_SAME_LOOK).casefold().translate(_CYRILLIC)
    whole = re.fullmatch(r"([+-]?\d+)(\.0*)?", key)
    return str(int(whole[1])) if whole else key


def merge_look_alikes(names: Iterable[str]) -> tuple[dict[str, str], list[list[str]]]:
    """Return the representative spelling of each name, and the spellings that were merged.

    The representative is the most frequent spelling, or the first of equally frequent ones; for
    numbers it is the shortest.
    """
    counts = Counter(names)
    by_key: dict[str, Counter[str]] = {}
    for name, count in counts.items():
        by_key.setdefault(look_alike_key(name), Counter())[plain_name(name)] += count
    chosen = {
        key: min(spellings, key=len) if _is_number(key) else spellings.most_common(1)[0][0]
        for key, spellings in by_key.items()
    }
    merged = [list(spellings) for spellings in by_key.values() if len(spellings) > 1]
    return {name: chosen[look_alike_key(name)] for name in counts}, merged


def merged_names(names: Iterable[str], what: str) -> dict[str, str]:
    """Return one spelling for names that look the same, and warn of those that were merged."""
    spelled, together = merge_look_alikes(names)
    if together:
        shown = "; ".join(" and ".join(map(repr, alike)) for alike in together[:3])
        warn(
            f"{what} that look the same are taken for one: {shown}. If they differ, rename them.",
            DataWarning,
        )
    return spelled


def _is_number(name: str) -> bool:
    return re.fullmatch(r"[+-]?\d+(\.\d*)?", name) is not None


def _are_other_numbers(names: Sequence[str]) -> bool:
    """Return whether names are numbers other than 0 and 1, which mean no and yes."""
    return all(map(_is_number, names)) and {float(name) for name in names} != {0.0, 1.0}


def is_missing(name: str) -> bool:
    """Return whether a table cell denotes a missing value: empty, NA, NaN."""
    return plain_name(name).casefold() in _MISSING


def order_classes(names: Iterable[str]) -> list[str]:
    """Return unique class names in the order of their labels.

    They are sorted, with numbers by value, except that names such as "micronucleus" or "abnormal"
    come last, as the positive class of two, and opposites such as "normal" or "without" come first.
    """
    different = set(names)
    as_numbers = all(map(_is_number, different))
    in_order = sorted(different, key=lambda name: (float(name) if as_numbers else 0.0, name))
    if _are_other_numbers(in_order):
        return in_order
    if len(different) == 2:
        return sorted(in_order, key=meaning)
    return sorted(in_order, key=lambda name: meaning(name) > 0)


def is_positive_told(names: Sequence[str]) -> bool:
    """Return whether the names of two classes show which of them is positive."""
    if len(names) != 2:
        return True
    return not _are_other_numbers(names) and meaning(names[0]) != meaning(names[1])


def warn_if_positive_is_not_told(classes: Sequence[str]) -> None:
    """Warn if the names of two classes do not reveal which one is positive."""
    if not is_positive_told(classes):
        warn(
            f"the names of the classes do not say which is the positive one: {classes[1]!r} is taken, "
            f"the last. Pass class_names=[{classes[0]!r}, {classes[1]!r}], or the other way round.",
            DataWarning,
        )


def positive_class(names: Sequence[str]) -> str:
    """Return the class to count: micronucleus, or the last class if none has such a name."""
    if _are_other_numbers(names):
        return names[-1]
    most = max(map(meaning, names))
    found = [name for name in names if meaning(name) == most]
    return found[0] if most > 0 and len(found) == 1 else names[-1]


def looks_micronuclear(name: str) -> bool:
    """Return whether a name is a spelling of micronucleus, including the published "Micronuclie"."""
    return _letters(name).startswith("micronucl")


def looks_nuclear(name: str) -> bool:
    """Return whether a name is a spelling of nucleus or normal."""
    return _letters(name).startswith(("nucle", "nucli", "normal"))


def check_class_names(class_names: Sequence[str]) -> tuple[str, ...]:
    """Return class names as a tuple, each as `plain_name` returns it.

    Raises
    ------
    InvalidParameterError
        They are not a sequence of names, a name is empty, or two names look the same.
    """
    expected = "a sequence of different names"
    if isinstance(class_names, str):
        raise invalid("class_names", expected, class_names)
    try:
        names = tuple(plain_name(str(name)) for name in class_names)
    except TypeError as error:
        raise invalid("class_names", expected, class_names) from error
    if not names or not all(names) or len(set(map(look_alike_key, names))) < len(names):
        raise invalid("class_names", expected, class_names)
    return names


def check_renamed(class_names: Sequence[str], own: Sequence[str], classes: Sequence[Any]) -> None:
    """Check names given to a model's classes, which have the names `own`, against the latter.

    Raises
    ------
    InvalidParameterError
        They mean other classes than those of their places. Classes that are known only by their
        numbers may have any names.
    """
    is_named = not all(str(value) == name for value, name in zip(classes, own, strict=False))
    if is_named or all(isinstance(value, str) for value in classes):
        check_not_crosswise("class_names", class_names, own)


def check_not_crosswise(parameter: str, told: Sequence[str], own: Sequence[str]) -> None:
    """Raise if names that are told mean other classes of a model than those of their places."""
    keys, own_keys = [look_alike_key(name) for name in told], [look_alike_key(name) for name in own]
    moved = any(k in own_keys and k != o for k, o in zip(keys, own_keys, strict=False))
    both_are_told = len(told) == len(own) == 2 and is_positive_told(told) and is_positive_told(own)
    opposite = both_are_told and (meaning(told[0]) < meaning(told[1])) != (
        meaning(own[0]) < meaning(own[1])
    )
    if moved or opposite:
        expected = f"names in the order of the model's classes, {', '.join(own)}"
        hint = "These names mean the opposite. " if opposite else "These are in another order. "
        hint += "Rename the classes if they do not."
        raise invalid(parameter, expected, list(told), hint)


def _letters(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalpha())
