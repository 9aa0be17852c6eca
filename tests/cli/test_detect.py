"""`nucrec detect`: tables, pictures and a page of fields of view."""

import csv
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.html_reader import read

from nucrec.__main__ import main
from nucrec.assay import summarize
from nucrec.fields import Cells, crops, load_fields, read_labels, sample_fields


@pytest.fixture(scope="module")
def plate(tmp_path_factory) -> Path:
    """The sample fields as files of a plate, with masks and a layout."""
    root = tmp_path_factory.mktemp("plate")
    (root / "fields").mkdir()
    (root / "masks").mkdir()
    sample = sample_fields()
    for i, field in enumerate(sample.fields):
        name = f"B{i + 2:02d}_s1"
        Image.fromarray(field.read()).save(root / "fields" / f"{name}.png")
        Image.fromarray(sample.nuclei(i).astype(np.uint16)).save(root / "masks" / f"{name}.png")
    lines = ["well,condition,dose", *(f"B{i + 2:02d},drug,{i}" for i in range(len(sample)))]
    (root / "layout.csv").write_text("\n".join(lines), encoding="utf-8")
    return root


@pytest.mark.slow
def test_the_example(tmp_path, capsys):
    out = tmp_path / "results"
    assert main(["detect", "--example", "-o", str(out)]) == 0
    told = capsys.readouterr()
    n = len(sample_fields())
    assert re.search(rf"\[{n}/{n}\] +\d+ s  detecting", told.err)
    known = f"{n} of {n} fields were used to train the detector"
    assert told.out.count(known) == 1
    assert f"Written to {out}: report.html, summary.csv" in told.out
    names = {path.name for path in out.iterdir()}
    assert {"report.html", "summary.csv", "cells.csv", "micronuclei.csv", "fields.csv"} <= names
    assert len(list((out / "labels" / "micronuclei").glob("*.tif"))) == n
    assert len(list((out / "overlays").glob("*.png"))) == n
    page = read((out / "report.html").read_text(encoding="utf-8"))
    assert "Micronuclei in the sample fields" in page.words
    assert "FieldDetector" in page.words
    assert 0 < page.words.index(known) < page.words.index("Rates by field")
    assert Cells.from_csv(out).cells["scored"].any()


@pytest.mark.slow
def test_a_review_is_written_and_its_answers_correct_the_rates(plate, tmp_path, capsys):
    out = tmp_path / "results"
    command = ["detect", str(plate / "fields"), "-o", str(out), "--quiet", "--no-labels"]
    command += ["--layout", str(plate / "layout.csv"), "--review", "30"]
    assert main(command) == 0
    told = capsys.readouterr().out
    assert f"{out / 'review.html'}: 30 cells to review" in told
    assert f"nucrec assay {out / 'cells.csv'} --reviewed reviewed.csv" in told
    assert 'href="review.html"' in (out / "report.html").read_text(encoding="utf-8")
    text = (out / "review.html").read_text(encoding="utf-8")
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text)
    page = json.loads(data)
    lines = [page["header"], *(cell["row"] + ",yes," for cell in page["cells"])]
    (tmp_path / "reviewed.csv").write_text("\n".join(lines), encoding="utf-8")
    found = summarize(out / "cells.csv").corrected(reviewed=tmp_path / "reviewed.csv")
    assert found.review.precision.value == 1
    assert found.review.recall.value == pytest.approx(
        (Cells.from_csv(out).cells["n_micronuclei"] > 0)[Cells.from_csv(out).cells["scored"]].mean()
    )


