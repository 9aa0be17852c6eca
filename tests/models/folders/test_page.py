"""The page of a folder's predictions: the model, plates, and images, whatever their names."""

import csv
import hashlib
import json
import os
import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import accuracy_score, matthews_corrcoef
from tests.html_reader import HOSTILE, read

from nucrec.datasets import load_folder
from nucrec.errors import InvalidParameterError, MissingExtraError
from nucrec.models import model_info, predict_folder


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


def rows_of(table: Path) -> list[dict]:
    text = table.read_bytes().decode(errors="surrogateescape")
    return list(csv.DictReader(text.splitlines()))


def shown_name(name: str) -> str:
    return name.encode(errors="backslashreplace").decode()


def cards(reader) -> list[dict]:
    return [attributes for attributes in reader.all("li") if "data-margin" in attributes]


def test_the_most_doubtful_come_first_and_the_clearest_of_each_class_beside_them(prediction):
    reader = read((prediction / "page.html").read_text(encoding="utf-8"), with_script=True)
    rows = rows_of(prediction / "out.csv")
    positive = np.array([float(row["probability_micronucleus"]) for row in rows])
    margins = np.abs(2 * positive - 1).round(6)
    clear = {k: [i for i, p in enumerate(positive) if (p > 0.5) == k] for k in (False, True)}
    clearest = {k: sorted(margins[found], reverse=True)[:3] for k, found in clear.items()}
    found = cards(reader)
    doubtful = [float(card["data-margin"]) for card in found[:12]]
    assert doubtful == pytest.approx(sorted(margins)[:12], abs=2e-6)
    for k, part in ((False, found[12:15]), (True, found[15:18])):
        assert [card["data-call"] for card in part] == [str(int(k))] * 3
        assert [float(card["data-margin"]) for card in part] == pytest.approx(clearest[k], abs=2e-6)
    assert len(found) == 18
    assert "18 of 22 images are shown" in reader.words
    by_name = {shown_name(row["file"]): row for row in rows}
    images = [image["alt"] for image in reader.all("img")[1:]]
    assert images[::2] == [card["data-name"] for card in found]
    assert images[1::2] == [f"{name}: heat map for micronucleus" for name in images[::2]]
    for card in found:
        row = by_name[card["data-name"]]
        value = max(float(row["probability_micronucleus"]), float(row["probability_nucleus"]))
        assert f"{row['predicted']}, {value:.2f}" in reader.words
    bins = np.histogram(positive, np.linspace(0, 1, 21))[0]
    assert reader.all("img")[0]["alt"].endswith(", ".join(map(str, bins)))


def test_the_model_and_its_test_stand_at_the_top(network, files, plate, tmp_path):
    predict_folder(files / "cnn.keras", plate, html=tmp_path / "page.html", html_images=0)
    words = read((tmp_path / "page.html").read_text(encoding="utf-8")).words
    digest = hashlib.sha256((files / "cnn.keras").read_bytes()).hexdigest()
    info = model_info(files / "cnn.keras")
    for told in ("cnn.keras", digest[:16], info.fingerprint[:16], info.created[:10], "16 x 16"):
        assert told in words
    scores, labels = network.calibration_
    called = scores.argmax(axis=1)
    assert f"{len(labels)} images with known labels" in words.replace("\n", " ")
    for metric in (accuracy_score(labels, called), matthews_corrcoef(labels, called)):
        assert f"{metric:.2f}" in words
    for k, name in enumerate(info.class_names):
        recall = (called[labels == k] == k).mean()
        assert f"recall of {name}{recall:.2f}" in words


def test_the_card_of_the_classifier_that_ships_is_told(plate, tmp_path):
    predict_folder("pretrained", plate, html=tmp_path / "page.html", html_images=0)
    words = read((tmp_path / "page.html").read_text(encoding="utf-8")).words
    card = model_info("pretrained").card
    for told in (card["name"], card["licence"], *card["figures"][0].values()):
        assert told in words
    assert "pretrained, which comes with nucrec" in words
    assert "classifier.keras" not in words
    assert words.count("Another test: the images that its probabilities were calibrated with") == 1


def test_a_model_without_a_test_says_so(named_gnb, plate, tmp_path):
    predict_folder(named_gnb, plate, html=tmp_path / "page.html", html_images=0)
    words = read((tmp_path / "page.html").read_text(encoding="utf-8")).words
    assert "This model carries no test result." in words
    assert "GaussianNB" in words


