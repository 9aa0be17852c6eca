"""Proportions: Wilson's interval, groups, and the correction for the errors of a classifier."""

import numpy as np
import pytest
from scipy import stats

from nucrec.errors import InvalidParameterError
from nucrec.evaluate import corrected_proportion, mean_interval, proportion_interval


@pytest.mark.parametrize("n", [1, 10, 92, 5000])
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_wilson_equals_scipy(n, confidence):
    for successes in {0, 1, n // 2, n}:
        expected = stats.binomtest(successes, n).proportion_ci(confidence, method="wilson")
        found = proportion_interval(successes, n, confidence)
        assert found == pytest.approx(tuple(expected), abs=1e-9)


def test_an_interval_holds_its_own_value():
    assert proportion_interval(0, 50)[0] == 0
    assert proportion_interval(50, 50)[1] == 1
    assert proportion_interval([10] * 5, [10] * 5)[1] == 1


def test_nothing_is_known_of_no_images_or_of_one_group():
    for counts in ((0, 0), ([0, 0], [0, 0]), ([3], [10])):
        assert np.isnan(proportion_interval(*counts)).all()


def test_groups_of_one_image_are_images_but_for_students_t():
    # no dependence can be seen, and none is assumed: the rest is the quantile
    hits = np.repeat([1, 0], [40, 20])
    z = stats.t.ppf(0.975, 61)
    expected = np.roots([60 + z**2, -(2 * 40 + z**2), 40**2 / 60])  # Wilson's quadratic
    assert proportion_interval(hits, np.ones(60, int)) == pytest.approx(tuple(sorted(expected)))


def test_groups_that_agree_within_are_as_many_images_as_groups():
    # 40 groups of 10 that are all right or all wrong: the design effect is 10
    hits = np.where(np.arange(40) % 4 > 0, 10, 0)
    low, high = proportion_interval(hits, np.full(40, 10))
    alone = proportion_interval(30, 40)
    assert (high - low) == pytest.approx(alone[1] - alone[0], rel=0.06)


@pytest.mark.parametrize("hits", [[10] * 12, [10] * 11 + [9], [9, 10] * 6, [5] * 12, [0] * 12])
def test_groups_never_narrow_an_interval(hits):
    low, high = proportion_interval(hits, [10] * 12)
    alone = proportion_interval(sum(hits), 120)
    assert low <= alone[0] < alone[1] <= high
    assert high - low > 0.03


def test_counts_may_be_whole_floats():
    groups, hits = np.repeat([0, 1, 2], 4), np.arange(12) % 2
    counted = np.bincount(groups, hits), np.bincount(groups)
    assert proportion_interval(*counted) == proportion_interval([2, 2, 2], [4, 4, 4])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sizes", "n_replicates"),
    [
        ([300] + [5] * 20, 400),
        ([100] * 2 + [5] * 20, 400),
        ([100] + [10] * 10, 400),
        ([2] * 11 + [6] * 11 + [40] * 3, 400),
        ([3, 4, 5, 6, 8, 9, 11, 14, 17, 22, 28, 41], 2000),  # just not allowed for
    ],
    ids=["one", "two", "half", "several", "mixed"],
)
@pytest.mark.parametrize("share", [0.7, 0.9, 0.97])
def test_intervals_of_groups_of_very_different_sizes_hold_the_truth(sizes, n_replicates, share):
    rng = np.random.default_rng(len(sizes))
    strength = 1 / 0.2 - 1  # a correlation of 0.2
    held = []
    for _ in range(n_replicates):
        shares = rng.beta(share * strength, (1 - share) * strength, len(sizes))
        low, high = proportion_interval(rng.binomial(sizes, shares), sizes)
        held.append(low <= share <= high)
    assert np.mean(held) >= 0.92


def test_one_group_with_most_images_counts_for_less_than_two():
    # 300 images of one group say of other groups hardly more than one group could
    sizes = np.array([300] + [5] * 20)
    low, high = proportion_interval((0.8 * sizes).astype(int), sizes)
    alone = proportion_interval(320, 400)
    assert low < 0.5
    assert alone[0] > 0.75
    assert high >= alone[1]


def test_sizes_that_differ_a_little_change_nothing():
    # Kish's number of groups is above 0.6 of theirs: the degrees of freedom are those of 12 groups
    found = [
        proportion_interval([8, 16] * 6, [10, 20] * 6),
        proportion_interval([12] * 12, [15] * 12),
    ]
    assert found[0] == pytest.approx(found[1], abs=0.01)


