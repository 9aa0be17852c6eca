"""The two protocols: what leaks in one must not in the other."""

import pytest

from nucrec.datasets import ImageDataset
from nucrec.paper._protocol import Division, caption, make_divisions


def paper(crops: ImageDataset, augmented: bool, seed: int = 0) -> Division:
    (division,) = make_divisions(crops, "paper", augmented=augmented, seed=seed, n_repeats=2)
    return division


def honest(crops: ImageDataset, augmented: bool, n_repeats: int = 2) -> tuple[Division, ...]:
    return make_divisions(crops, "honest", augmented=augmented, seed=0, n_repeats=n_repeats)


@pytest.mark.parametrize("augmented", [False, True])
def test_paper_divides_by_image(crops, augmented):
    division = paper(crops, augmented)
    total = 306 * 5 if augmented else 306
    assert len(division.train) + len(division.test) == total
    assert len(division.test) == pytest.approx(0.3 * total, abs=1)
    assert division.leaked_groups > 0.95
    if augmented:
        assert division.leaked_families > 0.9
    else:
        assert division.leaked_families == 0


@pytest.mark.parametrize("augmented", [False, True])
def test_honest_tests_on_plain_images_of_new_groups(crops, augmented):
    for division in honest(crops, augmented):
        assert division.leaked_groups == division.leaked_families == 0
        assert set(division.train.parents) | set(division.test.ids) == set(crops.ids)
        n_originals = 306 - len(division.test)
        assert len(division.train) == n_originals * (5 if augmented else 1)


def test_honest_tests_each_image_once_in_each_repeat(crops):
    divisions = honest(crops, augmented=False)
    assert len(divisions) == 6
    for repeat in (divisions[:3], divisions[3:]):
        assert sorted(i for division in repeat for i in division.test.ids) == sorted(crops.ids)
    assert {frozenset(d.test.ids) for d in divisions[:3]} != {
        frozenset(d.test.ids) for d in divisions[3:]
    }


def test_all_tables_share_the_honest_folds(crops):
    plain, augmented = honest(crops, False), honest(crops, True)
    assert [d.test.ids.tolist() for d in plain] == [d.test.ids.tolist() for d in augmented]


def test_seed_decides(crops):
    ids = [paper(crops, True, seed).test.ids.tolist() for seed in (0, 0, 1)]
    assert ids[0] == ids[1] != ids[2]


def test_caption_says_what_leaks(crops):
    text = caption([paper(crops, True)])
    assert "augmented first" in text
    assert "1071 training and 459 test images" in text
    assert "98% of the test images" in text


def test_caption_counts_the_folds(crops):
    divisions = honest(crops, True)
    sizes = sorted(len(division.test) for division in divisions)
    text = caption(divisions)
    assert "3 folds of whole groups, 2 times, then the training part augmented" in text
    assert f"{sizes[0]} to {sizes[-1]} test images, 52% of these micronucleus" in text
    assert "copies of 0% of the test images" in text
    assert "times" not in caption(honest(crops, False, n_repeats=1))


def test_caption_says_where_no_groups_are_known(crops):
    for groups, said in ((crops.ids, True), (crops.groups, False)):
        divisions = honest(crops.with_groups(groups), augmented=True)
        assert ("no groups are known" in caption(divisions)) is said


def test_record(crops):
    record = honest(crops, augmented=True)[0].to_dict()
    assert record["n_test"] == len(record["test_ids"])
    assert record["leaked_groups"] == 0
