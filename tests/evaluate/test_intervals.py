"""Intervals: by independent formulas, and by how often they hold the truth."""

import os

import joblib
import numpy as np
import pytest
from scipy import stats

from nucrec.evaluate import report
from nucrec.evaluate._intervals import bootstrap, percentile_interval, weigh


def mean_of(values):
    return lambda weights: ((weights @ values) / weights.sum(1))[:, None]


def test_bootstrap_of_a_mean_has_the_known_spread():
    values = np.random.default_rng(0).normal(size=200)
    means = bootstrap(mean_of(values), np.arange(200), 20_000, 0)[:, 0]
    assert means.mean() == pytest.approx(values.mean(), abs=0.002)
    assert means.std() == pytest.approx(values.std() / np.sqrt(200), rel=0.02)


def test_bootstrap_agrees_with_scipy():
    values = np.random.default_rng(1).exponential(size=60)
    ours = percentile_interval(bootstrap(mean_of(values), np.arange(60), 20_000, 0), 0.9, 10**9)
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
    values = np.random.default_rng(0).normal(size=10)
    whole = bootstrap(mean_of(values), np.arange(10), 100, 3)
    monkeypatch.setattr("nucrec.evaluate._intervals._CELLS_AT_ONCE", 70)
    sizes = []

    def statistic(weights):
        sizes.append(len(weights))
        return mean_of(values)(weights)

    chunks = bootstrap(statistic, np.arange(10), 100, 3)
    assert sizes == [7] * 14 + [2]
    np.testing.assert_array_equal(chunks[:7], whole[:7])
    assert len(np.unique(chunks)) > 90  # no chunk repeats another one
    more = bootstrap(mean_of(values), np.arange(10), 150, 3)
    np.testing.assert_array_equal(chunks[:98], more[:98])


@pytest.mark.parametrize("weigh_all", [False, True])
def test_chunks_of_a_mean_have_the_known_spread(monkeypatch, weigh_all):
    monkeypatch.setattr("nucrec.evaluate._intervals._CELLS_AT_ONCE", 200 * 300)
    values = np.random.default_rng(0).normal(size=200)
    if weigh_all:
        means = weigh(mean_of(values), 200, 20_000, 0, np.random.default_rng(0))[:, 0]
    else:
        means = bootstrap(mean_of(values), np.arange(200), 20_000, 0)[:, 0]
    assert len(means) == len(np.unique(means)) == 20_000
    assert means.mean() == pytest.approx(values.mean(), abs=0.002)
    assert means.std() == pytest.approx(values.std() / np.sqrt(200), rel=0.02)


@pytest.mark.parametrize("backend", ["threading", "loky", "multiprocessing", None])
def test_chunks_are_the_same_from_every_backend(monkeypatch, backend):
    monkeypatch.setattr("nucrec.evaluate._intervals._CELLS_AT_ONCE", 40 * 300)
    rng = np.random.default_rng(0)
    truth, scores = rng.integers(0, 2, 40), rng.random(40)

    def numbers() -> list:
        said = scores > 0.5
        return [report(truth, said, scores, groups=groups) for groups in (None, np.arange(40) // 2)]

    expected = numbers()
    chosen = {} if backend is None else {"backend": backend}
    with joblib.parallel_config(n_jobs=2, **chosen):
        assert numbers() == expected
        where = bootstrap(lambda w: np.full((len(w), 1), os.getpid()), np.arange(40), 4000, 0)
    assert (os.getpid() in where) == (backend in ("threading", None))


def test_undefined_resamples_are_left_out():
    found = percentile_interval(np.array([np.nan, 1.0, 2.0, 3.0]), 0.5, 10**9)
    assert found == pytest.approx((1.5, 2.5))
    assert np.isnan(percentile_interval(np.array([np.nan]), 0.9, 5)).all()


def test_few_units_have_wider_intervals():
    values = np.random.default_rng(0).normal(size=10**5)
    spans = [np.diff(percentile_interval(values, 0.95, n))[0] for n in (3, 10, 30, 10**6)]
    assert spans == sorted(spans, reverse=True)
    expected = 2 * stats.t.ppf(0.975, 29) * np.sqrt(30 / 29)
    assert spans[2] == pytest.approx(expected, rel=0.02)
    assert spans[3] == pytest.approx(2 * 1.96, rel=0.02)
    assert percentile_interval(values, 0.95, 2) == (values.min(), values.max())


@pytest.mark.slow
@pytest.mark.parametrize("n", [30, 92, 300])
@pytest.mark.parametrize(
    ("recall", "specificity", "share"), [(0.75, 0.75, 0.5), (0.95, 0.95, 0.5), (0.9, 0.7, 0.3)]
)
def test_intervals_of_accuracy_and_mc_hold_the_truth(n, recall, specificity, share):
    cells = np.array(
        [
            [specificity * (1 - share), (1 - specificity) * (1 - share)],
            [(1 - recall) * share, recall * share],
        ]
    )
    (tn, fp), (fn, tp) = cells
    spread = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    truth = {"ACC": tn + tp, "MC": (tp * tn - fp * fn) / np.sqrt(spread)}
    rng = np.random.default_rng(n)
    held = dict.fromkeys(truth, 0)
    for trial in range(500):
        drawn = rng.choice(4, n, p=cells.ravel())
        found = report(
            drawn // 2, drawn % 2, class_names=["a", "b"], random_state=trial, n_resamples=500
        )
        for name, value in truth.items():
            held[name] += found.metrics[name].low <= value <= found.metrics[name].high
    for name in truth:
        assert 0.92 <= held[name] / 500 <= 0.98, name
