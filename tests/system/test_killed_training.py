"""Training that was killed goes on, and ends as if it had not been."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

TRAIN = """
import sys, numpy as np
from nucrec.datasets import load_mnfinder_crops, split
from nucrec.models import ImageClassifier
train, test = split(load_mnfinder_crops(), random_state=0)
options = dict(cnn=dict(backbone="cnn", image_size=16, epochs=6),
               transfer=dict(image_size=32, epochs=4))[sys.argv[1]]
show = lambda done, total, what: print(what, flush=True)
model = ImageClassifier(**options, random_state=0, progress=show)
model.fit(train[::2], validation=test[:32], checkpoint_dir=sys.argv[2])
np.savez(sys.argv[3], p=model.predict_proba(test), loss=model.history_["loss"],
         v=model.validation_proba_, e=model.history_["epoch"])
"""


def start(*arguments: object) -> subprocess.Popen:
    command = [sys.executable, "-c", TRAIN, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def finish(*arguments: object) -> dict[str, np.ndarray]:
    process = start(*arguments)
    output, _ = process.communicate(timeout=500)
    assert process.returncode == 0, output
    return dict(np.load(arguments[2]))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "moments"),
    [
        ("cnn", ["epoch 3 of 6"]),
        ("transfer", ["head, epoch 9", "finetune, epoch 3"]),
    ],
)
def test_killed_and_continued_is_the_same_as_not_killed(tmp_path, kind, moments):
    whole = finish(kind, tmp_path / "whole", tmp_path / "whole.npz")
    for moment in moments:
        with start(kind, tmp_path / "killed", tmp_path / "killed.npz") as process:
            for line in process.stdout:
                if moment in line:
                    os.kill(process.pid, signal.SIGKILL)
                    break
        assert process.returncode == -signal.SIGKILL
        assert [path.name for path in (tmp_path / "killed").iterdir() if path.suffix == ".npz"]
    continued = finish(kind, tmp_path / "killed", tmp_path / "killed.npz")
    assert continued["e"].tolist() == whole["e"].tolist()
    for key in ("loss", "v", "p"):
        np.testing.assert_allclose(continued[key], whole[key], atol=2e-5, rtol=1e-3)
