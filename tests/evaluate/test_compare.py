"""Comparing classifiers that answered for the same images."""

import itertools
import json
import pickle
import time

import numpy as np
import pytest
from scipy.stats import binomtest, bootstrap, permutation_test, rankdata
from sklearn.metrics import cohen_kappa_score, f1_score, matthews_corrcoef, roc_auc_score

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
    assert found.low < 0 < found.high <= 0.08  # unpaired it would reach 0.13
    assert found.method == "Jeffreys, paired"


def test_classifiers_that_gave_the_same_answers_may_differ_on_others():
    a, score = answers(0.8), TRUTH + RNG.normal(size=80)
    same = compare(TRUTH, a, a, score_a=score, score_b=score)
    assert same.p_value == 1.0
    for found in same.differences.values():
        assert found.low < found.value == 0 < found.high < 0.15


@pytest.mark.parametrize("seed", range(4))
def test_the_interval_of_a_difference_is_that_of_scipys_paired_bootstrap(seed):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, 400)
    shared, own = rng.random(400) < 0.7, rng.random((2, 400))
    a, b = (
        np.where(shared | (each < p), truth, 1 - truth)
        for each, p in zip(own, (0.6, 0.3), strict=True)
    )

    def difference(t, x, y):
        return np.corrcoef(t, x)[0, 1] - np.corrcoef(t, y)[0, 1]  # of 0 and 1 these are the MCC

    expected = bootstrap(
        (truth, a, b), difference, n_resamples=500, paired=True, vectorized=False,
        method="percentile", rng=0,
    ).confidence_interval  # fmt: skip
    found = compare(truth, a, b).differences["MC"]
    assert (found.low, found.high) == pytest.approx(tuple(expected), abs=0.035)


def test_the_interval_of_a_difference_of_areas_is_that_of_delong():
    rng = np.random.default_rng(3)
    truth = np.repeat([0, 1], 150)
    common, own = rng.normal(size=300), rng.normal(size=(2, 300))
    first, second = (truth * gap + common + each for gap, each in zip((1.4, 1.0), own, strict=True))
    said = truth.copy()
    found = compare(truth, said, said, score_a=first, score_b=second).differences["AUC"]
    placed = []
    for score in (first, second):
        above = score[truth == 1][:, None] > score[truth == 0]
        placed.append((above.mean(axis=1), above.mean(axis=0)))
    apart = [x - y for x, y in zip(*placed, strict=True)]
    error = np.sqrt(sum(each.var(ddof=1) / 150 for each in apart))
    assert found.value == pytest.approx(apart[0].mean())
    expected = found.value - 1.96 * error, found.value + 1.96 * error
    assert (found.low, found.high) == pytest.approx(expected, abs=0.01)
    assert found.method == "Newcombe, paired"


def test_with_groups_whole_groups_count():
    groups = np.repeat(np.arange(8), 10)
    a = answers(0.9)
    b = np.where(groups < 2, 1 - TRUTH, a)  # worse in two groups alone
    found = compare(TRUTH, a, b, groups=groups)
    assert found.test == "exact sign flips of groups"
    assert found.p_value == pytest.approx(0.5)
    assert compare(TRUTH, a, b).p_value < 0.01
    assert found.differences["ACC"].method == "Jeffreys, paired, groups"
    predictions = {"a": a, "b": b}
    grouped = compare_many(TRUTH, predictions, metric="accuracy", groups=groups)
    assert grouped.test == "exact sign flips of groups"
    assert grouped.rows[1].p_value == pytest.approx(0.5)
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


def every_swap(metric, truth, a, b, units):
    """The p-value by going through all ways to swap the units of two classifiers' answers."""
    ways = list(itertools.product((False, True), repeat=units.max() + 1))
    observed = abs(metric(truth, a) - metric(truth, b))
    as_large = 0
    for way in ways:
        swapped = np.array(way)[units]
        apart = metric(truth, np.where(swapped, b, a)) - metric(truth, np.where(swapped, a, b))
        as_large += abs(apart) >= observed - 1e-12
    return as_large / len(ways)


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("mcc", lambda t, p: np.nan_to_num(np.corrcoef(t, p)[0, 1])),
        ("kappa", cohen_kappa_score),
        ("f1", lambda t, p: f1_score(t, p, average="macro")),
        ("auc", None),
    ],
)
def test_the_ranked_metric_is_tested_by_swapping_answers(name, metric, grouped):
    rng = np.random.default_rng(5)
    n = 27 if grouped else 9
    units = np.arange(n) // 3 if grouped else np.arange(n)
    truth = np.arange(n) % 3 // 2
    if name == "auc":
        scores = {"a": rng.normal(size=n) + 1.5 * truth, "b": rng.normal(size=n)}
        a, b = (rankdata(each) for each in scores.values())
        metric, predictions = roc_auc_score, {"a": truth, "b": truth}
    else:
        a = np.where(rng.random(n) < 0.9, truth, 1 - truth)
        b = np.where(rng.random(n) < 0.6, truth, 1 - truth)
        scores, predictions = None, {"a": a, "b": b}
    expected = every_swap(metric, truth, a, b, units)
    found = compare_many(truth, predictions, scores, name, groups=units)
    assert found.rows[1].p_value == pytest.approx(expected)
    assert found.test == ("paired permutation of groups" if grouped else "paired permutation")


@pytest.mark.slow
def test_random_ways_agree_with_scipys():
    rng = np.random.default_rng(11)
    truth = rng.integers(0, 3, 120)
    a, b = (np.where(rng.random(120) < p, truth, rng.integers(0, 3, 120)) for p in (0.7, 0.58))

    def difference(x, y):
        return matthews_corrcoef(truth, x) - matthews_corrcoef(truth, y)

    expected = permutation_test(
        (a, b), difference, permutation_type="samples", vectorized=False, n_resamples=1000, rng=0
    ).pvalue
    found = compare_many(truth, {"a": a, "b": b}, n_resamples=4000)
    assert found.rows[1].p_value == pytest.approx(expected, abs=0.03)


