"""The page of a folder's predictions: the doubtful images, in order, whatever their names."""

import csv
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.html_reader import HOSTILE, read

from nucrec.errors import InvalidParameterError, MissingExtraError
from nucrec.models import predict_folder


@pytest.fixture(scope="module")
def plate(crops, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("pages") / "plate <7>"
    (folder / "well A").mkdir(parents=True)
    for i in range(20):
        Image.fromarray(crops.images[9 * i]).save(folder / "well A" / f"{i}.png")
    Image.fromarray(crops.images[5]).save(folder / HOSTILE.replace("/", "-"))
    Image.fromarray(crops.images[6]).save(folder / os.fsdecode(b"caf\xe9.png"))
    return folder


@pytest.fixture(scope="module")
def prediction(network, plate, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("out")
    predict_folder(network, plate, out / "out.csv", html=out / "page.html", html_images=18)
    return out


def test_the_most_doubtful_come_first(prediction):
    reader = read((prediction / "page.html").read_text(encoding="utf-8"))
    lines = (prediction / "out.csv").read_bytes().decode(errors="surrogateescape").splitlines()
    _, *rows = csv.reader(lines)
    probabilities = np.array([[float(row[2]), float(row[3])] for row in rows])
    doubt = np.argsort(np.abs(probabilities[:, 1] - probabilities[:, 0]), kind="stable")[:18]
    shown = [image["alt"] for image in reader.all("img")[1:]]
    names = [rows[k][0].encode(errors="backslashreplace").decode() for k in doubt]
    assert shown[::2] == names
    assert shown[1::2] == [f"{name}: heat of micronucleus" for name in names]
    for k in doubt:
        assert f"{rows[k][1]}, {probabilities[k].max():.2f}" in reader.words
    assert "plate <7>" in reader.words
    bins = np.histogram(probabilities[:, 1], np.linspace(0, 1, 21))[0]
    assert reader.all("img")[0]["alt"].endswith(", ".join(map(str, bins)))


def test_a_classical_model_has_no_heat_and_what_cannot_be_read_is_listed(
    named_gnb, plate, tmp_path
):
    (plate / "broken.png").write_bytes(b"")
    with pytest.warns(UserWarning, match="1 of 23 files"):
        predict_folder(named_gnb, plate, html=tmp_path / "page.html", html_images=3)
    (plate / "broken.png").unlink()
    reader = read((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert len(reader.all("img")) == 1 + 3
    assert "Grad-CAM" not in reader.words
    assert "broken.png" in reader.words


def test_no_page_no_prediction(named_gnb, plate, tmp_path, monkeypatch):
    for wrong in ({"html": tmp_path / "page.txt"}, {"html_images": -1}):
        with pytest.raises(InvalidParameterError):
            predict_folder(named_gnb, plate, tmp_path / "out.csv", **wrong)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"nucrec\[plots\]"):
        predict_folder(named_gnb, plate, tmp_path / "out.csv", html=tmp_path / "page.html")
    assert not list(tmp_path.iterdir())


def test_images_for_review_and_names_of_ones_own_are_told(network, plate, tmp_path):
    page = tmp_path / "page.html"
    names = ["empty", "full"]
    found = predict_folder(network, plate, error_rate=0.2, html=page, class_names=names)
    reader = read(page.read_text(encoding="utf-8"))
    told = reader.words.count("; a person should look at it")
    assert told == found.total.needs_review > 0
    assert f"{reader.all('img')[1]['alt']}: heat of full" == reader.all("img")[2]["alt"]
