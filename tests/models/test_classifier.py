"""The classifier around a network: scikit-learn's contract, history, recipes."""

import random
import signal

import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import f1_score, log_loss, precision_score, recall_score
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import Pipeline as SklearnPipeline
from sklearn.utils.class_weight import compute_class_weight

from nucrec.augment import Flip, Pipeline
from nucrec.datasets import ImageDataset
from nucrec.errors import InvalidParameterError, WeightsNotAvailableError
from nucrec.models import ImageClassifier, cnn, inception_transfer, transfer
from nucrec.models._training.fit import class_weights


def spots(n: int, seed: int, size: int = 24, dtype: str = "uint8", shape=()) -> ImageDataset:
    """Return images of a disc, half of which have a small second spot beside it."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    images = []
    for i in range(n):
        image = rng.normal(20, 3, (size, size))
        image[(x - 12) ** 2 + (y - 12) ** 2 < 36] += 120
        if i % 2:
            corner = rng.choice([2, size - 6], 2)
            image[corner[0] : corner[0] + 4, corner[1] : corner[1] + 4] += 120
        image = np.clip(image, 0, 255) * (257 if dtype == "uint16" else 1)
        images.append(np.broadcast_to(image[(..., *([None] * len(shape)))], (size, size, *shape)))
    return ImageDataset([i.astype(dtype) for i in images], np.arange(n) % 2)


TRAIN, TEST = spots(64, 0), spots(32, 1)


@pytest.fixture(scope="module")
def fitted() -> ImageClassifier:
    model = cnn(image_size=24, epochs=12, batch_size=8, augment=None, random_state=0)
    return model.fit(TRAIN, validation=TEST)


def test_it_learns(fitted):
    assert fitted.score(TEST) > 0.9
    assert not fitted.interrupted_


def test_probabilities(fitted):
    probabilities = fitted.predict_proba(TEST)
    assert probabilities.shape == (32, 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(fitted.predict(TEST), probabilities.argmax(axis=1))
    np.testing.assert_array_equal(fitted.classes_, [0, 1])
    assert fitted.class_names_ == ("nucleus", "micronucleus")


def test_what_is_predicted_does_not_depend_on_how_images_are_passed(fitted):
    expected = fitted.predict_proba(TEST)
    images = list(TEST.images)
    for same in (images, np.stack(images), np.stack(images)[..., None], TEST.images):
        np.testing.assert_allclose(fitted.predict_proba(same), expected, atol=1e-6)
    colour = np.repeat(np.stack(images)[..., None], 3, axis=3)
    np.testing.assert_allclose(fitted.predict_proba(colour), expected, atol=1e-4)
    np.testing.assert_allclose(fitted.predict_proba(TEST[:3]), expected[:3], atol=1e-5)


@pytest.mark.parametrize("options", [{"dtype": "uint16"}, {"shape": (3,)}])
def test_it_knows_the_images_in_another_form(fitted, options):
    assert fitted.score(spots(20, 5, **options)) > 0.8


def test_it_knows_larger_images(fitted):
    larger = [np.kron(image, np.ones((2, 2), np.uint8)) for image in TEST.images]
    assert fitted.score(larger, TEST.labels) > 0.8


def test_brightness_and_contrast_do_not_matter(fitted):
    darker = ImageDataset([(i // 2 + 10).astype("uint8") for i in TEST.images], TEST.labels)
    found, expected = fitted.predict_proba(darker), fitted.predict_proba(TEST)
    np.testing.assert_allclose(found, expected, atol=0.05)


def test_embedding(fitted):
    embedding = fitted.embed(TEST[:3])
    assert embedding.shape == (3, 128)
    kernel, bias = fitted.model_.get_layer("classes").get_weights()
    scores = np.exp(embedding @ kernel + bias)
    expected = fitted.predict_proba(TEST[:3])
    np.testing.assert_allclose(scores / scores.sum(1, keepdims=True), expected, atol=1e-5)


def test_history_has_the_papers_columns_as_keras_computes_them(fitted):
    history = fitted.history_
    assert history["epoch"] == list(range(1, 13))
    assert set(history["stage"]) == {"all"}
    for part in ("", "val_"):
        # two units of a softmax: precision and recall at 0.5 are the accuracy
        np.testing.assert_allclose(
            history[f"{part}precision"], history[f"{part}accuracy"], atol=1e-6
        )
        np.testing.assert_allclose(history[f"{part}recall"], history[f"{part}accuracy"], atol=1e-6)
    assert fitted.validation_proba_.shape == (12, 32, 2)
    np.testing.assert_allclose(fitted.validation_proba_[-1], fitted.predict_proba(TEST), atol=1e-5)
    for i, probabilities in enumerate(fitted.validation_proba_):
        predicted, true = probabilities.argmax(axis=1), TEST.labels
        options = {"average": "macro", "zero_division": 0}
        assert history["val_accuracy"][i] == pytest.approx((predicted == true).mean())
        assert history["val_loss"][i] == pytest.approx(log_loss(true, probabilities), rel=1e-3)
        pre = precision_score(true, predicted, **options)
        assert history["val_precision_macro"][i] == pytest.approx(pre, abs=1e-6)
        rec = recall_score(true, predicted, **options)
        assert history["val_recall_macro"][i] == pytest.approx(rec, abs=1e-6)
        f1 = f1_score(true, predicted, **options)
        assert history["val_f1_macro"][i] == pytest.approx(f1, abs=1e-6)
        area = keras.metrics.AUC()
        area.update_state(np.eye(2)[true], probabilities)
        assert history["val_auc"][i] == pytest.approx(float(area.result()), abs=1e-6)


def test_a_run_is_repeatable_and_leaves_the_callers_random_state_alone():
    random.seed(1)
    np.random.seed(1)
    before = random.getstate(), np.random.get_state()[1].tolist()
    first = cnn(image_size=16, epochs=2, random_state=3).fit(TRAIN)
    assert before == (random.getstate(), np.random.get_state()[1].tolist())
    random.seed(2)
    second = cnn(image_size=16, epochs=2, random_state=3).fit(TRAIN)
    np.testing.assert_allclose(first.predict_proba(TEST), second.predict_proba(TEST), atol=1e-5)
    other = cnn(image_size=16, epochs=2, random_state=4).fit(TRAIN)
    assert not np.allclose(first.predict_proba(TEST), other.predict_proba(TEST), atol=1e-3)


def test_clone_and_parameters():
    model = transfer(epochs=3, augment=Pipeline([Flip()], 0), class_weight={0: 1, 1: 2.0})
    again = clone(model)
    assert repr(again.get_params()) == repr(model.get_params())
    assert again.augment is not None
    assert model.set_params(batch_size=4).batch_size == 4
    assert "ImageClassifier" in repr(model)


def test_cross_validation_and_pipeline():
    model = cnn(image_size=16, epochs=1, random_state=0)
    scores = cross_val_score(model, TRAIN, TRAIN.labels, cv=2)
    assert scores.shape == (2,)
    assert ((scores >= 0) & (scores <= 1)).all()
    pipeline = SklearnPipeline([("network", model)]).fit(TRAIN, TRAIN.labels)
    assert pipeline.predict(TEST).shape == (32,)


def test_labels_may_be_names():
    names = np.array(["b", "a"])[TRAIN.labels]
    model = cnn(image_size=16, epochs=1, random_state=0).fit(list(TRAIN.images), names)
    assert model.classes_.tolist() == ["a", "b"]
    assert set(model.predict(TEST)) <= {"a", "b"}
    held_out = list(TEST.images), np.array(["b", "a"])[TEST.labels]
    model.fit(list(TRAIN.images), names, held_out)
    assert model.history_["val_accuracy"][0] == pytest.approx(model.score(*held_out))


def test_three_classes():
    labels = np.arange(64) % 3
    three = ImageDataset(TRAIN.images, labels, ("a", "b", "c"))
    model = cnn(image_size=16, epochs=1, random_state=0).fit(three, three[:9])
    assert model.predict_proba(TEST).shape == (32, 3)
    assert model.history_["val_accuracy"][0] <= 1


def test_class_weights():
    heavy = transfer(
        mode="features", image_size=32, epochs=20, class_weight={0: 0.0, 1: 1.0}, random_state=0
    ).fit(TRAIN)
    assert heavy.predict(TEST).mean() == 1
    unequal = TRAIN[np.r_[0:20, 21:64:2]]
    expected = compute_class_weight("balanced", classes=np.array([0, 1]), y=unequal.labels)
    found = class_weights("balanced", unequal.labels, np.array([0, 1]))
    assert list(found.values()) == pytest.approx(expected.tolist())


def test_early_stopping_takes_the_weights_with_the_smallest_loss():
    labels = np.random.default_rng(0).integers(0, 2, 64)  # nothing to be learnt
    noise = ImageDataset(TRAIN.images, labels)
    model = cnn(image_size=16, epochs=40, augment=None, early_stopping=3, random_state=0)
    model.fit(noise, validation=TEST)
    losses = model.history_["val_loss"]
    assert len(losses) == int(np.argmin(losses)) + 4 < 40
    best = model.validation_proba_[int(np.argmin(losses))]
    np.testing.assert_allclose(model.predict_proba(TEST), best, atol=1e-5)


def test_early_stopping_is_about_the_last_stage():
    labels = np.random.default_rng(0).integers(0, 2, 64)
    noise = ImageDataset(TRAIN.images, labels)
    model = transfer(image_size=32, epochs=3, early_stopping=2, random_state=0)
    model.fit(noise, validation=TEST)
    stages = model.history_["stage"]
    assert stages[:20] == ["head"] * 20
    assert stages.count("finetune") >= 2
    losses = model.history_["val_loss"][20:]
    best = model.validation_proba_[20 + int(np.argmin(losses))]
    np.testing.assert_allclose(model.predict_proba(TEST), best, atol=1e-5)


def test_ctrl_c_keeps_the_best_weights_so_far():
    def interrupt(done: int, total: int, what: str) -> None:
        if "epoch 6" in what:
            signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        model = cnn(image_size=16, epochs=20, random_state=0, progress=interrupt)
        with pytest.warns(UserWarning, match="interrupted after 5 epochs; the best weights"):
            model.fit(TRAIN, validation=TEST)
    finally:
        signal.signal(signal.SIGINT, before)
    assert model.interrupted_
    best = int(np.argmin(model.history_["val_loss"]))
    model.set_params(progress=False)
    np.testing.assert_allclose(model.predict_proba(TEST), model.validation_proba_[best], atol=1e-5)


def test_ctrl_c_before_there_is_anything_to_keep():
    def interrupt(done: int, total: int, what: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cnn(image_size=16, progress=interrupt).fit(TRAIN)


def test_progress_counts_all_batches():
    seen = []
    model = cnn(image_size=16, epochs=2, random_state=0, progress=lambda *a: seen.append(a))
    model.fit(TRAIN)
    assert [done for done, _, _ in seen] == [1, 2, 3, 4]
    assert {total for _, total, _ in seen} == {4}
    assert "epoch 2 of 2: training accuracy" in seen[-1][2]


def weights_of(model: ImageClassifier) -> dict[str, np.ndarray]:
    return {w.path: np.array(w.numpy()) for w in model.model_.get_layer("backbone").weights}


def test_the_default_recipe_trains_the_head_and_then_all_but_batch_normalisation():
    model = transfer(image_size=32, epochs=2, random_state=0).fit(TRAIN, validation=TEST)
    assert model.history_["stage"] == ["head"] * 20 + ["finetune"] * 2
    frozen = weights_of(transfer(mode="features", image_size=32, epochs=1).fit(TRAIN))
    tuned = weights_of(model)
    changed = {name for name in tuned if not np.array_equal(frozen[name], tuned[name])}
    assert not [name for name in changed if "_norm/" in name or "stem" in name]
    assert "head/kernel" in changed


def test_a_frozen_backbone_runs_once_for_each_image_whatever_the_epochs():
    counts = []
    for epochs in (1, 7):
        seen = []
        model = transfer(mode="features", image_size=32, epochs=epochs, random_state=0)
        model.set_params(progress=lambda *a, seen=seen: seen.append(a)).fit(TRAIN, TEST)
        began = [what for _, _, what in seen if "features of" in what and "batch 1 of" in what]
        counts.append(len(began))
        assert model.history_["stage"] == ["head"] * epochs
    # 64 images in one batch, and four changed copies of each; 32 images to validate on
    assert counts == [1 + 4 + 1] * 2


def test_the_papers_recipe_has_batch_normalisation_live():
    model = transfer(recipe="paper", image_size=32, epochs=1, random_state=0).fit(TRAIN)
    assert model.history_["stage"] == ["all"]
    untouched = weights_of(transfer(mode="features", image_size=32, epochs=1).fit(TRAIN))
    means = [name for name in untouched if name.endswith("moving_mean")]
    assert means
    assert all(not np.array_equal(untouched[n], weights_of(model)[n]) for n in means)


def test_missing_weights_are_an_error_and_no_fallback(tmp_path):
    with pytest.raises(WeightsNotAvailableError, match="there is no file of weights"):
        transfer(weights=tmp_path / "missing.pth").fit(TRAIN)


@pytest.mark.slow
def test_inception_resnet_v2_with_random_weights(tmp_path):
    from nucrec.models import load

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


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"backbone": "vgg"}, "backbone: expected one of 'cnn'"),
        ({"mode": "x"}, "mode: expected"),
        ({"recipe": "x"}, "recipe: expected"),
        ({"precision": "float16"}, "precision: expected"),
        ({"epochs": 0}, "epochs: expected"),
        ({"batch_size": 0}, "batch_size: expected"),
        ({"learning_rate": 0}, "learning_rate: expected"),
        ({"image_size": 8}, "image_size: expected a whole number of at least 16"),
        ({"augment": 3}, "augment: expected"),
        ({"early_stopping": 0}, "early_stopping: expected"),
        ({"early_stopping": 2}, "validation: expected images to stop early by"),
        ({"class_weight": "x"}, "class_weight: expected"),
        ({"class_weight": {7: 1}}, "class_weight: expected"),
        ({"class_weight": {1: -1}}, "class_weight: expected"),
        ({"random_state": "x"}, "random_state: expected"),
        ({"mode": "features"}, "mode: expected 'finetune': the CNN"),
        ({"backbone": "inception-resnet-v2", "image_size": 74}, "at least 75"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(InvalidParameterError, match=message):
        ImageClassifier(**{"backbone": "cnn", **parameters}).fit(TRAIN)


def test_bad_input(fitted):
    model = cnn(image_size=16, epochs=1)
    with pytest.raises(InvalidParameterError, match="y: expected the classes"):
        model.fit(list(TRAIN.images))
    with pytest.raises(InvalidParameterError, match="y: expected one class for each of the 64"):
        model.fit(TRAIN, [0, 1])
    with pytest.raises(InvalidParameterError, match="y: expected at least two classes"):
        model.fit(list(TRAIN.images), np.zeros(64))
    with pytest.raises(InvalidParameterError, match="X: expected at least one image"):
        model.fit(np.zeros((3, 4)), [0, 1, 0])
    with pytest.raises(InvalidParameterError, match="validation: expected"):
        model.fit(TRAIN, validation=3)
    with pytest.raises(InvalidParameterError, match="validation: expected the classes"):
        model.fit(TRAIN, ImageDataset(TEST.images, TEST.labels, ("x", "y")))
    with pytest.raises(InvalidParameterError, match="validation: expected classes among"):
        model.fit(TRAIN, validation=(TEST, np.full(32, 5)))
    with pytest.raises(NotFittedError):
        cnn().predict(TEST)
    with pytest.raises(InvalidParameterError, match="X: expected at least one image"):
        fitted.predict(TEST[:0])
    with pytest.raises(InvalidParameterError, match="y: expected the true classes"):
        fitted.score(list(TEST.images))
    with pytest.raises(TypeError):
        cnn(epoch=3)
