"""Histories: Keras's names, and for one release those of nucrec 0.1."""

import json
import pickle
import re
import zipfile
from pathlib import Path

import pytest
from tests.models.small import convolution, noise, plainly

from nucrec import models
from nucrec.models import ImageClassifier, TrainingHistoryDisplay, load, model_info

SAVED = Path(__file__).parents[1] / "data" / "saved-by-0.1.0" / "network.keras"
NAMES = {
    "ACC": "accuracy",
    "Loss": "loss",
    "PRE": "precision",
    "REC": "recall",
    "AUC": "auc",
    "PRE-macro": "precision_macro",
    "REC-macro": "recall_macro",
    "F1-macro": "f1_macro",
}


@pytest.fixture(scope="module")
def fitted() -> ImageClassifier:
    return plainly(convolution(), epochs=2).fit(noise(20), validation=noise(10, seed=1))


@pytest.mark.parametrize("name", NAMES)
def test_the_old_names_warn_and_work(fitted, name):
    for old, new in ((f"TR-{name}", NAMES[name]), (f"VAL-{name}", f"val_{NAMES[name]}")):
        with pytest.warns(
            DeprecationWarning, match=rf"history_\['{old}'\] is now called .*'{new}'"
        ):
            found = fitted.history_[old]
        assert found == fitted.history_[new]
        assert len(found) == 2
        with pytest.warns(DeprecationWarning, match=re.escape(old)):
            assert fitted.history_.get(old) == found
        with pytest.warns(DeprecationWarning, match=re.escape(old)):
            assert old in fitted.history_


def test_the_warning_is_of_the_line_that_uses_an_old_name(fitted):
    with pytest.warns(DeprecationWarning, match="VAL-ACC") as caught:
        fitted.history_["VAL-ACC"]
    assert [warning.filename for warning in caught] == [__file__]


def test_todays_names_are_those_of_a_dict(fitted):
    history = fitted.history_
    assert history.get("loss") is history["loss"]
    assert "loss" in history
    assert history.get("nothing", 3) == 3
    assert not [name for name in history if name.startswith(("TR-", "VAL-"))]
    copied = pickle.loads(pickle.dumps(history))
    assert copied == history
    with pytest.warns(DeprecationWarning, match="TR-ACC"):
        assert copied["TR-ACC"] == history["accuracy"]


def test_names_that_never_were_are_missing(fitted):
    with pytest.raises(KeyError, match="TR-nothing"):
        fitted.history_["TR-nothing"]
    without = plainly(convolution(), epochs=1).fit(noise(20))
    with pytest.raises(KeyError, match="VAL-ACC"):
        without.history_["VAL-ACC"]
    assert without.history_.get("VAL-ACC") is None
    assert "VAL-ACC" not in without.history_


def test_histories_of_older_files_are_translated(tmp_path):
    older = {f"{part}-{name}": [0.5] * 12 for part in ("TR", "VAL") for name in NAMES}
    older |= {"epoch": list(range(1, 13)), "stage": ["all"] * 12}
    assert {name for name in older if "VAL" not in name} == set(model_info(SAVED).history)
    with zipfile.ZipFile(SAVED) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    about = json.loads(members["nucrec.json"])
    for number, (name, column) in enumerate(older.items()):
        older[name] = column if name in ("epoch", "stage") else [number / 100] * 12
    members["nucrec.json"] = json.dumps({**about, "history": older}).encode()
    with zipfile.ZipFile(tmp_path / "validated.keras", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    history = load(tmp_path / "validated.keras").history_
    assert len(history) == len(older)
    for name, today in NAMES.items():
        assert history[today] == older[f"TR-{name}"]
        assert history[f"val_{today}"] == older[f"VAL-{name}"]
    assert history["epoch"] == older["epoch"]


def test_the_old_name_of_the_display_warns_and_works():
    with pytest.warns(DeprecationWarning, match="now called TrainingHistoryDisplay"):
        display = models.LearningCurvesDisplay
    assert display is TrainingHistoryDisplay
    assert "LearningCurvesDisplay" not in models.__all__
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        models.Nothing  # noqa: B018 - reading it is what fails
