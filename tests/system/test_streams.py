"""Standard streams that are closed or full: the work is done, and no traceback is shown."""

import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = {
    "reproduce": "reproduce --tables 1 --protocol paper --out out",
    "predict": "predict gnb.skops cells -o out.csv",
    "audit": "audit cells --csv out.csv",
}
NAMES = [pytest.param("reproduce", marks=pytest.mark.slow), "predict", "audit"]


def run(name: str, redirection: str, gnb_file: Path, class_folder: Path):
    """Run a command by a shell that redirects its streams."""
    command = COMMANDS[name].replace("gnb.skops", str(gnb_file))
    command += f" --data {class_folder}" if name == "reproduce" else ""
    return subprocess.run(
        ["sh", "-c", f'"$0" -m nucrec {command} {redirection}', sys.executable],
        cwd=class_folder.parent,
        capture_output=True,
        text=True,
        timeout=1200,
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("redirection", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams(name, redirection, gnb_file, class_folder):
    result = run(name, redirection, gnb_file, class_folder)
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr
    assert (redirection == ">&-") == ("[" in result.stderr)
    assert bool(result.stdout) == (redirection == "2>&-")
    assert {"out", "out.csv"} & {path.name for path in class_folder.parent.iterdir()}


@pytest.mark.skipif("not __import__('os').path.exists('/dev/full')", reason="needs /dev/full")
@pytest.mark.parametrize("name", NAMES)
def test_standard_output_on_a_full_disk(name, gnb_file, class_folder):
    result = run(name, "> /dev/full", gnb_file, class_folder)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert (
        result.stderr.splitlines()[-1]
        == "nucrec: cannot continue: [Errno 28] No space left on device"
    )
