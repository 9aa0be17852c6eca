"""`nucrec evaluate`: a report, tables and a page on labelled images."""

import json
from pathlib import Path

import pytest
from PIL import Image
from tests.html_reader import read

from nucrec.datasets import load_folder
from nucrec.models import evaluate, load


@pytest.fixture(scope="module")
def labelled(crops, tmp_path_factory) -> Path:
    """Class folders of 30 cells, in folders of their fields."""
    folder = tmp_path_factory.mktemp("evaluate") / "labelled"
    for k in range(0, 300, 10):
        name = ("normal", "MN")[crops.labels[k]]
        path = folder / name / f"field {k // 100}" / f"{k}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(crops.images[k]).save(path)
    return folder


def test_a_report_a_page_and_tables(run, gnb_file, labelled, tmp_path):
    options = ("--group-by", "folder", "-o", tmp_path / "out", "--html", tmp_path / "page.html")
    result = run("evaluate", gnb_file, labelled, *options)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("30 images in 3 groups; intervals: 95%\n")
    for words in ("'MN' for 'micronucleus'", "Confusion matrix", "Calibration error 0.", "field 2"):
        assert words in result.stdout
    assert "report.html, metrics.csv, predictions.csv, groups.csv" in result.stdout
    page = (tmp_path / "page.html").read_bytes()
    assert page == (tmp_path / "out" / "report.html").read_bytes()
    assert "gnb.skops on labelled" in read(page.decode()).words


def test_groups_of_an_earlier_evaluation_are_removed(run, gnb_file, labelled, tmp_path):
    out = tmp_path / "out"
    assert run("evaluate", gnb_file, labelled, "--group-by", "folder", "-o", out).returncode == 0
    assert (out / "groups.csv").exists()
    assert run("evaluate", gnb_file, labelled, "-o", out).returncode == 0
    names = sorted(path.name for path in out.iterdir())
    assert names == ["metrics.csv", "predictions.csv", "report.html"]


def test_numbers_as_json(run, gnb_file, labelled):
    result = run("evaluate", gnb_file, labelled, "--json", "--confidence", 0.9)
    images = load_folder(labelled, class_names=["normal", "MN"])
    expected = evaluate(load(gnb_file), images_named(images), confidence=0.9)
    told = json.loads(result.stdout)
    assert told["report"]["metrics"] == json.loads(json.dumps(expected.to_dict()["metrics"]))
    assert told["groups"] == []


def images_named(images):
    from nucrec.datasets import ImageDataset

    return ImageDataset(images.images, images.labels, ("nucleus", "micronucleus"))


def test_classes_that_are_told(run, gnb_file, labelled):
    right = run("evaluate", gnb_file, labelled, "--classes", "normal, MN", "--json")
    wrong = run("evaluate", gnb_file, labelled, "--classes", "MN,normal", "--json")
    values = [
        json.loads(each.stdout)["report"]["metrics"]["ACC"]["value"] for each in (right, wrong)
    ]
    assert sum(values) == pytest.approx(1)
