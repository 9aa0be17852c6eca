"""The command line, as a user runs it."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import nucrec
from nucrec.__main__ import main


def run(*arguments: object, **options) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "nucrec", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **options)


@pytest.fixture
def images(tmp_path) -> Path:
    rng = np.random.default_rng(0)
    for k, name in enumerate(("nucleus", "micronucleus")):
        (tmp_path / "cells" / name).mkdir(parents=True)
        for i in range(10):
            values = rng.integers(0, 60, (12, 12)) + 150 * k
            Image.fromarray(values.astype(np.uint8)).save(tmp_path / "cells" / name / f"{i}.png")
    return tmp_path / "cells"


def test_version_is_the_one_version(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"nucrec {nucrec.__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["reproduce", "--help"],
        ["train", "--help"],
        ["predict", "--help"],
        ["audit", "--help"],
    ],
)
def test_help(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert "nucrec" in text
    if arguments[0] == "train":
        for option in ("--out", "--backbone", "--weights", "--test-size", "--checkpoint"):
            assert option in text
    if arguments[0] == "predict":
        for option in ("MODEL", "--scheduler", "--shard-size", "dask worker"):
            assert option in text
    if arguments[0] == "reproduce":
        for option in ("--tables", "--protocol", "--preset", "--data", "--out", "--json", "--seed"):
            assert option in text


def test_help_needs_no_heavy_library():
    code = (
        "import sys\nfrom nucrec.__main__ import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "sys.exit(bool({'numpy', 'sklearn', 'tensorflow', 'PIL'} & set(sys.modules)))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode
        == 0
    )


@pytest.mark.parametrize(
    "arguments", [[], ["repro"], ["reproduce", "--protocol", "x"], ["reproduce", "--seed", "x"]]
)
def test_usage_errors(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: nucrec" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--tables", "9"], 2, "nucrec: tables: expected"),
        (["--jobs", "0"], 2, "nucrec: n_jobs: expected"),
        (["--data", "nowhere"], 1, "nucrec: nowhere: there is no such folder or file"),
        (["--out", "/dev/null/x"], 1, "nucrec: cannot write to the folder"),
    ],
)
def test_mistakes_are_one_line_and_an_exit_code(arguments, code, message, tmp_path):
    result = run("reproduce", *arguments, cwd=tmp_path)
    assert result.returncode == code
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


def test_reproduce(images, tmp_path):
    options = ("--tables", 1, "--repeats", 1)
    result = run("reproduce", "--data", images, *options, "--out", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    assert "Table I: classical classifiers, plain images" in result.stdout
    assert "honest protocol" in result.stdout
    assert re.search(r"\[44/44\]", result.stderr)
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == ["card.md", "run.json", "table-1.csv", "table-1.md"]


def test_json_and_quiet(images, tmp_path):
    options = ("--tables", 1, "--protocol", "paper", "--json", "--quiet")
    result = run("reproduce", "--data", images, *options, "--out", tmp_path / "out")
    assert result.returncode == 0
    assert result.stderr == ""
    assert json.loads(result.stdout) == json.loads((tmp_path / "out" / "run.json").read_text())


def test_warnings_are_one_line_each(images, tmp_path):
    (images / "nucleus" / "broken.png").write_bytes(b"")
    options = ("--tables", 1, "--protocol", "paper", "--quiet")
    result = run("reproduce", "--data", images, *options, "--out", tmp_path / "out")
    assert result.returncode == 0
    (line,) = result.stderr.splitlines()
    assert line.startswith(
        "nucrec: warning: 1 files were left out (21 images listed): nucleus/broken"
    )
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["data"]["quarantined"][0]["name"] == "nucleus/broken.png"


def test_output_may_be_cut_off_by_a_pipe(images, tmp_path):
    options = "--tables 1 --protocol paper --quiet"
    command = f"{sys.executable} -m nucrec reproduce --data {images} {options} | head -1"
    result = subprocess.run(
        command, shell=True, capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert result.stdout == "Table I: classical classifiers, plain images\n"
    assert result.stderr == ""


def test_progress_is_redrawn_on_a_terminal(images, tmp_path):
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "nucrec", "reproduce", "--data", str(images), "--tables", "1",
               "--protocol", "paper", "--out", str(tmp_path / "out")]  # fmt: skip
    process = subprocess.Popen(command, stderr=slave, stdout=subprocess.DEVNULL)
    os.close(slave)
    shown = b""
    while True:
        try:
            block = os.read(master, 4096)
        except OSError:
            break
        if not block:
            break
        shown += block
    assert process.wait(60) == 0
    os.close(master)
    assert shown.count(b"\r[") == 11
    assert all(len(line) <= 79 for line in shown.decode().replace("\n", "").split("\r"))


@pytest.mark.slow
def test_interrupt(tmp_path, start_interruptible):
    command = [sys.executable, "-m", "nucrec", "reproduce", "--out", str(tmp_path)]
    process = start_interruptible(command)
    deadline = time.monotonic() + 120
    while not (tmp_path / "table-1.md").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert "interrupted" in errors
    assert sorted(path.name for path in tmp_path.iterdir()) == ["table-1.csv", "table-1.md"]
    assert len((tmp_path / "table-1.csv").read_text().splitlines()) == 12


def train(images: Path, out: Path, *more: object) -> subprocess.CompletedProcess:
    options = ("--backbone", "cnn", "--image-size", 16, "--epochs", 2)
    return run("train", images, "-o", out, *options, *more)


def own_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(("nucrec:", "["))]


@pytest.mark.slow
def test_train_and_predict(images, tmp_path):
    trained = train(images, tmp_path / "model.keras", "--test-size", 0.5)
    assert trained.returncode == 0, trained.stderr
    assert "10 images" in trained.stdout
    assert "Confusion matrix" in trained.stdout
    error = re.search(r"Calibration error (0\.\d\d) \((0\.\d\d) to (0\.\d\d)\)", trained.stdout)
    value, low, high = map(float, error.groups())
    assert low <= high
    assert value < 1
    assert "epoch 2 of 2" in trained.stderr
    out = tmp_path / "out.csv"
    found = run("predict", tmp_path / "model.keras", images, "-o", out)
    assert found.returncode == 0, found.stderr
    assert re.search(r"all +20 ", found.stdout)
    assert "[20/20]" in found.stderr
    lines = out.read_text().splitlines()
    assert lines[0] == "file,predicted,probability_nucleus,probability_micronucleus,error"
    assert len(lines) == 21
    quiet = run("predict", tmp_path / "model.keras", images, "-o", out, "--json", "--quiet")
    assert json.loads(quiet.stdout)["total"]["n"] == 20
    assert own_lines(quiet.stderr) == []


@pytest.mark.slow
def test_train_on_all_and_with_a_checkpoint(images, tmp_path):
    options = ("--test-size", 0, "--json", "--quiet", "--checkpoint", tmp_path / "state")
    result = train(images, tmp_path / "model.keras", *options)
    expected = {"model": str(tmp_path / "model.keras"), "report": None, "calibration_error": None}
    assert json.loads(result.stdout) == expected
    assert (tmp_path / "state" / "training.npz").exists()


@pytest.mark.slow
def test_train_can_be_interrupted(images, tmp_path, start_interruptible):
    out = tmp_path / "model.keras"
    command = [sys.executable, "-m", "nucrec", "train", str(images), "-o", str(out), "--backbone"]
    command += [
        "cnn",
        "--image-size",
        "16",
        "--epochs",
        "5000",
        "--checkpoint",
        str(tmp_path / "c"),
    ]
    process = start_interruptible(command)
    deadline = time.monotonic() + 200
    while not (tmp_path / "c" / "training.npz").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=100)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert "training was interrupted after" in errors
    assert run("predict", out, images, "-o", tmp_path / "out.csv").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["train", "cells", "-o", "model.h5"], 2, "expected a name that ends in .keras"),
        (["train", "cells", "-o", "nowhere/model.keras"], 2, "there is no folder nowhere"),
        (["train", "nowhere", "-o", "model.keras"], 1, "nucrec: nowhere: there is no such folder"),
        (["predict", "nothing.keras", "cells", "-o", "out.csv"], 1, "there is no such file"),
        (
            ["predict", "m.keras", "cells", "-o", "out", "--shard-size", "0"],
            2,
            "shard_size: expected",
        ),
    ],
)
def test_mistakes_in_training_and_predicting(arguments, code, message, tmp_path):
    result = run(*arguments, cwd=tmp_path)
    assert result.returncode == code
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.iterdir())
