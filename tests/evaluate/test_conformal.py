"""Sets of possible classes, and images that a person should look at."""

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from nucrec.errors import InvalidParameterError
from nucrec.evaluate import ConformalRule, fit_conformal


def softmax(values: np.ndarray) -> np.ndarray:
    powers = np.exp(values - values.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def overconfident(n: int, k: int, factor: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Classes drawn from known probabilities, and probabilities that are sharper than these."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, k)) * 1.5
    true = (rng.random((n, 1)) > softmax(logits).cumsum(1)).sum(1).clip(0, k - 1)
    return true, softmax(logits * factor)


@pytest.mark.parametrize("error_rate", [0.05, 0.2])
def test_sets_hold_the_true_class_of_each_class(error_rate):
    held = []
    for seed in range(100):
        true, scores = overconfident(1200, 3, 2.0, seed)
        rule = fit_conformal(true[:600], scores[:600], error_rate)
        inside = rule.sets(scores[600:])[np.arange(600), true[600:]]
        held.append([inside[true[600:] == k].mean() for k in range(3)])
    assert np.mean(held, axis=0) == pytest.approx(1 - error_rate, abs=0.015)


def test_thresholds_worked_by_hand():
    truth = [0] * 19 + [1] * 18
    sure = np.linspace(0.6, 0.96, 19)
    scores = np.concatenate([np.c_[sure, 1 - sure], np.c_[1 - sure, sure][:18]])
    rule = fit_conformal(truth, scores, 0.05)
    assert rule.thresholds == (0.6, 0.0)  # 18 images are too few to exclude class 1 ever
    assert rule.n == (19, 18)
    assert rule.needs_review([[0.7, 0.3], [0.5, 0.5]]).tolist() == [True, False]


def test_the_old_name_of_needs_review_is_deprecated():
    rule = ConformalRule((0.4, 0.3), 0.05, (80, 90))
    with pytest.warns(DeprecationWarning, match="needs_review"):
        assert rule.ask([[0.9, 0.1], [0.65, 0.35]]).tolist() == [False, True]


@pytest.mark.parametrize("n_neighbors", [3, 5, 7])
def test_scores_that_tie_are_kept(n_neighbors):
    # the sets of the images that a rule was fitted on hold the true class of all but those below it
    rng = np.random.default_rng(0)
    points = rng.normal(size=(900, 2))
    true = (points[:, 0] + rng.normal(size=900) > 0).astype(int)
    model = KNeighborsClassifier(n_neighbors).fit(points[:300], true[:300])
    scores = model.predict_proba(points)
    held = []
    for error_rate in (0.1, 0.3, 0.45):
        rule = fit_conformal(true[300:], scores[300:], error_rate)
        for k, threshold in enumerate(rule.thresholds):
            of_class = scores[300:][true[300:] == k]
            assert threshold in of_class[:, k]  # not rounded
            held.append(rule.sets(of_class)[:, k].mean() - (1 - error_rate))
    assert min(held) >= 0


def test_probabilities_of_single_precision_reach_their_own_threshold():
    rng = np.random.default_rng(1)
    true = np.arange(400) % 2
    share = (1 / (1 + np.exp(-2 * (2 * true - 1) - rng.normal(size=400)))).round(2)
    scores = np.c_[1 - share, share]
    rule = fit_conformal(true, scores, 0.1)
    rounded = scores.astype(np.float32).astype(np.float64)
    np.testing.assert_array_equal(rule.sets(rounded), rule.sets(scores))


def test_groups_count_alike():
    # nineteen groups of one image that scores 0.9, and one of 40 that score 0.2: one group in 21
    truth = np.zeros(59, int)
    sure = np.r_[np.full(19, 0.9), np.full(40, 0.2)]
    groups = np.r_[np.arange(19), np.full(40, 99)]
    scores = np.c_[sure, 1 - sure]
    assert fit_conformal(truth, scores, 0.1, groups=groups).thresholds == (0.9, 0.0)
    assert fit_conformal(truth, scores, 0.1).thresholds == (0.2, 0.0)
    assert fit_conformal(truth, scores, 0.04, groups=groups).thresholds == (0.0, 0.0)
    found = fit_conformal(truth, scores, 0.1, groups=groups)
    assert (found.n, found.n_groups) == ((59, 0), (20, 0))
    alone = fit_conformal(truth, scores, 0.1, groups=np.arange(59))
    assert alone == fit_conformal(truth, scores, 0.1)


@pytest.mark.slow
@pytest.mark.parametrize("n_groups", [12, 25, 40])
def test_sets_hold_the_true_class_of_images_of_new_groups(n_groups):
    rng = np.random.default_rng(n_groups)
    groups = np.repeat(np.arange(n_groups), 10)

    def draw():
        true = rng.integers(0, 2, len(groups))
        shift = 1.2 * rng.normal(size=n_groups)[groups]
        share = 1 / (1 + np.exp(-2 * ((2 * true - 1) * 1.5 + shift + rng.normal(size=len(groups)))))
        return true, np.c_[1 - share, share]

    held = []
    for _ in range(200):
        rule = fit_conformal(*draw(), 0.1, groups=groups)
        true, scores = draw()
        held.append(rule.sets(scores)[np.arange(len(true)), true].mean())
    assert np.mean(held) >= 0.9


def test_bad_parameters():
    with pytest.raises(InvalidParameterError, match="error_rate"):
        fit_conformal([0], [[0.5, 0.5]], 0)
    with pytest.raises(InvalidParameterError, match="groups"):
        fit_conformal([0, 1], [[0.5, 0.5]] * 2, groups=[1])
    with pytest.raises(InvalidParameterError, match="2 columns"):
        ConformalRule((0.5, 0.5), 0.05, (1, 1)).sets([[1.0, 0.0, 0.0]])
