"""Files of models that were made to deceive: one clear error, before anything of them is built."""

import io
import json
import os
import shutil
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB
from tests.models.saving.rewriting import rewritten

from nucrec.errors import InvalidParameterError, ModelFileError, NucrecError
from nucrec.models import load, model_info, predict_folder, save

SAVED = Path(__file__).parents[2] / "data" / "saved-by-0.1.0"
NETWORK = SAVED / "network.keras"
HDF5 = b"\x89HDF\r\n\x1a\n" + bytes(2000)


def refused(path: Path, reason: str) -> None:
    for read in (model_info, load):
        with pytest.raises(ModelFileError, match=reason) as caught:
            read(path)
        assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("name", ["model.h5", "model.keras.bin", "model", "model.KERAS"])
def test_other_endings_are_refused_whatever_is_in_the_file(tmp_path, name):
    shutil.copy(NETWORK, tmp_path / name)
    refused(tmp_path / name, r"ends in \.keras or \.skops")


def test_the_ending_is_that_of_the_kind(tmp_path):
    shutil.copy(NETWORK, tmp_path / "a.skops")
    refused(tmp_path / "a.skops", "kind 'network', which its ending is not of")
    shutil.copy(SAVED / "pixels.skops", tmp_path / "a.keras")
    refused(tmp_path / "a.keras", "kind 'classical', which its ending is not of")


def test_an_archive_behind_another_file_is_refused(tmp_path):
    (tmp_path / "a.keras").write_bytes(HDF5 + NETWORK.read_bytes())
    assert zipfile.is_zipfile(tmp_path / "a.keras")
    refused(tmp_path / "a.keras", "does not begin like an archive")


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.keras")
    refused(tmp_path / "a.keras", "not a regular file")


def test_what_is_checked_is_what_is_loaded(tmp_path, monkeypatch, crops):
    path = tmp_path / "a.keras"
    shutil.copy(NETWORK, path)
    close, closed = zipfile.ZipFile.close, []

    def replace_after_the_check(archive):
        close(archive)
        closed.append(path.write_bytes(HDF5))

    monkeypatch.setattr(zipfile.ZipFile, "close", replace_after_the_check)
    found = load(path)
    monkeypatch.undo()
    assert closed
    np.testing.assert_array_equal(
        found.predict_proba(crops[:3]), load(NETWORK).predict_proba(crops[:3])
    )


def with_config(target: Path, key: str, value: object, layer: int = -1) -> Path:
    """Write the network with a changed layer, and hashes that fit."""

    def change(members):
        config = json.loads(members["config.json"])
        changed = config["config"]["layers"][layer]
        (changed if key in changed else changed["config"])[key] = value
        members["config.json"] = json.dumps(config).encode()

    return rewritten(NETWORK, target, change, forge=True)


@pytest.mark.parametrize("name", ["os>system", "Custom>Dense", "Lambda", ["Dense"]])
def test_classes_under_another_registered_name_are_refused(tmp_path, name):
    refused(with_config(tmp_path / "a.keras", "registered_name", name), "Dense registered as")


@pytest.mark.parametrize(("key", "value"), [("units", 10**9), ("units", 1e300)])
def test_layers_that_no_weights_are_there_for_are_refused(tmp_path, key, value):
    refused(with_config(tmp_path / "a.keras", key, value), f"{key} = .*more than there are weights")


