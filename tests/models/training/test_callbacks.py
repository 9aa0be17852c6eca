"""Keras callbacks of the user's own: called as Keras calls them, in the last stage of the training."""

import csv

import keras
import numpy as np
import pytest
from sklearn.base import clone
from tests.models.small import SIDE, Beginning, convolution, noise, plainly, trained_by_keras

from nucrec.errors import InvalidParameterError
from nucrec.models import ImageClassifier, cnn, load, transfer

TRAIN, TEST = noise(40), noise(20, seed=1)
PLAIN = {"epochs": 3, "batch_size": 16, "learning_rate": 0.01}


def fit(*callbacks: keras.callbacks.Callback, **options) -> ImageClassifier:
    model = plainly(convolution(), callbacks=callbacks, **{**PLAIN, **options})
    return model.fit(TRAIN, validation=TEST)


class Recorder(keras.callbacks.Callback):
    """Keeps what it is told, in order; (method, number) of each call, and the logs of epochs."""

    def __init__(self):
        super().__init__()
        self.calls, self.logs, self.last_batch = [], [], {}

    def set_params(self, params):
        super().set_params(params)
        self.calls.append(("set_params", params["epochs"], params["steps"]))

    def on_train_begin(self, logs=None):
        self.calls.append(("train begins",))

    def on_epoch_begin(self, epoch, logs=None):
        self.calls.append(("epoch begins", epoch))

    def on_train_batch_begin(self, batch, logs=None):
        self.calls.append(("batch begins", batch))

    def on_train_batch_end(self, batch, logs=None):
        self.calls.append(("batch ends", batch))
        self.last_batch = dict(logs)

    def on_epoch_end(self, epoch, logs=None):
        self.calls.append(("epoch ends", epoch))
        self.logs.append(dict(logs))

    def on_train_end(self, logs=None):
        self.calls.append(("train ends",))
        self.end = dict(logs)


@pytest.fixture(scope="module")
def recorded() -> tuple[ImageClassifier, Recorder]:
    recorder = Recorder()
    return fit(recorder), recorder


def called_by_keras(recorder: Recorder) -> list[tuple]:
    """Return the calls of a callback in a training by Keras alone, of as many batches and epochs."""
    network = keras.Sequential([keras.Input((SIDE, SIDE, 1)), keras.layers.Flatten()])
    network.add(keras.layers.Dense(3, activation="softmax"))
    network.compile("sgd", "sparse_categorical_crossentropy")
    pixels = TRAIN.to_array(SIDE, 1)
    network.fit(pixels, TRAIN.labels, 16, epochs=3, verbose=0, callbacks=[recorder])
    return recorder.calls


def test_they_are_called_in_the_order_of_keras(recorded):
    assert recorded[1].calls == called_by_keras(Recorder())


def test_they_may_end_the_training_within_an_epoch_as_in_keras():
    class StopInside(Recorder):
        def on_train_batch_end(self, batch, logs=None):
            super().on_train_batch_end(batch, logs)
            if self.calls.count(("batch ends", 1)) == 2:
                self.model.stop_training = True

    recorder = StopInside()
    model = fit(recorder)
    assert recorder.calls == called_by_keras(StopInside())
    assert recorder.calls[-3:] == [("batch ends", 1), ("epoch ends", 1), ("train ends",)]
    assert model.history_["epoch"] == [1, 2]


def test_their_logs_are_the_history(recorded):
    model, recorder = recorded
    assert {name: [row[name] for row in recorder.logs] for name in recorder.logs[0]} == {
        name: column for name, column in model.history_.items() if name not in ("stage", "epoch")
    }
    assert recorder.end == recorder.logs[-1]
    # after the last batch, the metrics are those of the epoch
    assert recorder.last_batch == pytest.approx(
        {name: recorder.logs[-1][name] for name in recorder.last_batch}
    )
    assert {"loss", "accuracy"} <= set(recorder.last_batch)


def test_they_see_the_last_stage_alone_as_one_training_of_the_whole_network():
    recorder, beginning = Recorder(), Beginning()
    model = fit(recorder, beginning, recipe="default", augment=None, epochs=2)
    assert model.history_["stage"] == ["head"] * 20 + ["finetune"] * 2
    assert recorder.params["epochs"] == 2
    assert [call for call in recorder.calls if call[0] == "epoch ends"] == [
        ("epoch ends", 0),
        ("epoch ends", 1),
    ]
    assert recorder.calls.count(("train begins",)) == 1
    assert [log["val_loss"] for log in recorder.logs] == model.history_["val_loss"][20:]
    assert recorder.model.output_shape == (None, 3)
    *_, kernel, _ = beginning.weights
    assert not np.array_equal(kernel, model.model_.get_weights()[-2])


