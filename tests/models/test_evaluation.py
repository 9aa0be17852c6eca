"""Reports on fitted classifiers: as one would put them together by hand."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from tests.models.small import convolution, noise, plainly

from nucrec.datasets import ImageDataset
from nucrec.errors import InvalidParameterError
from nucrec.evaluate import report
from nucrec.models import ImageClassifier, PixelFeatures, cnn, evaluate, load, run_zoo, save

TRAIN, TEST = noise(60), noise(30, seed=1).with_groups(np.arange(30) // 3)


def reordered(images: ImageDataset, order: list[int]) -> ImageDataset:
    """Return the same images, their classes in another order."""
    names = tuple(images.class_names[k] for k in order)
    labels = np.argsort(order)[images.labels]
    return ImageDataset(images.images, labels, names, groups=images.groups)


@pytest.fixture(scope="module")
def network() -> ImageClassifier:
    return plainly(convolution(), epochs=3, learning_rate=0.05).fit(TRAIN)


def classical(classifier, labels):
    return make_pipeline(PixelFeatures(8), classifier).fit(TRAIN, labels)


@pytest.fixture(scope="module")
def numbered():
    return classical(LogisticRegression(max_iter=500), TRAIN.labels)


@pytest.fixture(scope="module")
def named():
    names = np.array(TRAIN.class_names)[TRAIN.labels]
    return classical(RandomForestClassifier(random_state=0), names)


def by_hand(predicted, probabilities, images=TEST, groups=TEST.groups):
    return report(images.labels, predicted, probabilities, images.class_names, groups)


def test_of_a_network_on_a_data_set(network):
    probabilities = network.predict_proba(TEST)
    expected = by_hand(probabilities.argmax(1), probabilities)
    assert network.evaluate(TEST) == expected
    assert evaluate(network, TEST) == expected
    assert expected.n_groups == 10
    assert "AUC" in expected.metrics


def test_of_a_network_on_arrays(network):
    probabilities = network.predict_proba(TEST)
    expected = by_hand(probabilities.argmax(1), probabilities, groups=None)
    assert network.evaluate(list(TEST.images), TEST.labels) == expected
    assert evaluate(network, np.stack(list(TEST.images)), TEST.labels.tolist()) == expected
    assert expected.n_groups is None


def test_of_a_classical_model_on_a_data_set(numbered):
    expected = by_hand(numbered.predict(TEST), numbered.predict_proba(TEST))
    assert evaluate(numbered, TEST) == expected


def test_names_are_put_into_the_order_of_the_data_set(named):
    answers = np.array([TEST.class_names.index(name) for name in named.predict(TEST)])
    probabilities = named.predict_proba(TEST)
    assert evaluate(named, TEST) == by_hand(answers, probabilities)
    other = reordered(TEST, [2, 0, 1])
    assert other.class_names == ("c", "a", "b")
    found = evaluate(named, other)
    expected = by_hand(np.array([1, 2, 0])[answers], probabilities[:, [2, 0, 1]], other)
    assert found == expected
    assert found.class_names == ("c", "a", "b")
    assert found.accuracy == evaluate(named, TEST).accuracy


def test_a_model_that_knows_its_names_does_not_need_the_order(network, numbered, tmp_path):
    save(numbered, tmp_path / "model.skops", class_names=TRAIN.class_names)
    other = reordered(TEST, [2, 0, 1])
    for model in (network, load(tmp_path / "model.skops")):
        probabilities = model.predict_proba(TEST)
        answers = np.array([1, 2, 0])[probabilities.argmax(1)]
        assert evaluate(model, other) == by_hand(answers, probabilities[:, [2, 0, 1]], other)


def test_names_of_a_network_that_was_fitted_on_arrays():
    train, test = (images[images.labels != 2] for images in (TRAIN, TEST))
    names = np.array(["y", "x"])
    model = plainly(convolution(), epochs=1).fit(list(train.images), names[train.labels])
    assert model.classes_.tolist() == ["x", "y"]
    dataset = ImageDataset(test.images, test.labels, ("y", "x"), groups=test.groups)
    probabilities = model.predict_proba(test)[:, ::-1]
    found = model.evaluate(dataset)
    assert found.class_names == ("y", "x")
    assert found == by_hand(probabilities.argmax(1), probabilities, dataset, test.groups)
    same = model.evaluate(list(test.images), names[test.labels], groups=test.groups)
    assert same.accuracy == found.accuracy
    assert same.class_names == ("x", "y")


def test_decision_values_serve_where_there_are_no_probabilities():
    two = TRAIN[TRAIN.labels != 2]
    two = ImageDataset(two.images, two.labels, ("a", "b"))
    model = make_pipeline(PixelFeatures(8), SVC()).fit(two, two.labels)
    expected = report(two.labels, model.predict(two), model.decision_function(two), ("a", "b"))
    assert evaluate(model, two) == expected
    of_three = make_pipeline(PixelFeatures(8), SVC()).fit(TRAIN, TRAIN.labels)
    expected = by_hand(of_three.predict(TEST), of_three.decision_function(TEST))
    assert evaluate(of_three, TEST) == expected


def test_a_model_that_knows_some_of_the_classes_has_no_auc():
    some = TRAIN[TRAIN.labels != 1]
    model = make_pipeline(PixelFeatures(8), LogisticRegression(max_iter=500))
    model.fit(some, some.labels)
    assert evaluate(model, TEST) == by_hand(model.predict(TEST), None)
    assert "AUC" not in evaluate(model, TEST).metrics


def test_groups_and_confidence_may_be_given(numbered):
    others = np.arange(30) % 5
    found = evaluate(numbered, TEST, groups=others, confidence=0.8)
    expected = report(
        *(TEST.labels, numbered.predict(TEST), numbered.predict_proba(TEST)),
        *(TEST.class_names, others, 0.8),
    )
    assert found == expected
    assert (found.n_groups, found.confidence) == (5, 0.8)
    assert evaluate(numbered, TEST, groups=None) == evaluate(numbered, TEST)


def test_labels_may_be_given_beside_a_data_set(network):
    wrong = (TEST.labels + 1) % 3
    assert network.evaluate(TEST, wrong).confusion_matrix == tuple(
        network.evaluate(TEST).confusion_matrix[k] for k in (2, 0, 1)
    )


def test_a_model_that_always_gives_one_answer_says_so(numbered):
    only = classical(LogisticRegression(C=1e-9, class_weight={0: 1e6}), TRAIN.labels)
    assert set(only.predict(TEST)) == {0}
    assert "all images were classified as a" in evaluate(only, TEST).remarks


def test_errors(network, numbered, named):
    for model in (network, numbered):
        with pytest.raises(InvalidParameterError, match="y: expected the true classes, or a data"):
            evaluate(model, list(TEST.images))
        with pytest.raises(InvalidParameterError, match="y: expected classes among"):
            evaluate(model, TEST, np.full(30, 7))
        with pytest.raises(InvalidParameterError, match="y: expected one class for each of the 30"):
            evaluate(model, TEST, TEST.labels[:5])
        with pytest.raises(InvalidParameterError, match="y: expected a one-dimensional array"):
            evaluate(model, TEST, TEST.labels[:, np.newaxis])
        with pytest.raises(InvalidParameterError, match="groups: expected one group for each"):
            evaluate(model, TEST, groups=[1, 2])
        with pytest.raises(InvalidParameterError, match="confidence"):
            evaluate(model, TEST, confidence=1.5)
    others = ImageDataset(TEST.images, TEST.labels, ("x", "y", "z"))
    for model in (network, named):
        with pytest.raises(InvalidParameterError, match="X: expected the classes"):
            evaluate(model, others)
    two = ImageDataset(TEST.images, TEST.labels % 2, ("a", "b"))
    with pytest.raises(InvalidParameterError, match="X: expected the classes of the model"):
        evaluate(numbered, two)
    for unfitted in (cnn(), make_pipeline(PixelFeatures(), SVC())):
        with pytest.raises(NotFittedError):
            evaluate(unfitted, TEST)


@pytest.mark.parametrize("name", ["none", "NA"])
def test_a_class_of_a_data_set_or_model_is_not_missing(name):
    train = ImageDataset(TRAIN.images, TRAIN.labels, sorted((name, "b", "c")))
    test = ImageDataset(TEST.images, TEST.labels, train.class_names, groups=TEST.groups)
    y, truth = (np.array(part.class_names)[part.labels] for part in (train, test))
    model = make_pipeline(PixelFeatures(8), LogisticRegression(max_iter=500)).fit(train, y)
    assert evaluate(model, test, truth) == evaluate(model, test)
    assert evaluate(model, list(test.images), truth).class_names == train.class_names
    network = plainly(convolution(), epochs=1).fit(train, y)
    assert network.class_names_ == train.class_names
    assert network.score(test, truth) == pytest.approx(network.score(test))
    (row,) = run_zoo({"LR": model}, (train, y), (test, truth)).rows
    assert row.report.accuracy == evaluate(model, test, groups=range(30)).accuracy


def test_classes_that_are_missing_or_no_list_are_one_clear_error(network, named):
    gaps = [*np.array(TEST.class_names)[TEST.labels][1:].tolist(), None]
    for model in (network, named):
        with pytest.raises(InvalidParameterError, match="y: expected a value for each image"):
            evaluate(model, TEST, gaps)
        with pytest.raises(InvalidParameterError, match="y: expected a one-dimensional array"):
            evaluate(model, TEST, 1)
    with pytest.raises(InvalidParameterError, match="y: expected a one-dimensional array"):
        network.score(TEST, 1)
