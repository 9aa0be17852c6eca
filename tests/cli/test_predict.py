"""`nucrec predict`: a table, a page, shards, and what needs review."""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nucrec.__main__ import main
from nucrec.models import cnn


@pytest.fixture(scope="module")
def calibrated(crops, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("network") / "model.keras"
    cnn(image_size=16, epochs=2, random_state=0).fit(crops[::3]).calibrate(crops[1::3]).save(path)
    return path


@pytest.fixture
def plate(crops, tmp_path) -> Path:
    """A folder of 20 cells."""
    (tmp_path / "plate").mkdir()
    for i in range(20):
        Image.fromarray(crops.images[2 + 15 * i]).save(tmp_path / "plate" / f"{i:02d}.png")
    return tmp_path / "plate"


def test_a_table_and_a_page(gnb_file, plate, tmp_path, capsys):
    table, page = tmp_path / "out.csv", tmp_path / "page.html"
    predict = ["predict", str(gnb_file), str(plate), "-o", str(table), "--quiet"]
    assert main([*predict, "--html", str(page), "--html-images", "3"]) == 0
    assert f"Written to {table} and {page}" in capsys.readouterr().out
    assert page.read_text(encoding="utf-8").count("<img") == 1 + 3
    assert main([*predict, "--html", str(page), "--shard-size", "8"]) == 2
    assert "--html needs a single table" in capsys.readouterr().err
    assert main([*predict, "--html", str(tmp_path / "page.pdf")]) == 2
    assert "html: expected a name that ends in .html" in capsys.readouterr().err


def test_a_channel_is_a_number_or_a_name(gnb_file, plate, tmp_path, capsys):
    for path in plate.glob("*.png"):
        with Image.open(path) as image:
            merged = Image.merge("RGB", [image, image.transpose(Image.Transpose.ROTATE_90), image])
        merged.save(path)
    told = []
    for channel in ("0", "red", "1"):
        out = tmp_path / f"{channel}.csv"
        command = ["predict", str(gnb_file), str(plate), "-o", str(out), "--quiet"]
        assert main([*command, "--channel", channel]) == 0
        told.append(out.read_text(encoding="utf-8"))
    assert told[0] == told[1] != told[2]
    capsys.readouterr()


def test_shards(gnb_file, plate, tmp_path, capsys):
    predict = ["predict", str(gnb_file), str(plate), "-o"]
    assert main([*predict, str(tmp_path / "one.csv"), "--quiet"]) == 0
    whole = capsys.readouterr().out
    assert main([*predict, str(tmp_path / "parts"), "--shard-size", "8"]) == 0
    told = capsys.readouterr()
    assert told.out == whole.replace("one.csv", "parts")
    assert "[20/20]" in told.err
    tables = sorted((tmp_path / "parts").glob("part-*.csv"))
    assert [len(table.read_text().splitlines()) for table in tables] == [9, 9, 5]
    assert main([*predict, str(tmp_path / "parts"), "--shard-size", "9", "--quiet"]) == 1
    assert "another call, which differs in: --shard-size" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--error-rate", "--ask-below"])
def test_images_that_need_review_are_marked(calibrated, plate, tmp_path, capsys, option):
    table = tmp_path / "out.csv"
    command = ["predict", str(calibrated), str(plate), "-o", str(table), "--quiet"]
    assert main([*command, option, "0.05"]) == 0
    told = capsys.readouterr()
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    marked = [row["needs_review"] for row in rows]
    assert set(marked) <= {"yes", ""}
    lines = told.out.splitlines()
    assert lines[0].split()[-2:] == ["needs", "review"]
    assert lines[-3].split()[-1] == str(marked.count("yes"))
    warning = "nucrec: warning: --ask-below is now called --error-rate; the old name works in"
    former = option == "--ask-below"
    assert [line.startswith(warning) for line in told.err.splitlines()] == [True] * former
    assert main([*command, option, "0.05", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["total"]["needs_review"] == marked.count("yes")
    assert main(command) == 0
    assert "needs_review" not in table.read_text(encoding="utf-8").splitlines()[0]


@pytest.mark.filterwarnings("always::nucrec.errors.DataWarning")
def test_images_unlike_the_training_images_are_said_once(calibrated, images, tmp_path, capsys):
    command = ["predict", str(calibrated), str(images), "-o", str(tmp_path / "out.csv"), "--quiet"]
    assert main(command) == 0
    told = capsys.readouterr()
    assert "20 of 20 images are unlike the training images: " in told.out
    (warning,) = told.err.splitlines()
    assert warning.startswith("nucrec: warning: 20 of 20 images are unlike the training images: ")
    assert "size 20" in warning


def test_the_former_name_is_not_shown_and_not_both_at_once(calibrated, images, capsys):
    with pytest.raises(SystemExit):
        main(["predict", "--help"])
    told = capsys.readouterr().out
    assert "--error-rate RATE" in told
    assert "--ask-below" not in told
    both = ["--error-rate", "0.1", "--ask-below", "0.1"]
    with pytest.raises(SystemExit) as caught:
        main(["predict", str(calibrated), str(images), "-o", "out.csv", *both])
    assert caught.value.code == 2


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nothing.keras", "cells", "-o", "out.csv"], 1, "there is no such file"),
        (
            ["m.keras", "cells", "-o", "out", "--shard-size", "x"],
            2,
            "--shard-size: expected a whole number",
        ),
    ],
)
def test_mistakes(run, arguments, code, message, tmp_path):
    result = run("predict", *arguments, cwd=tmp_path)
    assert result.returncode == code
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("backend", ["torch", "theano"])
def test_keras_with_another_backend_is_one_line(run, backend, images, tmp_path):
    model = Path(__file__).parents[1] / "data" / "saved-by-0.1.0" / "network.keras"
    environment = {**os.environ, "KERAS_BACKEND": backend}
    result = run("predict", model, images, "-o", tmp_path / "out.csv", env=environment)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    last = result.stderr.splitlines()[-1]
    assert last.startswith("nucrec: networks need Keras with TensorFlow, but ")
    assert "KERAS_BACKEND=tensorflow" in last
    assert not (tmp_path / "out.csv").exists()


def test_composites_are_told_with_the_option(run, gnb_file, crops, tmp_path):
    (tmp_path / "colour").mkdir()
    for k in range(3):
        grey = np.asarray(crops.images[k])
        mixed = np.stack([grey, grey[::-1], grey // 2], axis=2)
        Image.fromarray(mixed).save(tmp_path / "colour" / f"{k}.png")
    result = run("predict", gnb_file, tmp_path / "colour", "-o", tmp_path / "o.csv")
    assert "such as --channel blue" in result.stdout
    assert "channel='" not in result.stdout
