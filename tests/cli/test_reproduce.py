"""The command `nucrec reproduce`."""

import json
import os
import pty
import re
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--tables", "9"], 2, "nucrec: --tables: expected"),
        (
            ["--tables", "1", "--weights", "no.h5"],
            2,
            "--weights: expected 'imagenet' unless Tables",
        ),
        (["--jobs", "0"], 2, "nucrec: --jobs: expected"),
        (["--data", "nowhere"], 1, "nucrec: --data: nowhere: there is no such file or folder"),
        (["--out", "/dev/null/x"], 1, "nucrec: cannot write to the folder"),
    ],
)
def test_mistakes_are_one_line_and_an_exit_code(run, arguments, code, message, tmp_path):
    result = run("reproduce", *arguments, cwd=tmp_path)
    assert result.returncode == code
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


def test_reproduce(run, images, tmp_path):
    options = ("--tables", 1, "--repeats", 1)
    result = run("reproduce", "--data", images, *options, "--out", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    assert "Table I: classical classifiers, plain images" in result.stdout
    assert "honest protocol" in result.stdout
    assert re.search(r"\[44/44\]", result.stderr)
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == ["card.md", "run.json", "table-1.csv", "table-1.md"]


def test_json_and_quiet(run, images, tmp_path):
    options = ("--tables", 1, "--protocol", "paper", "--json", "--quiet")
    result = run("reproduce", "--data", images, *options, "--out", tmp_path / "out")
    assert result.returncode == 0
    assert result.stderr == ""
    assert json.loads(result.stdout) == json.loads((tmp_path / "out" / "run.json").read_text())


def test_warnings_are_one_line_each(run, images, tmp_path):
    (images / "nucleus" / "broken.png").write_bytes(b"")
    options = ("--tables", 1, "--protocol", "paper", "--quiet")
    result = run("reproduce", "--data", images, *options, "--out", tmp_path / "out")
    assert result.returncode == 0
    (line,) = result.stderr.splitlines()
    assert line.startswith(
        "nucrec: warning: 1 file was left out (21 images listed): nucleus/broken"
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
    assert process.wait(600) == 0
    os.close(master)
    assert shown.count(b"\r[") == 12  # once before the first step, while processes start
    assert all(len(line) <= 79 for line in shown.decode().replace("\n", "").split("\r"))
