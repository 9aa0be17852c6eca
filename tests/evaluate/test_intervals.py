"""Intervals: by independent formulas, and by how often they hold the truth."""

import numpy as np
import pytest
from scipy import stats

from nucrec.evaluate import report
from nucrec.evaluate._intervals import bootstrap, percentile_interval, wilson


@pytest.mark.parametrize("n", [1, 10, 92, 5000])
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_wilson_equals_scipy(n, confidence):
    for successes in {0, 1, n // 2, n}:
        expected = stats.binomtest(successes, n).proportion_ci(confidence, method="wilson")
        assert wilson(successes, n, confidence) == pytest.approx(tuple(expected), abs=1e-9)


def test_wilson_of_nothing_is_undefined():
    assert np.isnan(wilson(0, 0, 0.95)).all()


def mean_of(values):
    return lambda weights: ((weights @ values) / weights.sum(1))[:, None]


def test_bootstrap_of_a_mean_has_the_known_spread():
    values = np.random.default_rng(0).normal(size=200)
    means = bootstrap(mean_of(values), np.arange(200), 20_000, 0)[:, 0]
    assert means.mean() == pytest.approx(values.mean(), abs=0.002)
    assert means.std() == pytest.approx(values.std() / np.sqrt(200), rel=0.02)


def test_bootstrap_agrees_with_scipy():
    values = np.random.default_rng(1).exponential(size=60)
    ours = percentile_interval(bootstrap(mean_of(values), np.arange(60), 20_000, 0), 0.9)
    theirs = stats.bootstrap(
        (values,), np.mean, confidence_level=0.9, method="percentile", n_resamples=20_000, rng=0
    ).confidence_interval
    assert ours == pytest.approx(tuple(theirs), abs=0.01)


def test_groups_are_drawn_as_a_whole():
    units = np.array([0, 0, 0, 1, 1, 2])
    seen = []
    bootstrap(lambda weights: seen.append(weights) or weights[:, :1], units, 50, 0)
    weights = np.concatenate(seen)
    assert weights.shape == (50, 6)
    assert (weights[:, [0, 1, 2]] == weights[:, [0]]).all()
    assert (weights[:, 3] == weights[:, 4]).all()
    assert (weights[:, [0, 3, 5]].sum(1) == 3).all()


def test_memory_is_bounded_by_chunks(monkeypatch):
    values = np.arange(10.0)
    whole = bootstrap(mean_of(values), np.arange(10), 100, 3)
    monkeypatch.setattr("nucrec.evaluate._intervals._CELLS_AT_ONCE", 70)
    sizes = []

    def statistic(weights):
        sizes.append(len(weights))
        return mean_of(values)(weights)

    np.testing.assert_array_equal(bootstrap(statistic, np.arange(10), 100, 3), whole)
    assert sizes == [7] * 14 + [2]


def test_undefined_resamples_are_left_out():
    assert percentile_interval(np.array([np.nan, 1.0, 2.0, 3.0]), 0.5) == (1.5, 2.5)
    assert np.isnan(percentile_interval(np.array([np.nan]), 0.9)).all()


@pytest.mark.slow
@pytest.mark.parametrize("n", [92, 300])
def test_intervals_of_accuracy_and_mc_hold_the_truth(n):
    # each image is right with probability 0.75, whatever its class
    truth = {"ACC": 0.75, "MC": 0.5}
    rng = np.random.default_rng(n)
    held = dict.fromkeys(truth, 0)
    for trial in range(400):
        true = rng.integers(0, 2, n)
        predicted = np.where(rng.random(n) < 0.75, true, 1 - true)
        found = report(true, predicted, random_state=trial, n_resamples=500).metrics
        for name, value in truth.items():
            held[name] += found[name].low <= value <= found[name].high
    for name in truth:
        assert 0.92 <= held[name] / 400 <= 0.98, name
