"""The two protocols: what leaks in one must not in the other."""

import pytest

from nucrec.paper._protocol import make_division


@pytest.mark.parametrize("augmented", [False, True])
def test_paper_divides_by_image(crops, augmented):
    division = make_division(crops, "paper", augmented=augmented, seed=0)
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
    division = make_division(crops, "honest", augmented=augmented, seed=0)
    assert division.leaked_groups == division.leaked_families == 0
    assert set(division.test.ids) <= set(crops.ids)
    assert set(division.train.parents) | set(division.test.ids) == set(crops.ids)
    n_originals = 306 - len(division.test)
    assert len(division.train) == n_originals * (5 if augmented else 1)


def test_both_tables_share_the_honest_test_part(crops):
    plain, augmented = (
        make_division(crops, "honest", augmented=flag, seed=3) for flag in (False, True)
    )
    assert plain.test.ids.tolist() == augmented.test.ids.tolist()


def test_seed_decides(crops):
    ids = [
        make_division(crops, "paper", augmented=True, seed=s).test.ids.tolist() for s in (0, 0, 1)
    ]
    assert ids[0] == ids[1] != ids[2]


def test_caption_says_what_leaks(crops):
    caption = make_division(crops, "paper", augmented=True, seed=0).caption
    assert "augmented first" in caption
    assert "1071 training and 459 test images" in caption
    assert "98% of the test images" in caption


def test_caption_says_where_no_groups_are_known(crops):
    for groups, said in ((crops.ids, True), (crops.groups, False)):
        division = make_division(crops.with_groups(groups), "honest", augmented=True, seed=0)
        assert ("no groups are known" in division.caption) is said


def test_record(crops):
    record = make_division(crops, "honest", augmented=True, seed=0).to_dict()
    assert record["n_test"] == len(record["test_ids"])
    assert record["leaked_groups"] == 0
