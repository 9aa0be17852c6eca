"""Calibration, and sets of possible classes."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from sklearn.metrics import log_loss

from nucrec.errors import InvalidParameterError
from nucrec.evaluate import (
    ConformalRule,
    Temperature,
    calibration_error,
    fit_conformal,
    fit_temperature,
)


def softmax(values: np.ndarray) -> np.ndarray:
    powers = np.exp(values - values.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def overconfident(n: int, k: int, factor: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Classes drawn from known probabilities, and probabilities that are sharper than these."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, k)) * 1.5
    true = (rng.random((n, 1)) > softmax(logits).cumsum(1)).sum(1).clip(0, k - 1)
    return true, softmax(logits * factor)


def test_calibration_error_worked_by_hand():
    # bin 0.6 to 0.7: two images, confidence 0.65, one right; bin 0.9 to 1: two, 0.95, both right
    scores = [[0.35, 0.65], [0.65, 0.35], [0.05, 0.95], [0.95, 0.05]]
    found = calibration_error([1, 1, 1, 0], scores)
    assert found.value == pytest.approx((2 * 0.15 + 2 * 0.05) / 4)
    assert found.low <= found.value <= found.high


@pytest.mark.parametrize("k", [2, 4])
def test_temperature_is_found_and_calibrates(k):
    true, scores = overconfident(4000, k, 3.0)
    temperature = fit_temperature(true, scores)
    best = minimize_scalar(
        lambda t: log_loss(true, Temperature(t).apply(scores)), bounds=(0.1, 10), method="bounded"
    )
    assert temperature.value == pytest.approx(best.x, rel=1e-3)
    assert temperature.value == pytest.approx(3, rel=0.1)
    calibrated = temperature.apply(scores)
    np.testing.assert_array_equal(calibrated.argmax(1), scores.argmax(1))
    np.testing.assert_allclose(calibrated.sum(1), 1)
    before, after = calibration_error(true, scores), calibration_error(true, calibrated)
    assert after.value < 0.04 < before.low
    assert Temperature(1.0).apply(scores) == pytest.approx(scores)


def test_a_perfect_model_has_the_lowest_temperature():
    assert fit_temperature([0, 1], [[0.9, 0.1], [0.2, 0.8]]).value == pytest.approx(0.01)


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


def test_names_and_groups():
    true, scores = overconfident(200, 2, 2.0)
    names = ("nucleus", "micronucleus")
    by_name = calibration_error(np.array(names)[true], scores, names, np.arange(200) // 20)
    assert by_name.method == "group bootstrap"
    assert by_name.value == calibration_error(true, scores).value
    assert calibration_error(true, scores, groups=np.arange(200)) == calibration_error(true, scores)


@pytest.mark.parametrize(
    "scores", [[0.1, 0.9], [[0.5, 0.6]], [[1.5, -0.5]], [["a", "b"]], np.zeros((0, 2))]
)
def test_what_is_no_probability(scores):
    for function in (calibration_error, fit_temperature, fit_conformal):
        with pytest.raises(InvalidParameterError, match="y_score"):
            function([0], scores)


def test_bad_parameters():
    with pytest.raises(InvalidParameterError, match="error_rate"):
        fit_conformal([0], [[0.5, 0.5]], 0)
    with pytest.raises(InvalidParameterError, match="2 columns"):
        ConformalRule((0.5, 0.5), 0.05, (1, 1)).sets([[1.0, 0.0, 0.0]])
