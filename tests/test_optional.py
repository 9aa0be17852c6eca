"""Optional libraries."""

import math

import pytest

from nucrec._optional import require
from nucrec.errors import MissingExtraError


def test_what_is_installed_is_returned():
    assert require("math", extra="plots") is math


def test_what_is_missing_is_named_with_the_extra():
    with pytest.raises(MissingExtraError, match=r'no_such_library.*pip install "nucrec\[plots\]"'):
        require("no_such_library.part", extra="plots")


def test_a_fault_inside_the_library_is_not_hidden(tmp_path, monkeypatch):
    (tmp_path / "half_installed.py").write_text("import no_such_dependency\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="no_such_dependency"):
        require("half_installed", extra="plots")
