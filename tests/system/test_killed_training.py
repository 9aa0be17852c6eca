"""Training that was killed goes on, and ends as if it had not been."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nucrec.datasets import load_mnfinder_crops, split
from nucrec.models import ImageClassifier

KINDS = {
    "cnn": {"backbone": "cnn", "image_size": 16, "epochs": 6},
    "transfer": {"image_size": 32, "epochs": 20},
}
CHILD = """
import sys
from tests.system.test_killed_training import train
train(sys.argv[1], sys.argv[2], lambda done, total, what: print(what, flush=True))
"""


def train(
    kind: str, checkpoints: Path | str, progress: Callable | bool = False
) -> tuple[ImageClassifier, np.ndarray]:
    """Return a trained network, and what it answers on images that it has not seen."""
    images, new = split(load_mnfinder_crops(), random_state=0)
    model = ImageClassifier(**KINDS[kind], random_state=0, progress=progress)
    model.fit(images[::2], validation=new[:32], checkpoint_dir=checkpoints)
    return model, model.predict_proba(new)


def start(kind: str, checkpoints: Path) -> subprocess.Popen:
    command = [sys.executable, "-c", CHILD, kind, str(checkpoints)]
    root = Path(__file__).parents[2]
    path = os.pathsep.join([str(root), *filter(None, sys.path)])
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "moments"),
    [
        ("cnn", ["epoch 3 of 6"]),
        ("transfer", ["head, epoch 9", "finetune, epoch 3"]),
    ],
)
def test_killed_and_continued_is_the_same_as_not_killed(tmp_path, kind, moments):
    whole, expected = train(kind, tmp_path / "whole")
    for moment in moments:
        with start(kind, tmp_path / "killed") as process:
            for line in process.stdout:
                if moment in line:
                    os.kill(process.pid, signal.SIGKILL)
                    break
        assert process.returncode == -signal.SIGKILL
        assert [path.name for path in (tmp_path / "killed").iterdir() if path.suffix == ".npz"]
    seen = []
    continued, found = train(kind, tmp_path / "killed", lambda *step: seen.append(step[2]))
    assert not [what for what in seen if what.endswith("epoch 1 of 6") or "head" in what]
    assert continued.history_["epoch"] == whole.history_["epoch"]
    pairs = [
        (continued.history_["loss"], whole.history_["loss"]),
        (continued.validation_proba_, whole.validation_proba_),
        (found, expected),
    ]
    for ours, theirs in pairs:
        np.testing.assert_allclose(ours, theirs, atol=2e-5, rtol=1e-3)
