"""What one step learns, and what is told of an epoch: as Keras and scikit-learn have it."""

import keras
import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss, precision_score, recall_score
from sklearn.utils.class_weight import compute_class_weight
from tests.models.small import Beginning, convolution, noise, plainly, trained_by_keras

from nucrec.augment import Flip, Gamma, Pipeline
from nucrec.models import ImageClassifier

IMAGES = noise(50)
HELD_OUT = noise(21, seed=1)
NO_STEP = 1e-20
"""A learning rate at which weights of single precision stay as they are."""


@pytest.mark.parametrize(
    ("class_weight", "augment"),
    [
        (None, None),
        ({0: 1.0, 1: 2.0, 2: 0.5}, None),
        (None, Pipeline([Flip(), Gamma((0.5, 2.0))], random_state=0)),
    ],
    ids=["plain", "weighted", "augmented"],
)
def test_steps_are_those_of_keras(class_weight, augment):
    beginning = Beginning()
    options = {
        "epochs": 3,
        "batch_size": 16,  # the last batch is smaller
        "learning_rate": 0.01,
        "class_weight": class_weight,
        "augment": augment,  # anew in each epoch
    }
    model = plainly(convolution(), callbacks=[beginning], **options).fit(IMAGES)
    expected = trained_by_keras(convolution(), beginning.weights, IMAGES, **options)
    for own, theirs, before in zip(
        model.model_.get_weights(), expected, beginning.weights, strict=True
    ):
        assert np.abs(theirs - before).max() > 0.01
        np.testing.assert_allclose(own, theirs, atol=1e-5)


@pytest.fixture(scope="module")
def unmoved() -> ImageClassifier:
    """A network that learnt nothing, so that each epoch is of the same weights."""
    options = {"epochs": 2, "batch_size": 16, "learning_rate": NO_STEP}
    return plainly(convolution(), **options).fit(IMAGES, validation=HELD_OUT)


@pytest.mark.parametrize(("prefix", "images"), [("", IMAGES), ("val_", HELD_OUT)])
@pytest.mark.parametrize("epoch", [0, 1])  # the second forgets the first
def test_metrics_are_those_of_all_images(unmoved, prefix, images, epoch):
    probabilities, true = unmoved.predict_proba(images), images.labels
    predicted = probabilities.argmax(1)
    macro = {"average": "macro", "zero_division": 0}
    micro = np.eye(3)[true], probabilities > 0.5  # each unit of the softmax by itself
    area = keras.metrics.AUC()
    area.update_state(np.eye(3)[true], probabilities)
    expected = {
        "loss": log_loss(true, probabilities),
        "accuracy": accuracy_score(true, predicted),
        "precision": precision_score(*micro, average="micro", zero_division=0),
        "recall": recall_score(*micro, average="micro", zero_division=0),
        "auc": float(area.result()),
        "precision_macro": precision_score(true, predicted, **macro),
        "recall_macro": recall_score(true, predicted, **macro),
        "f1_macro": f1_score(true, predicted, **macro),
    }
    found = {name: unmoved.history_[prefix + name][epoch] for name in expected}
    assert found == pytest.approx(expected, rel=1e-5)
    assert len(np.unique(predicted)) > 1


@pytest.mark.parametrize(
    ("class_weight", "weights"),
    [
        ({"a": 3.0, "c": 0.5}, [3.0, 1.0, 0.5]),
        ({1: 0.0}, [1.0, 0.0, 1.0]),
        ("balanced", compute_class_weight("balanced", classes=np.arange(3), y=IMAGES.labels)),
    ],
    ids=["names", "numbers", "balanced"],
)
def test_classes_have_their_weights_in_the_loss(class_weight, weights):
    names = np.array(IMAGES.class_names)[IMAGES.labels]
    y = names if isinstance(class_weight, dict) and "a" in class_weight else IMAGES.labels
    model = plainly(convolution(), epochs=1, learning_rate=NO_STEP, class_weight=class_weight)
    model.fit(IMAGES, y)
    of_truth = model.predict_proba(IMAGES)[np.arange(50), IMAGES.labels].astype(float)
    expected = np.mean(-np.log(of_truth) * np.asarray(weights)[IMAGES.labels])
    assert model.history_["loss"] == pytest.approx([expected], rel=1e-5)


def test_balanced_weights_are_of_the_classes_that_occur():
    some = IMAGES[IMAGES.labels != 1]
    model = plainly(convolution(), epochs=1, learning_rate=NO_STEP, class_weight="balanced")
    model.fit(some)
    of_truth = model.predict_proba(some)[np.arange(len(some)), some.labels].astype(float)
    weights = compute_class_weight("balanced", classes=np.array([0, 2]), y=some.labels)
    expected = np.mean(-np.log(of_truth) * weights[some.labels // 2])
    assert model.history_["loss"] == pytest.approx([expected], rel=1e-5)


def test_what_is_frozen_stays():
    own = convolution()
    beginning = Beginning()
    options = {"mode": "features", "epochs": 1, "callbacks": [beginning]}
    model = plainly(own, **options).fit(IMAGES)
    *body, kernel, bias = model.model_.get_weights()
    for found, expected in zip(body, own.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert (kernel != beginning.weights[-2]).any()
    assert (bias != beginning.weights[-1]).any()
