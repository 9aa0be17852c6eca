"""Predicting a folder: the predictions, the table, the summary, what cannot be read."""

import copy
import csv
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.stats import binomtest
from sklearn.base import BaseEstimator
from sklearn.svm import SVC

from nucrec.datasets import load_images
from nucrec.errors import (
    DatasetError,
    DatasetNotFoundError,
    DataWarning,
    ImageError,
    InvalidParameterError,
    NucrecError,
)
from nucrec.evaluate import proportion_interval
from nucrec.models import ImagePrediction, PixelFeatures, load, predict_folder

NAMES = ("nucleus", "micronucleus")


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_table_is_what_the_model_says(network, files, tmp_path):
    predict_folder(network, files / "plate", tmp_path / "out.csv")
    images = load_images(files / "plate")
    expected = network.predict_proba(images)
    rows = rows_of(tmp_path / "out.csv")
    names = ("file", "predicted", *(f"probability_{n}" for n in NAMES), "unusual", "error")
    assert tuple(rows[0]) == names
    assert [row["file"] for row in rows] == images.ids.tolist()
    assert [row["predicted"] for row in rows] == np.array(NAMES)[expected.argmax(1)].tolist()
    table = [[float(row[f"probability_{name}"]) for name in NAMES] for row in rows]
    np.testing.assert_allclose(table, expected, atol=2e-6)


class LosesOne(BaseEstimator):
    """A classifier whose images are decoded again, and one of them is gone by then."""

    classes_ = np.arange(2)
    class_names_ = NAMES

    def predict_proba(self, X):
        if "b.png" in X.ids:
            raise ImageError("b.png: there is no such file")
        return np.tile([0.25, 0.75], (len(X), 1))


@pytest.mark.filterwarnings("ignore:1 of 3 files were not predicted")
def test_an_image_that_is_gone_when_it_is_read_again_is_a_row(tmp_path):
    (tmp_path / "plate").mkdir()
    for name in "abc":
        Image.new("L", (4, 4), ord(name)).save(tmp_path / "plate" / f"{name}.png")
    found = predict_folder(LosesOne(), tmp_path / "plate", tmp_path / "out.csv")
    assert [(row.file, row.predicted, row.error) for row in found.rows] == [
        ("a.png", "micronucleus", None),
        ("b.png", None, "there is no such file"),
        ("c.png", "micronucleus", None),
    ]


def test_the_summary_counts_by_folder(named_gnb, files, tmp_path):
    found = predict_folder(named_gnb, files / "plate", tmp_path / "out.csv", confidence=0.9)
    assert [(s.folder, s.n) for s in found.folders] == [("well A", 9), ("well B/deep", 14)]
    called = [row["predicted"] for row in rows_of(tmp_path / "out.csv")]
    assert found.total.n == 23
    assert found.total.positive == called.count("micronucleus")
    assert found.folders[0].positive == called[:9].count("micronucleus")
    assert found.positive_class == "micronucleus"
    for summary in found.folders:
        wilson = binomtest(summary.positive, summary.n).proportion_ci(0.9, "wilson")
        assert (summary.low, summary.high) == pytest.approx((wilson.low, wilson.high))
    counts = [summary.positive for summary in found.folders]
    groups = proportion_interval(counts, [9, 14], 0.9)
    assert (found.total.low, found.total.high) == pytest.approx(groups)
    assert found.total.corrected is None
    assert "raw share" in str(found)
    assert "corrected share" not in str(found)
    assert "well B/deep" in str(found)
    assert found.to_dict()["total"] == {
        "folder": ".",
        "n": 23,
        "positive": found.total.positive,
        "needs_review": 0,
        "unusual": 0,
        "corrected": None,
        "share": found.total.share,
        "low": found.total.low,
        "high": found.total.high,
    }


