"""Classes that do not occur in training, and models that give one answer only."""

import warnings

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier

from nucrec.datasets import ImageDataset
from nucrec.errors import InvalidParameterError, TrainingWarning
from nucrec.models import ImageClassifier, cnn, cross_validate, run_zoo

LABELS = np.arange(24) % 2


@pytest.fixture
def alike() -> ImageDataset:
    """Images of two classes that differ in one pixel, which tells nothing of the class."""
    pixels = np.full((24, 16, 16), 90, np.uint8)
    pixels[:, 0, 0] += np.arange(24, dtype=np.uint8)
    return ImageDataset(pixels, LABELS, ("nucleus", "micronucleus"), groups=np.arange(24) // 2)


@pytest.fixture
def bright_and_dark() -> ImageDataset:
    pixels = np.random.default_rng(0).integers(0, 40, (24, 16, 16)) + 180 * LABELS[:, None, None]
    return ImageDataset(pixels.astype(np.uint8), LABELS, ("nucleus", "micronucleus"))


def network(epochs: int = 1) -> ImageClassifier:
    return cnn(
        image_size=16, epochs=epochs, recipe="paper", batch_size=8, augment=None, random_state=0
    )


def test_training_on_one_class_is_refused(alike):
    only = alike[LABELS == 1]
    assert only.class_names == ("nucleus", "micronucleus")
    expected = "expected images of at least two classes"
    with pytest.raises(InvalidParameterError, match=f"^y: {expected}"):
        network().fit(only)
    with pytest.raises(InvalidParameterError, match=f"^y: {expected}"):
        network().fit(alike, np.zeros(24, int))
    for zoo in ({"network": network()}, {"majority": DummyClassifier()}):
        with pytest.raises(InvalidParameterError, match=f"^train: {expected}"):
            run_zoo(zoo, only, alike)
        for dataset in (only, ImageDataset(only.images, np.zeros(len(only), int), ("nucleus",))):
            with pytest.raises(InvalidParameterError, match=f"^dataset: {expected}"):
                cross_validate(zoo, dataset, n_splits=2, by="image", random_state=0)


def test_a_network_that_gives_one_answer_says_so(alike):
    with pytest.warns(
        TrainingWarning, match="classifies all of 24 training images, of all classes, as .*nu"
    ):
        model = network().fit(alike)
    (answer,) = set(model.predict(alike))
    assert (
        f"all images were classified as {alike.class_names[answer]}"
        in model.evaluate(alike).remarks
    )


def test_a_network_that_tells_classes_apart_says_nothing(bright_and_dark):
    with warnings.catch_warnings():
        warnings.simplefilter("error", TrainingWarning)
        model = network(epochs=20).fit(bright_and_dark)
    assert model.score(bright_and_dark) > 0.9


def test_rows_of_a_zoo_say_so(alike):
    zoo = {
        "constant": DummyClassifier(strategy="constant", constant=1),
        "network": network(),
        "random": DummyClassifier(strategy="uniform", random_state=0),
    }
    result = run_zoo(zoo, alike[:12], alike[12:])
    assert result["constant"].only_answer == "micronucleus"
    assert result["constant"].outcome == "ok, but all are classified as micronucleus"
    assert result["network"].only_answer in alike.class_names
    assert any(text.startswith("TrainingWarning: ") for text in result["network"].warnings)
    assert result["random"].only_answer is None
    assert [line.rpartition("  ")[2] for line in str(result).splitlines()[1:4]] == [
        result[name].outcome for name in zoo
    ]


class SaysWhatIsRarer(DummyClassifier):
    """Answers with class 0 where the training images are of an odd number, else with both."""

    def predict(self, X):
        return np.arange(len(X)) % 2 * (self.n % 2 == 0)

    def fit(self, X, y):
        self.n = len(y)
        return super().fit(X, y)


def test_rows_of_a_cross_validation_say_so(alike):
    always = {"constant": DummyClassifier(strategy="constant", constant=0)}
    found = cross_validate(always, alike, n_splits=3, random_state=0)
    assert found["constant"].outcome == "ok, but all are classified as nucleus"
    assert found["constant"].outcome in str(found)
    uneven = alike[:23].with_groups(np.arange(23))
    found = cross_validate({"it": SaysWhatIsRarer()}, uneven, n_splits=2, random_state=0)
    assert found["it"].outcome == "ok, but in 1 of 2 folds all are classified as nucleus"
