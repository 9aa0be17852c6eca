"""Deprecation of renamed names, which work for one more release."""

import warnings
from typing import TypeVar

from nucrec.errors import InvalidParameterError

T = TypeVar("T")


def warn_renamed(old: str, new: str, stacklevel: int = 3) -> None:
    """Emit a DeprecationWarning that names the new name.

    Parameters
    ----------
    old, new : str
        The names, as written by users.
    stacklevel : int, default=3
        As in `warnings.warn`: 3 names the line that calls the function that calls this one.
    """
    warnings.warn(
        f"{old} is now called {new}; the old name works in this release only",
        DeprecationWarning,
        stacklevel=stacklevel,
    )


def renamed_parameter(
    old: str, old_value: T | None, new: str, new_value: T | None, stacklevel: int = 4
) -> T | None:
    """Return the value of a renamed parameter, under whichever name it was passed.

    Parameters
    ----------
    old, new : str
        The names.
    old_value, new_value : any
        The values passed; None if nothing was passed.
    stacklevel : int, default=4
        As in `warnings.warn`: 4 names the line that calls the function that calls this one.

    Raises
    ------
    InvalidParameterError
        Both names were used.
    """
    if old_value is None:
        return new_value
    if new_value is not None:
        raise InvalidParameterError(
            f"{old}: expected None beside {new}, its new name. Received: {old_value!r}."
        )
    warn_renamed(old, new, stacklevel)
    return old_value
