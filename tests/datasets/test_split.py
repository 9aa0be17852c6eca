"""Splits: nothing on both sides, all classes in both, warned where copies leak."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nucrec.augment import paper_pipeline
from nucrec.datasets import ImageDataset, folds, split
from nucrec.errors import InvalidParameterError, LeakageWarning, SplitError


def make(labels, groups=None, **options) -> ImageDataset:
    images = np.arange(len(labels), dtype=np.uint32)[:, np.newaxis, np.newaxis]  # all different
    return ImageDataset(images, labels, groups=groups, **options)


@pytest.mark.parametrize("by", ["group", "image"])
@pytest.mark.parametrize("test_size", [0.1, 0.3, 0.5])
def test_every_image_is_on_one_side(crops, by, test_size):
    train, test = split(crops, test_size, by, random_state=1)
    assert sorted([*train.ids, *test.ids]) == sorted(crops.ids)
    positions = {name: i for i, name in enumerate(crops.ids)}
    for part in (train, test):
        assert part.ids.tolist() == sorted(part.ids, key=positions.__getitem__)
        assert part.labels.mean() == pytest.approx(crops.labels.mean(), abs=0.05)
    assert len(test) / len(crops) == pytest.approx(test_size, abs=0.02)


def test_groups_stay_together(crops):
    train, test = split(crops, random_state=0)
    assert not set(train.groups) & set(test.groups)


def test_copies_stay_with_their_original(crops):
    larger = paper_pipeline(0).expand(crops, copies=2)
    train, test = split(larger, random_state=0)
    assert not set(train.parents) & set(test.parents)
    # even where groups were given that separate them
    apart = larger.with_groups([f"g{i % 35}" for i in range(len(larger))])
    with pytest.raises(SplitError, match="is in 1 group"):
        split(apart, random_state=0)
    by_parent = larger.with_groups(np.arange(len(larger)))
    train, test = split(by_parent, random_state=0)
    assert not set(train.parents) & set(test.parents)


@pytest.mark.parametrize("groups", [None, [f"slide {i % 9}" for i in range(45)]])
def test_images_with_the_same_pixels_stay_together(groups, random_image):
    images = [random_image((5, 5)) // (1 + i % 40) for i in range(45)]  # five are there twice
    labels = [i % 40 % 2 for i in range(45)]
    dataset = ImageDataset(images, labels, groups=groups)
    pairs = [split(dataset, random_state=seed) for seed in range(10)]
    pairs += folds(dataset, 2 if groups else 4, random_state=0)
    for train, test in pairs:
        seen = {image.tobytes() for image in train.images}
        assert not seen & {image.tobytes() for image in test.images}


def test_by_image_warns_of_images_with_the_same_pixels(random_image):
    images = [random_image((5, 5)) // (1 + i % 40) for i in range(45)]
    dataset = ImageDataset(images, [i % 40 % 2 for i in range(45)])
    message = (
        "^dividing by image a data set with 5 images that are there more than once puts copies"
    )
    for divide in (split, folds):
        with pytest.warns(LeakageWarning, match=message) as caught:
            divide(dataset, by="image", random_state=0)
        assert caught[0].filename == __file__


def test_seed_decides(crops):
    one, again, other = (split(crops, random_state=seed)[1] for seed in (1, 1, 2))
    assert one.ids.tolist() == again.ids.tolist()
    assert one.ids.tolist() != other.ids.tolist()


@pytest.mark.parametrize("divide", [lambda d: split(d, by="image", random_state=0),
                                    lambda d: folds(d, 3, by="image", random_state=0)])  # fmt: skip
def test_by_image_warns_of_copies(crops, divide):
    larger = paper_pipeline(0).expand(crops, copies=1)
    with pytest.warns(LeakageWarning, match="306 augmented copies"):
        divide(larger)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        divide(crops)


def test_the_closest_division_is_found():
    # groups of 1, 2, 3 and 4 images of each class: 30 % is just the group of 3, or 1 + 2
    groups = np.repeat([1, 2, 3, 4], [1, 2, 3, 4])
    dataset = make([0] * 10 + [1] * 10, np.r_[groups, groups])
    for seed in range(5):
        assert len(split(dataset, 0.3, random_state=seed)[1]) == 6


def test_many_groups_are_divided_in_passing():
    labels = np.arange(20_000) % 2
    train, test = split(make(labels), 0.25, random_state=0)
    assert (len(train), len(test)) == (15_000, 5_000)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6)), min_size=4, max_size=40),
    st.floats(0.05, 0.95),
    st.integers(0, 9),
)
def test_any_two_classes_with_two_groups_each_can_be_split(pairs, test_size, seed):
    labels, groups = np.array(pairs).T
    possible = all(len(set(groups[labels == k])) > 1 for k in (0, 1))
    dataset = make(labels, groups)
    if not possible:
        with pytest.raises(SplitError):
            split(dataset, test_size, random_state=seed)
        return
    train, test = split(dataset, test_size, random_state=seed)
    assert set(train.labels) == set(test.labels) == {0, 1}
    assert not set(train.groups) & set(test.groups)


def test_a_class_with_one_image():
    with pytest.raises(SplitError, match="class 'micronucleus' has 1 image: at least 2"):
        split(make([0, 0, 0, 1]))


def test_a_class_with_none():
    with pytest.raises(SplitError, match="class 'micronucleus' has 0 images"):
        split(make([0, 0, 0]), by="image")


def test_too_few_groups():
    dataset = make([0, 0, 1, 1], ["a", "b", "c", "c"])
    with pytest.raises(SplitError, match="class 'micronucleus' is in 1 group: at least 2"):
        split(dataset)
    with pytest.raises(SplitError, match="is in 2 groups: at least 3"):
        folds(make([0, 0, 0, 1, 1, 1], ["a", "b", "b", "a", "b", "b"]), 3)


def test_three_classes_that_no_two_parts_can_both_hold():
    dataset = make([0, 0, 1, 1, 2, 2], list("ABBCAC"), class_names=["x", "y", "z"])
    with pytest.raises(SplitError, match="no division of 3 groups"):
        split(dataset, 0.5)


def test_too_few_images_for_the_share():
    with pytest.raises(SplitError, match="4 images cannot be divided with test_size=0.1"):
        split(make([0, 0, 1, 1]), 0.1, by="image")


@pytest.mark.parametrize("test_size", [0, 1, -0.1, 1.5, float("nan"), "0.3", None, True])
def test_test_size_out_of_range(crops, test_size):
    with pytest.raises(
        InvalidParameterError, match="^test_size: expected a number strictly between 0 and 1"
    ):
        split(crops, test_size)


@pytest.mark.parametrize(
    ("options", "parameter"),
    [
        ({"by": "field"}, "by"),
        ({"random_state": -1}, "random_state"),
        ({"random_state": 1.5}, "random_state"),
    ],
)
def test_bad_parameters(crops, options, parameter):
    with pytest.raises(InvalidParameterError, match=f"^{parameter}: "):
        split(crops, **options)
    with pytest.raises(InvalidParameterError, match=f"^{parameter}: "):
        folds(crops, **options)


@pytest.mark.parametrize("by", ["group", "image"])
def test_folds_test_each_image_once(crops, by):
    pairs = folds(crops, 5, by=by, random_state=0)
    assert len(pairs) == 5
    assert sorted(np.concatenate([test.ids for _, test in pairs])) == sorted(crops.ids)
    for train, test in pairs:
        assert sorted([*train.ids, *test.ids]) == sorted(crops.ids)
        if by == "group":
            assert not set(train.groups) & set(test.groups)


@pytest.mark.parametrize("n_splits", [1, 0, 2.5])
def test_number_of_folds(crops, n_splits):
    with pytest.raises(
        InvalidParameterError, match="^n_splits: expected a whole number of at least 2"
    ):
        folds(crops, n_splits)


def test_repeats_divide_each_time_otherwise(crops):
    pairs = folds(crops, 3, random_state=0, n_repeats=2)
    assert len(pairs) == 6
    once = folds(crops, 3, random_state=0)
    assert [test.ids.tolist() for _, test in pairs[:3]] == [test.ids.tolist() for _, test in once]
    for repeat in (pairs[:3], pairs[3:]):
        assert sorted(i for _, test in repeat for i in test.ids) == sorted(crops.ids)
    assert {frozenset(test.ids) for _, test in pairs[:3]}.isdisjoint(
        frozenset(test.ids) for _, test in pairs[3:]
    )
    assert all(not set(train.groups) & set(test.groups) for train, test in pairs)


def test_more_repeats_than_there_are_divisions():
    # three groups can be divided into three folds in one way only
    dataset = make([0, 1] * 3, [0, 0, 1, 1, 2, 2])
    assert len(folds(dataset, 3, random_state=0)) == 3
    with pytest.raises(SplitError, match="only 1 different divisions into 3 folds"):
        folds(dataset, 3, random_state=0, n_repeats=2)


GROUPED = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 9)), min_size=8, max_size=60)


@settings(deadline=None)
@given(GROUPED, st.floats(0.1, 0.9), st.integers(0, 9), st.sampled_from(["group", "image"]))
def test_any_split_keeps_each_image_once_and_groups_whole(pairs, test_size, seed, by):
    labels, groups = np.array(pairs).T
    dataset = make(labels, groups)
    try:
        train, test = split(dataset, test_size, by, random_state=seed)
    except SplitError:
        return
    assert sorted([*train.ids, *test.ids]) == sorted(dataset.ids)
    if by == "group":
        assert not set(train.groups) & set(test.groups)
        return
    # shares of the classes: as close as whole images allow
    for k in (0, 1):
        asked = (labels == k).sum() * len(test) / len(labels)
        assert abs((test.labels == k).sum() - asked) < 1
    assert len(test) == math.ceil(test_size * len(labels))


@settings(max_examples=25, deadline=None)
@given(st.integers(4, 40), st.integers(4, 40), st.floats(0.2, 0.8), st.integers(0, 9))
def test_groups_of_one_image_are_split_in_proportion(n, m, test_size, seed):
    dataset = make([0] * n + [1] * m)
    _, test = split(dataset, test_size, random_state=seed)
    for k, total in enumerate((n, m)):
        assert abs((test.labels == k).sum() - test_size * total) <= 1


@settings(max_examples=40, deadline=None)
@given(GROUPED, st.integers(2, 4), st.integers(0, 9), st.sampled_from(["group", "image"]))
def test_any_folds_test_each_image_once(pairs, n_splits, seed, by):
    labels, groups = np.array(pairs).T
    dataset = make(labels, groups)
    try:
        parts = folds(dataset, n_splits, by=by, random_state=seed)
    except SplitError:
        return
    assert sorted(name for _, test in parts for name in test.ids) == sorted(dataset.ids)
    for train, test in parts:
        assert sorted([*train.ids, *test.ids]) == sorted(dataset.ids)
        assert by == "image" or not set(train.groups) & set(test.groups)
