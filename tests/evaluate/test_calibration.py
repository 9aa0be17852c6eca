"""Calibration, and sets of possible classes."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import norm
from sklearn.metrics import log_loss

from nucrec.errors import DataWarning, InvalidParameterError
from nucrec.evaluate import Temperature, calibration_error, fit_conformal, fit_temperature


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
    assert after.low == 0
    assert after.value < 0.04 < before.low
    assert Temperature(1.0).apply(scores) == pytest.approx(scores)


@pytest.mark.parametrize("n", [2, 10, 50])
def test_few_images_without_a_mistake_do_not_make_a_model_sure(n):
    scores = np.tile([[0.7, 0.3], [0.3, 0.7]], (n // 2, 1))
    with pytest.warns(DataWarning, match=f"^{n} images cannot show"):
        found = fit_temperature([0, 1] * (n // 2), scores)
    assert found.apply(scores).max(axis=1) == pytest.approx((n + 1) / (n + 2))


def test_few_images_do_not_soften_what_was_sure_before():
    scores = [[0.99, 0.01], [0.02, 0.98]]
    with pytest.warns(DataWarning, match="they stay as they are. Calibrate with more"):
        assert fit_temperature([0, 1], scores).value == 1


def test_probabilities_that_many_images_support_are_sharpened_as_before():
    truth, scores = [0] * 99 + [1], [[0.7, 0.3]] * 100
    calibrated = fit_temperature(truth, scores).apply(scores)
    assert calibrated[:, 0] == pytest.approx(0.99)  # the accuracy


def test_names_and_groups():
    true, scores = overconfident(200, 2, 2.0)
    names = ("nucleus", "micronucleus")
    by_name = calibration_error(np.array(names)[true], scores, names, np.arange(200) // 20)
    assert by_name.method == "bootstrap, less its bias, groups"
    assert by_name.value == calibration_error(true, scores).value
    assert calibration_error(true, scores, groups=np.arange(200)) == calibration_error(true, scores)


@pytest.mark.parametrize(
    "scores", [[0.1, 0.9], [[0.5, 0.6]], [[1.5, -0.5]], [["a", "b"]], np.zeros((0, 2))]
)
def test_what_is_no_probability(scores):
    for function in (calibration_error, fit_temperature, fit_conformal):
        with pytest.raises(InvalidParameterError, match="y_score"):
            function([0], scores)


def test_chance_is_what_a_calibrated_model_has():
    true, scores = overconfident(100, 2, 1.0)
    found = calibration_error(true, scores)
    rng = np.random.default_rng(3)
    drawn = []
    for _ in range(300):
        again = (rng.random(100) < scores[:, 1]).astype(int)
        drawn.append(calibration_error(again, scores, n_resamples=1).value)
    assert found.chance == pytest.approx(np.mean(drawn), rel=0.05)
    assert str(found).endswith(f"; {found.chance:.2f} by chance)")


@pytest.mark.slow
@pytest.mark.parametrize(("factor", "truth"), [(1.0, 0.0), (1.5, 0.061), (2.5, 0.130)])
@pytest.mark.parametrize("n_groups", [0, 12])
@pytest.mark.parametrize("n", [92, 300])
def test_intervals_of_the_calibration_error_hold_the_truth(n, n_groups, factor, truth):
    rng = np.random.default_rng(n)
    groups = np.arange(n) % n_groups if n_groups else None
    held = []
    for seed in range(150):
        logits = 1.5 * rng.normal(size=n)
        latent = rng.normal(size=n)
        if n_groups:  # as calibrated as without groups, but images of a group err together
            latent = np.sqrt(0.2) * rng.normal(size=n_groups)[groups] + np.sqrt(0.8) * latent
        true = (norm.cdf(latent) < 1 / (1 + np.exp(-logits))).astype(int)
        share = 1 / (1 + np.exp(-logits * factor))
        found = calibration_error(
            true, np.c_[1 - share, share], groups=groups, n_resamples=200, random_state=seed
        )
        held.append(found.low <= truth <= found.high)
    assert np.mean(held) >= 0.91


def test_one_group_says_nothing_of_others():
    found = calibration_error([0, 1, 1], [[0.4, 0.6]] * 3, groups=[1, 1, 1])
    assert np.isnan([found.low, found.high]).all()
    assert found.value == pytest.approx(2 / 3 - 0.6)
