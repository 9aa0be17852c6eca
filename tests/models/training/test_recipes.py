"""The recipes: which layers learn, when, and from what."""

import keras
import numpy as np
import pytest
from tests.models.small import convolution, noise, normalised, plainly

from nucrec.models import ImageClassifier, inception_transfer, load, transfer

TRAIN, TEST = noise(64), noise(32, seed=1)


def changed(model: ImageClassifier, own: keras.Model) -> set[str]:
    """Return the names of the backbone's weights that are not those it came with."""
    before, after = own.weights, model.model_.get_layer("backbone").weights
    return {
        "/".join(a.path.split("/")[-2:])
        for a, b in zip(before, after, strict=True)
        if not np.array_equal(a, b)
    }


def test_the_default_recipe_trains_the_head_and_then_all_but_batch_normalisation():
    own = normalised()
    model = transfer(own, epochs=2, random_state=0).fit(TRAIN, validation=TEST)
    assert model.history_["stage"] == ["head"] * 20 + ["finetune"] * 2
    assert model.history_["epoch"] == [*range(1, 21), 1, 2]
    # the first convolution is in the first fifth of the layers
    assert changed(model, own) == {"convolution_b/kernel"}


def test_few_images_are_trained_on_for_more_epochs_until_there_are_400_steps_or_40_epochs():
    epochs = []
    for batch_size in (4, 32):  # 16 steps in an epoch, and 2
        model = transfer(normalised(), batch_size=batch_size, random_state=0).fit(TRAIN)
        epochs.append(model.history_["stage"].count("finetune"))
    assert epochs == [400 // 16, 40]


def test_the_papers_recipe_trains_everything_with_batch_normalisation_live():
    own = normalised()
    model = plainly(own, epochs=1).fit(TRAIN)
    assert model.history_["stage"] == ["all"]
    assert changed(model, own) == {"/".join(weight.path.split("/")[-2:]) for weight in own.weights}


def test_a_frozen_backbone_stays_and_runs_once_for_each_image_whatever_the_epochs():
    counts = []
    for epochs in (1, 7):
        own, seen = normalised(), []
        model = transfer(own, mode="features", epochs=epochs, random_state=0)
        model.set_params(progress=lambda *a, seen=seen: seen.append(a)).fit(TRAIN, TEST)
        began = [what for _, _, what in seen if "features of" in what and "batch 1 of" in what]
        counts.append(len(began))
        assert model.history_["stage"] == ["head"] * epochs
        assert changed(model, own) == set()
    # 64 images in one batch, and four changed copies of each; 32 images to validate on
    assert counts == [1 + 4 + 1] * 2


@pytest.mark.slow
def test_a_pre_trained_network_goes_through_both_stages():
    model = transfer(image_size=32, epochs=1, random_state=0).fit(TRAIN, validation=TEST)
    assert model.history_["stage"] == ["head"] * 20 + ["finetune"]
    frozen = transfer(mode="features", image_size=32, epochs=1, random_state=0).fit(TRAIN)
    moved = changed(model, frozen.model_.get_layer("backbone"))
    assert not [name for name in moved if "_norm/" in name or "stem" in name]
    assert "head/kernel" in moved


def test_a_class_of_no_weight_is_never_answered_with():
    heavy = plainly(
        convolution(), epochs=20, learning_rate=0.05, class_weight={0: 0.0, 1: 1.0, 2: 0.0}
    )
    assert set(heavy.fit(TRAIN).predict(TRAIN)) == {1}


@pytest.mark.slow
def test_inception_resnet_v2_with_random_weights(tmp_path):
    model = inception_transfer(
        weights=None, image_size=75, recipe="paper", epochs=1, batch_size=8, random_state=0
    ).fit(TRAIN[:8])
    assert np.isfinite(model.history_["loss"]).all()
    probabilities = model.predict_proba(TEST[:4])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert model.embed(TEST[:2]).shape == (2, 1536)
    model.save(tmp_path / "inception.keras")
    again = load(tmp_path / "inception.keras")
    np.testing.assert_array_equal(again.predict_proba(TEST[:4]), probabilities)
