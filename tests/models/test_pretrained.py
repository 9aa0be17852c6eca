"""The classifier that ships: ready to use, honest about its errors, known by its name everywhere."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nucrec.__main__ import main
from nucrec.datasets import ImageDataset, load_mnfinder_crops
from nucrec.errors import ModelFileError
from nucrec.fields import sample_fields
from nucrec.models import (
    TrainingDomain,
    cnn,
    load,
    model_info,
    predict_folder,
    predict_shards,
    pretrained,
)

RESULTS = Path(__file__).parents[2] / "tools" / "classifier" / "left-out.json"


@pytest.fixture(scope="module")
def model():
    return pretrained()


@pytest.fixture(scope="module")
def new(crops):
    """Images with pixels that it was not trained on."""
    return ImageDataset(
        [np.ascontiguousarray(image[:, ::-1]) for image in crops[:6].images], crops[:6].labels
    )


@pytest.fixture(scope="module")
def plate(crops, tmp_path_factory) -> Path:
    """Six crops and a whole field of view."""
    folder = tmp_path_factory.mktemp("plate")
    for i, image in enumerate(crops[::60].images):
        Image.fromarray(image).save(folder / f"{i}.png")
    Image.fromarray(sample_fields().fields[0].read()).save(folder / "field.tif")
    return folder


def test_it_was_trained_on_all_shipped_crops_and_tells_them_apart(model):
    crops = load_mnfinder_crops("all")
    assert model.fingerprint_ == crops.fingerprint
    told, measured = model.domain_.to_json(), TrainingDomain.of(crops).to_json()
    assert told.pop("depths") == ["uint16", "uint8"]
    del measured["depths"]
    assert told == {name: pytest.approx(value) for name, value in measured.items()}
    some = crops[::10]
    found = model.evaluate(some)
    assert found.accuracy.value > 0.85
    assert "the model was trained on these images, so its metrics are too good" in found.remarks


def test_crops_that_were_cut_too_tightly_are_unusual(model):
    some = load_mnfinder_crops("all")[::40]
    wide = [image for image in some.images if min(image.shape[:2]) > 44]
    tight = ImageDataset([image[12:-12, 12:-12] for image in wide], [0] * len(wide))
    marked = [any(r.startswith("extent") for r in each) for each in model.domain_.unusual(tight)]
    assert np.mean(marked) > 0.7
    assert sum(map(bool, model.domain_.unusual(some))) <= 2


def test_a_report_on_new_images_has_no_such_remark(model, new):
    assert not any("was trained on" in remark for remark in model.evaluate(new).remarks)
    mixed = load_mnfinder_crops("all")[:5]
    mixed = ImageDataset([*mixed.images, *new.images], [*mixed.labels, *new.labels])
    mixed = ImageDataset(mixed.images, mixed.labels, class_names=model.class_names_)
    assert any("trained on 5 of these 11 images" in r for r in model.evaluate(mixed).remarks)


def test_its_card_says_what_was_measured(model):
    measured = json.loads(RESULTS.read_text(encoding="utf-8"))
    assert len(model.card_.figures) == len(measured["left out"])
    assert model.card_.training["recipe"] == measured["recipe"]
    for shown, row in zip(model.card_.figures, measured["left out"], strict=True):
        assert (shown["left out"], shown["crops"]) == (row["left out"], str(row["crops"]))
        for name in ("MCC", "AUC", "sensitivity", "specificity", "calibration error"):
            value, low, high = row[name]
            assert low <= value <= high
            assert shown[name] == f"{value:.2f} ({low:.2f} to {high:.2f})"
    text = str(model.card_)
    assert "MIT; copyright 2023 Lucian DiPeso" in text
    assert "Not for: whole fields of view" in text


def test_its_calibration_is_that_of_crops_left_out(model):
    measured = json.loads(RESULTS.read_text(encoding="utf-8"))["left out"][0]
    probabilities, labels = model.calibration_
    fields = len(set(load_mnfinder_crops("all").groups))
    assert len(np.unique(model.calibration_groups_)) == fields
    crops = load_mnfinder_crops("all")
    assert np.bincount(labels).tolist() == np.bincount(crops.labels).tolist()
    called = probabilities.argmax(axis=1) == 1
    assert called[labels == 1].mean() == pytest.approx(measured["sensitivity"][0], abs=1e-4)
    assert (~called[labels == 0]).mean() == pytest.approx(measured["specificity"][0], abs=1e-4)
    review = model.conformal(0.1).needs_review(probabilities)
    accuracy = called == labels
    assert 0 < review.mean() < 0.5
    assert accuracy[~review].mean() > accuracy[review].mean()


def test_after_another_calibration_its_card_has_no_figure_of_the_former(crops):
    some = crops[::51]
    mirrored = [np.ascontiguousarray(image[:, ::-1]) for image in some.images]
    model = pretrained().calibrate(mirrored, some.labels)
    shipped = pretrained().card_
    assert "calibration error" in str(shipped)
    assert "calibration error" not in str(model.card_)
    assert "recalibrated with 6 images" in str(model.card_)
    assert model.card_.figures[0]["MCC"] == shipped.figures[0]["MCC"]


def test_its_kernels_have_16_bits(model):
    kernels = [w for w in model.model_.weights if len(w.shape) > 1]
    for kernel in kernels:
        values = np.asarray(kernel)
        np.testing.assert_array_equal(values, values.astype(np.float16).astype(np.float32))


def test_it_does_what_every_network_does(model, new, tmp_path):
    probabilities = model.predict_proba(new)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(model.predict(new), probabilities.argmax(axis=1))
    assert len(model.explain(new[:2]).heat) == 2
    assert model.embed(new).shape[0] == len(new)
    model.save(tmp_path / "copy.keras")
    again = load(tmp_path / "copy.keras")
    np.testing.assert_array_equal(again.predict_proba(new), probabilities)
    assert again.card_ == model.card_
    assert again.marks_ == model.marks_


def test_its_description_is_short_and_ends_with_the_card(model):
    info = model_info("pretrained")
    assert info == model.info()
    lines = str(info).splitlines()
    assert len(lines) < 30
    assert max(map(len, lines)) < 700
    assert "Classes: nucleus, micronucleus" in lines
    assert str(info).endswith(str(model.card_))
    assert "Classifier nucrec crops" in info._repr_html_()


def test_a_folder_gets_predictions_and_the_rates_of_the_card(model, plate, tmp_path):
    with pytest.warns(UserWarning, match=r"1 of 7 files were not predicted.*nucrec detect"):
        found = predict_folder(model, plate)
    assert found.total.n == 6
    assert found.total.unusual == 0
    assert found.total.corrected is not None
    rates = f"Model {model.card_.name}, {model.card_.rates}"
    assert rates in str(found)
    assert "sensitivity 0." in rates
    assert found.to_dict()["card"]["name"] == model.card_.name
    with pytest.warns(UserWarning, match="not predicted"):
        shards = predict_shards("pretrained", plate, tmp_path / "shards")
    assert str(shards) == str(found)
    assert (tmp_path / "shards" / "model.keras").is_file()


@pytest.mark.filterwarnings("always::nucrec.errors.DataWarning")
def test_the_command_line_knows_its_name_whatever_else_is_called_so(
    plate, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pretrained").write_text("a file")
    command = [str(plate), "-o", "out.csv", "--quiet"]
    assert main(["predict", "pretrained", *command]) == 0
    told = capsys.readouterr()
    assert "Model nucrec crops" in told.out
    assert len((tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()) == 8
    assert main(["predict", "./pretrained", *command]) == 1
    assert "ends in .keras or .skops" in capsys.readouterr().err
    assert main(["predict", "pretraind", *command]) == 1
    assert "Did you mean 'pretrained'?" in capsys.readouterr().err
    with pytest.raises(ModelFileError, match="no such file"):
        load(Path("nothing.keras"))


def test_crops_of_16_bits_are_as_usual(model, new):
    whole = ImageDataset([image.astype(np.uint16) * 257 for image in new.images], new.labels)
    assert model.domain_.unusual(whole) == [()] * len(whole)
    apart = np.abs(model.predict_proba(whole) - model.predict_proba(new)).max()
    assert apart < 0.1
    np.testing.assert_array_equal(model.predict(whole), model.predict(new))


def test_a_new_training_has_no_card_and_knows_its_own_images(crops):
    fitted = cnn(image_size=16, epochs=1, random_state=0).fit(crops[::8])
    assert fitted.card_ is None
    assert fitted.info().card is None
    assert len(fitted.marks_) == len(set(fitted.marks_)) == len(crops[::8])
    assert any("trained on 39 of these 306" in told for told in fitted.evaluate(crops).remarks)
