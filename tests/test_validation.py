"""Checks of arguments: what passes, what does not, and what they say."""

import numpy as np
import pytest

from nucrec._validation import (
    check_choice,
    check_finite,
    check_int,
    check_real,
    check_seed,
    check_size,
    invalid,
)
from nucrec.errors import InvalidParameterError, NucrecError


def test_message_has_all_four_parts():
    error = invalid("size", "a number", "x", "Pass one.")
    assert str(error) == "size: expected a number. Received: 'x'. Pass one."
    assert isinstance(error, NucrecError | ValueError | TypeError)


def test_long_values_are_shortened():
    assert len(str(invalid("X", "less", list(range(1000))))) < 120


def test_numbers_of_numpy_are_numbers():
    assert check_int("n", np.int8(3), low=1) == 3
    assert check_real("x", np.float32(0.5), low=0, high=1) == 0.5
    assert check_size("size", [np.int64(4), 5]) == (4, 5)
    assert check_size("size", 7) == (7, 7)


@pytest.mark.parametrize("value", [0, 6, 1.0, True, "1", None])
def test_int(value):
    with pytest.raises(
        InvalidParameterError, match="^n: expected a whole number of at least 1 and at most 5"
    ):
        check_int("n", value, low=1, high=5)


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), True, "1", None])
def test_real(value):
    with pytest.raises(InvalidParameterError, match="^x: expected a number between 0 and 1"):
        check_real("x", value, low=0, high=1)


def test_open_and_closed_ends():
    assert check_real("x", 1, low=0, high=1) == 1
    with pytest.raises(InvalidParameterError):
        check_real("x", 1, low=0, high=1, open_ends=True)


def test_choice():
    assert check_choice("by", "a", ("a", "b")) == "a"
    with pytest.raises(InvalidParameterError, match="^by: expected one of 'a', 'b'"):
        check_choice("by", ["a"], ("a", "b"))


def test_seed():
    assert check_seed("seed", 5) == 5
    assert check_seed("seed", None) != check_seed("seed", None)


@pytest.mark.parametrize("value", [(1,), (1, 2, 3), 0, "64", 1 << 20, None])
def test_size(value):
    with pytest.raises(InvalidParameterError, match="^size: expected"):
        check_size("size", value)


def test_finite():
    check_finite("X", np.array([1, 2]))
    with pytest.raises(
        InvalidParameterError, match="^X: expected finite values. Received: 2 NaN or inf"
    ):
        check_finite("X", np.array([np.nan, 1, -np.inf]))
