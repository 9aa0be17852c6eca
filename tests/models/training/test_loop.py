"""The training loop: epochs, early stopping, interruption, progress."""

import gc
import signal

import numpy as np
import pytest
from tests.models.small import SIDE, convolution, noise, normalised, plainly

from nucrec.models import ImageClassifier, transfer

TRAIN, TEST = noise(64), noise(32, seed=1)


def small(**options) -> ImageClassifier:
    return plainly(convolution(), **{"learning_rate": 0.05, **options})


def test_a_history_has_a_value_of_each_metric_for_each_epoch():
    model = small(epochs=3).fit(TRAIN, validation=TEST)
    metrics = ["loss", "accuracy", "precision", "recall", "auc"]
    metrics += ["precision_macro", "recall_macro", "f1_macro"]
    assert set(model.history_) == {"stage", "epoch", *metrics, *(f"val_{m}" for m in metrics)}
    assert {len(column) for column in model.history_.values()} == {3}
    assert model.history_["epoch"] == [1, 2, 3]
    assert model.validation_proba_.shape == (3, 32, 3)
    np.testing.assert_allclose(model.validation_proba_[-1], model.predict_proba(TEST), atol=1e-5)
    accuracy = (model.validation_proba_.argmax(2) == TEST.labels).mean(1)
    assert model.history_["val_accuracy"] == pytest.approx(accuracy.tolist())
    assert not model.interrupted_


def test_without_validation_a_history_is_of_the_training_alone():
    model = small(epochs=1).fit(TRAIN)
    assert not [name for name in model.history_ if name.startswith("val_")]
    assert model.validation_proba_.size == 0


def test_early_stopping_takes_the_weights_with_the_smallest_loss():
    # nothing is to be learnt: the loss of other images rises before long
    model = small(epochs=40, early_stopping=3).fit(TRAIN, validation=TEST)
    losses = model.history_["val_loss"]
    assert len(losses) == int(np.argmin(losses)) + 4 < 40
    best = model.validation_proba_[int(np.argmin(losses))]
    np.testing.assert_allclose(model.predict_proba(TEST), best, atol=1e-5)
    assert np.abs(model.validation_proba_[-1] - best).max() > 1e-3


def test_early_stopping_is_about_the_last_stage():
    options = {"recipe": "default", "augment": None, "early_stopping": 2, "epochs": 5}
    model = plainly(normalised(), learning_rate=0.5, **options).fit(TRAIN, validation=TEST)
    stages = model.history_["stage"]
    assert stages[:20] == ["head"] * 20
    losses = model.history_["val_loss"][20:]
    assert len(losses) == min(int(np.argmin(losses)) + 3, 5)
    best = model.validation_proba_[20 + int(np.argmin(losses))]
    np.testing.assert_allclose(model.predict_proba(TEST), best, atol=1e-5)


def interrupt(done: int, total: int, what: str) -> None:
    if "epoch 6" in what:
        signal.raise_signal(signal.SIGINT)


@pytest.fixture
def ctrl_c():
    """Let an interrupt do what it does in a terminal."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_keeps_the_best_weights_so_far(ctrl_c):
    model = small(epochs=20, progress=interrupt)
    with pytest.warns(UserWarning, match="interrupted after 5 epochs; the best weights"):
        model.fit(TRAIN, validation=TEST)
    assert model.interrupted_
    best = int(np.argmin(model.history_["val_loss"]))
    assert len(model.history_["val_loss"]) == len(model.validation_proba_) == 5
    model.set_params(progress=False)
    np.testing.assert_allclose(model.predict_proba(TEST), model.validation_proba_[best], atol=1e-5)


def test_ctrl_c_without_validation_keeps_the_latest_weights(ctrl_c):
    model = small(epochs=20, progress=interrupt)
    with pytest.warns(UserWarning, match="interrupted after 5 epochs; the latest weights"):
        model.fit(TRAIN)
    assert model.interrupted_
    assert model.history_["epoch"] == [1, 2, 3, 4, 5]


def test_ctrl_c_before_there_is_anything_to_keep():
    def at_once(done: int, total: int, what: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        small(epochs=1, progress=at_once).fit(TRAIN)


def test_progress_counts_all_batches():
    seen = []
    small(epochs=2, progress=lambda *a: seen.append(a)).fit(TRAIN, TEST)
    assert [done for done, _, _ in seen] == [1, 2, 3, 4]
    assert {total for _, total, _ in seen} == {4}
    assert "all, epoch 2 of 2: training accuracy" in seen[-1][2]
    assert "validation" in seen[-1][2]


def test_progress_of_a_stage_states_no_accuracy_of_the_stage_before():
    seen = []
    network = transfer(convolution(), image_size=SIDE, epochs=2, random_state=0)
    network.set_params(progress=lambda *step: seen.append(step[2])).fit(TRAIN)
    first = [what for what in seen if what.startswith("finetune, epoch 1")]
    assert set(first) == {"finetune, epoch 1 of 2"}
    assert any(what.startswith("finetune, epoch 2 of 2: training accuracy") for what in seen)


@pytest.mark.parametrize("make", [plainly, transfer], ids=["paper", "default"])
def test_a_training_leaves_nothing_in_memory(make):
    backbone, objects = convolution(), []
    for _ in range(3):
        make(backbone, image_size=SIDE, epochs=1, random_state=0).fit(TRAIN)
        gc.collect()
        objects.append(len(gc.get_objects()))
    assert objects[2] - objects[1] < 100  # a compiled function and its graph are 2,000 or more
