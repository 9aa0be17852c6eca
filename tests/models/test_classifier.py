"""The classifier around a network: scikit-learn's contract, and what it takes as images and labels."""

import datetime
import random

import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import Pipeline as SklearnPipeline
from tests.models.small import convolution, plainly, spots

from nucrec.augment import Flip, Pipeline
from nucrec.datasets import ImageDataset
from nucrec.errors import InvalidParameterError, WeightsNotAvailableError
from nucrec.evaluate import report
from nucrec.models import ImageClassifier, cnn, transfer

TRAIN, TEST = spots(64, 0), spots(32, 1)


def quick(**options) -> ImageClassifier:
    """A classifier that is fitted in a second."""
    return plainly(convolution(), **{"epochs": 1, **options})


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


def unseeded(size: int) -> keras.Model:
    """Return a network whose random weights Keras draws."""
    images = keras.Input((size, size, 3))
    return keras.Model(images, keras.layers.Conv2D(4, 3, 2, activation="relu")(images))


def test_a_run_is_repeatable_and_leaves_the_callers_random_state_alone():
    def trained(seed: int) -> np.ndarray:
        model = plainly(unseeded, image_size=16, epochs=1, random_state=seed)
        return model.fit(TRAIN).predict_proba(TEST)

    random.seed(1)
    np.random.seed(1)
    before = random.getstate(), np.random.get_state()[1].tolist()
    first = trained(3)
    assert before == (random.getstate(), np.random.get_state()[1].tolist())
    random.seed(2)
    np.testing.assert_allclose(trained(3), first, atol=1e-5)
    assert not np.allclose(trained(4), first, atol=1e-3)


def test_clone_and_parameters():
    model = transfer(epochs=3, augment=Pipeline([Flip()], 0), class_weight={0: 1, 1: 2.0})
    again = clone(model)
    assert repr(again.get_params()) == repr(model.get_params())
    assert again.augment is not None
    assert model.set_params(batch_size=4).batch_size == 4
    assert "ImageClassifier" in repr(model)


def test_cross_validation_and_pipeline():
    scores = cross_val_score(quick(), TRAIN, TRAIN.labels, cv=2)
    assert scores.shape == (2,)
    assert ((scores >= 0) & (scores <= 1)).all()
    pipeline = SklearnPipeline([("network", quick())]).fit(TRAIN, TRAIN.labels)
    assert pipeline.predict(TEST).tolist() == quick().fit(TRAIN).predict(TEST).tolist()


@pytest.mark.parametrize(
    "values",
    [
        [b"a", b"b"] * 3,
        [datetime.date(2020, 1, 1), datetime.date(2021, 1, 1)] * 3,
        np.array(["2020", "2021"] * 3, "M8[D]"),
        np.array(["2020", "NaT"] * 3, "M8[D]"),
        [1j, 2] * 3,
        [1, object()] * 3,
    ],
    ids=["bytes", "dates", "times", "not a time", "complex", "objects"],
)
def test_classes_that_no_file_could_hold_are_refused_before_the_training(values, random_image):
    images = list(random_image((6, 8, 8)))
    with pytest.raises(InvalidParameterError, match="y: expected texts or numbers"):
        cnn(image_size=16, epochs=10**6).fit(images, values)


def test_masked_classes_and_images_are_refused(random_image):
    images = random_image((4, 8, 8))
    masked = np.ma.masked_array([0, 1, 0, 1], [False, False, False, True])
    with pytest.raises(InvalidParameterError, match="y: expected an array without masked values"):
        cnn(image_size=16, epochs=10**6).fit(images, masked)
    hidden = np.ma.masked_equal(images, images[2, 3, 3])
    with pytest.raises(
        InvalidParameterError, match=r"images\[\d\]: expected an array without masked"
    ):
        cnn(image_size=16, epochs=10**6).fit(hidden, [0, 1, 0, 1])
    with pytest.raises(InvalidParameterError, match="labels: expected an array without masked"):
        ImageDataset(images, masked)
    with pytest.raises(InvalidParameterError, match="y_true: expected an array without masked"):
        report(masked, [0, 1, 0, 1])
    assert len(ImageDataset(np.ma.masked_array(images), np.ma.masked_array([0, 1, 0, 1]))) == 4


@pytest.mark.parametrize("dtype", [str, object])  # object as in columns of pandas
def test_labels_may_be_names(dtype):
    names = np.array(["normal", "abnormal"], dtype)[TRAIN.labels]
    names[:2] = [f"{name.upper()} " for name in names[:2]]
    held_out = list(TEST.images), np.array(["Normal", "Abnormal"], dtype)[TEST.labels]
    model = quick().fit(list(TRAIN.images), names, held_out)
    assert model.classes_.tolist() == ["normal", "abnormal"]  # the positive class is the last
    assert set(model.predict(TEST)) <= {"normal", "abnormal"}
    assert model.history_["val_accuracy"][0] == pytest.approx(model.score(*held_out))
    assert model.evaluate(*held_out).accuracy.value == pytest.approx(model.score(*held_out))


@pytest.mark.parametrize(
    ("odd", "told"),
    [(1, "names of classes alone"), ("", "a class for each"), ("NA", "a class for")],
)
def test_labels_are_names_alone_and_none_is_missing(odd, told, random_image):
    with pytest.raises(InvalidParameterError, match=f"^y: expected {told}"):
        cnn(image_size=16, epochs=10**6).fit(list(random_image((4, 8, 8))), ["a", "b", "a", odd])


def test_three_classes():
    labels = np.arange(64) % 3
    three = ImageDataset(TRAIN.images, labels, ("a", "b", "c"))
    model = quick().fit(three[:55], three[55:])
    assert model.predict_proba(TEST).shape == (32, 3)
    accuracy = (model.predict(three[:9]) == labels[:9]).mean()
    assert model.history_["val_accuracy"] == [pytest.approx(accuracy)]


def test_missing_weights_are_an_error_and_no_fallback(tmp_path):
    with pytest.raises(WeightsNotAvailableError, match="there is no file of weights"):
        transfer(weights=tmp_path / "missing.pth").fit(TRAIN)


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
        ({"early_stopping": 2}, "validation: expected validation images, which"),
        ({"callbacks": 3}, "callbacks: expected a list of keras.callbacks.Callback"),
        ({"callbacks": [print]}, "callbacks: expected a list of keras.callbacks.Callback"),
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
    model = quick()
    with pytest.raises(InvalidParameterError, match="y: expected the classes"):
        model.fit(list(TRAIN.images))
    with pytest.raises(InvalidParameterError, match="y: expected one class for each of the 64"):
        model.fit(TRAIN, [0, 1])
    with pytest.raises(InvalidParameterError, match="y: expected images of at least two classes"):
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
