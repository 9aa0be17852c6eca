"""Networks whose probabilities are calibrated, and that ask a person."""

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from nucrec.errors import DataWarning, InvalidParameterError, LeakageWarning
from nucrec.evaluate import fit_conformal, fit_temperature
from nucrec.models import ImageClassifier, classical_zoo, cnn, load, model_info

pytestmark = pytest.mark.slow


def fitted(crops) -> ImageClassifier:
    return cnn(image_size=16, epochs=2, random_state=0).fit(crops[::3])


@pytest.fixture(scope="module")
def plain(crops) -> ImageClassifier:
    return fitted(crops)


@pytest.fixture(scope="module")
def calibrated(crops) -> ImageClassifier:
    return fitted(crops).calibrate(crops[1::3])


def test_probabilities_are_those_at_the_temperature_of_the_held_out(crops, plain, calibrated):
    held_out, new = crops[1::3], crops[2::3]
    temperature = fit_temperature(held_out.labels, plain.predict_proba(held_out))
    assert calibrated.temperature_.value == pytest.approx(temperature.value, rel=1e-3)
    expected = temperature.apply(plain.predict_proba(new))
    np.testing.assert_allclose(calibrated.predict_proba(new), expected, atol=1e-3)
    np.testing.assert_array_equal(calibrated.predict(new), plain.predict(new))
    assert calibrated.predict_proba(new).dtype == np.float32


def test_classical_pipelines_are_calibrated_by_scikit_learn(crops):
    train, held_out, new = (crops[k::3] for k in range(3))
    forest = classical_zoo(random_state=0)["RF"].fit(train, train.labels)
    theirs = CalibratedClassifierCV(FrozenEstimator(forest), method="temperature")
    theirs.fit(held_out, held_out.labels)
    ours = fit_temperature(held_out.labels, forest.predict_proba(held_out))
    assert ours.value != pytest.approx(1, rel=0.05)
    np.testing.assert_allclose(
        theirs.predict_proba(new), ours.apply(forest.predict_proba(new)), atol=1e-6
    )


def test_calibrating_again_begins_anew(crops, calibrated):
    again = fitted(crops).calibrate(crops[2::3]).calibrate(crops[1::3])
    assert again.temperature_.value == pytest.approx(calibrated.temperature_.value, rel=1e-3)
    by_arrays = fitted(crops).calibrate(list(crops[1::3].images), crops.labels[1::3])
    assert by_arrays.temperature_.value == pytest.approx(calibrated.temperature_.value, rel=1e-3)
    assert calibrated.fit(crops[::3]).temperature_ is None
    calibrated.calibrate(crops[1::3])


def test_the_rule_is_that_of_the_held_out_images(crops, calibrated):
    held_out = crops[1::3]
    rule = calibrated.conformal(0.1)
    expected = fit_conformal(held_out.labels, calibrated.predict_proba(held_out), 0.1)
    assert rule.thresholds == pytest.approx(expected.thresholds, abs=1e-4)
    inside = rule.sets(calibrated.predict_proba(held_out))[range(len(held_out)), held_out.labels]
    assert inside.mean() >= 0.9


def test_it_is_saved(crops, calibrated, tmp_path):
    path = tmp_path / "model.keras"
    calibrated.save(path)
    again = load(path)
    new = crops[2::3]
    np.testing.assert_array_equal(again.predict_proba(new), calibrated.predict_proba(new))
    assert again.conformal(0.05) == calibrated.conformal(0.05)
    assert len(model_info(path).calibration["labels"]) == len(crops[1::3])
    of_field = np.unique(crops[1::3].groups, return_inverse=True)[1]
    np.testing.assert_array_equal(again.calibration_groups_, of_field)


def test_images_that_do_not_suit_calibration_are_warned_of(crops):
    model = fitted(crops)
    with pytest.warns(LeakageWarning, match="trained on 21 of 42 calibration images"):
        model.calibrate(crops[[*range(0, 306, 15), *range(1, 306, 15)]])
    held_out = crops[1::3]
    with (
        pytest.warns(DataWarning, match="49 images cannot show that a model is as sure"),
        pytest.warns(DataWarning, match="no calibration image is of class 'micronucleus'"),
    ):
        model.calibrate(held_out[held_out.labels == 0])


def test_what_cannot_be_calibrated(crops, plain):
    with pytest.raises(InvalidParameterError, match="calibrate"):
        plain.conformal()
    with pytest.raises(InvalidParameterError, match="y: expected the classes"):
        plain.calibrate(list(crops[:3].images))


def test_a_changed_calibration_cannot_be_saved(calibrated, tmp_path, monkeypatch):
    monkeypatch.setattr(
        calibrated, "calibration_", (np.array([[2.0, -1.0]], np.float32), np.array([0]))
    )
    with pytest.raises(
        InvalidParameterError, match="calibration without probabilities of 2 classes"
    ):
        calibrated.save(tmp_path / "model.keras")
    assert not list(tmp_path.iterdir())