def test_a_layer_that_its_weights_do_not_fit_is_refused(tmp_path):
    with pytest.raises(ModelFileError, match="cannot be read as a model"):
        load(with_config(tmp_path / "a.keras", "units", 3))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"class_names": ["nucleus", "nucleus"]}, "class names that are not all different"),
        ({"card": {"evil": 1}}, "a faulty card: values: expected entries of"),
        ({"card": ["name"]}, "a faulty card: values: expected a dict"),
        ({"card": {"name": 3}}, r"a faulty card: values\['name'\]: expected a text"),
        ({"card": {"can": [3]}}, r"a faulty card: values\['can'\]: expected a list of texts"),
        (
            {"card": {"figures": [[]]}},
            r"a faulty card: values\['figures'\]: expected a list of rows",
        ),
        ({"card": {"name": "n" * 200_000}}, "a card of more than 100000 characters"),
        ({"marks": [1]}, "marks of training images that are no texts"),
        ({"marks": 1}, "its description cannot be read"),
        ({"class_names": ["nucleus"]}, "1 class names for 2 classes"),
        ({"class_names": []}, "class names"),
        ({"class_names": ["nucleus", 7]}, "class names that are no texts"),
        ({"class_names": ["nucleus", "m" * 2**20]}, "a class name of 1048576 characters"),
        ({"classes": [0, 0]}, "classes that are neither"),
        ({"classes": [0, [1]]}, "its description cannot be read"),
        ({"preprocessing": {"image_size": 10**6, "channels": 1}}, "no image_size from 1 to"),
        ({"preprocessing": {"image_size": 16.0, "channels": 1}}, "no image_size from 1 to"),
        ({"history": {"loss": 3}}, "a history without lists"),
        ({"fingerprint": 3}, "a fingerprint that is no text"),
        ({"calibration": {"probabilities": [[0.2, 0.3, 0.5]], "labels": [0]}}, "of 2 classes"),
        ({"calibration": {"probabilities": [[0.2, 7.0]], "labels": [0]}}, "of 2 classes"),
        ({"calibration": {"probabilities": [[0.2, 0.8]], "labels": [2]}}, "a class for each image"),
        ({"calibration": {"probabilities": [], "labels": []}}, "a class for each image"),
        (
            {"calibration": {"probabilities": [[0.2, 0.8]], "labels": [0], "groups": [10**12]}},
            "a group for each image",
        ),
        (
            {"calibration": {"probabilities": [[0.2, 0.8]], "labels": [0], "groups": [0, 0]}},
            "a group for each image",
        ),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_description_that_no_model_has(tmp_path, change, reason):
    def rewrite(members):
        about = json.loads(members["nucrec.json"]) | change
        members["nucrec.json"] = json.dumps(about).encode()

    refused(rewritten(NETWORK, tmp_path / "a.keras", rewrite), reason)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused_at_loading(tmp_path, value):
    def change(members):
        weights = io.BytesIO(members["model.weights.h5"])
        with h5py.File(weights, "r+") as file:
            found = []
            file.visititems(lambda _, thing: found.append(thing))
            last = [thing for thing in found if isinstance(thing, h5py.Dataset)][-1]
            last[...] = np.where(np.arange(last.size).reshape(last.shape) == 0, value, last[...])
        members["model.weights.h5"] = weights.getvalue()

    path = rewritten(NETWORK, tmp_path / "a.keras", change, forge=True)
    with pytest.raises(ModelFileError, match="the weights .* are not all finite"):
        load(path)


def test_a_network_that_diverged_is_not_saved_and_does_not_answer(crops, tmp_path):
    model = load(NETWORK)
    model.model_.set_weights([np.full_like(w, np.nan) for w in model.model_.get_weights()])
    with pytest.raises(InvalidParameterError, match="a network with finite weights"):
        model.save(tmp_path / "a.keras")
    assert not list(tmp_path.iterdir())
    with pytest.raises(NucrecError, match="its training diverged"):
        model.predict_proba(crops[:2])


class NotANumber(GaussianNB):
    """A classifier whose probabilities are undefined."""

    def predict_proba(self, X):
        return np.full((len(X), 2), np.nan)


def test_probabilities_that_are_not_numbers_make_no_table(class_folder, tmp_path):
    model = NotANumber().fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(NucrecError, match="probabilities that are not finite"):
        predict_folder(model, class_folder, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_two_classes_of_one_name_are_not_saved(gnb, tmp_path):
    with pytest.raises(
        InvalidParameterError, match="class_names: expected a sequence of different"
    ):
        save(gnb, tmp_path / "a.skops", class_names=("cell", "cell"))
    with pytest.raises(InvalidParameterError, match="a class name of 2000 characters"):
        save(gnb, tmp_path / "a.skops", class_names=("cell", "c" * 2000))
