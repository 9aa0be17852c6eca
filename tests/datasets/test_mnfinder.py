"""The shipped crops, held against their metadata."""

import csv
import io
import os
import shutil
import subprocess
import sys
import zipfile
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import nucrec
from nucrec.datasets import load_mnfinder_crops
from nucrec.errors import InvalidParameterError


@pytest.fixture(scope="module")
def archive() -> zipfile.ZipFile:
    path = resources.files("nucrec.datasets") / "data/mnfinder-crops.zip"
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as file:
        yield file


@pytest.fixture(scope="module")
def rows(archive) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read("metadata.csv").decode())))


def test_all(archive, rows):
    dataset = load_mnfinder_crops("all")
    assert len(dataset) == len(rows) == 1970
    assert dataset.ids.tolist() == [row["file"] for row in rows]
    assert dataset.labels.tolist() == [int(row["label"] == "micronucleus") for row in rows]
    assert np.bincount(dataset.labels).tolist() == [802, 1168]
    assert dataset.groups.tolist() == [row["field"] for row in rows]
    assert len(np.unique(dataset.groups)) == 33
    sides = [shape[0] for shape in dataset.images.shapes]
    assert all(shape[0] == shape[1] for shape in dataset.images.shapes)
    assert (min(sides), max(sides)) == (32, 126)
    for i in (0, 800, 1969):
        with Image.open(io.BytesIO(archive.read(rows[i]["file"]))) as image:
            np.testing.assert_array_equal(dataset.images[i], np.asarray(image))


def test_paper_subset(crops, rows):
    assert crops.ids.tolist() == [row["file"] for row in rows if row["paper_size"] == "1"]
    assert np.bincount(crops.labels).tolist() == [148, 158]


def test_metadata(crops, rows):
    row = next(row for row in rows if row["file"] == crops.ids[5])
    assert {name: crops.metadata[name][5] for name in ("cell_line", "x", "side", "n_micronuclei")} == {
        "cell_line": row["cell_line"], "x": int(row["x"]), "side": int(row["side"]),
        "n_micronuclei": int(row["n_micronuclei"]),
    }  # fmt: skip
    points = crops.metadata["micronuclei_xy"]
    assert all(len(p) == n for p, n in zip(points, crops.metadata["n_micronuclei"], strict=True))
    inside = [(0 <= x < s and 0 <= y < s) for p, s in zip(points, crops.metadata["side"], strict=True)
              for x, y in p]  # fmt: skip
    assert all(inside)
    assert len(inside) > 158


def test_licence_travels_along(archive):
    assert "Copyright 2023 Lucian DiPeso" in archive.read("LICENSE").decode()


def test_subset_is_checked():
    with pytest.raises(InvalidParameterError, match="^subset: expected one of 'paper', 'all'"):
        load_mnfinder_crops("some")


def test_damage_is_noticed(tmp_path):
    source = Path(nucrec.__file__).parent
    shutil.copytree(source, tmp_path / "nucrec", ignore=shutil.ignore_patterns("__pycache__"))
    archive = tmp_path / "nucrec" / "datasets" / "data" / "mnfinder-crops.zip"
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(content)
    code = "from nucrec.datasets import load_mnfinder_crops as load; load()"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert f"DatasetError: {archive}: damaged; reinstall nucrec" in result.stderr
