"""The order of classes, and the spellings of their names."""

import numpy as np
import pytest
from PIL import Image
from sklearn.dummy import DummyClassifier

from nucrec.datasets import ImageDataset, load_folder, load_images, load_nucrec
from nucrec.errors import DatasetNotFoundError, DataWarning, InvalidParameterError
from nucrec.models import Evaluation, predict_folder, save


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


@pytest.mark.parametrize(
    ("negative", "positive"),
    [
        ("normal", "abnormal"), ("without MN", "with MN"), ("MN-", "MN+"), ("MN neg", "MN pos"),
        ("micronucleus-free", "micronucleus"), ("non-micronucleated", "micronucleated"),
        ("nonmicronucleated", "micronucleated"), ("no micronuclei", "micronuclei"), ("0", "1"),
        ("0 MN", "1 MN"), ("no", "yes"), ("negative", "positive"), ("healthy", "damaged"),
        ("control", "treated"), ("normal", "apoptotic"), ("zzz", "micro-nucleus"), ("false", "true"),
        ("ohne Mikrokerne", "mit Mikrokernen"), ("normal", "not normal"), ("nucleus", "binucleate"),
        ("negative_control", "MMC"), ("negative control", "colchicine"), ("neg_ctrl", "drug"),
        ("control_no_drug", "drug"), ("control without treatment", "etoposide"),
        ("no treatment control", "MMC"), ("untreated (no drug)", "treated"), ("ctrl-", "ctrl+"),
        ("negative control", "positive control"), ("vehicle_negative", "positive"),
        ("nucleus_neg", "nucleus_pos"), ("nuclei_without", "nuclei_with"), ("MN(-)", "MN(+)"),
        ("nucleus_no", "nucleus_yes"), ("nuclei_no_buds", "nuclei_buds"), ("nucleus-", "nucleus+"),
        ("nucleus_untreated", "nucleus_treated"), ("nucleusNoMN", "nucleusMN"), ("NoMN", "WithMN"),
        ("noyau", "micronoyau"), ("MNneg", "MNpos"), ("MN_False", "MN_True"), ("MN=0", "MN=1"),
        ("BN", "BNMN"), ("BN", "MNBN"), ("-", "+"), ("zero MN", "one MN"), ("negativ", "positiv"),
        ("nein", "ja"), ("DMSO", "MMC"), ("solvent", "drug"), ("Kontrolle", "Etoposid"),
        ("Con", "MMC"), ("Con_1", "MMC_1"), ("con", "Etoposide"), ("con_DMSO", "drug"),
        ("sin micronucleos", "con micronúcleos"), ("normal", "con MN"), ("Con", "MN"),
        ("sin tratamiento", "con tratamiento"), ("ohne", "mit"), ("control", "Mit"),
        ("unauffällig", "auffällig"), ("unbehandelt", "behandelt"), ("untreated", "treated"),
        ("unexponiert", "exponiert"), ("undamaged", "damaged"), ("unaffected", "affected"),
        ("healthy", "unhealthy"), ("unremarkable", "abnormal"),
    ],
)  # fmt: skip
def test_negations_are_understood_alike_on_every_route(negative, positive, tmp_path):
    fill(tmp_path, negative, positive)
    assert load_folder(tmp_path).class_names == (negative, positive)
    (tmp_path / "table.csv").write_text(f"file,label\n{positive}/1.png,{positive}\n"
                                        f"{negative}/1.png,{negative}\n")  # fmt: skip
    assert load_folder(tmp_path / "table.csv").class_names == (negative, positive)
    dataset = ImageDataset(np.zeros((3, 2, 2)), [positive, negative, positive])
    assert (dataset.class_names, dataset.labels.tolist()) == ((negative, positive), [1, 0, 1])


def test_the_positive_class_is_said_once_where_no_name_tells(tmp_path):
    fill(tmp_path, "b", "a")
    (tmp_path / "table.csv").write_text("file,label\na/1.png,a\nb/1.png,b\n")
    routes = [
        lambda **options: load_folder(tmp_path, **options),
        lambda **options: load_folder(tmp_path / "table.csv", **options),
        lambda **options: ImageDataset(np.zeros((2, 2, 2)), ["a", "b"], **options),
    ]
    for load in routes:
        with pytest.warns(DataWarning, match="positive one: 'b' is taken, the last") as caught:
            assert load().class_names == ("a", "b")
        assert len(caught) == 1
        assert load(class_names=["b", "a"]).class_names == ("b", "a")


@pytest.mark.parametrize("names", ["ab", [], ["a", "a"], 5])
def test_names_are_checked(names):
    with pytest.raises(
        InvalidParameterError, match="^class_names: expected a sequence of different"
    ):
        ImageDataset(np.zeros((1, 2, 2)), [0], names)


def test_names_become_a_tuple():
    assert ImageDataset(np.zeros((1, 2, 2)), [0], ["b", "a"]).class_names == ("b", "a")


@pytest.mark.parametrize(
    ("classes", "crosswise"),
    [
        (["nucleus", "micronucleus"], ["micronucleus", "nucleus"]),
        (["normal", "MN"], ["MN", "normal"]),
        (["normal", "MN"], ["with MN", "without MN"]),
        (["a", "b", "c"], ["b", "a", "c"]),
        (["alpha", "beta"], ["BETA", "alpha"]),
    ],
)
def test_names_that_turn_the_classes_round_are_refused(classes, crosswise, tmp_path):
    fill(tmp_path, "plate")
    images = load_images(tmp_path)
    model = DummyClassifier().fit([images[0]] * len(classes), classes)
    own = model.classes_.tolist()
    told = [crosswise[classes.index(name)] for name in own]
    refused = pytest.raises(InvalidParameterError, match=r"opposite|another order")
    with refused:
        predict_folder(model, tmp_path, class_names=told)
    with refused:
        save(model, tmp_path / "model.skops", class_names=tuple(told))
    labelled = ImageDataset([images.images[0]] * len(own), own, own)
    with refused:
        Evaluation.of(model, labelled, classes=told)
    assert predict_folder(model, tmp_path, class_names=own).total.n == 1


def test_names_for_the_numbers_of_classes_are_taken_as_they_come(tmp_path):
    fill(tmp_path, "plate")
    images = load_images(tmp_path)
    model = DummyClassifier().fit([images[0]] * 3, [0, 0, 1])
    for names in (["micronucleus", "nucleus"], ["nucleus", "micronucleus"]):
        (row,) = predict_folder(model, tmp_path, class_names=names).rows
        assert row.predicted == names[0]
