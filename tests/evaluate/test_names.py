"""Names of classes and groups in predictions: spellings, missing values, the order of columns."""

import unicodedata

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from nucrec.errors import DataWarning, InvalidParameterError
from nucrec.evaluate import compare, compare_many, report

TRUE = ["nucleus", "micronucleus", "micronucleus"] * 4
SCORES = np.random.default_rng(0).permutation(12) / 12
CALLED = np.where(SCORES > 0.5, "micronucleus", "nucleus")
DECOMPOSED, COMPOSED = (unicodedata.normalize(form, "Pr\u00e4parat") for form in ("NFD", "NFC"))


@pytest.mark.parametrize(
    ("true", "predicted"),
    [(["Normal", "abnormal"], ["normal", "Abnormal "]), ([COMPOSED, "b"], [DECOMPOSED, "b"]),
     (["1", "0"], ["1.0", "0.0"]), (["MN-", "MN+"], ["MN\u2010", "\uff2d\uff2e+"])],
)  # fmt: skip
def test_classes_that_look_the_same_are_one(true, predicted):
    found = report(true * 5, predicted * 5)
    assert found.accuracy.value == 1
    assert sorted(found.to_dict()["per_class"]) == sorted(true)
    assert report(true * 5, predicted * 5, class_names=predicted).accuracy.value == 1


@pytest.mark.parametrize(
    "groups", [["A", "a", "b", "B "], [" a", "A", "b", "B"], ["1", "1.0", "2", "02"]]
)
def test_groups_that_look_the_same_are_one_with_a_warning(groups):
    with pytest.warns(DataWarning, match="^groups that look the same are taken for one"):
        found = report([0, 1] * 8, [0, 1] * 8, groups=groups * 4)
    assert found == report([0, 1] * 8, [0, 1] * 8, groups=["a", "a", "b", "b"] * 4)


def test_groups_composed_in_two_ways_are_one():
    found = report([0, 1] * 4, [0, 1] * 4, groups=[COMPOSED, DECOMPOSED, "b", "b"] * 2)
    assert str(found).startswith("8 images in 2 groups")


def test_images_that_are_groups_of_their_own_are_not_looked_at():
    names = ["a.png", "A.png", "b.png", "B.png"]
    assert report([0, 1] * 2, [0, 1] * 2, groups=names) == report([0, 1] * 2, [0, 1] * 2)


@pytest.mark.parametrize("missing", ["", "NA", "nan", " "])
def test_a_missing_group_is_refused(missing):
    with pytest.raises(InvalidParameterError, match="^groups: expected a name for each image"):
        report([0, 1] * 2, [0, 1] * 2, groups=["a", "a", "b", missing])


def test_columns_in_the_order_of_the_alphabet_are_refused():
    alphabet = np.stack([SCORES, 1 - SCORES], axis=1)
    expected = roc_auc_score(np.array(TRUE) == "micronucleus", SCORES)
    match = (
        "^y_score: expected columns for nucleus, micronucleus.*columns are micronucleus, nucleus"
    )
    with pytest.raises(InvalidParameterError, match=match):
        report(TRUE, CALLED, alphabet)
    with pytest.raises(InvalidParameterError, match=match):
        compare(TRUE, CALLED, CALLED, score_a=alphabet, score_b=alphabet)
    for scores, names in ((alphabet[:, ::-1], None), (alphabet, ["micronucleus", "nucleus"])):
        assert report(TRUE, CALLED, scores, names).auc.value == pytest.approx(expected)


def test_one_column_of_scores_needs_a_positive_class():
    with pytest.warns(DataWarning, match="do not say which is the positive one: 'b' is taken"):
        found = report(["a", "b"] * 4, ["a", "b"] * 4, [0.1, 0.9] * 4)
    assert found.auc.value == 1
    assert report(["b", "a"] * 4, ["b", "a"] * 4, [0.1, 0.9] * 4, ["b", "a"]).auc.value == 1
    assert report([1, 2] * 4, [1, 2] * 4, [0.1, 0.9] * 4).auc.value == 1


def test_names_and_numbers_are_not_mixed():
    with pytest.raises(InvalidParameterError, match="^y_pred: expected names of classes alone"):
        report(["a", "b"] * 2, ["a", 1, "a", 1])


def test_a_high_threshold_is_not_taken_for_another_order_of_columns():
    truth = ["nucleus"] * 12 + ["micronucleus"] * 8
    score = np.array([0.6] * 8 + [0.2] * 4 + [0.6] * 4 + [0.97] * 4)
    called = np.where(score > 0.95, "micronucleus", "nucleus")
    found = report(truth, called, np.stack([1 - score, score], axis=1))
    expected = roc_auc_score(np.array(truth) == "micronucleus", score)
    assert found.auc.value == pytest.approx(expected)


def test_scores_of_three_classes_that_never_agree_are_refused():
    truth = ["a", "b", "c"] * 10
    scores = np.tile(np.eye(3), (10, 1))
    assert report(truth, truth, scores).auc.value == 1
    with pytest.raises(InvalidParameterError, match="^y_score: .*The largest score of no image"):
        report(truth, truth, np.roll(scores, 1, axis=1))


def test_scores_in_a_table_are_those_of_its_columns():
    table = pd.DataFrame({"micronucleus": SCORES, "nucleus": 1 - SCORES})
    expected = roc_auc_score(np.array(TRUE) == "micronucleus", SCORES)
    for names in (None, ["nucleus", "micronucleus"]):
        assert report(TRUE, CALLED, table, names).auc.value == pytest.approx(expected)
    assert compare(TRUE, CALLED, CALLED, score_a=table, score_b=table).differences["AUC"].value == 0


@pytest.mark.parametrize("missing", [float("nan"), None, "", " "])
def test_a_missing_class_is_refused(missing):
    gaps, whole = [*TRUE[:-1], missing], TRUE
    for true, called, name in ((gaps, whole, "y_true"), (whole, gaps, "y_pred")):
        with pytest.raises(InvalidParameterError, match=f"^{name}: expected a (name|value) for"):
            report(true, called)
        with pytest.raises(InvalidParameterError, match="expected a (name|value) for each image"):
            compare_many(true, {"a": called, "b": whole})
    with pytest.raises(InvalidParameterError, match="neither empty nor NaN"):
        report(np.array(gaps, str) if missing is not None else np.array([*TRUE[:-1], ""]), TRUE)


def test_true_classes_that_look_the_same_are_one_with_a_warning():
    with pytest.warns(DataWarning, match="^true classes that look the same are taken for one: 'A'"):
        found = report(["a", "A", "b"] * 10, ["A", "a", "b"] * 10)
    assert found.accuracy.value == 1
