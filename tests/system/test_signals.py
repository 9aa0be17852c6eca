"""What is interrupted leaves no file half-written."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nucrec.models import load

NUCREC = (sys.executable, "-m", "nucrec")


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 1200
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert path.exists()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_reproduction_that_is_interrupted(tmp_path, start_interruptible, number):
    quick = ["--tables", "1,2", "--protocol", "paper"]  # the second takes long
    process = start_interruptible([*NUCREC, "reproduce", *quick, "--out", str(tmp_path)])
    wait_for(tmp_path / "table-1.md")
    time.sleep(1)
    process.send_signal(number)
    _, errors = process.communicate(timeout=1200)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert "interrupted" in errors
    assert sorted(path.name for path in tmp_path.iterdir()) == ["table-1.csv", "table-1.md"]
    assert len((tmp_path / "table-1.csv").read_text().splitlines()) == 12


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_training_that_is_interrupted(class_folder, crops, tmp_path, start_interruptible, number):
    out, state = tmp_path / "model.keras", tmp_path / "state"
    train = ["train", str(class_folder), "-o", str(out), "--checkpoint", str(state)]
    small = ["--backbone", "cnn", "--image-size", "16", "--epochs", "5000", "--test-size", "0.3"]
    process = start_interruptible([*NUCREC, *train, *small])
    wait_for(state / "training.npz")
    process.send_signal(number)
    _, errors = process.communicate(timeout=1200)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert "training was interrupted after" in errors
    assert load(out).predict(crops[:3]).shape == (3,)


@pytest.mark.slow
def test_a_hang_up_that_is_ignored_stays_ignored(class_folder, tmp_path, start_interruptible):
    out, state = tmp_path / "model.keras", tmp_path / "state"
    train = ["train", str(class_folder), "-o", str(out), "--checkpoint", str(state)]
    small = ["--backbone", "cnn", "--image-size", "16", "--epochs", "5000", "--test-size", "0"]
    process = start_interruptible(["nohup", *NUCREC, *train, *small])
    wait_for(state / "training.npz")
    process.send_signal(signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(2)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=1200)
    assert process.returncode == 130
    assert out.exists()
