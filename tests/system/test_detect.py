"""An interrupt during a long detection, from outside."""

import signal
import sys
import time
from pathlib import Path

import numpy as np
import tifffile

from nucrec.fields import Cells, Detection, detect, load_fields

N_FIELDS = 16


class Slow:
    """A detector that takes its time."""

    fingerprint = "slow"

    def __init__(self, seconds=0.0):
        self.seconds = seconds

    def predict(self, field, *, pixel_size=None, nuclei=None):
        time.sleep(self.seconds)
        found = np.zeros(field.shape, np.int32)
        found[40:60, 40:60] = 1
        return Detection(found, found * 0, np.zeros(0), 22.0)


def run(plate: str, out: str) -> None:
    detect(load_fields(plate), Slow(seconds=0.3), out=out, write_labels=True, n_jobs=2)


def test_ctrl_c_leaves_whole_tables_and_the_next_call_goes_on(tmp_path, start_interruptible):
    plate, out = tmp_path / "plate", tmp_path / "out"
    plate.mkdir()
    for i in range(N_FIELDS):
        image = np.full((300, 400), 10 + i, np.uint16)
        image[40:60, 40:60] = 1000
        tifffile.imwrite(plate / f"f{i:02d}.tif", image)
    code = f"from tests.system.test_detect import run; run({str(plate)!r}, {str(out)!r})"
    process = start_interruptible([sys.executable, "-c", code])
    end = time.monotonic() + 1200
    while len(finished(out)) < 3 and time.monotonic() < end:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=1200)
    assert process.returncode != 0, told
    before = {path: path.stat().st_mtime_ns for path in finished(out)}
    assert 3 <= len(before) < N_FIELDS
    assert [path.name for path in out.rglob("*.tmp")] == []
    for path in finished(out):
        assert len(Cells.from_csv(path.parent)) == 1
    cells = detect(load_fields(plate), Slow(), out=out, write_labels=True)
    assert len(cells) == len(finished(out)) == N_FIELDS
    assert before.items() <= {path: path.stat().st_mtime_ns for path in finished(out)}.items()


def finished(out: Path) -> list[Path]:
    return list(out.glob("parts/*/stamp.txt"))