@pytest.mark.slow
def test_masks_layout_and_label_images(plate, tmp_path, capsys):
    out = tmp_path / "results"
    command = ["detect", str(plate / "fields"), "-o", str(out), "--quiet", "--json"]
    command += ["--masks", str(plate / "masks"), "--layout", str(plate / "layout.csv")]
    assert main(command) == 0
    first = json.loads(capsys.readouterr().out)
    assert first["unit"] == "well"
    assert [unit["name"] for unit in first["units"]] == ["B02", "B03", "B04"][: len(first["units"])]
    assert [unit["dose"] for unit in first["units"]] == [
        float(i) for i in range(len(first["units"]))
    ]
    cells = Cells.from_csv(out)
    sample = sample_fields()
    for i in range(len(sample)):
        written = read_labels(out / "labels" / "nuclei" / f"B{i + 2:02d}_s1.tif")
        assert np.array_equal(written, sample.nuclei(i))
        known = set(np.unique(sample.nuclei(i)).tolist()) - {0}
        assert set(cells.cells["cell_id"][cells.cells["well"] == f"B{i + 2:02d}"].tolist()) == known
    assert main(command) == 0  # nothing is left to do
    assert json.loads(capsys.readouterr().out) == first
    with (out / "summary.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["well"] for row in rows] == [unit["name"] for unit in first["units"]]
    assert main([*command, "--control", "DRUG"]) == 0  # the same cells, and the assay of them
    made = json.loads(capsys.readouterr().out)["assay"]
    assert [row["n_scored"] for row in made["tables"]["units"]] == [
        unit["cells_scored"] for unit in first["units"]
    ]
    assert "not estimable" in (out / "report" / "report.html").read_text(encoding="utf-8")
    page = read((out / "report.html").read_text(encoding="utf-8"))
    assert {"href": "report/report.html"} in page.all("a")
    assert main([*command, "--humn"]) == 1
    assert "differs in: --humn" in capsys.readouterr().err
    assert main([*command, "--humn", "--overwrite"]) == 0
    humn = json.loads(capsys.readouterr().out)
    assert humn["total"]["micronuclei"] <= first["total"]["micronuclei"]


@pytest.mark.slow
def test_what_was_found_becomes_crops(plate, tmp_path):
    out = tmp_path / "results"
    assert main(["detect", str(plate / "fields"), "-o", str(out), "--quiet"]) == 0
    fields = load_fields(plate / "fields", masks=out / "labels" / "nuclei")
    cells = Cells.from_csv(out)
    found = crops(fields, cells)
    scored = cells.cells["scored"]
    assert len(found) == scored.sum()
    assert found.labels.sum() == (cells.cells["n_micronuclei"][scored] > 0).sum()
    assert main(["detect", str(plate / "fields"), "-o", str(out), "--quiet", "--no-labels"]) == 0
    assert not (out / "labels").exists()


@pytest.mark.slow
def test_files_that_are_no_fields_are_told_and_the_others_go_on(plate, tmp_path, run):
    fields = tmp_path / "fields"
    fields.mkdir()
    (fields / "B02_s1.png").write_bytes((plate / "fields" / "B02_s1.png").read_bytes())
    Image.new("L", (200, 200), 7).save(fields / "B03_s1.png")
    result = run("detect", fields, "-o", tmp_path / "out", "--quiet")
    assert result.returncode == 0
    assert "B03_s1.png was not analysed: every pixel is 7" in result.stderr
    assert "every pixel is 7" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    (fields / "B02_s1.png").unlink()
    result = run("detect", fields, "-o", tmp_path / "none", "--quiet")
    assert result.returncode == 1
    assert "every pixel is 7" in result.stderr
    assert not (tmp_path / "none" / "report.html").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "PLATE: give a folder of fields of view, or --example"),
        (["PLATE", "--example"], "exclude each other"),
        (["--example", "--masks", "m"], "--masks cannot be combined with --example"),
        (["--example", "--pixel-size", "0.3"], "--pixel-size cannot be combined with --example"),
        (["PLATE", "-o", "PLATE/results"], "--out: .* is inside the folder of the fields"),
        (["PLATE", "-o", "PLATE"], "--out: .* is inside the folder of the fields"),
        (["PLATE", "-o", "OUT", "--pixel-size", "0"], "--pixel-size: expected"),
        (
            ["PLATE", "-o", "OUT", "--review", "9"],
            "--review: expected 10 to 2000 cells, received 9",
        ),
    ],
)
def test_mistakes_are_told_before_any_work(arguments, message, tmp_path, capsys):
    (tmp_path / "PLATE").mkdir()
    Image.new("L", (100, 100), 3).save(tmp_path / "PLATE" / "a.png")
    inside = [str(tmp_path / a) if a.startswith(("PLATE", "OUT")) else a for a in arguments]
    assert main(["detect", *inside, "--quiet"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert re.search(message, line)
    assert [path.name for path in tmp_path.iterdir()] == ["PLATE"]


def write_historical(folder) -> Path:
    rates = "\n".join(["rate", *map(str, range(3, 15))])
    (folder / "historical.csv").write_text(rates, encoding="utf-8")
    return folder / "historical.csv"


def test_the_control_is_checked_before_any_work(plate, tmp_path, capsys):
    command = ["detect", str(plate / "fields"), "-o", str(tmp_path / "out"), "--control", "DMSO"]
    assert main(command) == 2
    assert "--control: no field has a condition" in capsys.readouterr().err
    assert main([*command[:-2], "--historical", str(write_historical(tmp_path))]) == 2
    assert "--historical: no field has a condition" in capsys.readouterr().err
    assert main([*command, "--layout", str(plate / "layout.csv")]) == 2
    assert "'DMSO' is not a condition of the layout: drug" in capsys.readouterr().err
    assert main([*command, "--historical", str(tmp_path / "none.csv")]) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        (["a"], ["--layout", "LAYOUT"], "give the layout a column 'file' instead"),
        (["B02_w1DAPI", "B02_w2GFP"], [], "such as --channel w1DAPI. If these are not channels"),
        (["B02_w1", "B02_w2"], ["--channel", "7"], "Received: --channel 7."),
    ],
)
def test_messages_speak_of_options_only(names, options, message, plate, tmp_path, capsys):
    (tmp_path / "plate").mkdir()
    for name in names:
        Image.effect_noise((200, 200), 40).save(tmp_path / "plate" / f"{name}.tif")
    given = [str(plate / "layout.csv") if each == "LAYOUT" else each for each in options]
    command = ["detect", str(tmp_path / "plate"), "-o", str(tmp_path / "out"), "--quiet"]
    assert main([*command, *given]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert "pass well_pattern" not in line
    assert not re.search(r"channel=['\d]", line)


def test_results_of_other_settings_name_the_option(plate, tmp_path, capsys):
    (tmp_path / "detect.json").write_text('{"format": 0}', encoding="utf-8")
    assert main(["detect", str(plate / "fields"), "-o", str(tmp_path), "--quiet"]) == 1
    told = capsys.readouterr().err
    assert told.endswith("Choose another folder, or pass --overwrite to start again.\n")
    assert "=True" not in told


def test_a_folder_that_is_not_there(tmp_path, capsys):
    assert main(["detect", str(tmp_path / "none"), "-o", str(tmp_path / "out")]) == 1
    assert "none" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_an_interrupt_leaves_nothing_half_written(
    plate, tmp_path, start_interruptible, plain_environment
):
    many, out = tmp_path / "fields", tmp_path / "out"
    many.mkdir()
    pixels = np.array(Image.open(plate / "fields" / "B02_s1.png"))
    for i in range(12):
        pixels[0, 0] = i
        Image.fromarray(pixels).save(many / f"s{i}.png")
    command = [sys.executable, "-m", "nucrec", "detect", str(many), "-o", str(out)]
    process = start_interruptible(command)
    deadline = time.monotonic() + 1200
    while not list(out.glob("parts/*/cells.csv")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=1200)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert re.search(r"interrupted after \d+ of 12 fields; the same command continues", errors)
    assert not list(out.rglob("*.tmp*"))
    assert not (out / "report.html").exists()
    done = len(list(out.glob("parts/*")))
    assert 0 < done < 12
    options = {"capture_output": True, "text": True, "env": plain_environment}
    result = subprocess.run([*command, "--quiet"], check=False, **options)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert len(list((out / "overlays").iterdir())) == 12
