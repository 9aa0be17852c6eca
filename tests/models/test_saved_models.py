"""Models that earlier versions saved: each predicts what it did then."""

import json
from pathlib import Path

import numpy as np
import pytest

from nucrec.evaluate import fit_temperature
from nucrec.models import load, model_info

SAVED = Path(__file__).parents[1] / "data" / "saved-by-0.1.0"
PREDICTIONS = json.loads((SAVED / "predictions.json").read_text(encoding="utf-8"))

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")


@pytest.mark.parametrize("name", ["network.keras", "pixels.skops", "embeddings.skops"])
def test_predictions_are_those_of_the_version_that_saved_it(name, crops):
    model = load(SAVED / name)
    found = model.predict_proba(crops[::34])
    assert np.ptp(found[:, 1]) > 0.3  # the images tell models apart
    assert found[:, 1] == pytest.approx(PREDICTIONS[name], abs=1e-4)
    assert model.predict(crops[::34]).tolist() == found.argmax(1).tolist()
    assert model.class_names_ == crops.class_names


@pytest.mark.parametrize("name", ["network.keras", "pixels.skops", "embeddings.skops"])
def test_what_the_file_says_is_read(name, crops):
    info = model_info(SAVED / name)
    assert info.versions["nucrec"] == "0.1.0"
    assert info.fingerprint == crops.fingerprint


def test_a_network_has_all_that_it_was_saved_with():
    network = load(SAVED / "network.keras")
    assert network.class_weight == {0: 1.0, 1: 1.5}
    assert [type(operation).__name__ for operation in network.augment.operations] == [
        *("Flip", "Rotate", "Zoom")
    ]
    assert {len(values) for values in network.history_.values()} == {12}
    probabilities, labels = network.calibration_
    assert probabilities.shape == (len(labels), 2) == (101, 2)
    assert network.temperature_.value == pytest.approx(fit_temperature(labels, probabilities).value)
    assert network.domain_ is None  # 0.1.0 did not measure its training images
