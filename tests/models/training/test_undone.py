"""Fine-tuning never ends below the frozen features it began with."""

import warnings

import keras
import numpy as np
import pytest
from sklearn.metrics import log_loss, matthews_corrcoef
from statsmodels.stats.contingency_tables import mcnemar

from nucrec.datasets import ImageDataset, folds, split
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
"""All training images are judged: 100 of each class. Fewer than 80 steps are tried first."""


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
    told = "a trial without 40 of the training images did not make the network better"
    with pytest.warns(TrainingWarning, match=f"fine-tuning was undone, because {told}"):
        return small(epochs=1, learning_rate=5.0).fit(TRAIN, validation=TEST)


def test_what_did_harm_is_undone(harmed):
    assert harmed.undone_
    assert harmed.history_["stage"] == ["head"] * HEAD + ["finetune"]
    after_head = harmed.validation_proba_[HEAD - 1]
    np.testing.assert_allclose(harmed.predict_proba(TEST), after_head, atol=1e-5)
    kept = harmed.model_.get_layer("backbone").get_weights()
    for found, before in zip(kept, backbone(SIDE).get_weights(), strict=True):
        np.testing.assert_array_equal(found, before)


def fitted(model: ImageClassifier, *data: ImageDataset, **options) -> ImageClassifier:
    """Fit without warnings of what is meant to happen."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LeakageWarning)  # validated on what it is trained on
        warnings.simplefilter("ignore", TrainingWarning)
        return model.fit(*data, **options)


@pytest.mark.parametrize("seed", range(3))
def test_short_trainings_are_undone_unless_a_trial_without_some_groups_is_better(seed):
    rate = [None, 0.03, 9.0][seed]
    options = {"epochs": 1 + seed % 2, "learning_rate": rate, "random_state": seed}
    grouped = TRAIN.with_groups([f"group {k // 8}" for k in range(len(TRAIN))])
    model = fitted(small(**options), grouped, TEST)
    rest, kept = split(grouped, 0.2, random_state=seed)
    trial = fitted(small(**options), rest, kept).validation_proba_
    losses = [log_loss(kept.labels, trial[k, :, 1].astype(float)) for k in (HEAD - 1, -1)]
    correct = [(trial[k].argmax(axis=1) == kept.labels).sum() for k in (HEAD - 1, -1)]
    assert model.undone_ == (losses[1] >= losses[0] or correct[1] < correct[0])
    kept_state = model.validation_proba_[HEAD - 1 if model.undone_ else -1]
    np.testing.assert_allclose(model.predict_proba(TEST), kept_state, atol=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_longer_trainings_are_undone_if_they_lose_more_images_than_chance_would(seed):
    rate = [None, 0.03, 9.0][seed]
    model = small(epochs=1, batch_size=2, learning_rate=rate, random_state=seed)  # 100 steps
    fitted(model, TRAIN, TRAIN)
    frozen, tuned = (
        model.validation_proba_[k].argmax(axis=1) == TRAIN.labels for k in (HEAD - 1, -1)
    )
    lost, won = int((frozen & ~tuned).sum()), int((tuned & ~frozen).sum())
    two_sided = mcnemar([[0, lost], [won, 0]], exact=True).pvalue
    assert model.undone_ == (lost > won and two_sided / 2 < 0.05)
    kept = frozen if model.undone_ else tuned
    assert model.score(TRAIN) == kept.mean()


def with_steps(model: ImageClassifier) -> list[tuple[int, int, str]]:
    """Return a list that the progress of a training will be in."""
    seen = []
    model.set_params(progress=lambda *step: seen.append(step))
    return seen


def test_a_trial_shows_its_progress_and_leaves_the_training_as_it_is():
    images = TRAIN[:120]
    of_one_group = images.with_groups([f"group {label}" for label in images.labels])
    tried, untried = small(epochs=1), small(epochs=1)
    seen, other = with_steps(tried), with_steps(untried)
    fitted(tried, images, TEST)
    fitted(untried, of_one_group, TEST)  # without images of both classes to keep back
    trial = "trial on 96 images: "
    assert [what for _, _, what in seen if trial in what][-1].startswith(
        f"{trial}finetune, epoch 1"
    )
    assert [step for step in seen if trial not in step[2]] == other
    assert [step[0] for step in seen] == sorted(step[0] for step in seen)
    assert tried.history_ == untried.history_
    np.testing.assert_array_equal(tried.validation_proba_, untried.validation_proba_)


def test_there_is_no_trial_that_would_keep_few_images_back():
    model = small(epochs=1)
    seen = with_steps(model)
    fitted(model, TRAIN[:90])  # 9 of each class
    assert not [what for _, _, what in seen if "trial" in what]


def test_an_interrupt_of_the_trial_leaves_the_classification_head():
    def stop(done: int, total: int, what: str) -> None:
        if "trial" in what and "finetune" in what:
            raise KeyboardInterrupt

    model = small(epochs=1, progress=stop)
    with pytest.warns(UserWarning, match="interrupted after 20 epochs"):
        model.fit(TRAIN, validation=TEST)
    assert model.history_["stage"] == ["head"] * HEAD
    best = int(np.argmin(model.history_["val_loss"]))
    found = model.set_params(progress=False).predict_proba(TEST)
    np.testing.assert_allclose(found, model.validation_proba_[best], atol=1e-5)


def test_files_tell_of_it(harmed, tmp_path):
    harmed.save(tmp_path / "undone.keras")
    assert load(tmp_path / "undone.keras").undone_


def test_a_training_that_goes_on_undoes_it_as_well(harmed, tmp_path):
    for is_done in (False, True):
        again = small(epochs=1, learning_rate=5.0)
        seen = with_steps(again)
        with pytest.warns(TrainingWarning, match="was undone"):
            again.fit(TRAIN, validation=TEST, checkpoint_dir=tmp_path)
        assert again.undone_
        assert any("trial" in what for _, _, what in seen) is not is_done
        again.set_params(progress=False)
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
def test_ten_short_trainings_are_no_worse_than_the_features_they_began_with(crops):
    # one convolution, so that a training takes seconds
    frozen, kept, truth = [], [], []
    for seed in range(10):
        train, test = folds(crops, 5, random_state=seed // 5)[seed % 5]
        model = fitted(small(epochs=2, image_size=32, random_state=seed), train, test)
        frozen.append(model.validation_proba_[HEAD - 1])
        kept.append(model.predict_proba(test))
        truth.append(test.labels)
    labels = np.concatenate(truth)
    before, after = (np.concatenate(part).argmax(axis=1) for part in (frozen, kept))
    assert matthews_corrcoef(labels, after) >= matthews_corrcoef(labels, before) - 0.02


@pytest.mark.slow
def test_two_epochs_at_64_pixels_leave_a_classifier_of_use(crops):
    # with the full rate in 14 steps, one answer for all images
    train, test = split(crops, random_state=0)
    model = fitted(transfer(image_size=64, epochs=2, random_state=1), train)
    assert matthews_corrcoef(test.labels, model.predict(test)) > 0.2
