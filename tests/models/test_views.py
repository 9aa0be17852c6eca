"""Probabilities averaged over the views of an image."""

import numpy as np
import pytest
from tests.models.small import SIDE, convolution, noise, plainly

from nucrec.errors import InvalidParameterError
from nucrec.evaluate import fit_temperature
from nucrec.models import ImageClassifier, load, run_zoo

TRAIN, TEST = noise(40), noise(20, seed=1)
PIXELS = TEST.to_array(SIDE, 1)[..., 0]
TURNED = [np.rot90(PIXELS, k, axes=(1, 2)) for k in range(4)]
VIEWS = [view for turned in TURNED for view in (turned, turned[:, ::-1])]
"""All eight ways round, mirrored upside down here."""


@pytest.fixture(scope="module")
def model() -> ImageClassifier:
    return plainly(convolution(), epochs=2, learning_rate=0.05).fit(TRAIN)


@pytest.fixture(scope="module")
def averaged(model) -> np.ndarray:
    """The average by hand."""
    model.set_params(views=1)
    return np.mean([model.predict_proba(view) for view in VIEWS], axis=0)


@pytest.fixture
def eight(model, averaged) -> ImageClassifier:
    return model.set_params(views=8)


def test_they_are_averaged_as_by_hand(eight, averaged):
    np.testing.assert_allclose(eight.predict_proba(PIXELS), averaged, atol=1e-5)
    np.testing.assert_array_equal(eight.predict(PIXELS), eight.classes_[averaged.argmax(axis=1)])
    np.testing.assert_allclose(averaged.sum(axis=1), 1, atol=1e-5)


def test_by_default_an_image_is_seen_as_it_is(model, averaged):
    single = model.set_params(views=1).predict_proba(PIXELS)
    assert plainly(convolution()).views == 1
    assert np.abs(single - averaged).max() > 1e-3


def test_which_way_round_an_image_is_then_does_not_matter(eight):
    for view in VIEWS[1:4]:
        np.testing.assert_allclose(
            eight.predict_proba(view), eight.predict_proba(PIXELS), atol=1e-5
        )


def test_files_keep_them_and_their_calibration(eight, averaged, tmp_path):
    eight.calibrate(TEST)
    temperature = fit_temperature(TEST.labels, averaged)
    assert eight.temperature_.value == pytest.approx(temperature.value, rel=1e-3)
    expected = temperature.apply(averaged)
    np.testing.assert_allclose(eight.predict_proba(TEST), expected, atol=1e-4)
    eight.save(tmp_path / "eight.keras")
    again = load(tmp_path / "eight.keras")
    assert again.views == 8
    np.testing.assert_allclose(again.predict_proba(TEST), expected, atol=1e-4)


def test_a_row_of_a_zoo_has_the_averaged_probabilities():
    zoo = {
        str(views): plainly(convolution, image_size=SIDE, epochs=1, views=views) for views in (1, 8)
    }
    one, eight = run_zoo(zoo, TRAIN, TEST, learning_curves=True)
    np.testing.assert_allclose(one.y_score, one.validation_proba[-1], atol=1e-6)
    np.testing.assert_allclose(eight.validation_proba[-1], one.y_score, atol=1e-5)
    assert np.abs(eight.y_score - one.y_score).max() > 1e-4


@pytest.mark.parametrize("views", [0, 4, "8", None])
def test_other_numbers_are_refused(model, views):
    with pytest.raises(InvalidParameterError, match="views: expected 1 or 8"):
        plainly(convolution(), views=views).fit(TRAIN)
    model.set_params(views=views)
    with pytest.raises(InvalidParameterError, match="views: expected 1 or 8"):
        model.predict_proba(TEST)
