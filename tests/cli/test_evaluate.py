"""`nucrec evaluate`: a report, tables and a page on labelled images."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image
from tests.html_reader import read

from nucrec.datasets import load_folder
from nucrec.fields import sample_fields
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


def test_a_field_of_view_is_refused(run, gnb_file, labelled, tmp_path):
    given = tmp_path / "given"
    shutil.copytree(labelled, given)
    Image.fromarray(sample_fields().fields[0].read()).save(given / "MN" / "field.tif")
    result = run("evaluate", gnb_file, given, "-o", tmp_path / "out")
    assert (result.returncode, result.stdout) == (1, "")
    told = "1 of 31 images cannot be predicted; the first is image MN/field.tif: this looks like a"
    assert told in result.stderr
    assert "use `nucrec detect`" in result.stderr
    assert not (tmp_path / "out").exists()


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
    told = run("evaluate", gnb_file, labelled, "--classes", "normal, MN", "--json")
    found = run("evaluate", gnb_file, labelled, "--json")
    assert told.stdout == found.stdout
    for crosswise in ("MN,normal", "micronucleus,nucleus"):
        wrong = run("evaluate", gnb_file, labelled, "--classes", crosswise)
        assert wrong.returncode == 2
    wrong = run("evaluate", gnb_file, labelled, "--classes", "MN,normal")
    assert "--classes: expected names in the order of the model's classes" in wrong.stderr
    assert "These names mean the opposite." in wrong.stderr
    absent = run("evaluate", gnb_file, labelled, "--classes", "no,yes")
    assert absent.returncode == 2
    assert "--classes: there is no class 'no', only MN, normal" in absent.stderr


def test_a_set_of_one_class(run, gnb_file, labelled, tmp_path):
    shutil.copytree(labelled / "MN", tmp_path / "one" / "MN")
    options = ("--classes", "normal,MN", "--group-by", "folder", "--json")
    one = run("evaluate", gnb_file, tmp_path / "one", *options)
    assert one.returncode == 0, one.stderr
    told = json.loads(one.stdout)
    of_all = json.loads(run("evaluate", gnb_file, labelled, "--json").stdout)
    assert told["wrong"] == [name for name in of_all["wrong"] if name.startswith("MN/")]
    n = len(list((labelled / "MN").rglob("*.png")))
    accuracy = told["report"]["metrics"]["ACC"]["value"]
    assert accuracy == pytest.approx(1 - len(told["wrong"]) / n)
    mistaken = run("evaluate", gnb_file, tmp_path / "one")
    assert mistaken.returncode == 2
    assert "--group-by folder" in mistaken.stderr


def test_a_table_of_images_in_another_folder(run, gnb_file, labelled, tmp_path):
    names = [path.relative_to(labelled).as_posix() for path in sorted(labelled.rglob("*.png"))]
    rows = [f"{name},{name.split('/')[0]}" for name in names]
    table = tmp_path / "corrected.csv"
    table.write_text("\n".join(["file,label", *rows]))
    found = run("evaluate", gnb_file, table, "--images", labelled, "--json")
    of_folders = run("evaluate", gnb_file, labelled, "--json")
    assert json.loads(found.stdout)["report"] == json.loads(of_folders.stdout)["report"]
    missing = run("evaluate", gnb_file, table)
    assert missing.returncode == 1
    assert f"Paths are relative to {tmp_path}; for another folder, pass --images" in missing.stderr
    channel = run("evaluate", gnb_file, table, "--images", labelled, "--channel", "DAPI")
    assert "Choose another channel than 'DAPI'" in channel.stderr
    beside = run("evaluate", gnb_file, labelled, "--images", labelled)
    assert beside.returncode == 2
    assert "--images: expected only beside a CSV file" in beside.stderr


def test_the_page_may_lie_in_the_folder_that_is_made(run, gnb_file, labelled, tmp_path):
    result = run("evaluate", gnb_file, labelled, "-o", "ev", "--html", "ev/page.html", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "ev/page.html").read_bytes() == (tmp_path / "ev/report.html").read_bytes()
    other = run("evaluate", gnb_file, labelled, "-o", "ev", "--html", "no/page.html", cwd=tmp_path)
    assert other.returncode == 2
    assert "--html: there is no folder no" in other.stderr


def test_a_folder_too_low_is_named(run, gnb_file, labelled):
    result = run("evaluate", gnb_file, labelled / "MN")
    error = next(line for line in result.stderr.splitlines() if line.startswith("nucrec: LABELLED"))
    assert "load the folder that holds the folders of the classes, with --group-by folder" in error


def test_a_class_folder_without_folders_is_named(run, gnb_file, images):
    result = run("evaluate", gnb_file, images / "micronucleus")
    assert "If 'micronucleus' is a class itself, load the folder around all" in result.stderr


def test_wells_are_called_wells(run, gnb_file, labelled, tmp_path):
    for well, name in (("B02", "normal"), ("B03", "MN"), ("B04", "MN")):
        (tmp_path / "plate" / well).mkdir(parents=True)
        for file in sorted((labelled / name).rglob("*.png"))[:4]:
            shutil.copy(file, tmp_path / "plate" / well)
    result = run("evaluate", gnb_file, tmp_path / "plate")
    assert "LABELLED: expected the classes of the model" in result.stderr
    assert "called like wells: if the images are whole fields of view, use `nucrec detect`" in (
        result.stderr
    )


def test_advice_names_all_class_folders(run, gnb_file, images, tmp_path):
    for outer in ("w", "x", "y", "z"):
        shutil.copytree(images, tmp_path / "nested" / outer)
    result = run("evaluate", gnb_file, tmp_path / "nested")
    assert "with --classes w,x,y,z and --group-by folder" in result.stderr