def test_an_empty_group_counts_for_nothing():
    assert proportion_interval([3, 0, 9], [8, 0, 10]) == proportion_interval([3, 9], [8, 10])


@pytest.mark.slow
@pytest.mark.parametrize("n_groups", [5, 8, 12, 33])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.97])
def test_intervals_of_groups_hold_the_truth(n_groups, share):
    rng = np.random.default_rng(n_groups)
    size, correlation = 9, 0.2
    strength = 1 / correlation - 1
    held = []
    for _ in range(400):
        shares = rng.beta(share * strength, (1 - share) * strength, n_groups)
        low, high = proportion_interval(rng.binomial(size, shares), np.full(n_groups, size))
        held.append(low <= share <= high)
    assert np.mean(held) >= 0.92


def test_the_interval_of_a_mean_is_that_of_a_share():
    hits = np.arange(60) % 3 > 0
    found = mean_interval(hits)
    assert (found.value, found.method) == (pytest.approx(2 / 3), "Wilson")
    assert (found.low, found.high) == pytest.approx(proportion_interval(40, 60))
    groups = np.repeat(np.arange(6), 10)
    grouped = mean_interval(hits, groups)
    expected = proportion_interval(hits.reshape(6, 10).sum(1), [10] * 6)
    assert (grouped.low, grouped.high) == pytest.approx(expected)
    assert grouped.method == "Wilson, groups"
    assert mean_interval(hits, groups=np.arange(60)) == found


def test_the_corrected_share_is_that_of_rogan_and_gladen():
    found = corrected_proportion(150, 1000, sensitivity=(90, 100), specificity=(188, 200))
    assert found.value == pytest.approx((0.15 + 0.94 - 1) / (0.9 + 0.94 - 1))
    assert found.low < found.value < found.high
    known = corrected_proportion(
        150, 1000, sensitivity=(90 * 10**6, 10**8), specificity=(94 * 10**6, 10**8)
    )
    # where the errors are known, the ends of the raw share are corrected
    low, high = ((end + 0.94 - 1) / 0.84 for end in proportion_interval(150, 1000))
    assert (known.low, known.high) == pytest.approx((low, high), abs=2e-3)
    assert found.high - found.low > 1.3 * (known.high - known.low)


def test_a_perfect_classifier_needs_no_correction():
    found = corrected_proportion(30, 200, sensitivity=(10**8,) * 2, specificity=(10**8,) * 2)
    assert found.value == pytest.approx(0.15)
    assert (found.low, found.high) == pytest.approx(proportion_interval(30, 200), abs=2e-3)


def test_the_corrected_share_is_cut_off_at_the_ends():
    assert corrected_proportion(1, 100, sensitivity=(9, 10), specificity=(9, 10)).value == 0
    assert corrected_proportion(99, 100, sensitivity=(9, 10), specificity=(9, 10)).value == 1


@pytest.mark.parametrize("specificity", [(1, 10), (0, 10)])
def test_a_classifier_that_guesses_tells_nothing(specificity):
    found = corrected_proportion(5, 10, sensitivity=(9, 10), specificity=specificity)
    assert np.isnan(found.value)
    assert (found.low, found.high) == (0, 1)


def test_the_corrected_share_of_groups():
    counts = {"sensitivity": (95, 100), "specificity": (95, 100)}
    alone = corrected_proportion(60, 600, **counts)
    grouped = corrected_proportion([30, 0, 12, 18, 0, 0], [100] * 6, **counts)
    assert grouped.value == pytest.approx(alone.value)
    assert grouped.low <= alone.low < alone.high < grouped.high
    assert grouped.method == "Lang-Reiczigel, groups"
    assert np.isnan(corrected_proportion([5], [10], **counts).value)


def test_validation_images_in_groups():
    totals = corrected_proportion(300, 1000, sensitivity=(90, 100), specificity=(190, 200))
    alike = corrected_proportion(
        300, 1000, sensitivity=([9] * 10, [10] * 10), specificity=([19] * 10, [20] * 10)
    )
    unlike = corrected_proportion(
        300, 1000, sensitivity=([10, 8] * 5, [10] * 10), specificity=([20] * 9 + [10], [20] * 10)
    )
    assert totals.value == pytest.approx(alike.value) == pytest.approx(unlike.value)
    assert unlike.low < alike.low < totals.low < totals.high < alike.high < unlike.high
    assert (totals.method, alike.method) == ("Lang-Reiczigel", "Lang-Reiczigel, groups")
    alone = corrected_proportion(300, 1000, sensitivity=([90], [100]), specificity=([190], [200]))
    assert alone.value == pytest.approx(totals.value)
    assert np.isnan([alone.low, alone.high]).all()


