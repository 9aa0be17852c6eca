"""Conditions that are a name with a dose: their order, and what they are called."""

from collections import Counter
from collections.abc import Sequence
from typing import TypeAlias

Key: TypeAlias = tuple[str, float | None]
"""The name of a condition, and its dose."""


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
    """Return what different conditions are called: with the dose where a name has several."""
    times = Counter(name for name, _ in keys)
    return {
        (name, dose): f"{name} {'no dose' if dose is None else f'{dose:.6g}'}"
        if times[name] > 1
        else name
        for name, dose in keys
    }


def _number(name: str) -> float | None:
    try:
        return float(name)
    except ValueError:
        return None
