"""The share of positives, corrected for the errors that the model is known to make."""

import copy

import numpy as np
import pytest
from PIL import Image

from nucrec.evaluate import corrected_proportion
from nucrec.models import predict_folder, predict_shards

TRUTH, SENSITIVITY, SPECIFICITY = 0.02, 0.95, 0.95
N_FOLDERS, N_IN_FOLDER, N_CALIBRATION = 8, 125, 150


class Answers:
    """A classifier that errs by chance at known rates, whatever an image shows."""

    classes_ = np.array([0, 1])
    class_names_ = ("nucleus", "micronucleus")

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        labels = np.repeat([0, 1], N_CALIBRATION)
        self.calibration_ = self._answers(labels), labels

    def predict_proba(self, images):
        return self._answers(self._rng.random(len(images)) < TRUTH)

    def _answers(self, labels):
        chance = np.where(labels, SENSITIVITY, 1 - SPECIFICITY)
        called = (self._rng.random(len(labels)) < chance).astype(float)
        return np.column_stack([1 - called, called])


@pytest.fixture(scope="module")
def wells(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wells")
    for k in range(N_FOLDERS * N_IN_FOLDER):
        path = folder / f"{k // N_IN_FOLDER}" / f"{k}.bmp"
        path.parent.mkdir(exist_ok=True)
        Image.new("L", (2, 2)).save(path)
    return folder


@pytest.mark.slow
def test_the_corrected_interval_holds_the_truth_and_the_raw_one_never_does(wells):
    rng = np.random.default_rng(0)
    held = {"raw": 0, "corrected": 0, "corrected in a folder": 0}
    runs = 150
    for _ in range(runs):
        found = predict_folder(Answers(rng), wells)
        total, well = found.total, found.folders[0]
        held["raw"] += total.low <= TRUTH <= total.high
        held["corrected"] += total.corrected.low <= TRUTH <= total.corrected.high
        held["corrected in a folder"] += well.corrected.low <= TRUTH <= well.corrected.high
    assert held["raw"] == 0
    assert held["corrected"] >= 0.92 * runs
    assert held["corrected in a folder"] >= 0.92 * runs


def test_it_is_that_of_the_calibration_images(network, files):
    found = predict_folder(network, files / "plate", confidence=0.9)
    probabilities, labels = network.calibration_
    right = probabilities.argmax(axis=1) == labels
    rates = {
        "sensitivity": (int(right[labels == 1].sum()), int((labels == 1).sum())),
        "specificity": (int(right[labels == 0].sum()), int((labels == 0).sum())),
    }
    assert {name: getattr(found, name) for name in rates} == rates
    by_group = {
        name: [
            np.bincount(network.calibration_groups_, each & (labels == k)) for each in (right, True)
        ]
        for k, name in ((1, "sensitivity"), (0, "specificity"))
    }
    wells = [(summary.positive, summary.n) for summary in found.folders]
    for summary, counts in zip(found.folders, wells, strict=True):
        assert summary.corrected == corrected_proportion(*counts, **by_group, confidence=0.9)
    together = corrected_proportion(*zip(*wells, strict=True), **by_group, confidence=0.9)
    assert found.total.corrected == together
    assert found.to_dict()["sensitivity"] == list(rates["sensitivity"])
    told = str(found)
    assert told.splitlines()[0].split()[3:8] == ["raw", "share", "corrected", "share", "interval"]
    assert f"{together.value:.2f}  {together.low:.2f} to {together.high:.2f}" in told
    assert "specificity {} of {}".format(*rates["specificity"]) in told
    assert "folders count as groups" in told


def test_the_positive_class_may_be_the_first(network, files):
    other = copy.copy(network)
    other.class_names_ = ("micronucleus", "nucleus")
    swapped = predict_folder(other, files / "plate")
    found = predict_folder(network, files / "plate")
    assert swapped.positive_class == found.positive_class == "micronucleus"
    assert (swapped.sensitivity, swapped.specificity) == (found.specificity, found.sensitivity)
    both = swapped.total.corrected.value + found.total.corrected.value
    assert both == pytest.approx(1)


def test_shards_say_the_same(network, files, tmp_path):
    found = predict_folder(network, files / "plate")
    shards = predict_shards(files / "cnn.keras", files / "plate", tmp_path / "out", shard_size=5)
    assert shards.total == found.total
    assert (shards.sensitivity, shards.specificity) == (found.sensitivity, found.specificity)


def test_calibration_images_without_groups_are_independent(files):
    model = Answers(np.random.default_rng(0))
    found = predict_folder(model, files / "plate")
    counts = {"sensitivity": found.sensitivity, "specificity": found.specificity}
    first = found.folders[0]
    assert first.corrected == corrected_proportion(first.positive, first.n, **counts)
    model.calibration_groups_ = np.arange(2 * N_CALIBRATION) // 15
    grouped = predict_folder(model, files / "plate")
    assert grouped.sensitivity == found.sensitivity
    assert grouped.folders[0].corrected.method == "Lang-Reiczigel, groups"


def test_images_of_one_class_tell_no_rates(files):
    model = Answers(np.random.default_rng(0))
    model.calibration_ = model.calibration_[0][:5], np.zeros(5, int)
    found = predict_folder(model, files / "plate")
    assert found.total.corrected is None
    assert "Raw shares are not corrected for errors of the model." in str(found)
