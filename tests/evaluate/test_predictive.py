"""Likelihood ratios and predictive values at a given prevalence."""

import json
import math
import pickle

import numpy as np
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from nucrec.errors import InvalidParameterError
from nucrec.evaluate import Metric, PredictiveValues, proportion_interval, report

NAMES = ["nucleus", "micronucleus"]
KEYS = (
    "positive_likelihood_ratio",
    "negative_likelihood_ratio",
    "positive_predictive_value",
    "negative_predictive_value",
)


def predictions(hits: int, positive: int, rejected: int, negative: int) -> tuple[list, list]:
    truth = [1] * positive + [0] * negative
    found = [1] * hits + [0] * (positive - hits) + [0] * rejected + [1] * (negative - rejected)
    return truth, found


def share(k: int, n: int) -> Metric:
    return Metric(k / n, *proportion_interval(k, n), "Wilson")


def values(at: PredictiveValues) -> dict[str, Metric]:
    return {key: getattr(at, key) for key in KEYS}


def test_values_worked_by_hand():
    # of 10,000 cells, 100 with a micronucleus: 90 are called so, and 495 of the 9,900 others
    at = report(*predictions(180, 200, 190, 200), class_names=NAMES).at_prevalence(0.01)
    assert (at.positive_class, at.prevalence) == ("micronucleus", 0.01)
    assert (at.sensitivity.value, at.specificity.value) == (0.9, 0.95)
    assert at.positive_likelihood_ratio.value == pytest.approx(18)
    assert at.negative_likelihood_ratio.value == pytest.approx(0.1 / 0.95)
    assert at.positive_predictive_value.value == pytest.approx(90 / (90 + 495))
    assert at.negative_predictive_value.value == pytest.approx(9405 / (9405 + 10))
    for metric in values(at).values():
        assert metric.low < metric.value < metric.high
        assert metric.method == "MOVER"


def test_at_the_prevalence_of_the_test_set_they_are_the_precisions():
    found = report(*predictions(45, 60, 130, 140), class_names=NAMES)
    at = found.at_prevalence(60 / 200)
    positive, negative = (found.per_class[name]["PRE"].value for name in reversed(NAMES))
    assert at.positive_predictive_value.value == pytest.approx(positive)
    assert at.negative_predictive_value.value == pytest.approx(negative)


@pytest.mark.parametrize("counts", [(190, 200, 190, 200), (85, 100, 294, 300), (30, 30, 57, 60)])
def test_intervals_of_ratios_are_those_of_statsmodels(counts):
    hits, positive, rejected, negative = counts
    at = report(*predictions(*counts), class_names=NAMES).at_prevalence(0.1)
    pair = negative - rejected, negative
    expected = confint_proportions_2indep(hits, positive, *pair, compare="ratio", method="score")
    ratio = at.positive_likelihood_ratio
    assert (ratio.low, ratio.high) == pytest.approx(expected, rel=0.01)
    odds = ratio.low * 0.1 / 0.9
    assert at.positive_predictive_value.low == pytest.approx(odds / (1 + odds))


@pytest.mark.parametrize("hits", [0, 1, 19, 20])
@pytest.mark.parametrize("rejected", [0, 1, 29, 30])
def test_all_correct_or_all_wrong_is_no_certainty(hits, rejected):
    at = PredictiveValues.of("micronucleus", 0.01, share(hits, 20), share(rejected, 30))
    for key, metric in values(at).items():
        assert 0 <= metric.low < metric.high, key
        assert math.isnan(metric.value) or metric.low <= metric.value <= metric.high, key
    assert at.positive_predictive_value.high <= 1
    if rejected == 30:  # no false positive among 30 does not exclude them
        assert at.positive_likelihood_ratio.high == math.inf
        assert at.positive_predictive_value.high == 1
        assert at.positive_predictive_value.low < 0.5


def test_groups_widen_the_intervals_and_are_named():
    truth, found = predictions(180, 200, 190, 200)
    alone = report(truth, found, class_names=NAMES).at_prevalence(0.01)
    groups = np.r_[np.arange(200) // 20, np.arange(200) // 20]
    grouped = report(truth, found, class_names=NAMES, groups=groups).at_prevalence(0.01)
    for key, metric in values(grouped).items():
        without = getattr(alone, key)
        assert metric.low <= without.low < without.high <= metric.high
        assert metric.method == "MOVER, groups"


def test_one_group_gives_no_interval():
    at = report([0, 0, 1, 1], [0, 0, 1, 0], groups=["a"] * 4).at_prevalence(0.1)
    assert at.negative_likelihood_ratio.value == 0.5
    assert all(math.isnan(metric.low) for metric in values(at).values())


def test_text_and_dictionary():
    at = report(*predictions(180, 200, 190, 200), class_names=NAMES).at_prevalence(0.01)
    lines = str(at).splitlines()
    assert lines[0].split() == ["at", "1%", "micronucleus", "value", "low", "high", "method"]
    assert lines[5].split()[:4] == ["positive", "predictive", "value", "0.154"]
    assert json.loads(json.dumps(at.to_dict()))["prevalence"] == 0.01
    assert pickle.loads(pickle.dumps(at)) == at


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "sensitivity", "specificity", "prevalence"),
    [((40, 200), 0.9, 0.98, 0.01), ((200, 2000), 0.9, 0.99, 0.006), ((30, 30), 0.8, 0.8, 0.1)],
)
def test_intervals_hold_the_truth(n, sensitivity, specificity, prevalence):
    rng = np.random.default_rng(0)
    called = prevalence * sensitivity, (1 - prevalence) * (1 - specificity)
    others = prevalence * (1 - sensitivity), (1 - prevalence) * specificity
    truth = (
        sensitivity / (1 - specificity),
        (1 - sensitivity) / specificity,
        called[0] / sum(called),
        others[1] / sum(others),
    )
    held = np.zeros(4)
    for _ in range(1000):
        pair = (
            share(rng.binomial(n[0], sensitivity), n[0]),
            share(rng.binomial(n[1], specificity), n[1]),
        )
        found = values(PredictiveValues.of("micronucleus", prevalence, *pair)).values()
        held += [each.low <= true <= each.high for each, true in zip(found, truth, strict=True)]
    assert ((held >= 930) & (held <= 980)).all(), held


def test_bad_parameters():
    found = report(*predictions(9, 10, 9, 10), class_names=NAMES)
    for prevalence in (0, 1, 1.5, -0.1, np.nan, "1%"):
        with pytest.raises(InvalidParameterError, match="prevalence"):
            found.at_prevalence(prevalence)
    with pytest.raises(InvalidParameterError, match="two classes that both occur"):
        report([0, 0], [0, 1], class_names=NAMES).at_prevalence(0.1)
    with pytest.raises(InvalidParameterError, match="two classes that both occur"):
        report([0, 1, 2], [0, 1, 2]).at_prevalence(0.1)


def test_intervals_without_a_width_are_those_of_certainty():
    truth = [0] * 20 + [1] * 20
    found = report(truth, truth, confidence=1e-9, n_resamples=50).at_prevalence(0.01)
    value = found.positive_predictive_value
    assert (value.value, value.low, value.high) == pytest.approx((1, 1, 1))
