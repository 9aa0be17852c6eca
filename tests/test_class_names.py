"""The order of classes."""

import pytest

from nucrec._class_names import (
    check_class_names,
    looks_micronuclear,
    looks_nuclear,
    order_classes,
    positive_class,
)
from nucrec.errors import InvalidParameterError


@pytest.mark.parametrize(
    "name",
    ["micronucleus", "Micronuclie cells", "MICRO-NUCLEI", "micro nucleated", "micronucleus_2"],
)
def test_spellings_of_micronucleus(name):
    assert looks_micronuclear(name)
    assert not looks_nuclear(name)


@pytest.mark.parametrize("name", ["nucleus", "Nuclei", "Normal Cells", "NUCLEUS_ok", "nuclie"])
def test_spellings_of_nucleus(name):
    assert looks_nuclear(name)
    assert not looks_micronuclear(name)


def test_others_are_neither():
    for name in ("NucRec", "NucReg Dataset", "cells", "abnormal", ""):
        assert not looks_nuclear(name)
        assert not looks_micronuclear(name)


def test_micronucleus_comes_last():
    assert order_classes(["z", "micronucleus", "a", "z"]) == ["a", "z", "micronucleus"]


def test_micronucleus_is_counted_or_the_last_class():
    assert positive_class(["micro-nuclei", "nucleus"]) == "micro-nuclei"
    assert positive_class(["normal", "apoptotic"]) == "apoptotic"


@pytest.mark.parametrize("names", ["ab", [], ["a", "a"], None, 5])
def test_names_are_checked(names):
    with pytest.raises(
        InvalidParameterError, match="^class_names: expected a sequence of different"
    ):
        check_class_names(names)


def test_names_become_a_tuple():
    assert check_class_names(["b", "a"]) == ("b", "a")
