"""Old names: a warning at the caller's line, and no two names at once."""

import pytest

from nucrec._deprecation import renamed_parameter, warn_renamed
from nucrec.errors import InvalidParameterError


def divide(share=None, part=None):
    return renamed_parameter("part", part, "share", share)


def old_function():
    warn_renamed("old_function", "new_function")


def test_the_new_name_is_silent():
    assert divide(share=0.5) == 0.5
    assert divide() is None


def test_the_old_name_works_and_warns_at_the_callers_line():
    with pytest.warns(DeprecationWarning, match="^part is now called share; the old") as caught:
        assert divide(part=0.25) == 0.25
    assert caught[0].filename == __file__
    with pytest.warns(DeprecationWarning, match="old_function is now called new_func") as caught:
        old_function()
    assert caught[0].filename == __file__


def test_both_names_at_once_are_refused():
    with pytest.raises(InvalidParameterError, match="part: expected None beside share"):
        divide(share=0.5, part=0.25)
