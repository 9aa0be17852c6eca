"""Mistakes that users make: one line that names the option and says what to do, before any work."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nucrec.datasets import load_folder
from nucrec.errors import DataWarning


@pytest.fixture(scope="module")
def place(crops, gnb_file, tmp_path_factory) -> Path:
    """A folder with a model, cells in class folders and beside tables, and a plate of counts."""
    folder = tmp_path_factory.mktemp("mistakes")
    shutil.copy(gnb_file, folder / "m.skops")
    (folder / "a.keras").touch()
    rows = []
    for k in range(0, 300, 15):
        name = Path("cells", ("normal", "MN")[crops.labels[k]], f"slide {k // 100}", f"{k}.png")
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(crops.images[k]).save(folder / name)
        rows.append(f"{name.as_posix()},{name.parts[1]},{name.parts[2]}")
    (folder / "list.csv").write_text("\n".join(["file,label,slide", *rows]))
    (folder / "no-file.csv").write_text("\n".join(["files,label,slide", *rows]))
    (folder / "no-label.csv").write_text("\n".join(["file,class,slide", *rows]))
    (folder / "flat").mkdir()
    Image.new("L", (40, 30)).save(folder / "flat" / "0.png")
    (folder / "empty").mkdir()
    (folder / "tables").mkdir()
    (folder / "tables" / "cells.csv").write_text("well\nA01\n")
    counts = [f"{c}0{k},{c},{'ABC'.index(c)},2000,{9 + k}" for c in "ABC" for k in (1, 2, 3)]
    header = "well,condition,dose,n_scored,n_micronucleated"
    (folder / "counts.csv").write_text("\n".join([header, *counts]).replace(",A,", ",DMSO,"))
    return folder


NO_SUCH = "there is no such file or folder."


@pytest.mark.parametrize(
    ("command", "message"),
    [
        # names
        (["predcit", "m.skops", "cells"], "received 'predcit'. Did you mean 'predict'? See"),
        (
            ["predict", "m.skops", "cells", "--otu", "o.csv"],
            "no option --otu. Did you mean '--out'?",
        ),
        (
            ["reproduce", "--preset", "quik"],
            "--preset: expected one of quick, overnight, full, received",
        ),
        (["reproduce", "--preset", "quik"], "received 'quik'. Did you mean 'quick'?"),
        (["train", "cells", "-o", "o.keras", "--backbone", "cmn"], "Did you mean 'cnn'?"),
        (["train", "cells", "-o", "o.keras", "--mode", "x"], "--mode: expected one of finetune, "),
        (
            ["train", "cells", "-o", "o.keras", "--classes", "norml,MN"],
            "--classes: there is no class",
        ),
        (["train", "cells", "-o", "o.keras", "--classes", "norml,MN"], "Did you mean 'normal'?"),
        (["train", "cells", "-o", "o.keras", "--classes", "MN"], "at least two different names"),
        (["train", "list.csv", "-o", "o.keras", "--group-by", "slde"], "Did you mean 'slide'?"),
        (
            ["train", "list.csv", "-o", "o.keras", "--group-by", "slde"],
            "nucrec: --group-by: expected",
        ),
        (["assay", "counts.csv", "--control", "DSMO"], "Did you mean 'DMSO'?"),
        (["assay", "counts.csv", "--unit", "wel"], "--unit: expected a column of the table"),
        (
            ["predict", "m.skps", "cells", "-o", "o.csv"],
            f"MODEL: m.skps: {NO_SUCH} Did you mean 'm.s",
        ),
        (["predict", "pretraind", "cells", "-o", "o.csv"], "Did you mean 'pretrained'?"),
        (["predict", "m.skops", "pretraind", "-o", "o.csv"], f"FOLDER: pretraind: {NO_SUCH}"),
        (["train", "list.csv", "-o", "o.keras", "--images", "no"], f"--images: no: {NO_SUCH}"),
        (
            ["train", "list.csv", "-o", "o.keras", "--images", "list.csv"],
            "--images: expected a folder of images, but list.csv is a table.",
        ),
        # the other kind, or the other way round
        (
            ["predict", "cells", "m.skops", "-o", "o.csv"],
            "first, and then the images: nucrec predict m.",
        ),
        (
            ["evaluate", "list.csv", "m.skops"],
            "then the images: nucrec evaluate m.skops list.csv ...",
        ),
        (
            ["predict", "m.skops", "flat/0.png", "-o", "o.csv"],
            "Give the folder that holds it: flat",
        ),
        (
            ["predict", "m.skops", "list.csv", "-o", "o.csv"],
            "but list.csv is a table. Give the folder",
        ),
        (
            ["predict", "flat", "cells", "-o", "o.csv"],
            "flat is a folder. It holds no file ending in",
        ),
        (["predict", ".", "cells", "-o", "o.csv"], "Give a file in it, such as a.keras"),
        (
            ["train", "m.skops", "-o", "o.keras"],
            "LABELLED: expected a folder with one sub-folder for",
        ),
        (
            ["audit", "flat/0.png"],
            "FOLDER: expected a folder of images, or a zip archive of one, but",
        ),
        (["detect", "list.csv"], "PLATE: expected a folder of fields of view"),
        (
            ["detect", "cells", "--detector", "m.skops"],
            "--detector: expected a file that FieldDetector",
        ),
        (["detect", "cells", "--masks", "list.csv"], "--masks: expected a folder of masks"),
        (["detect"], "PLATE: give a folder of fields of view, or --example"),
        (["detect", "cells", "--example"], "PLATE and --example exclude each other"),
        (["assay", "tables"], "Give a file in it, such as tables/cells.csv"),
        (["assay", "m.skops"], "CELLS: expected a CSV file, but m.skops is a model."),
        (
            ["assay", "counts.csv", "--layout", "flat"],
            "--layout: expected a CSV file, but flat is a",
        ),
        (["reproduce", "--data", "m.skops"], "--data: expected a folder with one sub-folder"),
        (["reproduce", "--from-record", "list.csv"], "--from-record: expected a run.json"),
        # paths
        (["predict", "m.skops", '"cells"', "-o", "o.csv"], "The quotes are part of the name"),
        (["predict", "m.skops", "cells/*.tif", "-o", "o.csv"], "Nothing matches the pattern."),
        (["evaluate", "*.keras", "cells"], "Give the file by its name, without * or ?."),
        (["predict", "m.skops", "C:\\d\\p 7", "-o", "o.csv"], "In WSL, it is /mnt/c/d/p 7."),
        (["predict", "m.skops", "no/where", "-o", "o.csv"], "There is no folder no either."),
        (["predict", "m.skops", "a.png", "b.png", "-o", "o.csv"], "not each image (no *). See"),
        (
            ["predict", "m.skops", "my", "cells", "-o", "o.csv"],
            "with spaces needs quotes around it",
        ),
        (["--quiet", "audit", "cells"], "options stand after the command: --quiet"),
        # folders and tables that hold something else
        (["train", "flat", "-o", "o.keras"], "found 1 image, but no sub-folders"),
        (["audit", "empty"], "empty: no images were found"),
        (["train", "no-file.csv", "-o", "o.keras"], "no column 'file'. Did you mean 'files'?"),
        (["evaluate", "m.skops", "no-label.csv"], "no column 'label'. Did you mean 'class'?"),
        # what is written
        (
            ["predict", "m.skops", "cells", "-o", "o.xlsx"],
            "--out: tables are written as CSV, which Exc",
        ),
        (
            ["audit", "cells", "--csv", "o.xlsx"],
            "--csv: tables are written as CSV, which Excel opens:",
        ),
        (
            ["assay", "counts.csv", "-o", "o.xlsx"],
            "--out: expected a folder for several files (tables",
        ),
        (
            ["detect", "cells", "-o", "o.csv"],
            "received 'o.csv': name it o. See 'nucrec detect --help'.",
        ),
        # numbers
        (["train", "cells", "-o", "o.keras", "--test-size", "0,2"], "'0,2'. Did you mean 0.2?"),
        (
            ["train", "cells", "-o", "o.keras", "--epochs", "x"],
            "--epochs: expected a whole number, rec",
        ),
        (
            ["train", "cells", "-o", "o.keras", "--test-size", "2"],
            "--test-size: expected a number stri",
        ),
        (
            ["predict", "m.skops", "cells", "-o", "o.csv", "--error-rate", ".1"],
            "--error-rate: expected no",
        ),
        (
            ["predict", "m.skops", "cells", "-o", "o", "--shard-size", "0"],
            "--shard-size: expected a wh",
        ),
        (["reproduce", "--jobs", "0"], "--jobs: expected a whole number of at least 1"),
        (
            ["reproduce", "--tables", "9,x"],
            "--tables: expected 'all', or numbers of tables such as 1,2.",
        ),
        (
            ["assay", "counts.csv", "--confidence", "95"],
            "--confidence: expected a number strictly betw",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_line(run, place, command, message):
    before = sorted(place.rglob("*"))
    result = run(*command, cwd=place)
    assert result.returncode in (1, 2)
    (line,) = result.stderr.splitlines()
    assert line.startswith("nucrec: ")
    assert message in line
    assert result.stdout == ""
    assert sorted(place.rglob("*")) == before


def test_classes_that_nothing_tells_are_told_by_an_option(run, place, tmp_path):
    for name, k in (("b", 0), ("a", 1)):
        (tmp_path / "new" / name).mkdir(parents=True)
        for i in range(2):
            pixels = np.full((20, 20), 40 * k + i, np.uint8)
            Image.fromarray(pixels).save(tmp_path / "new" / name / f"{i}.png")
    result = run("evaluate", place / "m.skops", tmp_path / "new")
    assert result.returncode == 2
    assert "Received: 'a, b'" in result.stderr
    assert "--classes NAME-OF-nucleus,NAME-OF-micronucleus." in result.stderr
    too_small = ("--image-size", 8)
    result = run("train", tmp_path / "new", "-o", tmp_path / "o.keras", *too_small)
    assert result.returncode == 2
    assert "Pass --classes a,b, or the other way round." in result.stderr


def test_folders_of_two_readings_are_told_by_options(run, place, tmp_path):
    for part in ("slide 1", "slide 2"):
        shutil.copytree(place / "cells", tmp_path / "deep" / part)
    result = run("train", tmp_path / "deep", "-o", tmp_path / "o.keras")
    assert result.returncode == 1
    assert "With --group-by top the classes are 'MN', 'normal'" in result.stderr
    assert '--classes "slide 1,slide 2" and --group-by folder' in result.stderr


def test_files_that_are_left_out_are_told_without_python(run, place, tmp_path):
    shutil.copytree(place / "cells", tmp_path / "cells")
    (tmp_path / "cells" / "MN" / "broken.png").write_text("no image")
    result = run("audit", tmp_path / "cells", "-o", tmp_path / "pairs.png", "--quiet")
    assert result.returncode == 0
    assert "1 file was left out" in result.stderr
    assert "dataset." not in result.stderr


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("image,class", "no column 'file'. Did you mean 'image'? Rename it to 'file'."),
        ("Datei;Klasse", "no column 'file'. Did you mean 'Datei'? Rename it to 'file'."),
        ("filename,label", "no column 'file'. Did you mean 'filename'? Rename it to 'file'."),
        ("file,class", "no column 'label'. Did you mean 'class'? Rename it to 'label'."),
    ],
)
def test_columns_of_other_names_are_to_be_renamed(run, place, tmp_path, header, told):
    row = "a.png;MN" if ";" in header else "a.png,MN"
    (tmp_path / "other.csv").write_text(f"{header}\n{row}\n")
    result = run("evaluate", place / "m.skops", tmp_path / "other.csv")
    assert told in result.stderr


def test_a_column_that_may_be_the_groups_is_told(place):
    table = place / "list.csv"
    with pytest.warns(DataWarning, match="the column 'slide' may say which .*group_by='slide'"):
        load_folder(table)
    assert len(set(load_folder(table, class_names=["normal", "MN"]).groups)) == 20
    assert len(set(load_folder(table, group_by="slide").groups)) == 3
