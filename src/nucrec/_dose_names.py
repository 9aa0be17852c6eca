"""Conditions that are a name with a dose: their order, and what they are called."""

import itertools
from collections import Counter
from collections.abc import Sequence
from typing import TypeAlias

Key: TypeAlias = tuple[str, float | None]
"""The name of a condition, and its dose."""

_DIGITS = (6, 9, 12, 15, 17)


def in_order(keys: Sequence[Key], control: Key | None = None) -> list[Key]:
    """Return the different conditions: the control first, names as they first occur, doses ascending.

    Names that are numbers are doses themselves, and ascend.
    """
    first = {name: row for row, (name, _) in reversed(list(enumerate(keys)))}

    def place(key: Key) -> tuple[bool, int, float]:
        return key != control, first[key[0]], -1.0 if key[1] is None else key[1]

    if all(_number(name) is not None for name in first):
        return sorted(set(keys), key=lambda key: (key != control, float(key[0]), place(key)))
    return sorted(set(keys), key=place)


def condition_names(keys: Sequence[Key]) -> dict[Key, str]:
    """Return what different conditions are called: with the dose where a name has several.

    All are called differently: doses have as many digits as that needs, and names that are equal
    with their doses, such as those of "M" with the dose 1 and of "M 1", have them in brackets.
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
    """Return whether a condition has no name but its dose."""
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
    """Return a name with its dose in brackets, and a number where that is taken, too."""
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
