"""Training that was stopped goes on, and ends as if it had not been; no other is gone on with."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.models.small import convolution, noise, plainly

from nucrec.augment import Flip, Pipeline
from nucrec.errors import InvalidParameterError, ModelFileError
from nucrec.models import ImageClassifier, transfer

TRAIN, HELD_OUT = noise(40), noise(20, seed=1)


class StoppedError(Exception):
    """Raised from within a training."""


def small(**options) -> ImageClassifier:
    return plainly(convolution(), **{"epochs": 3, "learning_rate": 0.01, **options})


def fit(model: ImageClassifier, folder: Path) -> ImageClassifier:
    return model.fit(TRAIN, validation=HELD_OUT, checkpoint_dir=folder)


def told(model: ImageClassifier) -> list[str]:
    """Return what a model's progress will say."""
    seen = []
    model.set_params(progress=lambda done, total, what: seen.append(what))
    return seen


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> tuple[ImageClassifier, Path]:
    folder = tmp_path_factory.mktemp("finished")
    return fit(small(), folder), folder


@pytest.fixture
def folder(finished, tmp_path) -> Path:
    """A folder with the checkpoint of the finished training, to be changed."""
    content = (finished[1] / "training.npz").read_bytes()
    (tmp_path / "training.npz").write_bytes(content)
    return tmp_path


def stopped(model: ImageClassifier, folder: Path, moment: str) -> None:
    """Train until the progress says something."""

    def show(done: int, total: int, what: str) -> None:
        if moment in what:
            raise StoppedError

    with pytest.raises(StoppedError):
        fit(model.set_params(progress=show), folder)
    model.set_params(progress=False)


TWO_STAGES = {"recipe": "default", "early_stopping": 9, "augment": Pipeline([Flip()])}


@pytest.fixture(scope="module")
def whole() -> ImageClassifier:
    """A training of two stages that was never stopped."""
    return small(**TWO_STAGES).fit(TRAIN, validation=HELD_OUT)


@pytest.mark.parametrize("moment", ["head, epoch 9", "finetune, epoch 1", "finetune, epoch 3"])
def test_a_training_of_two_stages_goes_on_where_it_was(whole, tmp_path, moment):
    model = small(**TWO_STAGES)
    stopped(model, tmp_path, moment)
    seen = told(model)
    fit(model, tmp_path)
    assert moment in next(what for what in seen if "epoch" in what)
    assert model.history_.keys() == whole.history_.keys()
    for name in whole.history_.keys() - {"stage"}:
        np.testing.assert_allclose(model.history_[name], whole.history_[name], atol=1e-4)
    assert model.history_["stage"] == whole.history_["stage"] == ["head"] * 20 + ["finetune"] * 3
    np.testing.assert_allclose(model.validation_proba_, whole.validation_proba_, atol=1e-4)
    found, expected = model.predict_proba(HELD_OUT), whole.predict_proba(HELD_OUT)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_finished_training_is_not_run_again(finished):
    model, folder = finished
    again = small()
    seen = told(again)
    fit(again, folder)
    assert not [what for what in seen if "epoch" in what]
    assert again.history_ == model.history_
    np.testing.assert_array_equal(again.predict_proba(TRAIN), model.predict_proba(TRAIN))
    np.testing.assert_array_equal(again.validation_proba_, model.validation_proba_)


@pytest.mark.parametrize("other", ["seed", "images", "validation", "parameter", "weights"])
def test_the_checkpoint_of_another_training_is_refused(finished, other):
    _, folder = finished
    model = small(random_state=1 if other == "seed" else 0)
    train = TRAIN[1:] if other == "images" else TRAIN
    held_out = HELD_OUT[1:] if other == "validation" else HELD_OUT
    if other == "parameter":
        model.set_params(batch_size=16)
    if other == "weights":
        kernel, *rest = model.backbone.get_weights()
        model.backbone.set_weights([kernel + 1e-3, *rest])
    before = (folder / "training.npz").read_bytes()
    with pytest.raises(InvalidParameterError, match="checkpoint_dir: .* of a training with other"):
        model.fit(train, validation=held_out, checkpoint_dir=folder)
    assert (folder / "training.npz").read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"nothing", "cut"])
