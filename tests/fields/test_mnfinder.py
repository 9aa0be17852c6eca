import csv
import io

import numpy as np
import pytest
from PIL import Image

from nucrec.fields import load_mnfinder_fields


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
