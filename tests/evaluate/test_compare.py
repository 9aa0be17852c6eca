"""Comparing classifiers that answered for the same images."""

import itertools
import json
import pickle
import time

import numpy as np
import pytest
from scipy.stats import binomtest

from nucrec.errors import InvalidParameterError
from nucrec.evaluate import compare, compare_many

RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 2, 80)


def answers(accuracy: float, seed: int = 1) -> np.ndarray:
    wrong = np.random.default_rng(seed).random(len(TRUTH)) > accuracy
    return np.where(wrong, 1 - TRUTH, TRUTH)


@pytest.mark.parametrize(("better", "worse"), [(0, 0), (1, 0), (5, 5), (9, 2), (0, 12), (40, 17)])
def test_mcnemar_is_the_exact_binomial_test(better, worse):
    truth = np.arange(better + worse + 10) % 2
    a, b = truth.copy(), truth.copy()
    b[:better] ^= 1
    a[better : better + worse] ^= 1
    expected = 1.0 if better + worse == 0 else binomtest(better, better + worse).pvalue
    assert compare(truth, a, b).p_value == pytest.approx(expected)


def test_many_images_take_no_time():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 60_000)
    a, b = (np.where(rng.random(60_000) < share, truth, 1 - truth) for share in (0.70, 0.71))
    started = time.perf_counter()
    found = compare(truth, a, b, n_resamples=1)
    assert time.perf_counter() - started < 5  # 11 s when the distribution was summed up
    only_a, only_b = ((a == truth) & (b != truth)).sum(), ((b == truth) & (a != truth)).sum()
    assert found.p_value == pytest.approx(binomtest(only_a, only_a + only_b).pvalue)


def test_sign_flips_of_groups_are_those_of_all_ways():
    by_group = [3, -1, 2, 2, 0, -4, 1, 5]  # images that only a, less those that only b gets right
    groups = np.repeat(np.arange(8), 6)
    truth = np.zeros(48, int)
    a, b = truth.copy(), truth.copy()
    for group, apart in enumerate(by_group):
        wrong = np.flatnonzero(groups == group)[: abs(apart)]
        (b if apart > 0 else a)[wrong] = 1
    nonzero = [apart for apart in by_group if apart]
    sums = [abs(np.dot(signs, nonzero)) for signs in itertools.product((-1, 1), repeat=7)]
    expected = np.mean([total >= abs(sum(by_group)) for total in sums])
    found = compare(truth, a, b, class_names=["nucleus", "micronucleus"], groups=groups)
    assert found.p_value == pytest.approx(expected)


def test_p_values_are_corrected_by_holms_method():
    predictions = {name: answers(0.6 + 0.1 * k, k) for k, name in enumerate("abcd")}
    found = compare_many(TRUTH, predictions, metric="accuracy")
    best = found.rows[0].name
    pairs = list(itertools.combinations("abcd", 2))
    raw = {(i, j): compare(TRUTH, predictions[i], predictions[j]).p_value for i, j in pairs}
    corrected, largest = {}, 0.0
    for left, pair in enumerate(sorted(pairs, key=raw.get)):  # the smallest of k counts k times
        largest = corrected[pair] = max(largest, min(1.0, (len(pairs) - left) * raw[pair]))
    for row in found.rows[1:]:
        pair = tuple(sorted((best, row.name)))
        assert row.p_value == pytest.approx(corrected[pair])


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
    predictions = {"a": a, "b": b}
    grouped = compare_many(TRUTH, predictions, groups=groups)
    assert grouped.test == "exact sign flips of groups"
    assert compare(TRUTH, a, b, groups=np.arange(80)) == compare(TRUTH, a, b)
    alone = compare_many(TRUTH, predictions, groups=np.arange(80))
    assert alone == compare_many(TRUTH, predictions)


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
    assert "does not differ significantly from" in found.verdict
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
    with pytest.raises(InvalidParameterError, match="metric: expected one of 'accuracy'"):
        compare_many(TRUTH, predictions, metric="auc")
    with pytest.raises(InvalidParameterError, match="scores"):
        compare_many(TRUTH, predictions, {"a": scores["a"]}, "AUC")


@pytest.mark.parametrize(("name", "label"), [("mcc", "MC"), ("kappa", "KS"), ("f1", "F1")])
def test_metrics_have_standard_names_and_labels(name, label):
    predictions = {"a": answers(0.9), "b": answers(0.8)}
    found = compare_many(TRUTH, predictions, metric=name)
    assert found == compare_many(TRUTH, predictions, metric=label)
    assert found.metric == label


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
    assert ranking.to_markdown().startswith("|  | MCC | behind |")