def test_a_damaged_checkpoint_is_an_error(folder, content):
    path = folder / "training.npz"
    path.write_bytes(path.read_bytes()[:-100] if content == "cut" else content)
    with pytest.raises(ModelFileError, match="cannot be read"):
        fit(small(), folder)


def test_a_seed_is_needed_to_go_on(tmp_path):
    with pytest.raises(InvalidParameterError, match="random_state: expected a seed"):
        transfer().fit(TRAIN, checkpoint_dir=tmp_path)


@pytest.mark.parametrize(
    "about",
    [{}, [], {"counts": 3}, {"counts": {"network": "x"}}, "[" * 100_000],
    ids=["nothing", "list", "number", "text", "deep"],
)
def test_a_checkpoint_that_says_something_else_is_an_error(tmp_path, about):
    text = about if isinstance(about, str) else json.dumps(about)
    np.savez(tmp_path / "training.npz", about=np.frombuffer(text.encode(), np.uint8))
    with pytest.raises(ModelFileError, match="cannot be read .* delete it to start again"):
        fit(small(), tmp_path)


def forge(folder: Path, change) -> None:
    """Change what a checkpoint says and holds; that it is of this training remains as it is."""
    path = folder / "training.npz"
    with np.load(path) as content:
        arrays = dict(content)
    about = json.loads(arrays.pop("about").tobytes())
    change(about, arrays)
    text = np.frombuffer(json.dumps(about).encode(), np.uint8)
    np.savez(path, about=text, **arrays)


@pytest.mark.parametrize(
    "change",
    [
        lambda about, arrays: about.update(stage=1),
        lambda about, arrays: about.update(stage=-1),
        lambda about, arrays: about.update(stage="0"),
        lambda about, arrays: about.update(epoch=2),
        lambda about, arrays: about.update(epoch=0, rows=[]),
        lambda about, arrays: about.update(epoch=10**12),
        lambda about, arrays: about.update(epoch=[]),
        lambda about, arrays: about.update(rows={}),
        lambda about, arrays: about.update(rows=[3, 4, 5]),
        lambda about, arrays: about["rows"][1].pop("loss"),
        lambda about, arrays: about["rows"][0].update(loss="low"),
        lambda about, arrays: about["rows"][0].update(stage="head"),
        lambda about, arrays: about.update(best_loss="low"),
        lambda about, arrays: about.update(trial=[float("inf"), 0, 0, 0, 0]),
        lambda about, arrays: about["counts"].update(network=1),
        lambda about, arrays: about["counts"].update(optimizer=1),
        lambda about, arrays: about["counts"].update(best=1),
        lambda about, arrays: about["counts"].update(validation=1),
        lambda about, arrays: arrays.update(network0=arrays["network0"][1:]),
        lambda about, arrays: arrays.update(network1=np.full(4, "x")),
        lambda about, arrays: arrays.update(best0=np.zeros((2, 2))),
        lambda about, arrays: arrays.update(validation0=np.zeros((5, 3))),
    ],
)
def test_a_forged_checkpoint_is_one_clear_error(folder, change):
    forge(folder, change)
    before = (folder / "training.npz").read_bytes()
    with pytest.raises(ModelFileError, match="cannot be read .* delete it to start again"):
        fit(small(), folder)
    assert (folder / "training.npz").read_bytes() == before


def test_an_optimizer_of_other_shapes_is_an_error(tmp_path):
    model = small()
    stopped(model, tmp_path, "epoch 3")
    forge(tmp_path, lambda about, arrays: arrays.update(optimizer2=np.zeros(1)))
    with pytest.raises(ModelFileError, match="cannot be read .* delete it to start again"):
        fit(model, tmp_path)
