"""The order of classes, and the spellings of their names."""

import numpy as np
import pytest
from PIL import Image
from sklearn.dummy import DummyClassifier

from nucrec.datasets import ImageDataset, load_folder, load_images, load_nucrec
from nucrec.errors import DatasetNotFoundError, DataWarning, InvalidParameterError
from nucrec.models import predict_folder


def fill(root, *names):
    for name in names:
        (root / name).mkdir()
        Image.new("L", (4, 4)).save(root / name / "1.png")


@pytest.mark.parametrize(
    "name",
    ["micronucleus", "Micronuclie cells", "MICRO-NUCLEI", "micro nucleated", "micronucleus_2"],
)
def test_any_spelling_of_micronucleus_comes_last(name, tmp_path):
    fill(tmp_path, name, "zebra", "alpha")
    assert load_folder(tmp_path).class_names == ("alpha", "zebra", name)


@pytest.mark.parametrize("name", ["nucleus", "Nuclei", "Normal Cells", "NUCLEUS_ok", "nuclie"])
def test_spellings_of_nucleus(name, tmp_path):
    fill(tmp_path, name, "micronuclei")
    with pytest.warns(DataWarning, match="1 nucleus and 1 micronucleus images"):
        dataset = load_nucrec(tmp_path)
    assert dict(zip(dataset.ids.tolist(), dataset.labels.tolist(), strict=True)) == {
        f"{name}/1.png": 0,
        "micronuclei/1.png": 1,
    }


def test_others_are_neither(tmp_path):
    fill(tmp_path, "NucRec", "NucReg Dataset", "cells", "abnormal", "micronuclei")
    with pytest.raises(DatasetNotFoundError):
        load_nucrec(tmp_path)


@pytest.mark.parametrize(
    ("names", "counted"),
    [(["micro-nuclei", "nucleus"], "micro-nuclei"), (["normal", "apoptotic"], "apoptotic")],
)
def test_micronucleus_is_counted_or_the_last_class(names, counted, tmp_path):
    fill(tmp_path, "plate")
    images = load_images(tmp_path)
    model = DummyClassifier().fit([*images, *images], [0, 1])
    found = predict_folder(model, tmp_path, class_names=names)
    assert found.positive_class == counted


@pytest.mark.parametrize("names", ["ab", [], ["a", "a"], None, 5])
def test_names_are_checked(names):
    with pytest.raises(
        InvalidParameterError, match="^class_names: expected a sequence of different"
    ):
        ImageDataset(np.zeros((1, 2, 2)), [0], names)


def test_names_become_a_tuple():
    assert ImageDataset(np.zeros((1, 2, 2)), [0], ["b", "a"]).class_names == ("b", "a")
