"""What the terminal cannot encode is escaped: names in Greek, and names that are not UTF-8."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nucrec.models import load

GREEK = "Zellen \N{GREEK SMALL LETTER MU}"
LATIN_1 = os.fsdecode(b"caf\xe9")


def run(encoding: str, *arguments: object, environment=os.environ) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "nucrec", *map(str, arguments), "--quiet"]
    environment = {**environment, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    return subprocess.run(command, capture_output=True, env=environment, timeout=1200, check=False)


@pytest.fixture
def plate(images, tmp_path) -> Path:
    """Images in folders with names that not every terminal shows."""
    (images / "nucleus").rename(images / GREEK)
    (images / "micronucleus").rename(images / LATIN_1)
    return images.rename(tmp_path / f"{GREEK} plate")


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("ascii", b"Zellen \\u03bc"), ("cp1252", b"Zellen \\u03bc"), ("utf-8", GREEK.encode())],
)
def test_predict(gnb_file, plate, tmp_path, encoding, shown):
    table = tmp_path / f"{GREEK}.csv"
    result = run(encoding, "predict", gnb_file, plate, "-o", table)
    (warning,) = result.stderr.splitlines()  # the pictures are noise
    assert b"20 of 20 images are unlike the training images" in warning
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    assert lines[1].startswith(shown)
    assert lines[2].startswith(b"caf\\udce9")
    assert lines[-1] == b"Written to " + bytes(tmp_path) + b"/" + shown + b".csv"
    assert len(table.read_bytes().splitlines()) == 21


def test_audit(plate, tmp_path):
    for name, other in ((GREEK, "again"), (LATIN_1, LATIN_1)):
        copy = plate / name / f"{other}.png"
        copy.write_bytes((plate / name / "0.png").read_bytes())
    pairs = tmp_path / "pairs.csv"
    result = run("ascii", "audit", plate, "-o", tmp_path / "pairs.png", "--csv", pairs)
    assert result.stderr == b""
    assert result.returncode == 0
    assert b"Zellen \\u03bc/0.png" in result.stdout
    assert b"caf\\udce9/caf\\udce9.png" in result.stdout
    assert b"caf\xe9/caf\xe9.png" in pairs.read_bytes()
    assert GREEK.encode() in pairs.read_bytes()


def test_a_folder_that_is_not_there(tmp_path):
    result = run("ascii", "audit", tmp_path / GREEK)
    assert result.returncode == 1
    assert result.stderr.endswith(b"Zellen \\u03bc: there is no such file or folder.\n")


def test_reproduce(plate, tmp_path):
    (plate / GREEK).rename(plate / f"nucleus {GREEK}")
    (plate / LATIN_1).rename(plate / "micronucleus")
    out = tmp_path / GREEK
    command = ["reproduce", "--data", plate, "--tables", "1", "--protocol", "paper", "--out", out]
    result = run("ascii", *command)
    assert result.returncode == 0, result.stderr
    assert b"\nWritten to " + bytes(tmp_path) + b"/Zellen \\u03bc, with" in result.stdout
    result = run("ascii", *command, "--json")
    assert result.returncode == 0, result.stderr
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert f"nucleus {GREEK}" in json.dumps(record, ensure_ascii=False)
    assert json.loads(result.stdout) == record


@pytest.mark.slow
def test_train(plate, tmp_path, plain_environment):
    model = tmp_path / f"{GREEK}.keras"
    small = ["--backbone", "cnn", "--image-size", "16", "--epochs", "1"]
    result = run("ascii", "train", plate, "-o", model, *small, environment=plain_environment)
    assert result.returncode == 0, result.stderr
    told = result.stderr.splitlines()  # nothing of TensorFlow
    assert all(line.startswith(b"nucrec: warning: ") for line in told)
    assert b"saved to " + bytes(tmp_path) + b"/Zellen \\u03bc.keras\n" in result.stdout
    assert b"Zellen \\u03bc" in result.stdout.partition(b"On held-out images")[2]
    assert set(load(model).class_names_) == {LATIN_1, GREEK}
