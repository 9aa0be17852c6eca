"""Fine-tuning never ends below the frozen features it began with."""

import warnings

import keras
import numpy as np
import pytest
from sklearn.metrics import matthews_corrcoef
from statsmodels.stats.contingency_tables import mcnemar

from nucrec.datasets import ImageDataset, split
from nucrec.errors import LeakageWarning, TrainingWarning
from nucrec.models import ImageClassifier, load, run_zoo, transfer

SIDE = 16
HEAD = 20
"""Epochs of the stage that trains the classification head."""


def textures(n: int, seed: int) -> ImageDataset:
    """Return fine noise and coarse noise, in turn, which averages of any filter tell apart."""
    rng = np.random.default_rng(seed)
    fine = rng.integers(0, 256, (n, SIDE, SIDE))
    coarse = np.kron(rng.integers(0, 256, (n, SIDE // 4, SIDE // 4)), np.ones((4, 4), int))
    labels = np.arange(n) % 2
    images = np.where(labels[:, None, None] == 1, coarse, fine).astype(np.uint8)
    return ImageDataset(images, labels)


TRAIN, TEST = textures(200, 0), textures(24, 1)
"""All training images are judged: 100 of each class."""


def backbone(size: int) -> keras.Model:
    """Return one convolution with weights that never change, and maps enough to learn from."""
    start = keras.initializers.GlorotUniform(seed=1)
    images = keras.Input((size, size, 3))
    x = keras.layers.Rescaling(1 / 25.5, -5)(images)
    x = keras.layers.Conv2D(128, 3, activation="relu", kernel_initializer=start)(x)
    return keras.Model(images, x)


def small(**options) -> ImageClassifier:
    return transfer(backbone, **{"image_size": SIDE, "augment": None, "random_state": 0, **options})


@pytest.fixture(scope="module")
def harmed() -> ImageClassifier:
    """A network that a far too high learning rate has destroyed."""
    with pytest.warns(TrainingWarning, match="fine-tuning lowered the accuracy .* and was undone"):
        return small(epochs=1, learning_rate=5.0).fit(TRAIN, validation=TEST)


def test_what_did_harm_is_undone(harmed):
    assert harmed.undone_
    assert harmed.history_["stage"] == ["head"] * HEAD + ["finetune"]
    after_head = harmed.validation_proba_[HEAD - 1]
    np.testing.assert_allclose(harmed.predict_proba(TEST), after_head, atol=1e-5)
    kept = harmed.model_.get_layer("backbone").get_weights()
    for found, before in zip(kept, backbone(SIDE).get_weights(), strict=True):
        np.testing.assert_array_equal(found, before)


@pytest.mark.parametrize("seed", range(10))
def test_short_trainings_are_undone_if_they_lose_more_images_than_chance_would(seed):
    rate = [None, 1e-3, 0.03, 1.0, 9.0][seed % 5]
    model = small(epochs=1 + seed % 2, learning_rate=rate, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LeakageWarning)  # validated on what it is trained on
        warnings.simplefilter("ignore", TrainingWarning)
        model.fit(TRAIN, validation=TRAIN)
    frozen, tuned = (
        model.validation_proba_[k].argmax(axis=1) == TRAIN.labels for k in (HEAD - 1, -1)
    )
    lost, won = int((frozen & ~tuned).sum()), int((tuned & ~frozen).sum())
    two_sided = mcnemar([[0, lost], [won, 0]], exact=True).pvalue
    assert model.undone_ == (lost > won and two_sided / 2 < 0.05)
    kept = frozen if model.undone_ else tuned
    assert model.score(TRAIN) == kept.mean()


def test_files_tell_of_it(harmed, tmp_path):
    harmed.save(tmp_path / "undone.keras")
    assert load(tmp_path / "undone.keras").undone_


def test_a_training_that_goes_on_undoes_it_as_well(harmed, tmp_path):
    for _ in range(2):  # the second time, all epochs are done
        again = small(epochs=1, learning_rate=5.0)
        with pytest.warns(TrainingWarning, match="was undone"):
            again.fit(TRAIN, validation=TEST, checkpoint_dir=tmp_path)
        assert again.undone_
        np.testing.assert_allclose(again.predict_proba(TEST), harmed.predict_proba(TEST), atol=1e-4)


def test_a_row_of_a_zoo_has_the_predictions_of_what_was_kept():
    model = small(epochs=1, learning_rate=5.0)
    row = run_zoo({"it": model}, TRAIN, TEST, learning_curves=True)["it"]
    assert any("was undone" in text for text in row.warnings)
    np.testing.assert_array_equal(row.y_score, row.validation_proba[HEAD - 1])


class Rates(keras.callbacks.Callback):
    """Keeps the learning rate of each step."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(float(self.model.optimizer.learning_rate))


@pytest.mark.parametrize(
    ("steps", "options", "highest"),
    [(25, {}, 6e-4 * 25 / 80), (100, {}, 6e-4), (25, {"learning_rate": 1e-4}, 1e-4)],
)
def test_short_trainings_have_lower_rates_unless_told(steps, options, highest):
    rates = Rates()
    model = small(epochs=steps // 25, batch_size=8, callbacks=[rates], **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TrainingWarning)
        model.fit(TRAIN)
    assert len(rates.seen) == steps
    assert max(rates.seen) == pytest.approx(highest, rel=0.15)
    assert max(rates.seen) <= highest * 1.0001


@pytest.mark.slow
def test_two_epochs_at_64_pixels_leave_a_classifier_of_use(crops):
    # with the full rate in 14 steps, one answer for all images
    train, test = split(crops, random_state=0)
    model = transfer(image_size=64, epochs=2, random_state=1).fit(train)
    assert matthews_corrcoef(test.labels, model.predict(test)) > 0.2
