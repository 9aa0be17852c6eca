"""Every metric against scikit-learn, to 1e-12."""

import warnings

import numpy as np
import pytest
from sklearn import metrics as sk

from nucrec.evaluate._metrics import FROM_CONFUSION, RankedScores, confusion_matrix

REFERENCE = {
    "ACC": lambda t, p, labels: sk.accuracy_score(t, p),
    "PRE": lambda t, p, labels: sk.precision_score(
        t, p, labels=labels, average="macro", zero_division=0
    ),
    "REC": lambda t, p, labels: sk.recall_score(
        t, p, labels=labels, average="macro", zero_division=0
    ),
    "F1": lambda t, p, labels: sk.f1_score(t, p, labels=labels, average="macro", zero_division=0),
    "MC": lambda t, p, labels: sk.matthews_corrcoef(t, p),
    "KS": lambda t, p, labels: sk.cohen_kappa_score(t, p, labels=labels),
}


def cases():
    rng = np.random.default_rng(0)
    for n_classes in (2, 3, 7):
        for n in (5, 92, 3000):
            true = rng.integers(0, n_classes, n)
            for quality in (0.0, 0.6, 1.0):
                guessed = rng.integers(0, n_classes, n)
                yield n_classes, true, np.where(rng.random(n) < quality, true, guessed)
    yield 2, np.zeros(10, int), np.arange(10) % 2  # one true class
    yield 2, np.arange(10) % 2, np.ones(10, int)  # one predicted class
    yield 3, np.array([0, 1, 0, 1]), np.array([1, 0, 1, 1])  # a class that never occurs


@pytest.mark.parametrize("name", FROM_CONFUSION)
def test_equal_to_scikit_learn(name):
    count = 0
    for n_classes, true, predicted in cases():
        ours = FROM_CONFUSION[name](confusion_matrix(true, predicted, n_classes))
        theirs = REFERENCE[name](true, predicted, list(range(n_classes)))
        assert float(ours) == pytest.approx(theirs, rel=0, abs=1e-12, nan_ok=True)
        count += 1
    assert count == 30


def test_kappa_is_undefined_where_all_is_one_class():
    assert np.isnan(FROM_CONFUSION["KS"](np.array([[7, 0], [0, 0]])))


@pytest.mark.parametrize("name", FROM_CONFUSION)
def test_many_at_once_are_the_same_as_one_by_one(name):
    confusions = np.random.default_rng(1).integers(0, 50, (4, 5, 3, 3))
    together = FROM_CONFUSION[name](confusions)
    assert together.shape == (4, 5)
    for i in np.ndindex(4, 5):
        assert together[i] == FROM_CONFUSION[name](confusions[i])


def test_confusion_matrix_has_true_classes_in_rows():
    assert confusion_matrix(np.array([0, 0, 1]), np.array([1, 1, 1]), 2).tolist() == [
        [0, 2],
        [0, 1],
    ]


@pytest.mark.parametrize("decimals", [1, 6])
@pytest.mark.parametrize("n", [2, 30, 1000])
def test_area_equals_scikit_learn_with_and_without_ties_and_weights(n, decimals):
    rng = np.random.default_rng(n)
    true = np.arange(n) % 2 == 1
    scores = np.round(rng.random(n) + 0.3 * true, decimals)
    ranked = RankedScores(true, scores)
    assert ranked.area(np.ones(n)) == pytest.approx(sk.roc_auc_score(true, scores), abs=1e-12)
    weights = rng.integers(0, 4, (6, n)) + np.eye(6, n) * 0
    weights[:, :2] += 1
    for row, area in zip(weights, ranked.area(weights), strict=True):
        expected = sk.roc_auc_score(true, scores, sample_weight=row)
        assert area == pytest.approx(expected, abs=1e-12)


def test_area_is_undefined_without_one_of_the_classes():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(RankedScores(np.array([True, True]), np.array([0.1, 0.2])).area(np.ones(2)))
