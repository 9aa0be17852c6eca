"""A classifier on labelled images: predictions beside the truth, groups, what it has seen, pages."""

import base64
import copy
import csv
import io
import itertools

import keras
import numpy as np
import pytest
from PIL import Image
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score
from tests.html_reader import read
from tests.models.small import convolution, noise, plainly

from nucrec.datasets import ImageDataset
from nucrec.errors import InvalidParameterError
from nucrec.evaluate import calibration_error, proportion_interval
from nucrec.models import (
    Evaluation,
    ImageClassifier,
    evaluate,
    load,
    save,
    save_training_page,
)

TRAIN, OTHER = noise(60), noise(30, seed=1)


@pytest.fixture(scope="module")
def found(gnb, crops) -> Evaluation:
    return Evaluation.of(gnb, crops[::3])


@pytest.fixture(scope="module")
def network() -> ImageClassifier:
    fitted = plainly(convolution(), epochs=1, learning_rate=0.05).fit(TRAIN)
    return fitted.calibrate(OTHER[:10])


def named(images: ImageDataset, *names: str) -> ImageDataset:
    """Return the same images, their classes called otherwise."""
    return ImageDataset(images.images, images.labels, names, ids=images.ids, groups=images.groups)


def test_the_report_is_that_of_evaluate(found, gnb, crops):
    images = crops[::3]
    assert found.report == evaluate(gnb, images)
    assert found.predicted.tolist() == gnb.predict(images).tolist()
    probabilities = gnb.predict_proba(images)
    np.testing.assert_array_equal(found.probabilities, probabilities)
    expected = calibration_error(images.labels, probabilities, groups=images.groups)
    assert found.calibration_error == expected
    assert str(found).startswith(str(found.report))
    assert f"Calibration error {expected}" in str(found)


def test_wrong_images_come_by_the_confidence_in_the_wrong_class(found):
    wrong = found.predicted != found.images.labels
    assert sorted(found.wrong) == np.flatnonzero(wrong).tolist()
    confidence = found.probabilities.max(axis=1)[found.wrong]
    assert (np.diff(confidence) <= 0).all()
    assert found.to_dict()["wrong"] == found.images.ids[found.wrong].tolist()


def test_groups_add_up(found, crops):
    images = found.images
    assert {each.group for each in found.groups} == set(images.groups)
    assert np.all(np.diff([each.share for each in found.groups]) >= 0)
    for each in found.groups:
        own = images.groups == each.group
        right = accuracy_score(images.labels[own], found.predicted[own], normalize=False)
        assert (each.n, each.n_correct) == (own.sum(), right)
        assert (each.low, each.high) == proportion_interval(each.n_correct, each.n)
        assert sum(n for _, n in each.by_class.values()) == each.n
        assert sum(n for n, _ in each.by_class.values()) == each.n_correct
    alone = Evaluation(found.report, images.with_groups(images.ids), found.predicted, None, None)
    assert alone.groups == ()
    assert "group" not in alone.to_csv().splitlines()[0].split(",")


def test_only_groups_with_errors_are_printed(found):
    wrong = sum(each.n_correct < each.n for each in found.groups)
    assert 10 < wrong < len(found.groups)
    head = (
        f"{wrong} of {len(found.groups)} groups with misclassified images, the least accurate first"
    )
    assert f"{head}; 10 are shown\n" in str(found)


