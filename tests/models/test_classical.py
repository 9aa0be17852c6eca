"""The eleven classifiers: their order, what leaks, and that they learn."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.model_selection import cross_val_score

from nucrec.datasets import ImageDataset, split
from nucrec.errors import InvalidParameterError
from nucrec.models import classical_zoo
from nucrec.paper import published_table

NAMES = ["DT", "SVM", "QDA", "KNN", "AB", "GNB", "LR", "RF", "ET", "VC", "HGB"]


def test_order_is_that_of_the_paper():
    assert list(classical_zoo()) == NAMES
    for number in (1, 2):
        assert list(published_table(number).rows) == NAMES


@pytest.fixture(scope="module")
def digits() -> ImageDataset:
    """Handwritten threes and eights, 8 x 8 pixels: what any of the eleven can tell apart."""
    images, labels = load_digits(return_X_y=True)
    chosen = np.isin(labels, (3, 8))
    pixels = (images[chosen].reshape(-1, 8, 8) * 15).astype(np.uint8)
    return ImageDataset(pixels, labels[chosen] == 8)


@pytest.mark.parametrize("name", NAMES)
def test_learns_what_can_be_learnt(name, digits):
    train, test = split(digits, 0.4, random_state=0)
    model = classical_zoo(random_state=0)[name]
    score = model.fit(train, train.labels).score(test, test.labels)
    assert score > (0.8 if name == "GNB" else 0.9)


@pytest.mark.parametrize("name", NAMES)
def test_seed_decides(name, digits):
    few = digits[:60]

    def predict() -> np.ndarray:
        model = classical_zoo(random_state=3)[name].fit(few, few.labels)
        return model.predict(digits)

    np.testing.assert_array_equal(predict(), predict())


def test_qda_works_with_fewer_images_than_pixels_where_the_plain_one_does_not(digits):
    few = digits[:40]
    X = few.to_array(32, 1, "float32").reshape(len(few), -1)
    with pytest.raises(np.linalg.LinAlgError, match="not full rank"):
        QuadraticDiscriminantAnalysis().fit(X, few.labels)
    assert cross_val_score(classical_zoo()["QDA"], X, few.labels, cv=4).mean() > 0.9


@pytest.mark.parametrize("name", NAMES)
def test_works_with_a_handful_of_images_of_noise(name, random_image):
    X, y = random_image((8, 1024), "float32"), np.arange(8) % 2
    model = classical_zoo(random_state=0)[name].fit(X, y)
    assert set(model.predict(X)) <= {0, 1}


def test_nothing_is_learnt_before_fitting():
    # what learns from data lies inside the pipeline, so that it only ever sees the training part
    for model in classical_zoo().values():
        assert not any(hasattr(step, "n_features_in_") for step in model.named_steps.values())
        clone(model)


@pytest.mark.parametrize(
    ("options", "parameter"),
    [({"features": "sounds"}, "features"), ({"random_state": -1}, "random_state")],
)
def test_bad_parameters(options, parameter):
    with pytest.raises(InvalidParameterError, match=f"^{parameter}: expected"):
        classical_zoo(**options)
