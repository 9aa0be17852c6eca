"""What a test set has in common with a training set, by what is stated."""

import warnings

import numpy as np
import pytest

from nucrec.augment import paper_pipeline
from nucrec.datasets import ImageDataset, find_leaks, split
from nucrec.errors import InvalidParameterError, LeakageWarning


def make(n, **columns) -> ImageDataset:
    return ImageDataset(np.zeros((n, 4, 4), np.uint8), [0] * n, **columns)


def test_masks_name_the_test_images():
    train = make(3, ids=["a", "b", "c"], groups=["slide 1", "slide 1", "slide 2"])
    test = make(
        4,
        ids=["d", "e", "f", "g"],
        groups=["slide 1", "slide 3", "slide 3", "slide 2"],
        parents=["d", "a", "f", "b"],
    )
    found = find_leaks(train, test)
    assert found.same_original.tolist() == [False, True, False, True]
    assert found.same_group.tolist() == [True, False, False, True]


def test_numbers_that_both_sides_have_by_default_are_no_leak():
    found = find_leaks(make(3), make(3))
    assert not found.same_original.any()
    assert not found.same_group.any()


def test_warns_of_copies_and_names_the_line_that_asked(crops):
    larger = paper_pipeline(0).expand(crops, copies=1)
    leaks = find_leaks(larger[:306], larger[306:])
    with pytest.warns(LeakageWarning, match="306 of 306 images to test on") as caught:
        leaks.warn()
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        find_leaks(*split(larger, random_state=0)).warn()


def test_parts_are_data_sets(crops):
    with pytest.raises(InvalidParameterError, match="^test: expected an ImageDataset"):
        find_leaks(crops, list(crops.images))
