"""What a test set has in common with a training set, by what is stated."""

import warnings

import numpy as np
import pytest
from PIL import Image

from nucrec.augment import paper_pipeline
from nucrec.datasets import ImageDataset, find_leaks, load_images, split
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
    with pytest.warns(
        LeakageWarning, match="of 306 images to test on, 306 come from the same"
    ) as caught:
        leaks.warn()
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        find_leaks(*split(larger, random_state=0)).warn()


def test_images_with_the_same_pixels_leak(crops, tmp_path):
    # in another format, and under another name
    for i, ending in enumerate(("png", "tif", "bmp")):
        Image.fromarray(crops.images[i]).save(tmp_path / f"other {i}.{ending}")
    test = load_images(tmp_path)
    leaks = find_leaks(crops[1:100], test)
    assert leaks.same_pixels.tolist() == [False, True, True]
    assert not leaks.same_original.any()
    with pytest.warns(LeakageWarning, match="of 3 images to test on, 2 have the same pixels as a"):
        leaks.warn()
    as_float = ImageDataset([crops.images[1].astype(np.float32)], [0])
    assert not find_leaks(crops[1:100], as_float).same_pixels.any()


def test_parts_are_data_sets(crops):
    with pytest.raises(InvalidParameterError, match="^test: expected an ImageDataset"):
        find_leaks(crops, list(crops.images))
