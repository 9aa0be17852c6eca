"""Training that was killed goes on, and ends as if it had not been."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from nucrec.errors import InvalidParameterError, ModelFileError
from nucrec.models import cnn, transfer
from nucrec.models._training.checkpoint import Checkpoint

TRAIN = """
import sys, numpy as np
from nucrec.datasets import load_mnfinder_crops, split
from nucrec.models import ImageClassifier
train, test = split(load_mnfinder_crops(), random_state=0)
options = dict(cnn=dict(backbone="cnn", image_size=24, epochs=6),
               transfer=dict(image_size=32, epochs=4))[sys.argv[1]]
show = lambda done, total, what: print(what, flush=True)
model = ImageClassifier(**options, random_state=0, progress=show)
model.fit(train[:96], validation=test[:32], checkpoint_dir=sys.argv[2])
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


@pytest.fixture
def finished(crops, tmp_path):
    model = cnn(image_size=16, epochs=2, random_state=0)
    return model.fit(crops[::5], validation=crops[1::9], checkpoint_dir=tmp_path)


def test_a_finished_training_is_not_run_again(finished, crops, tmp_path):
    seen = []
    again = cnn(image_size=16, epochs=2, random_state=0, progress=lambda *a: seen.append(a))
    again.fit(crops[::5], validation=crops[1::9], checkpoint_dir=tmp_path)
    assert not [what for _, _, what in seen if "epoch" in what]
    assert again.history_ == finished.history_
    np.testing.assert_array_equal(again.predict_proba(crops), finished.predict_proba(crops))


@pytest.mark.parametrize("other", ["seed", "images", "parameter"])
def test_the_checkpoint_of_another_training_is_refused(finished, crops, tmp_path, other):
    model = cnn(image_size=16, epochs=2, random_state=1 if other == "seed" else 0)
    images = crops[1::5] if other == "images" else crops[::5]
    if other == "parameter":
        model.set_params(batch_size=16)
    before = (tmp_path / "training.npz").read_bytes()
    with pytest.raises(InvalidParameterError, match="checkpoint_dir: .* of a training with other"):
        model.fit(images, validation=crops[1::9], checkpoint_dir=tmp_path)
    assert (tmp_path / "training.npz").read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"nothing", "cut"])
def test_a_damaged_checkpoint_is_an_error(finished, crops, tmp_path, content):
    path = tmp_path / "training.npz"
    path.write_bytes(path.read_bytes()[:-100] if content == "cut" else content)
    with pytest.raises(ModelFileError, match="cannot be read"):
        cnn(image_size=16, epochs=2, random_state=0).fit(
            crops[::5], validation=crops[1::9], checkpoint_dir=tmp_path
        )


def test_a_seed_is_needed_to_go_on(crops, tmp_path):
    with pytest.raises(InvalidParameterError, match="random_state: expected a seed"):
        transfer().fit(crops, checkpoint_dir=tmp_path)


@pytest.mark.parametrize("about", [{}, [], {"counts": 3}, {"counts": {"network": "x"}}], ids=repr)
def test_a_checkpoint_that_says_something_else_is_an_error(tmp_path, about):
    text = np.frombuffer(json.dumps(about).encode(), np.uint8)
    np.savez(tmp_path / "training.npz", about=text)
    with pytest.raises(ModelFileError, match="cannot be read .* delete it to start again"):
        Checkpoint(tmp_path, "key").read()
