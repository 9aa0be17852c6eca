"""Unification of the spellings of names in a design."""

from collections.abc import Sequence

from nucrec._class_names import look_alike_key, merge_look_alikes, plain_name
from nucrec._reading.wells import plain_well

_SHOWN = 3


def one_spelling(names: Sequence[str], what: str) -> tuple[list[str], list[str]]:
    """Return names with a single spelling for look-alikes, and a remark on them.

    Parameters
    ----------
    names : sequence of str
        One name per row; empty if there is none.
    what : str
        The things named, in the plural.
    """
    spelled, together = merge_look_alikes(names)
    return [spelled[name] for name in names], _remarks(together, what)


def one_spelling_of_wells(names: Sequence[str], what: str) -> tuple[list[str], list[str]]:
    """Return the same for names that may be wells: B3, b03 and B03 become B03."""
    spellings: dict[str, list[str]] = {}
    for name in dict.fromkeys(map(plain_name, dict.fromkeys(names))):
        spellings.setdefault(well_key(name), []).append(name)
    chosen = {
        key: found[0] if len(found) == 1 else plain_well(key) or found[0]
        for key, found in spellings.items()
    }
    standing = {name: chosen[well_key(name)] for name in dict.fromkeys(names)}
    together = [found for found in spellings.values() if len(found) > 1]
    return [standing[name] for name in names], _remarks(together, what)


def well_key(name: str) -> str:
    """Return the normalised name of a well, or of anything else, common to all its spellings."""
    key = look_alike_key(name)
    return plain_well(key) or key


def _remarks(together: Sequence[Sequence[str]], what: str) -> list[str]:
    if not together:
        return []
    shown = "; ".join(" and ".join(map(repr, alike)) for alike in together[:_SHOWN])
    more = f" and {len(together) - _SHOWN} more" if len(together) > _SHOWN else ""
    return [
        f"Names of {what} that look the same are treated as one: {shown}{more}. If they "
        "differ, rename them."
    ]
