"""The mean over the folds of a cross-validation, its interval, and comparisons on the same folds."""

import numpy as np
import pytest
from scipy import stats

from nucrec.datasets import ImageDataset, folds
from nucrec.errors import InvalidParameterError
from nucrec.evaluate import FoldMetric, Metric, over_folds, rank_folds

VALUES = [0.80, 0.84, 0.76, 0.82, 0.78, 0.83]


def test_mean_spread_and_corrected_interval():
    found = over_folds(VALUES, 3)
    assert isinstance(found, FoldMetric)
    assert isinstance(found, Metric)
    assert found.value == pytest.approx(sum(VALUES) / 6)
    assert found.std == pytest.approx(np.std(VALUES, ddof=1))
    assert found.folds == tuple(VALUES)
    # Nadeau and Bengio: the variance of the mean has the ratio of test to training images on top
    scale = found.std * (1 / 6 + (1 / 3) / (2 / 3)) ** 0.5
    expected = stats.t.interval(0.95, 5, loc=found.value, scale=scale)
    assert (found.low, found.high) == pytest.approx(expected)


def test_the_old_name_of_std_is_deprecated():
    found = over_folds(VALUES, 3)
    with pytest.warns(DeprecationWarning, match="std"):
        assert found.spread == found.std


def test_interval_narrows_with_more_folds_and_less_confidence():
    widths = [
        (metric := over_folds(VALUES, n, confidence=c)).high - metric.low
        for n, c in ((2, 0.95), (3, 0.95), (6, 0.95), (6, 0.5))
    ]
    assert widths == sorted(widths, reverse=True)


def test_interval_ends_where_the_metric_does():
    found = over_folds([1.0, 0.99, 0.8], 3, bounds=(0, 1))
    assert found.high == 1.0
    assert 0 <= found.low < 0.8


def test_folds_without_spread_have_no_interval():
    found = over_folds([0.1 + 0.2, 0.3, 0.3], 3)
    assert found.value == pytest.approx(0.3)
    assert np.isnan([found.low, found.high]).all()


def test_undefined_in_one_fold_is_undefined():
    assert np.isnan(over_folds([0.5, np.nan, 0.7], 3).value)


def test_ranking_is_the_corrected_paired_t_test():
    rng = np.random.default_rng(0)
    values = {name: 0.6 + 0.1 * k + rng.normal(0, 0.03, 10) for k, name in enumerate("abc")}
    found = rank_folds(values, 5, metric="ACC")
    assert [row.name for row in found.rows] == ["c", "b", "a"]
    assert (found.metric, found.test) == ("accuracy", "corrected resampled t-test")

    def p_value(one, other):
        apart = values[one] - values[other]
        scale = np.sqrt((1 / 10 + 0.2 / 0.8) * apart.var(ddof=1))
        return 2 * stats.t.sf(abs(apart.mean()) / scale, 9)

    raw = sorted(p_value(*pair) for pair in ("ab", "ac", "bc"))
    holm = np.maximum.accumulate(np.array(raw) * [3, 2, 1]).clip(max=1)
    assert sorted(row.p_value for row in found.rows[1:]) == pytest.approx(
        sorted(holm[[raw.index(p_value(*pair)) for pair in ("bc", "ac")]])
    )
    assert found.rows[1].behind.value == pytest.approx((values["c"] - values["b"]).mean())
    assert found.best_is_better


def test_equal_classifiers_cannot_be_told_apart():
    found = rank_folds({"a": VALUES, "b": VALUES}, 3)
    assert not found.best_is_better
    assert [row.p_value for row in found.rows] == [1.0, 1.0]


@pytest.mark.parametrize(
    ("call", "parameter"),
    [
        (lambda: over_folds([0.5, 0.6], 3), "values"),
        (lambda: over_folds([], 3), "values"),
        (lambda: over_folds([[0.5, 0.6, 0.7]], 3), "values"),
        (lambda: over_folds([0.5], 1), "n_splits"),
        (lambda: over_folds(VALUES, 3, confidence=1), "confidence"),
        (lambda: rank_folds({"a": VALUES}, 3), "values"),
        (lambda: rank_folds({"a": VALUES, "b": VALUES[:3]}, 3), "values"),
        (lambda: rank_folds({"a": VALUES, "b": [np.nan] * 6}, 3), "values"),
    ],
)
def test_bad_parameters(call, parameter):
    with pytest.raises(InvalidParameterError, match=f"^{parameter}"):
        call()


@pytest.mark.slow
def test_interval_holds_what_new_groups_would_give():
    # two classes that a threshold divides, and groups that shift both: what is estimated is the
    # accuracy of such a threshold, learned from two thirds of 24 groups, on groups without number
    rng = np.random.default_rng(0)
    n_groups, size = 24, 8
    labels = np.tile([0, 1], n_groups * size // 2)
    groups = np.repeat(np.arange(n_groups), size)
    different = np.arange(len(labels), dtype=np.uint16).reshape(-1, 1, 1)
    blank = ImageDataset(different, labels, groups=groups)
    divisions = [folds(blank, 3, random_state=seed, n_repeats=2) for seed in range(20)]
    parts = [[np.isin(blank.ids, test.ids) for _, test in division] for division in divisions]

    def draw(n):
        shift = rng.normal(0, 0.5, n)[:, np.newaxis]
        values = rng.normal(size=(n, size)) + 1.2 * np.array([0, 1] * (size // 2)) + shift
        return values.ravel()

    def accuracy(train, train_labels, test, test_labels):
        threshold = (train[train_labels == 0].mean() + train[train_labels == 1].mean()) / 2
        return ((test > threshold) == test_labels).mean()

    many = draw(20_000), np.tile([0, 1], 20_000 * size // 2)
    two_thirds = np.tile([0, 1], 16 * size // 2)
    truth = np.mean([accuracy(draw(16), two_thirds, *many) for _ in range(100)])
    inside = []
    for trial in range(500):
        values = draw(n_groups)
        found = over_folds(
            [
                accuracy(values[~test], labels[~test], values[test], labels[test])
                for test in parts[trial % len(parts)]
            ],
            3,
        )
        inside.append(found.low <= truth <= found.high)
    assert 0.93 <= np.mean(inside) <= 0.995