def rows_of(path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def test_a_folder_of_tables(found, tmp_path):
    written = found.save(tmp_path / "new", "On crops")
    assert [path.name for path in written] == [
        *("report.html", "metrics.csv", "predictions.csv", "groups.csv")
    ]
    rows = rows_of(tmp_path / "new" / "predictions.csv")
    assert [row["file"] for row in rows] == found.images.ids.tolist()
    names = found.images.class_names
    assert [row["true"] for row in rows] == [names[k] for k in found.images.labels]
    assert [row["predicted"] for row in rows] == [names[k] for k in found.predicted]
    assert sum(row["wrong"] == "yes" for row in rows) == len(found.wrong)
    found_p = [float(row["probability_micronucleus"]) for row in rows]
    np.testing.assert_allclose(found_p, found.probabilities[:, 1], atol=1e-6)
    groups = rows_of(tmp_path / "new" / "groups.csv")
    assert [float(row["accuracy"]) for row in groups] == [each.share for each in found.groups]
    page = read((tmp_path / "new" / "report.html").read_text(encoding="utf-8"))
    for words in ("On crops", "Confusion matrix", "Curves", "Groups", "Misclassified images"):
        assert words in page.words
    plots = [image for image in page.all("img") if "svg" in image["src"]]
    thumbnails = [image["alt"] for image in page.all("img") if "jpeg" in image["src"]]
    assert len(plots) == 5  # metrics, confusion matrix, ROC, precision and recall, calibration
    assert thumbnails == found.images.ids[found.wrong].tolist()
    assert all(f"group {found.images.groups[k]}" in page.words for k in found.wrong)


def test_classes_of_other_names(gnb_file, crops, found):
    model = load(gnb_file)
    images = crops[::3]
    plain = Evaluation.of(model, images)
    for names in (("normal", "MN"), ("Nucleus ", "MICRONUCLEUS")):
        other = Evaluation.of(model, named(images, *names))
        assert other.report.metrics == plain.report.metrics
        assert other.images.class_names == ("nucleus", "micronucleus")
        assert other.report.remarks[-1].startswith(
            "the images' classes are taken for the model's: "
        )
        assert f"{names[0].strip()!r} for 'nucleus'" in other.report.remarks[-1]
    swapped = named(images, "b", "a")
    told = Evaluation.of(model, swapped, classes=["b", "a"])
    assert told.report.metrics == plain.report.metrics
    upside_down = Evaluation.of(model, swapped, classes=["a", "b"])
    assert upside_down.report.accuracy.value == pytest.approx(1 - plain.report.accuracy.value)
    with pytest.raises(
        InvalidParameterError, match=r"the classes of the model, nucleus, .*classes=\["
    ):
        Evaluation.of(model, swapped)
    with pytest.raises(InvalidParameterError, match="classes: expected the classes of the images"):
        Evaluation.of(model, swapped, classes=["a", "c"])
    with pytest.raises(InvalidParameterError, match="classes: expected 2 different names"):
        Evaluation.of(model, swapped, classes=["a"])
    with pytest.raises(InvalidParameterError, match="classes: expected 2 different names"):
        Evaluation.of(model, swapped, classes="ba")
    with pytest.raises(InvalidParameterError, match="at least one labelled image"):
        Evaluation.of(model, images[:0])


def test_classes_that_are_numbers_have_the_names_that_are_given(gnb, crops):
    assert not hasattr(gnb, "class_names_")
    only = crops[crops.labels == 1][:20]
    alone = ImageDataset(only.images, [0] * 20, ("damaged",))
    found = Evaluation.of(gnb, alone, classes=["intact", "damaged"])
    assert found.images.class_names == ("intact", "damaged")
    assert found.images.labels.tolist() == [1] * 20
    assert found.predicted.tolist() == gnb.predict(only).tolist()
    with pytest.raises(InvalidParameterError, match=r"all classes of the model.*classes=\.\.\."):
        Evaluation.of(gnb, alone)
    images = crops[::3]
    swapped = ImageDataset(images.images, 1 - images.labels, ("b", "a"))  # class 0 is "a"
    told = Evaluation.of(gnb, swapped, classes=["a", "b"])
    assert told.images.class_names == ("a", "b")
    assert told.images.labels.tolist() == images.labels.tolist()
    assert told.predicted.tolist() == gnb.predict(images).tolist()


def test_one_class_alone_has_no_curve_through_the_other(gnb_file, crops, tmp_path):
    only = crops[crops.labels == 1][:20]
    found = Evaluation.of(load(gnb_file), only)
    page = read(found.save_html(tmp_path / "page.html").read_text(encoding="utf-8"))
    assert "ROC" not in page.words
    assert any("Reliability" in image["alt"] for image in page.all("img"))


def test_the_training_images_are_known_by_their_fingerprint(gnb, crops, tmp_path):
    save(gnb, tmp_path / "gnb.skops", class_names=crops.class_names, fingerprint=crops.fingerprint)
    model = load(tmp_path / "gnb.skops")
    told = "the model was trained on these images, so its metrics are too good"
    assert told in evaluate(model, crops).remarks
    assert told not in evaluate(model, crops[:-1]).remarks


def test_the_page_of_a_training(network, tmp_path):
    grouped = OTHER[10:].with_groups([f"slide {k // 5}" for k in range(20)])
    found = Evaluation.of(network, grouped)
    written = save_training_page(
        network, tmp_path / "page.html", found, train=TRAIN, title="Of noise"
    )
    page = read(written.read_text(encoding="utf-8"))
    for words in ("Of noise", "trained on60 images", "'slide 0', 'slide 1', 'slide 2', 'slide 3'"):
        assert words in page.words
    assert network.fingerprint_ in page.words
    pictures = page.all("img")
    assert pictures[0]["alt"] == "Accuracy and loss by epoch on the training images"
    assert "There were no validation images." in page.words
    heat = [image["alt"] for image in pictures if image["alt"].startswith("heat map of ")]
    assert heat == [f"heat map of {name}" for name in grouped.ids[found.wrong]]
    alone = read(save_training_page(network, tmp_path / "page.html").read_text(encoding="utf-8"))
    assert len(alone.all("img")) == 1
    with pytest.raises(InvalidParameterError, match="a fitted ImageClassifier"):
        save_training_page("model.keras", tmp_path / "page.html")


def test_the_curves_of_a_training_are_of_the_validation_images_as_well(tmp_path):
    fitted = plainly(convolution(), epochs=1).fit(TRAIN, validation=OTHER)
    page = read(save_training_page(fitted, tmp_path / "page.html").read_text(encoding="utf-8"))
    alt = "Accuracy and loss by epoch on the training images and the validation images"
    assert [image["alt"] for image in page.all("img")] == [alt]
    assert "Validation values are measured after each epoch" in page.words


def heat_maps(page: str) -> list[dict[str, str]]:
    """Return the heat maps of a page, one a misclassified image."""
    return [image for image in read(page).all("img") if image["alt"].startswith("heat map of ")]


def test_the_first_misclassified_images_have_heat_maps_of_the_predicted_class(network, tmp_path):
    found = Evaluation.of(network, noise(90, seed=2))
    assert len(found.wrong) > 24
    page = found.save_html(tmp_path / "page.html", model=network).read_text(encoding="utf-8")
    shown = heat_maps(page)
    assert [image["alt"] for image in shown] == [
        f"heat map of {name}" for name in found.images.ids[found.wrong[:24]]
    ]
    assert "Beside each of the first 24 are the regions that raised the score" in read(page).words
    pixels = Image.open(io.BytesIO(base64.b64decode(shown[0]["src"].split(",")[1])))
    expected = network.explain(found.images[found.wrong[:1]]).overlay(0)
    assert np.abs(np.asarray(pixels, int) - expected).mean() < 8  # it is a JPEG
    plain = found.save_html(tmp_path / "plain.html").read_text(encoding="utf-8")
    assert not heat_maps(plain)
    assert "Beside each" not in read(plain).words


def test_heat_maps_take_a_minute_at_most(network, tmp_path, monkeypatch):
    found = Evaluation.of(network, noise(90, seed=2))
    minutes = itertools.count()
    monkeypatch.setattr("time.monotonic", lambda: 61.0 * next(minutes))
    page = found.save(tmp_path, model=network)[0].read_text(encoding="utf-8")
    assert len(heat_maps(page)) == 8
    assert "Beside each of the first 8 are the regions" in read(page).words


def test_classical_models_have_no_heat_maps(gnb, found, tmp_path):
    page = found.save_html(tmp_path / "page.html", model=gnb).read_text(encoding="utf-8")
    assert not heat_maps(page)


def test_heat_maps_of_another_model_are_refused(network, tmp_path):
    found = Evaluation.of(network, noise(90, seed=2))
    other = copy.copy(network)
    other.model_ = keras.models.clone_model(network.model_)
    for wrong in (other, "network.keras", ImageClassifier, 1):
        for write, place in ((found.save, "results"), (found.save_html, "page.html")):
            with pytest.raises(InvalidParameterError, match="^model: expected the model that was"):
                write(tmp_path / place, model=wrong)
    with pytest.raises(NotFittedError):
        found.save(tmp_path / "results", model=plainly(convolution()))
    assert not list(tmp_path.iterdir())