def test_without_a_file_the_rows_are_in_memory(network, files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = predict_folder(network, files / "plate", error_rate=0.2)
    assert found.path is None
    assert found.to_dict()["path"] is None
    assert not list(tmp_path.iterdir())
    assert isinstance(found.rows[0], ImagePrediction)
    written = predict_folder(network, files / "plate", "out.csv", error_rate=0.2)
    monkeypatch.chdir("/")
    assert tuple(written.rows) == tuple(written.rows) == found.rows
    assert len(written.rows) == len(found.rows)
    assert found.rows[-1] in written.rows
    assert "another" not in written.rows
    assert written.total == found.total


def test_what_needs_review_is_what_the_rule_cannot_decide(network, files, tmp_path):
    found = predict_folder(network, files / "plate", tmp_path / "out.csv", error_rate=0.2)
    scores = network.predict_proba(load_images(files / "plate"))
    sets = network.conformal(0.2).sets(scores)
    expected = (sets.sum(axis=1) != 1).tolist()
    assert [row.needs_review for row in found.rows] == expected
    assert json.loads(json.dumps(found.to_dict())) == found.to_dict()
    rows = rows_of(tmp_path / "out.csv")
    assert [row["needs_review"] for row in rows] == ["yes" if x else "" for x in expected]
    assert found.total.needs_review == sum(expected) > 0
    assert found.error_rate == 0.2
    assert str(found).splitlines()[0].endswith("needs review")


def test_former_names_work_with_a_warning(network, files):
    with pytest.warns(DeprecationWarning, match="ask_below is now called error_rate") as caught:
        found = predict_folder(network, files / "plate", ask_below=0.2)
    assert caught[0].filename == __file__
    assert found == predict_folder(network, files / "plate", error_rate=0.2)
    with pytest.warns(DeprecationWarning, match="ask_below is now called error_rate"):
        assert found.ask_below == 0.2
    with pytest.warns(DeprecationWarning, match="ask is now called needs_review"):
        assert found.total.ask == found.total.needs_review
    with pytest.raises(InvalidParameterError, match="ask_below: expected None beside error_rate"):
        predict_folder(network, files / "plate", ask_below=0.2, error_rate=0.1)


def test_more_images_than_are_in_memory_at_a_time(named_gnb, tmp_path):
    (tmp_path / "many").mkdir()
    for i in range(600):
        Image.new("L", (4, 4), i % 256).save(tmp_path / "many" / f"{i:03d}.bmp")
    seen = []
    with pytest.warns(DataWarning, match="600 of 600 images are unlike the training images"):
        found = predict_folder(named_gnb, tmp_path / "many", progress=lambda *a: seen.append(a))
    assert seen == [(done, 600, "images") for done in (0, 256, 512, 600)]
    assert [row.file for row in found.rows] == [f"{i:03d}.bmp" for i in range(600)]
    expected = named_gnb.predict_proba(load_images(tmp_path / "many"))
    np.testing.assert_allclose([row.probabilities for row in found.rows], expected, atol=6e-7)


def test_a_zip_archive_and_names_of_ones_own(gnb, files, tmp_path):
    with zipfile.ZipFile(tmp_path / "plate.zip", "w") as archive:
        for path in sorted((files / "plate").rglob("*.png")):
            archive.write(path, path.relative_to(files / "plate"))
    found = predict_folder(gnb, tmp_path / "plate.zip", class_names=["empty", "full"])
    expected = gnb.predict(load_images(files / "plate"))
    assert found.total.positive == int(expected.sum())
    assert found.positive_class == "full"
    assert [row.predicted for row in found.rows] == np.array(["empty", "full"])[expected].tolist()


def test_one_channel_of_several(named_gnb, files, tmp_path):
    (tmp_path / "colour").mkdir()
    for path in sorted((files / "plate").rglob("*.png")):
        with Image.open(path) as image:
            others = [image.point(lambda value: 255 - value), image.point(lambda value: value // 2)]
            merged = Image.merge("RGB", [others[0], others[1], image])
        merged.save(tmp_path / "colour" / path.name)
    page = tmp_path / "page.html"
    blue = predict_folder(named_gnb, tmp_path / "colour", channel="blue", html=page)
    grey = predict_folder(named_gnb, files / "plate")
    assert [row.probabilities for row in blue.rows] == [row.probabilities for row in grey.rows]
    assert blue == predict_folder(named_gnb, tmp_path / "colour", channel=2)
    with pytest.warns(DataWarning, match="23 of 23 images are .*: background 23"):  # a negative
        red = predict_folder(named_gnb, tmp_path / "colour", channel=0)
    assert [row.probabilities for row in red.rows] != [row.probabilities for row in grey.rows]
    assert page.read_text(encoding="utf-8").count("<img") == 1 + 23
    with pytest.raises(InvalidParameterError, match="channel"):
        predict_folder(named_gnb, tmp_path / "colour", channel=-1)


def test_what_cannot_be_read_is_in_the_table(named_gnb, plate, tmp_path):
    (plate / "well A" / "broken.png").write_bytes(b"nothing")
    with pytest.warns(DataWarning, match="1 of 24 files were not predicted") as caught:
        found = predict_folder(named_gnb, plate, tmp_path / "out.csv")
    assert caught[0].filename == __file__
    row = next(row for row in rows_of(tmp_path / "out.csv") if "broken" in row["file"])
    assert row["predicted"] == row["probability_nucleus"] == ""
    assert "not an image" in row["error"]
    assert found.total.n == 23
    assert found.quarantined[0].name == "well A/broken.png"
    (again,) = (row for row in found.rows if row.error)
    assert again == ImagePrediction("well A/broken.png", None, error=row["error"])


def test_a_table_that_was_changed_is_not_read_on(named_gnb, files, tmp_path):
    table = tmp_path / "out.csv"
    found = predict_folder(named_gnb, files / "plate", table)
    assert len(list(found.rows)) == 23
    whole = table.read_text(encoding="utf-8")
    for damaged in (whole.replace("file,", "name,"), whole[:-20], whole.replace("0.", "zero")):
        table.write_text(damaged, encoding="utf-8")
        with pytest.raises(NucrecError, match="out.csv no longer exists, or has changed"):
            list(found.rows)
    table.unlink()
    with pytest.raises(NucrecError, match="out.csv no longer exists, or has changed"):
        list(found.rows)


def test_an_interrupt_leaves_no_half_file(named_gnb, files, tmp_path):
    (tmp_path / "out.csv").write_text("before")

    def interrupt(done: int, total: int, what: str) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict_folder(named_gnb, files / "plate", tmp_path / "out.csv", progress=interrupt)
    assert (tmp_path / "out.csv").read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_errors(named_gnb, plate, tmp_path, crops):
    out = tmp_path / "out.csv"
    with pytest.raises(DatasetNotFoundError):
        predict_folder(named_gnb, tmp_path / "missing", out)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="no images were found"):
        predict_folder(named_gnb, tmp_path / "empty", out)
    (tmp_path / "empty" / "a.png").write_bytes(b"nothing")
    for target in (out, None):
        with pytest.raises(DatasetError, match="no image that can be predicted"):
            predict_folder(named_gnb, tmp_path / "empty", target)
    with pytest.raises(NucrecError, match="cannot write"):
        predict_folder(named_gnb, plate, tmp_path / "missing" / "out.csv")
    with pytest.raises(InvalidParameterError, match="class_names"):
        predict_folder(named_gnb, plate, out, class_names=["a", "b", "c"])
    without = SVC().fit(PixelFeatures(8).fit_transform(crops), crops.labels)
    with pytest.raises(InvalidParameterError, match="predict_proba"):
        predict_folder(without, plate, out)
    assert not out.exists()


def test_an_error_rate_needs_a_calibrated_network(named_gnb, uncalibrated, network, plate):
    with pytest.raises(InvalidParameterError, match="calibrate"):
        predict_folder(load(uncalibrated), plate, error_rate=0.05)
    with pytest.raises(
        InvalidParameterError, match="error_rate: expected no error rate for a classical"
    ):
        predict_folder(named_gnb, plate, error_rate=0.05)
    with pytest.raises(InvalidParameterError, match="error_rate"):
        predict_folder(network, plate, error_rate=1.5)


def test_a_name_that_is_not_utf8(named_gnb, plate, tmp_path):
    name = b"caf\xe9.png"
    (plate / os.fsdecode(name)).write_bytes((plate / "well A" / "00.png").read_bytes())
    found = predict_folder(named_gnb, plate, tmp_path / "out.csv")
    assert found.total.n == 24
    assert name + b"," in (tmp_path / "out.csv").read_bytes()
    assert os.fsdecode(name) in [row.file for row in found.rows]


@pytest.fixture
def odd_plate(plate, crops) -> Path:
    """The plate, with images that are no crops like those of the training."""
    crop = crops.images[0]
    Image.fromarray(crop).resize((300, 300)).save(plate / "well A" / "large.png")
    Image.fromarray(crop.astype(np.uint16) * 16).save(plate / "well A" / "deep.png")
    field = np.tile(crop, (10, 10))  # 590 x 590 pixels, 100 nuclei
    Image.fromarray(field).save(plate / "well B" / "field.png")
    return plate


def test_images_unlike_the_training_images_are_told(network, odd_plate, tmp_path):
    table = tmp_path / "out.csv"
    with pytest.warns(DataWarning) as caught:
        found = predict_folder(network, odd_plate, table, html=tmp_path / "page.html")
    rows = {row["file"]: row for row in rows_of(table)}
    size, *more = rows["well A/large.png"]["unusual"].split("; ")
    assert size.startswith("size 300 x 300, in training 3")
    assert rows["well A/deep.png"]["unusual"] == "depth 16 bit, in training 8 bit"
    odd = [name for name, row in rows.items() if row["unusual"]]
    assert odd == ["well A/deep.png", "well A/large.png"]
    assert found.total.unusual == 2
    assert [s.unusual for s in found.folders] == [2, 0]
    kinds = {"size": 1, "depth": 1} | {reason.split()[0]: 1 for reason in more}
    assert found.unusual == found.to_dict()["unusual"] == kinds
    line = "2 of 25 images are unlike the training images: depth 1, "
    assert line in str(found)
    assert line in (tmp_path / "page.html").read_text(encoding="utf-8")
    (warning,) = caught  # two images are no reason for another one
    assert str(warning.message).startswith("1 of 26 files were not predicted; the first is well B/")
    in_memory = {row.file: row for row in found.rows}
    assert in_memory["well A/large.png"].unusual == (size, *more)


def test_a_field_of_view_is_refused(network, odd_plate, tmp_path):
    with pytest.warns(DataWarning, match="well B/field.png: this looks like a field of view"):
        found = predict_folder(network, odd_plate, tmp_path / "out.csv")
    (row,) = (row for row in found.rows if row.error)
    assert (row.file, row.predicted, row.probabilities) == ("well B/field.png", None, ())
    assert [summary.folder for summary in found.folders] == ["well A", "well B/deep"]
    for path in odd_plate.rglob("[!f]*.png"):
        path.unlink()
    with pytest.raises(DatasetError, match="can be predicted: this looks like a field of view"):
        predict_folder(network, odd_plate)


def test_many_unusual_images_are_a_warning(network, plate):
    for k in range(6):
        Image.new("L", (9, 9), k).save(plate / f"{k}.png")
    told = "6 of 29 images are unlike the training images: "
    with pytest.warns(DataWarning, match=f"^{told}.*Their predictions may be wrong") as caught:
        found = predict_folder(network, plate)
    assert caught[0].filename == __file__
    assert found.unusual["size"] == 6
    assert told in str(found)


def test_a_model_that_does_not_know_its_training_images_has_no_such_column(named_gnb, odd_plate):
    model = copy.deepcopy(named_gnb)
    del model[0].domain_  # as in files of 0.1.0
    found = predict_folder(model, odd_plate)
    assert found.total.unusual == 0
    assert not any(row.unusual or row.error for row in found.rows)
    assert "unlike" not in str(found)
