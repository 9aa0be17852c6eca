import csv
import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from nucrec.errors import DatasetError
from nucrec.fields import load_mnfinder_fields, sample_fields


@pytest.fixture
def folder(tmp_path):
    """Two small fields in the layout of the annotated set."""
    rng = np.random.default_rng(0)
    for part in ("fields", "nuclei", "micronuclei"):
        (tmp_path / part).mkdir()
    rows = [["field", "experiment", "cell_line", "microscope", "objective", "dna_stain", "bits"]]
    for name, line in (("a-1", "HeLa"), ("b-2", "U2OS")):
        pixels = rng.integers(0, 60000, (40, 50), dtype=np.uint16)
        Image.fromarray(pixels).save(tmp_path / "fields" / f"{name}.tif")
        nuclei = np.zeros((40, 50), np.uint16)
        nuclei[5:20, 5:20], nuclei[25:38, 30:45] = 3, 7
        Image.fromarray(nuclei).save(tmp_path / "nuclei" / f"{name}.png")
        micronuclei = np.zeros((40, 50), np.uint16)
        micronuclei[21:24, 8:11], micronuclei[30:33, 24:27] = 1, 2
        Image.fromarray(micronuclei).save(tmp_path / "micronuclei" / f"{name}.png")
        rows.append([name, f"of {line}", line, "WF", "20", "DAPI", "16"])
    links = [["field", "micronucleus", "nucleus"], ["a-1", 1, 3], ["a-1", 2, ""], ["b-2", 2, 7]]
    for name, lines in (("fields.csv", rows), ("micronuclei.csv", links)):
        text = io.StringIO()
        csv.writer(text).writerows(lines)
        (tmp_path / name).write_text(text.getvalue())
    return tmp_path


def test_fields_come_with_nuclei_micronuclei_and_parents(folder):
    annotated = load_mnfinder_fields(folder)
    assert annotated.fields.names == ("a-1", "b-2")
    assert annotated.metadata["cell_line"].tolist() == ["HeLa", "U2OS"]
    assert annotated.fields[0].read().dtype == np.uint16
    assert annotated.fields[0].shape == (40, 50)
    assert annotated.fields[0].well is None
    assert np.unique(annotated.nuclei(1)).tolist() == [0, 3, 7]
    assert annotated.micronuclei(1).dtype == np.int32
    assert [annotated.parents(i) for i in (0, 1)] == [{1: 3}, {2: 7}]


def test_some_fields_can_be_selected(folder):
    annotated = load_mnfinder_fields(folder)
    u2os = annotated.select(annotated.metadata["cell_line"] == "U2OS")
    assert u2os.fields.names == ("b-2",)
    assert u2os.parents(0) == {2: 7}
    assert len(annotated.select([])) == 0


@pytest.fixture
def wheel(tmp_path):
    """Two cells drawn as the distribution draws them, one field in each part of it."""
    colours = np.zeros((40, 50, 4), np.uint8)
    colours[5:20, 5:20] = (255, 188, 7, 255)
    colours[25:38, 30:45] = (255, 188, 9, 255)
    colours[25:28, 5:8] = (255, 188, 9, 255)  # a second, smaller piece of one colour
    small = np.zeros_like(colours)
    small[21:24, 8:11] = (255, 30, 7, 255)
    small[30:33, 24:27] = (255, 31, 9, 255)
    small[2:4, 30:33] = (255, 31, 9, 255)
    small[36:38, 2:5] = (255, 32, 77, 255)  # of no nucleus
    path = tmp_path / "mnfinder-1.2.3-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for part, experiment, number in (
            ("training", "2022-03-18_RPE1", 3),
            ("validation", "2023-05-31_misc", 4),
            ("test", "2022-10-14_U2OS", 4),
        ):
            folder = f"mnfinder/{part}-data/{experiment}"
            for name, pixels, ending in (
                ("images", colours[..., 2] * 20, "tif"),
                ("nucleus_masks", colours, "png"),
                ("mn_masks", small, "png"),
            ):
                buffer = io.BytesIO()
                Image.fromarray(pixels).save(buffer, ending.replace("tif", "tiff"))
                archive.writestr(f"{folder}/{name}/{number}.{ending}", buffer.getvalue())
    return path


def test_the_wheel_is_read_in_place_without_its_test_part(wheel):
    annotated = load_mnfinder_fields(wheel)
    names = ("training-2022-03-18-rpe1-3", "validation-2023-05-31-misc-4")
    assert annotated.fields.names == names
    assert annotated.metadata["cell_line"].tolist() == ["RPE-1", "HeLa"]
    assert annotated.metadata["objective"].tolist() == ["20", "40"]
    nuclei, micronuclei = annotated.nuclei(0), annotated.micronuclei(0)
    assert [nuclei[10, 10], nuclei[26, 6], nuclei[30, 40]] == [1, 2, 3]
    assert [micronuclei[22, 9], micronuclei[3, 31], micronuclei[31, 25]] == [1, 2, 3]
    assert annotated.parents(0) == {1: 1, 2: 3, 3: 3}


def test_other_archives_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("mnfinder/test-data/2022-10-14_U2OS/images/4.tif", b"reserved")
    with pytest.raises(DatasetError, match="expected the wheel of mnfinder 1.2.3"):
        load_mnfinder_fields(tmp_path / "a.zip")


def test_sample_fields_ship_with_their_annotation():
    sample = sample_fields()
    assert sample.metadata["cell_line"].tolist() == ["RPE-1", "HeLa", "MCC13"]
    assert len(set(sample.metadata["microscope"])) == 2
    for i, field in enumerate(sample.fields):
        nuclei, micronuclei = sample.nuclei(i), sample.micronuclei(i)
        assert nuclei.shape == micronuclei.shape == field.read().shape
        parents = sample.parents(i)
        assert set(parents) <= set(np.unique(micronuclei).tolist())
        assert set(parents.values()) <= set(np.unique(nuclei[nuclei > 0]).tolist())
        inside = field.read()[nuclei > 0].mean()
        assert inside > 1.5 * np.median(field.read())
