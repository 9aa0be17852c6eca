"""Validation of arguments. Every message states parameter, expected, received and what to do."""

import math
import numbers
from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._spelling import did_you_mean
from nucrec.errors import InvalidParameterError


def invalid(name: str, expected: str, received: object, hint: str = "") -> InvalidParameterError:
    """Return the error for an invalid argument, in the form shared by all messages.

    Parameters
    ----------
    name, expected, hint : str
        The parameter, the expected value, and what to do.
    received : object
        The value passed; long values are shortened.
    """
    shown = repr(received)
    if len(shown) > 80:
        shown = shown[:77] + "..."
    message = f"{name}: expected {expected}. Received: {shown}."
    return InvalidParameterError(f"{message} {hint}" if hint else message)


def check_choice(name: str, value: object, choices: Collection[str]) -> str:
    """Return `value` if it is one of `choices`."""
    if not isinstance(value, str) or value not in choices:
        expected = "one of " + ", ".join(map(repr, choices))
        raise invalid(name, expected, value, did_you_mean(value, choices))
    return value


def check_int(name: str, value: object, *, low: int, high: int | None = None) -> int:
    """Return `value` as an int if it is a whole number in [low, high]."""
    span = f"a whole number of at least {low}" + ("" if high is None else f" and at most {high}")
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise invalid(name, span, value)
    number = int(value)
    if number < low or (high is not None and number > high):
        raise invalid(name, span, value)
    return number


def check_real(
    name: str, value: object, *, low: float, high: float, open_ends: bool = False
) -> float:
    """Return `value` as a float if it lies in [low, high], or in (low, high) with `open_ends`."""
    expected = f"a number {'strictly ' if open_ends else ''}between {low:g} and {high:g}"
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise invalid(name, expected, value)
    number = float(value)
    inside = low < number < high if open_ends else low <= number <= high
    if not math.isfinite(number) or not inside:
        raise invalid(name, expected, value)
    return number


def check_seed(name: str, value: object) -> int:
    """Return a seed: `value` itself, or one drawn from the operating system for None."""
    if value is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    return check_int(name, value, low=0, high=2**32 - 1)


def check_size(name: str, value: object) -> tuple[int, int]:
    """Return (height, width) for a size given as one number or a pair."""
    pair: tuple[Any, ...] = tuple(value) if isinstance(value, tuple | list) else (value, value)
    if len(pair) != 2:
        raise invalid(name, "a whole number or a pair (height, width)", value)
    height, width = (check_int(name, side, low=1, high=1 << 16) for side in pair)
    return height, width


def check_known(name: str, array: npt.NDArray[Any]) -> None:
    """Raise if an array of numbers or objects contains None, NaN or another missing value."""
    if array.dtype.kind not in "fO":
        return
    missing = sum(is_missing_value(value) for value in array.ravel().tolist())
    if missing:
        raise invalid(name, "a value for each image", f"{missing} None or NaN")


def check_unmasked(name: str, value: object) -> None:
    """Raise if a masked array has masked values, which NumPy would treat as ordinary ones."""
    if np.ma.isMaskedArray(value) and np.ma.is_masked(value):
        hint = "Leave these out, or fill them: NAME.filled(value)."
        raise invalid(name, "an array without masked values", "a masked array", hint)


def is_missing_value(value: Any) -> bool:
    """Return whether a value is None, NaN, or pandas NA, which is neither true nor false."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, numbers.Real) and bool(value != value)


def check_finite(name: str, array: npt.NDArray[Any]) -> None:
    """Raise if a numeric array contains NaN or infinite values."""
    if array.dtype.kind in "fc" and not np.isfinite(array).all():
        bad = int(np.size(array) - np.isfinite(array).sum())
        raise InvalidParameterError(
            f"{name}: expected finite values. Received: {bad} NaN or infinite of {array.size}. "
            "Remove or replace them first."
        )


def check_not_mixed(name: str, given: Any) -> None:
    """Raise if some classes are names and others numbers, which NumPy would make names."""
    array = np.asarray(given)
    if array.dtype.kind not in "UO" or (array.dtype.kind == "U" and isinstance(given, np.ndarray)):
        return
    values = np.asarray(given, object).ravel().tolist()
    if any(isinstance(value, str) for value in values):
        others = (v for v in values if not isinstance(v, str) and not is_missing_value(v))
        other = next(others, None)
        if other is not None:
            raise invalid(name, "names of classes alone, or numbers of classes alone", other)
