"""The command `nucrec train`."""

import json
import re

import pytest

SMALL = ("--backbone", "cnn", "--image-size", 16, "--epochs", 2)


@pytest.mark.slow
def test_train_and_predict(run, images, tmp_path):
    model = tmp_path / "model.keras"
    trained = run("train", images, "-o", model, *SMALL, "--test-size", 0.5)
    assert trained.returncode == 0, trained.stderr
    assert "10 images" in trained.stdout
    assert "Confusion matrix" in trained.stdout
    error = re.search(
        r"Calibration error (0\.\d\d) \((0\.\d\d) to (0\.\d\d); 0\.\d\d by chance\)", trained.stdout
    )
    value, low, high = map(float, error.groups())
    assert low <= high
    assert value < 1
    assert "epoch 2 of 2" in trained.stderr
    out = tmp_path / "out.csv"
    found = run("predict", model, images, "-o", out)
    assert found.returncode == 0, found.stderr
    assert re.search(r"all +20 ", found.stdout)
    assert "[20/20]" in found.stderr
    lines = out.read_text().splitlines()
    assert lines[0] == "file,predicted,probability_nucleus,probability_micronucleus,unusual,error"
    assert len(lines) == 21
    quiet = run("predict", model, images, "-o", out, "--json", "--quiet")
    assert json.loads(quiet.stdout)["total"]["n"] == 20
    assert not [line for line in quiet.stderr.splitlines() if line.startswith(("nucrec:", "["))]


@pytest.mark.slow
def test_train_on_all_and_with_a_checkpoint(run, images, tmp_path):
    options = ("--test-size", 0, "--json", "--quiet", "--checkpoint", tmp_path / "state")
    result = run("train", images, "-o", tmp_path / "model.keras", *SMALL, *options)
    expected = {"model": str(tmp_path / "model.keras"), "report": None, "calibration_error": None}
    assert json.loads(result.stdout) == expected
    assert (tmp_path / "state" / "training.npz").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["cells", "-o", "model.h5"], 2, "expected a name that ends in .keras"),
        (["cells", "-o", "nowhere/model.keras"], 2, "there is no folder nowhere"),
        (
            ["nowhere", "-o", "model.keras"],
            1,
            "nucrec: LABELLED: nowhere: there is no such file or folder",
        ),
    ],
)
def test_mistakes(run, arguments, code, message, tmp_path):
    result = run("train", *arguments, cwd=tmp_path)
    assert result.returncode == code
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.iterdir())
