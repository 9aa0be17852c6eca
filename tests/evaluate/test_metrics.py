"""Every metric of a report against scikit-learn, to 1e-12."""

import numpy as np
import pytest
from sklearn import metrics as sk

from nucrec.evaluate import report

MACRO = {"average": "macro", "zero_division": 0}
REFERENCE = {
    "accuracy": sk.accuracy_score,
    "precision": lambda t, p: sk.precision_score(t, p, **MACRO),
    "recall": lambda t, p: sk.recall_score(t, p, **MACRO),
    "f1": lambda t, p: sk.f1_score(t, p, **MACRO),
    "mcc": sk.matthews_corrcoef,
    "kappa": sk.cohen_kappa_score,
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


@pytest.mark.parametrize(("n_classes", "true", "predicted"), list(cases()))
def test_equal_to_scikit_learn(n_classes, true, predicted):
    labels = list(range(n_classes))
    found = report(true, predicted, class_names=list(map(str, labels)), n_resamples=1)
    for name, theirs in REFERENCE.items():
        expected = pytest.approx(theirs(true, predicted), rel=0, abs=1e-12, nan_ok=True)
        assert getattr(found, name).value == expected, name
    assert np.array_equal(
        found.confusion_matrix, sk.confusion_matrix(true, predicted, labels=labels)
    )


def test_kappa_is_undefined_where_all_is_one_class():
    assert np.isnan(report([0] * 7, [0] * 7, class_names=["a", "b"]).kappa.value)


@pytest.mark.parametrize("decimals", [1, 6])
@pytest.mark.parametrize("n", [2, 30, 1000])
def test_area_equals_scikit_learn_with_and_without_ties(n, decimals):
    rng = np.random.default_rng(n)
    true = np.arange(n) % 2
    scores = np.round(rng.random(n) + 0.3 * true, decimals)
    found = report(true, true, scores, n_resamples=1)
    assert found.auc.value == pytest.approx(sk.roc_auc_score(true, scores), rel=0, abs=1e-12)


def test_area_is_undefined_without_one_of_the_classes():
    found = report([1, 1], [1, 1], [0.1, 0.2], class_names=["a", "b"])
    assert np.isnan(found.auc.value)


def test_a_class_that_never_occurs_changes_nothing():
    true, predicted = [0, 0, 1, 1, 1], [0, 1, 1, 1, 0]
    scores = np.array([[0.7, 0.2, 0.1]] * 2 + [[0.2, 0.7, 0.1]] * 3)
    found = report(true, predicted, scores, class_names=["a", "b", "c"])
    without = report(true, predicted, scores[:, :2], class_names=["a", "b"])
    assert found.metrics == without.metrics
    assert np.isnan(found.per_class["c"]["REC"].low)
    assert any(remark.startswith("no image of c") for remark in found.remarks)