@pytest.mark.parametrize(
    ("names", "plates"),
    [
        (["B03_s1_1.png", "B03_s2_2.png", "D11_s1_3.png", "other.png"], [""]),
        (["r02c03f01.png", "r02c03f02.png", "r04c11f01.png", "other.png"], [""]),
        (["B03_s1/1.png", "B03_s2/2.png", "D11_s1/3.png", "other.png"], [""]),
        (["p 1/B03/1.png", "p 1/B03/2.png", "p 1/D11/3.png", "p 2/D11/4.png"], ["p 1", "p 2"]),
        (
            ["e/p 1/B03/1.png", "e/p 1/B03/2.png", "e/p 1/D11/3.png", "e/p 2/B03/4.png"],
            ["e/p 1", "e/p 2"],
        ),
        (["P A1/B03_1.png", "P A1/B03_2.png", "P A1/D11.png", "P A2/B03.png"], ["P A1", "P A2"]),
        (["B03/s 1/1.png", "B03/s 2/2.png", "D11/s 1/3.png", "other.png"], [""]),
        (["p/site1/B03.png", "p/site2/B03.png", "p/site1/D11.png", "other.png"], [""]),
    ],
)
def test_wells_in_names_make_a_plate_map(named_gnb, crops, tmp_path, names, plates):
    for k, name in enumerate(names):
        path = tmp_path / "plate" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(crops.images[10 * k]).save(path)
    found = predict_folder(named_gnb, tmp_path / "plate", html=tmp_path / "page.html")
    called = {row.file: row.predicted == "micronucleus" for row in found.rows}
    calls = [called[name] for name in names]
    reader = read((tmp_path / "page.html").read_text(encoding="utf-8"), with_script=True)
    told = {
        link["data-well"]: link["aria-label"] for link in reader.all("a") if "data-well" in link
    }
    start = f"{plates[0]}/" if plates[0] else ""
    two, one = sum(calls[:2]), int(calls[2])
    assert told[f"{start}B03"] == f"{start}B03: {two} of 2 images, {50 * two} %"
    assert told[f"{start}D11"] == f"{start}D11: {one} of 1 images, {100 * one} %"
    assert len([table for table in reader.all("table") if table.get("class") == "plate"]) == len(
        plates
    )
    if plates == [""]:
        assert len(told) == 2
        assert "1 image with no well in the name" in reader.words
    assert reader.words.count("Rates by well") == 1


def test_names_without_wells_make_no_plate_map(prediction):
    assert 'class="plate"' not in (prediction / "page.html").read_text(encoding="utf-8")


def test_labels_of_the_page_are_a_table_to_train_on(prediction, plate, tmp_path):
    html = (prediction / "page.html").read_text(encoding="utf-8")
    data = json.loads(re.search(r'id="data">(.*?)</script>', html, re.DOTALL)[1])
    nucleus, micronucleus = (each["cell"] for each in data["classes"])
    rows = [row for row in data["images"].values() if row["file"]]
    assert len(data["images"]) - len(rows) <= 1  # a name that is no UTF-8
    lines = [
        f"{row['before']},{micronucleus if k < 3 else nucleus},{row['after']}"
        for k, row in enumerate(rows)
    ]
    table = tmp_path / "corrected.csv"
    table.write_text("\n".join([data["header"], *lines]), encoding="utf-8")
    found = load_folder(table, images=plate)
    assert found.class_names == ("nucleus", "micronucleus")
    assert found.labels.tolist() == [1] * 3 + [0] * (len(rows) - 3)
    assert found.ids.tolist() == [row["file"] for row in rows]
    folders = [Path(row["file"]).parent.as_posix() for row in rows]
    assert found.groups.tolist() == folders
    assert set(found.metadata) == {"predicted", "probability"}
    command = f"nucrec train corrected.csv --images {shlex.quote(str(plate))}"
    command += " --test-size 0 -o corrected.keras"  # such labels are not for testing
    assert command in read(html, with_script=True).words


def test_a_classical_model_has_no_heat_and_what_cannot_be_read_is_listed(
    named_gnb, plate, tmp_path
):
    (plate / "broken.png").write_bytes(b"")
    with pytest.warns(UserWarning, match="1 of 23 files"):
        predict_folder(named_gnb, plate, html=tmp_path / "page.html", html_images=3)
    (plate / "broken.png").unlink()
    reader = read((tmp_path / "page.html").read_text(encoding="utf-8"), with_script=True)
    assert len(reader.all("img")) == 1 + 3
    assert "Grad-CAM" not in reader.words
    assert "broken.png" in reader.words


def test_no_page_no_prediction(named_gnb, plate, tmp_path, monkeypatch):
    for wrong in ({"html": tmp_path / "page.txt"}, {"html_images": -1}, {"html_images": 2001}):
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
    reader = read(page.read_text(encoding="utf-8"), with_script=True)
    told = reader.words.count("; a person should look at it")
    assert told == found.total.needs_review > 0
    assert f"{reader.all('img')[1]['alt']}: heat map for full" == reader.all("img")[2]["alt"]