def test_random_ways_agree_with_all_ways():
    rng = np.random.default_rng(11)
    truth = np.arange(11) % 2
    scores = {"a": rng.normal(size=11) + truth, "b": rng.normal(size=11)}
    arguments = truth, {"a": truth, "b": truth}, scores, "auc"
    every, random = (compare_many(*arguments, n_resamples=n).rows[1].p_value for n in (2048, 2047))
    assert random != every
    assert random == pytest.approx(every, abs=0.04)


def test_evidence_for_the_loser_makes_no_winner():
    # b is right far more often, a finds the rare class: by MCC a is ahead, by accuracy b is
    truth = np.repeat([0, 1], [180, 20])
    a, b = truth.copy(), np.zeros(200, int)
    a[:40] = 1
    found = compare_many(truth, {"a": a, "b": b})
    assert found.rows[0].name == "a"
    b[180:183] = 1
    a[190:] = 0
    a[:30] = 1
    a[30:40] = 0
    close = compare_many(truth, {"a": a, "b": b})
    accuracy = compare_many(truth, {"a": a, "b": b}, metric="accuracy")
    best = close.rows[0].name
    assert accuracy.rows[0].name == "b"
    assert accuracy.best_is_better
    assert best == "b" or not close.best_is_better


def test_too_few_groups_for_any_small_p_are_said():
    groups = np.repeat(np.arange(4), 20)
    a, b = TRUTH, np.where(np.arange(80) % 20 < 8, 1 - TRUTH, TRUTH)
    found = compare_many(TRUTH, {"a": a, "b": b}, groups=groups)
    assert found.rows[1].least_p_value == 2 / 2**4
    assert found.rows[1].p_value == pytest.approx(2 / 2**4)
    assert not found.best_is_better
    assert found.verdict.endswith("differ for so few groups that p cannot be below 0.12")
    assert compare_many(TRUTH, {"a": a, "b": b}).best_is_better
    three = compare_many(TRUTH, {"a": a, "b": b, "c": b}, groups=groups)
    assert three.rows[1].least_p_value == 3 * 2 / 2**4  # of the three pairs
    assert "cannot be below" in str(compare(TRUTH, a, b, groups=groups))


@pytest.mark.parametrize("metric", ["accuracy", "mcc"])
def test_no_p_value_is_below_the_least(metric):
    truth = np.array([0, 1] * 20)
    answers_of = {"best": truth, "poor": 1 - truth}
    for name, n_wrong in (("second", 6), ("third", 30)):
        answers_of[name] = np.where(np.arange(40) < n_wrong, 1 - truth, truth)
    found = compare_many(truth, answers_of, metric=metric)
    # six images differ: p is 2 / 2**6, which is the largest of six that are all small
    assert found.rows[1].p_value == pytest.approx(2 / 2**6)
    for row in found.rows[1:]:
        assert row.least_p_value <= row.p_value * (1 + 1e-9)
    assert "cannot be below" not in found.verdict


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["mcc", "auc"])
@pytest.mark.parametrize("n_groups", [0, 12])
def test_equal_classifiers_are_rarely_called_different(metric, n_groups):
    rng = np.random.default_rng(1)
    n = 96
    groups = np.arange(n) // 8 if n_groups else np.arange(n)
    called, held = 0, 0
    for seed in range(300):
        truth = (rng.random(n) < 0.3).astype(int)
        truth[:2] = 0, 1
        ease = rng.normal(0.9, 0.4, (2, groups.max() + 1))[:, groups]
        noise = rng.normal(size=n)
        scores = [
            np.where(truth == 1, 1, -1) * each + 0.7 * noise + 0.7 * rng.normal(size=n)
            for each in ease
        ]
        a, b = ((score > 0).astype(int) for score in scores)
        found = compare_many(
            truth, {"a": a, "b": b}, dict(zip("ab", scores, strict=True)), metric,
            groups=groups, n_resamples=300, random_state=seed,
        )  # fmt: skip
        called += found.rows[1].p_value < 0.05
        held += found.rows[1].behind.low <= 0
    assert called / 300 <= 0.08
    assert held / 300 >= 0.92


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
    assert found.metric == found.to_dict()["metric"] == name


def test_bad_calls():
    with pytest.raises(InvalidParameterError, match="at least two"):
        compare_many(TRUTH, {"a": TRUTH})
    with pytest.raises(InvalidParameterError, match="as many values"):
        compare(TRUTH, TRUTH, TRUTH[:5])
    with pytest.raises(InvalidParameterError, match="confidence"):
        compare(TRUTH, TRUTH, TRUTH, confidence=1)


def test_formats():
    found = compare(TRUTH, answers(0.9), answers(0.6, 2))
    assert (
        json.loads(json.dumps(found.to_dict()))["differences"]["MC"]["method"] == "Jeffreys, paired"
    )
    assert pickle.loads(pickle.dumps(found)) == found
    assert "exact McNemar: p =" in str(found)
    ranking = compare_many(TRUTH, {"a": answers(0.9), "b": answers(0.6, 2)})
    assert json.loads(json.dumps(ranking.to_dict()))["rows"][0]["name"] == "a"
    assert ranking.to_markdown().startswith("|  | MCC | behind |")


def test_names_of_classifiers_may_be_numbers():
    truth = [0, 1] * 20
    found = compare_many(truth, {1: truth, 2: [0] * 40})
    assert [row.name for row in found.rows] == ["1", "2"]
    assert str(found).endswith(found.verdict)
