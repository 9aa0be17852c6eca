import csv
import os

import numpy as np
import pytest
from scipy import ndimage, stats

from nucrec.errors import DatasetError, InvalidParameterError
from nucrec.fields import load_fields, make_plate, read_labels


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("plate")


@pytest.fixture(scope="module")
def plate(folder):
    return make_plate(folder, rates={0: 20, 1: 20, 5: 200}, wells=3, fields=2, cells=40)


def test_fields_have_the_wells_and_doses_of_the_layout(plate, folder):
    again = load_fields(folder / "fields", layout=folder / "layout.csv")
    assert again.names == plate.fields.names
    assert [field.well for field in plate.fields][::6] == ["B02", "C02", "D02"]
    assert [field.condition for field in plate.fields][::6] == ["DMSO", "compound", "compound"]
    assert [field.dose for field in plate.fields][::6] == [0, 1, 5]
    assert [field.replicate for field in plate.fields][:6] == ["1", "1", "2", "2", "3", "3"]
    assert plate.fields[0].read().dtype == np.uint16
    assert plate.fields.remarks == ()


def test_fields_hold_as_many_cells_as_the_truth_says(plate):
    for i in range(len(plate)):
        nuclei, micronuclei, parents = plate.nuclei(i), plate.micronuclei(i), plate.parents(i)
        assert np.unique(nuclei).tolist() == list(range(plate.metadata["cells"][i] + 1))
        assert len(set(parents.values())) == plate.metadata["micronucleated"][i]
        assert sorted(parents) == np.unique(micronuclei)[1:].tolist()
        sides = [nuclei[0], nuclei[-1], nuclei[:, 0], nuclei[:, -1]]
        assert not np.concatenate(sides).any()


def test_cells_are_bright_and_the_background_has_one_level(plate):
    image = plate.fields[0].read().astype(float)
    nuclei = plate.nuclei(0) > 0
    far = ~ndimage.binary_dilation(nuclei | (plate.micronuclei(0) > 0), iterations=10)
    assert image[far].std() < 60 < 300 < np.median(image[nuclei]) - image[far].mean()


def test_the_truth_is_written_as_tables_and_label_images(plate, folder):
    with (folder / "truth/wells.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["well"] for row in rows][:3] == ["B02", "B03", "B04"]
    by_well = plate.metadata["micronucleated"].reshape(-1, 2).sum(axis=1)
    assert [int(row["micronucleated"]) for row in rows] == by_well.tolist()
    name = plate.fields.names[0]
    assert (read_labels(folder / f"truth/nuclei/{name}.tif") == plate.nuclei(0)).all()
    with (folder / "truth/micronuclei.csv").open(encoding="utf-8", newline="") as file:
        links = [row for row in csv.DictReader(file) if row["field"] == name]
    assert {int(r["micronucleus"]): int(r["nucleus"]) for r in links} == plate.parents(0)


def test_the_same_seed_makes_the_same_plate_again_and_another_one_another(plate, tmp_path):
    same = {"rates": {0: 20, 1: 20, 5: 200}, "wells": 3, "fields": 2, "cells": 40}
    for _ in range(2):  # a second time over its own files
        again = make_plate(tmp_path / "a", **same)
    assert (again.fields[7].read() == plate.fields[7].read()).all()
    other = make_plate(tmp_path / "b", rates={0: 20}, wells=1, fields=1, cells=40, random_state=1)
    assert (other.fields[0].read() != plate.fields[0].read()).any()


def test_the_counts_of_wells_are_beta_binomial(tmp_path):
    """Over wells of the same cells, as many micronucleated ones as rates and variation say."""
    found = []
    for seed in range(2):
        some = {"rates": dict.fromkeys(range(6), 250), "wells": 10, "fields": 1, "cells": 20}
        plate = make_plate(tmp_path, **some, variation=0.8, random_state=seed)
        found += plate.metadata["micronucleated"].tolist()
    strength = 0.75 / (0.25 * 0.8**2) - 1
    truth = stats.betabinom(20, 0.25 * strength, 0.75 * strength)
    assert np.mean(found) == pytest.approx(truth.mean(), abs=4 * truth.std() / len(found) ** 0.5)
    assert np.std(found) == pytest.approx(truth.std(), rel=0.25)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rates": {}}, "rates: expected rates per 1000 for 1 to 6 doses"),
        ({"rates": [10, 20]}, "rates: expected rates per 1000"),
        ({"rates": {0: 1001}}, r"rates\[0\]: expected a number between 0 and 1000"),
        ({"rates": {-1: 10}}, "rates: dose: expected a number"),
        ({"wells": 11}, "wells: expected a whole number"),
        ({"cells": 5}, "cells: expected a whole number of at least 20"),
        ({"rates": {0: 900}, "variation": 0.5}, "variation: expected less variation"),
    ],
)
def test_impossible_plates_are_refused(arguments, message, tmp_path):
    with pytest.raises(InvalidParameterError, match=message):
        make_plate(tmp_path / "plate", **arguments)
    assert not (tmp_path / "plate").exists()


def test_other_images_in_the_folder_are_not_mixed_with_the_plate(tmp_path):
    (tmp_path / "fields").mkdir()
    (tmp_path / "fields" / "mine.tif").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"contains other files, such as mine.tif"):
        make_plate(tmp_path, wells=1, fields=1, cells=20)


def test_the_same_plate_made_again_leaves_its_images_as_they_are(tmp_path):
    options = {"rates": {0: 100}, "wells": 1, "fields": 1, "cells": 20, "random_state": 3}
    make_plate(tmp_path, **options)
    images = sorted(tmp_path.rglob("*.tif"))
    for image in images:
        os.utime(image, ns=(1, 1))
    make_plate(tmp_path, **options)
    assert len(images) == 3
    assert {image.stat().st_mtime_ns for image in images} == {1}