def test_early_stopping_of_keras_ends_the_training_with_its_weights():
    stop = keras.callbacks.EarlyStopping("val_loss", patience=3, restore_best_weights=True)
    model = fit(stop, epochs=40, learning_rate=0.05)
    losses = model.history_["val_loss"]
    assert len(losses) == int(np.argmin(losses)) + 4 < 40
    best = model.validation_proba_[int(np.argmin(losses))]
    np.testing.assert_allclose(model.predict_proba(TEST), best, atol=1e-5)


def test_the_rows_of_a_csv_logger_are_the_history(tmp_path):
    model = fit(keras.callbacks.CSVLogger(tmp_path / "log.csv"))
    with (tmp_path / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row.pop("epoch") for row in rows] == ["0", "1", "2"]
    assert {name: [float(row[name]) for row in rows] for name in rows[0]} == {
        name: column for name, column in model.history_.items() if name not in ("stage", "epoch")
    }


def test_the_rate_of_a_scheduler_is_that_of_the_steps():
    rates = [0.02, 0.005, 0.0001]
    beginning = Beginning()
    model = fit(beginning, keras.callbacks.LearningRateScheduler(lambda epoch, rate: rates[epoch]))
    options = {**PLAIN, "learning_rate": rates}
    expected = trained_by_keras(convolution(), beginning.weights, TRAIN, **options)
    for own, theirs in zip(model.model_.get_weights(), expected, strict=True):
        np.testing.assert_allclose(own, theirs, atol=1e-5)


@pytest.mark.parametrize(
    "callback",
    [
        keras.callbacks.ReduceLROnPlateau(),
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / (1 + epoch)),
    ],
)
def test_callbacks_that_set_the_rate_of_a_schedule_are_refused(callback):
    expected = "callbacks: expected none that sets the learning rate"
    for options in ({"recipe": "default"}, {"recipe": "paper", "mode": "features"}):
        model = transfer(weights=None, image_size=32, callbacks=[callback], **options)
        with pytest.raises(InvalidParameterError, match=expected):
            model.fit(TRAIN)
    assert cnn(recipe="paper", image_size=16, epochs=1, callbacks=[callback]).fit(TRAIN, TEST)


def test_a_model_checkpoint_of_keras_is_the_network_of_its_epoch(tmp_path):
    path = tmp_path / "{epoch}.keras"
    model = fit(keras.callbacks.ModelCheckpoint(path))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["1.keras", "2.keras", "3.keras"]
    second = keras.models.load_model(tmp_path / "2.keras", compile=False)
    found = second.predict_on_batch(TEST.to_array(SIDE, 1))
    np.testing.assert_allclose(found, model.validation_proba_[1], atol=1e-5)


class Stop(keras.callbacks.Callback):
    """Ends the training after an epoch, and counts those that begin."""

    def __init__(self, after: int):
        super().__init__()
        self.after, self.begun = after, []

    def on_epoch_begin(self, epoch, logs=None):
        self.begun.append(epoch)

    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = epoch + 1 == self.after


def test_a_training_that_a_callback_ended_is_not_gone_on_with(tmp_path):
    first, second = Stop(2), Stop(3)
    models = []
    for stop in (first, second):
        model = plainly(convolution(), callbacks=[stop], **PLAIN)
        models.append(model.fit(TRAIN, validation=TEST, checkpoint_dir=tmp_path))
    assert (first.begun, second.begun) == ([0, 1], [])
    assert models[1].history_ == models[0].history_
    assert models[1].history_["epoch"] == [1, 2]
    np.testing.assert_array_equal(models[1].predict_proba(TEST), models[0].predict_proba(TEST))


def test_a_training_that_goes_on_calls_them_for_the_epochs_that_are_left(tmp_path):
    class FailedError(Exception):
        pass

    class Fail(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                raise FailedError

    model = plainly(convolution(), callbacks=[Fail()], **PLAIN)
    with pytest.raises(FailedError):
        model.fit(TRAIN, checkpoint_dir=tmp_path)
    stop = Stop(99)
    model.set_params(callbacks=[stop]).fit(TRAIN, checkpoint_dir=tmp_path)
    assert stop.begun == [1, 2]
    assert model.history_["epoch"] == [1, 2, 3]


def test_clones_share_them_and_files_leave_them_out(recorded, tmp_path):
    model, recorder = recorded
    assert clone(model).callbacks[0] is recorder
    model.save(tmp_path / "model.keras")
    again = load(tmp_path / "model.keras")
    assert again.callbacks is None
    np.testing.assert_array_equal(again.predict_proba(TEST), model.predict_proba(TEST))
