"""Comparing classifiers that answered for the same images."""

import itertools
import json
import pickle

import numpy as np
import pytest
from scipy.stats import binomtest

from nucrec.errors import InvalidParameterError
from nucrec.evaluate import compare, compare_many
from nucrec.evaluate._compare import sign_flip_p_value
from nucrec.evaluate._ranking import holm

RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 2, 80)


def answers(accuracy: float, seed: int = 1) -> np.ndarray:
    wrong = np.random.default_rng(seed).random(len(TRUTH)) > accuracy
    return np.where(wrong, 1 - TRUTH, TRUTH)


@pytest.mark.parametrize(("better", "worse"), [(0, 0), (1, 0), (5, 5), (9, 2), (0, 12), (40, 17)])
def test_mcnemar_is_the_exact_binomial_test(better, worse):
    differences = np.array([1] * better + [-1] * worse + [0] * 10)
    expected = 1.0 if better + worse == 0 else binomtest(better, better + worse).pvalue
    assert sign_flip_p_value(differences) == pytest.approx(expected)


def test_sign_flips_of_groups_are_those_of_all_ways():
    differences = np.array([3, -1, 2, 2, 0, -4, 1, 5])
    nonzero = differences[differences != 0]
    sums = [abs(np.dot(signs, nonzero)) for signs in itertools.product((-1, 1), repeat=7)]
    expected = np.mean([total >= abs(differences.sum()) for total in sums])
    assert sign_flip_p_value(differences) == pytest.approx(expected)


def test_holm_is_the_step_down_method():
    # worked by hand: 0.01 * 4, 0.02 * 3, 0.03 * 2 (not below the one before), 0.5
    assert holm([0.03, 0.01, 0.5, 0.02]) == pytest.approx([0.06, 0.04, 0.5, 0.06])
    assert holm([0.6, 0.9]) == [1.0, 1.0]


def test_differences_are_those_of_the_reports():
    from nucrec.evaluate import report

    a, b = answers(0.9), answers(0.6, seed=2)
    found = compare(TRUTH, a, b)
    first, second = report(TRUTH, a).metrics, report(TRUTH, b).metrics
    for name, difference in found.differences.items():
        assert difference.value == pytest.approx(first[name].value - second[name].value)
        assert difference.low < difference.value < difference.high
    assert found.only_a == ((a == TRUTH) & (b != TRUTH)).sum()
    assert found.only_b == ((b == TRUTH) & (a != TRUTH)).sum()
    assert found.p_value == pytest.approx(
        binomtest(found.only_a, found.only_a + found.only_b).pvalue
    )
    assert found.test == "exact McNemar"


def test_the_interval_is_paired():
    a = answers(0.8)
    b = a.copy()
    b[np.flatnonzero(a == TRUTH)[0]] ^= 1  # one image less
    found = compare(TRUTH, a, b).differences["ACC"]
    assert found.value == pytest.approx(1 / 80)
    assert 0 <= found.low <= found.high <= 0.06  # unpaired it would be ten times as wide
    assert compare(TRUTH, a, a).p_value == 1.0
    same = compare(TRUTH, a, a).differences["MC"]
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_with_groups_whole_groups_count():
    groups = np.repeat(np.arange(8), 10)
    a = answers(0.9)
    b = np.where(groups < 2, 1 - TRUTH, a)  # worse in two groups alone
    found = compare(TRUTH, a, b, groups=groups)
    assert found.test == "exact sign flips of groups"
    assert found.p_value == pytest.approx(0.5)
    assert compare(TRUTH, a, b).p_value < 0.01
    assert found.differences["ACC"].method == "group bootstrap"
    alone = compare(TRUTH, a, b, groups=np.arange(80))
    assert alone.p_value == pytest.approx(compare(TRUTH, a, b).p_value)


def test_scores_add_the_area():
    score = TRUTH + RNG.normal(size=80)
    found = compare(TRUTH, answers(0.8), answers(0.7), score_a=score, score_b=-score)
    assert found.differences["AUC"].value > 0.3
    with pytest.raises(InvalidParameterError, match="both or none"):
        compare(TRUTH, TRUTH, TRUTH, score_a=score)


def test_names_and_several_classes():
    truth = np.array(["a", "b", "c"] * 10)
    found = compare(truth, truth, np.roll(truth, 1))
    assert found.differences["ACC"].value == 1
    assert found.only_a == 30
    numbers = np.array([3, 5, 9] * 10)
    assert compare(numbers, numbers, np.full(30, 5)).differences["ACC"].value == pytest.approx(
        2 / 3
    )


def test_many_are_ranked_and_corrected():
    predictions = {
        "poor": answers(0.55, 3),
        "good": answers(0.95, 4),
        "fair": answers(0.75, 5),
        "like good": answers(0.95, 6),
    }
    found = compare_many(TRUTH, predictions, metric="ACC")
    values = [row.value for row in found.rows]
    assert values == sorted(values, reverse=True)
    assert {found.rows[0].name, found.rows[1].name} == {"good", "like good"}
    assert not found.best_is_better
    assert "cannot be told from" in found.verdict
    best = found.rows[0].name
    raw = compare(TRUTH, predictions[best], predictions["poor"])
    last = found.rows[-1]
    assert last.name == "poor"
    assert raw.p_value < last.p_value <= 6 * raw.p_value
    assert last.behind.value == pytest.approx(raw.differences["ACC"].value)
    assert (last.behind.low, last.behind.high) == (
        raw.differences["ACC"].low,
        raw.differences["ACC"].high,
    )
    two = compare_many(TRUTH, {"good": answers(0.95, 4), "poor": answers(0.55, 3)})
    assert two.best_is_better
    assert "good is better than poor" in str(two)


def test_ranking_by_area_needs_scores():
    predictions = {"a": answers(0.9), "b": answers(0.8)}
    scores = {"a": RNG.random(80), "b": TRUTH + 0.0}
    assert compare_many(TRUTH, predictions, scores, "AUC").rows[0].name == "b"
    with pytest.raises(InvalidParameterError, match="metric"):
        compare_many(TRUTH, predictions, metric="AUC")
    with pytest.raises(InvalidParameterError, match="scores"):
        compare_many(TRUTH, predictions, {"a": scores["a"]}, "AUC")


def test_bad_calls():
    with pytest.raises(InvalidParameterError, match="at least two"):
        compare_many(TRUTH, {"a": TRUTH})
    with pytest.raises(InvalidParameterError, match="as many values"):
        compare(TRUTH, TRUTH, TRUTH[:5])
    with pytest.raises(InvalidParameterError, match="confidence"):
        compare(TRUTH, TRUTH, TRUTH, confidence=1)


def test_formats():
    found = compare(TRUTH, answers(0.9), answers(0.6, 2))
    assert json.loads(json.dumps(found.to_dict()))["differences"]["MC"]["method"] == "bootstrap"
    assert pickle.loads(pickle.dumps(found)) == found
    assert "exact McNemar: p =" in str(found)
    ranking = compare_many(TRUTH, {"a": answers(0.9), "b": answers(0.6, 2)})
    assert json.loads(json.dumps(ranking.to_dict()))["rows"][0]["name"] == "a"
    assert ranking.to_markdown().startswith("|  | MC | behind |")
