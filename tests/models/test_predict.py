"""Predicting a folder: the table, the summary, what cannot be read."""

import csv
import os
import zipfile
from math import sqrt
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.svm import SVC

from nucrec.datasets import load_images
from nucrec.errors import (
    DatasetError,
    DatasetNotFoundError,
    DataWarning,
    InvalidParameterError,
    NucrecError,
)
from nucrec.models import PixelFeatures, _prediction_table, classical_zoo, cnn, predict_folder


@pytest.fixture(scope="module")
def model(crops):
    return cnn(image_size=16, epochs=1, random_state=0).fit(crops)


@pytest.fixture
def plate(crops, tmp_path) -> Path:
    for i in range(11):
        folder = tmp_path / "plate" / ("well A" if i < 7 else "well B/deep")
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(crops.images[9 * i]).save(folder / f"{i}.png")
    return tmp_path / "plate"


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_table_and_summary(model, plate, tmp_path, monkeypatch):
    monkeypatch.setattr(_prediction_table, "IMAGES_AT_A_TIME", 4)  # several parts
    seen = []
    found = predict_folder(
        model, plate, tmp_path / "out.csv", progress=lambda *a: seen.append(a[:2])
    )
    images = load_images(plate)
    expected = model.predict_proba(images)
    rows = rows_of(tmp_path / "out.csv")
    assert [row["file"] for row in rows] == images.ids.tolist()
    names = np.array(["nucleus", "micronucleus"])
    assert [row["predicted"] for row in rows] == names[expected.argmax(1)].tolist()
    table = [[float(row[f"probability_{name}"]) for name in names] for row in rows]
    np.testing.assert_allclose(table, expected, atol=2e-5)
    assert seen == [(0, 11), (4, 11), (8, 11), (11, 11)]
    assert [(s.folder, s.n) for s in found.folders] == [("well A", 7), ("well B/deep", 4)]
    assert found.total.n == 11
    assert found.total.positive == int((expected.argmax(1) == 1).sum())
    assert found.positive_class == "micronucleus"
    k, n, z = found.total.positive, 11, 1.959964
    centre, half = (
        (k + z * z / 2) / (n + z * z),
        z * sqrt(k * (n - k) / n + z * z / 4) / (n + z * z),
    )
    assert found.total.low == pytest.approx(max(0, centre - half), abs=1e-6)
    assert found.total.high == pytest.approx(min(1, centre + half), abs=1e-6)
    assert "well B/deep" in str(found)
    assert found.to_dict()["total"]["n"] == 11


def test_a_zip_archive_and_a_classical_model(crops, plate, tmp_path):
    with zipfile.ZipFile(tmp_path / "plate.zip", "w") as archive:
        for path in sorted(plate.rglob("*.png")):
            archive.write(path, path.relative_to(plate))
    classical = classical_zoo(random_state=0)["GNB"].fit(crops, crops.labels)
    found = predict_folder(
        classical, tmp_path / "plate.zip", tmp_path / "out.csv", class_names=crops.class_names
    )
    expected = classical.predict(load_images(plate))
    assert found.total.positive == int(expected.sum())


def test_what_cannot_be_read_is_in_the_table(model, plate, tmp_path):
    (plate / "well A" / "broken.png").write_bytes(b"nothing")
    with pytest.warns(DataWarning, match="1 of 12 files could not be read"):
        found = predict_folder(model, plate, tmp_path / "out.csv")
    row = next(row for row in rows_of(tmp_path / "out.csv") if "broken" in row["file"])
    assert row["predicted"] == row["probability_nucleus"] == ""
    assert "not an image" in row["error"]
    assert found.total.n == 11
    assert found.quarantined[0].name == "well A/broken.png"


def test_an_interrupt_leaves_no_half_file(model, plate, tmp_path):
    (tmp_path / "out.csv").write_text("before")

    def interrupt(done: int, total: int, what: str) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict_folder(model, plate, tmp_path / "out.csv", progress=interrupt)
    assert (tmp_path / "out.csv").read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", "plate"]


def test_errors(model, plate, tmp_path, crops):
    with pytest.raises(DatasetNotFoundError):
        predict_folder(model, tmp_path / "missing", tmp_path / "out.csv")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="no images were found"):
        predict_folder(model, tmp_path / "empty", tmp_path / "out.csv")
    (tmp_path / "empty" / "a.png").write_bytes(b"nothing")
    with pytest.raises(DatasetError, match="no image that can be read"):
        predict_folder(model, tmp_path / "empty", tmp_path / "out.csv")
    with pytest.raises(NucrecError, match="cannot write"):
        predict_folder(model, plate, tmp_path / "missing" / "out.csv")
    with pytest.raises(InvalidParameterError, match="class_names"):
        predict_folder(model, plate, tmp_path / "out.csv", class_names=["a", "b", "c"])
    without = SVC().fit(PixelFeatures(8).fit_transform(crops), crops.labels)
    with pytest.raises(InvalidParameterError, match="predict_proba"):
        predict_folder(without, plate, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_load_images(plate):
    (plate / "broken.png").write_bytes(b"nothing")
    with pytest.warns(DataWarning, match="1 files were left out"):
        images = load_images(plate)
    assert len(images) == 11
    assert images.class_names == ("unlabelled",)
    assert images.quarantined[0].name == "broken.png"
    with pytest.raises(InvalidParameterError, match="path"):
        load_images(3)


def test_a_name_that_is_not_utf8(model, plate, tmp_path):
    name = b"caf\xe9.png"
    (plate / os.fsdecode(name)).write_bytes((plate / "well A" / "0.png").read_bytes())
    assert predict_folder(model, plate, tmp_path / "out.csv").total.n == 12
    assert name + b"," in (tmp_path / "out.csv").read_bytes()