@pytest.mark.slow
@pytest.mark.parametrize(("n_groups", "correlation"), [(10, 0.1), (10, 0.2), (20, 0.2)])
@pytest.mark.parametrize("share", [0.02, 0.1, 0.3])
def test_corrected_intervals_from_validation_groups_hold_the_truth(n_groups, correlation, share):
    rng = np.random.default_rng(0)
    strength, size = 1 / correlation - 1, 200 // n_groups
    held = 0
    for _ in range(300):
        rates = [rng.beta(each * strength, (1 - each) * strength, n_groups) for each in (0.9, 0.95)]
        right = [rng.binomial(size, each) for each in rates]
        positives = rng.binomial(1000, share)
        called = rng.binomial(positives, 0.9) + rng.binomial(1000 - positives, 0.05)
        pairs = [(each, [size] * n_groups) for each in right]
        found = corrected_proportion(called, 1000, sensitivity=pairs[0], specificity=pairs[1])
        held += found.low <= share <= found.high
    assert held >= 0.92 * 300


@pytest.mark.slow
@pytest.mark.parametrize(("sensitivity", "specificity"), [(0.95, 0.95), (0.9, 0.7), (0.8, 0.98)])
@pytest.mark.parametrize("share", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("n_groups", [1, 20])
def test_corrected_intervals_hold_the_truth(sensitivity, specificity, share, n_groups):
    rng = np.random.default_rng(0)
    n, n_validation, correlation = 1000 // n_groups, 200, 0.1
    strength = 1 / correlation - 1
    held = {"corrected": 0, "raw": 0}
    for _ in range(500):
        shares = np.full(1, share)
        if n_groups > 1:
            shares = rng.beta(share * strength, (1 - share) * strength, n_groups)
        positives = rng.binomial(n, shares)
        called = rng.binomial(positives, sensitivity) + rng.binomial(n - positives, 1 - specificity)
        counts = (called, np.full(n_groups, n)) if n_groups > 1 else (called[0], n)
        found = corrected_proportion(
            *counts,
            sensitivity=(rng.binomial(n_validation, sensitivity), n_validation),
            specificity=(rng.binomial(n_validation, specificity), n_validation),
        )
        held["corrected"] += found.low <= share <= found.high
        low, high = proportion_interval(*counts)
        held["raw"] += low <= share <= high
    assert 0.92 <= held["corrected"] / 500 <= 0.99
    if (share, specificity) in ((0.02, 0.95), (0.02, 0.7), (0.1, 0.7)):
        assert held["raw"] == 0  # what is counted is never the truth


@pytest.mark.parametrize(
    ("call", "parameter"),
    [
        (lambda: proportion_interval(3, 2), "successes"),
        (lambda: proportion_interval(-1, 2), "successes"),
        (lambda: proportion_interval(1, 2.5), "n"),
        (lambda: proportion_interval(np.nan, 2), "successes"),
        (lambda: proportion_interval("1", 2), "successes"),
        (lambda: proportion_interval([1, 2], [3]), "successes"),
        (lambda: proportion_interval([[1]], [[3]]), "successes"),
        (lambda: proportion_interval([4, 2], [3, 3]), "successes"),
        (lambda: proportion_interval([], []), "successes"),
        (lambda: proportion_interval(1, 2, 95), "confidence"),
        (lambda: mean_interval([]), "values"),
        (lambda: mean_interval([0.5, np.nan]), "values"),
        (lambda: mean_interval(["a"]), "values"),
        (lambda: mean_interval([0.5, 1.1]), "values"),
        (lambda: mean_interval([0.5, 0.6], groups=[1]), "groups"),
        (lambda: mean_interval([0.5, 0.6], confidence=0), "confidence"),
        (lambda: corrected_proportion(3, 2, sensitivity=(1, 2), specificity=(1, 2)), "positive"),
        (lambda: corrected_proportion(1, 2, sensitivity=(3, 2), specificity=(1, 2)), "sensitivity"),
        (lambda: corrected_proportion(1, 2, sensitivity=(1, 2), specificity=0.9), "specificity"),
        (lambda: corrected_proportion(1, 2, sensitivity=(1, 2), specificity=(0, 0)), "specificity"),
        (
            lambda: corrected_proportion(1, 2, sensitivity=([1], [2, 2]), specificity=(1, 2)),
            "sensitivity",
        ),
    ],
)
def test_bad_parameters(call, parameter):
    with pytest.raises(InvalidParameterError, match=f"^{parameter}"):
        call()
