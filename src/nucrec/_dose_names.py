"""Conditions of a name and a dose: their order and their displayed names."""

import itertools
from collections import Counter
from collections.abc import Sequence
from typing import TypeAlias

Key: TypeAlias = tuple[str, float | None]
"""The name of a condition, and its dose."""

_DIGITS = (6, 9, 12, 15, 17)


def in_order(keys: Sequence[Key], control: Key | None = None) -> list[Key]:
    """Return the unique conditions: the control first, names by first occurrence, doses ascending.

    Names that are numbers are doses themselves, in ascending order.
    """
    first = {name: row for row, (name, _) in reversed(list(enumerate(keys)))}

    def place(key: Key) -> tuple[bool, int, float]:
        return key != control, first[key[0]], -1.0 if key[1] is None else key[1]

    if all(_number(name) is not None for name in first):
        return sorted(set(keys), key=lambda key: (key != control, float(key[0]), place(key)))
    return sorted(set(keys), key=place)


def condition_names(keys: Sequence[Key]) -> dict[Key, str]:
    """Return the displayed names of unique conditions, with the dose if a name has several.

    All displayed names are unique: doses have as many digits as necessary, and if names with doses
    coincide, such as "M" with dose 1 and "M 1", the doses are in brackets.
    """
    times = Counter(name for name, _ in keys)
    digits = next((n for n in _DIGITS if _are_told_apart(keys, n)), _DIGITS[-1])
    return _all_different(
        {
            (name, dose): f"{name} {_dose(dose, digits) or 'no dose'}" if times[name] > 1 else name
            for name, dose in keys
        }
    )


def is_dose(name: str, dose: float | None) -> bool:
    """Return whether the dose is the only name of a condition."""
    return name == _dose(dose, 15) != ""


def _are_told_apart(keys: Sequence[Key], digits: int) -> bool:
    return len({(name, _dose(dose, digits)) for name, dose in keys}) == len(set(keys))


def _dose(dose: float | None, digits: int) -> str:
    return "" if dose is None else f"{dose:.{digits}g}"


def _all_different(names: dict[Key, str]) -> dict[Key, str]:
    times = Counter(names.values())
    taken = {name for name, n in times.items() if n == 1}
    found = {}
    for key, name in names.items():
        found[key] = name if times[name] == 1 else _free(key, taken)
        taken.add(found[key])
    return found


def _free(key: Key, taken: set[str]) -> str:
    """Return a name with its dose in brackets, and a number if that is also taken."""
    name, dose = key
    name = f"{name} ({'no dose' if dose is None else f'dose {dose:.15g}'})"
    numbers = itertools.count(2)
    free = name
    while free in taken:
        free = f"{name} ({next(numbers)})"
    return free


def _number(name: str) -> float | None:
    try:
        return float(name)
    except ValueError:
        return None
