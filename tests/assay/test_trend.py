"""The test for trend, against statsmodels and enumeration."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import Table
from tests.assay.plates import DOSES, counts

from nucrec.assay import summarize
from nucrec.errors import InvalidParameterError


def ordinal(found: dict[float, list[int]], scored: int, scores: list[float]):
    k = np.array([sum(wells) for wells in found.values()])
    n = scored * np.array([len(wells) for wells in found.values()])
    table = Table(np.stack([n - k, k], axis=1))
    return table.test_ordinal_association(np.array(scores), np.array([0, 1]))


@pytest.mark.parametrize(
    "found",
    [
        DOSES,
        {0: [40, 38, 45], 0.5: [38, 40, 41], 10: [30, 31, 39]},
        {0: [25], 3: [32, 12], 4: [18, 19, 25, 24], 9: [31]},
    ],
)
@pytest.mark.parametrize("score", ["dose", "rank"])
def test_pooled_cells_as_in_statsmodels(found, score):
    trend = summarize(counts(found)).trend(score)
    expected = ordinal(found, 2000, list(found) if score == "dose" else list(range(len(found))))
    assert trend.pooled.statistic == pytest.approx(expected.zscore, abs=1e-10)
    assert trend.pooled.p_two_sided == pytest.approx(expected.pvalue, abs=1e-10)
    assert trend.pooled.p_value == pytest.approx(stats.norm.sf(expected.zscore), abs=1e-10)


def test_own_scores():
    scores = [0, 1, 5, 6]
    trend = summarize(counts(DOSES)).trend(scores)
    expected = ordinal(DOSES, 2000, scores)
    assert trend.pooled.statistic == pytest.approx(expected.zscore, abs=1e-10)
    assert trend.scores == tuple(scores)


def test_small_counts_are_exact():
    found, scored = {0: [0], 1: [1], 2: [3]}, 30
    total, expected = 4, 0.0
    for tables in itertools.product(range(total + 1), repeat=3):
        if sum(tables) == total and np.dot(tables, [0, 1, 2]) >= 7:
            expected += math.prod(math.comb(scored, k) for k in tables)
    trend = summarize(counts(found, scored=scored)).trend()
    assert trend.pooled.method.endswith("exact")
    assert trend.pooled.p_value == pytest.approx(expected / math.comb(90, total), rel=1e-9)


def test_exact_agrees_with_permutations_of_cells():
    table = counts({0: [1], 2.5: [2], 7: [5]})
    table["scored"] = [500, 40, 90]
    p = summarize(table).trend().pooled.p_value
    rng = np.random.default_rng(0)
    drawn = rng.multivariate_hypergeometric([500, 40, 90], 8, size=200_000) @ [0, 2.5, 7]
    assert p == pytest.approx((drawn >= 40).mean(), abs=0.002)


def test_wells_are_permuted_as_whole():
    found = {0: [9, 12, 8], 1: [14, 10, 13], 2: [24, 11, 27]}
    trend = summarize(counts(found)).trend()
    k = np.array([k for wells in found.values() for k in wells])
    labels = np.repeat([0, 1, 2], 3)
    every = set(itertools.permutations(labels.tolist()))
    assert len(every) == 1680
    at_least = sum(np.dot(order, k) >= np.dot(labels, k) for order in every)
    assert trend.by_unit.p_value == pytest.approx(at_least / 1680)


def test_wells_with_few_cells_at_the_highest_dose():
    table = counts({0: [9, 12, 8], 1: [14, 10, 13], 2: [5, 3, 4]})
    table["scored"] = [2000] * 6 + [300, 450, 380]
    trend = summarize(table).trend()
    assert trend.by_unit.statistic == pytest.approx(trend.pooled.statistic)
    rows = list(zip(table["micronucleated"], table["scored"], strict=True))

    def z(labels: tuple[int, ...]) -> float:
        parts = [
            [row for row, label in zip(rows, labels, strict=True) if label == each]
            for each in range(3)
        ]
        sums = np.array([[sum(x) for x in zip(*part, strict=True)] for part in parts])
        k, n = sums.T
        return (
            Table(np.stack([n - k, k], 1))
            .test_ordinal_association(np.arange(3), np.arange(2))
            .zscore
        )

    labels = (0, 0, 0, 1, 1, 1, 2, 2, 2)
    every = [z(each) for each in set(itertools.permutations(labels))]
    expected = np.mean(np.array(every) >= z(labels) - 1e-9)
    assert trend.by_unit.p_value == pytest.approx(expected)


def test_blocks_are_not_mixed():
    table = counts({0: [9, 30, 8], 1: [14, 40, 13], 2: [24, 60, 17]})
    table["day"] = ["1", "2", "3"] * 3
    trend = summarize(table, block="day").trend()
    assert "216 arrangements" in trend.by_unit.method  # 3! in each of three blocks
    assert trend.by_unit.p_value == pytest.approx(1 / 216)


def test_too_few_wells_are_not_estimable():
    trend = summarize(counts({0: [9, 12], 1: [14, 18, 13], 2: [24, 30, 27]})).trend()
    assert not trend.by_unit.is_estimable
    assert trend.pooled.is_estimable


def test_a_downturn_is_said_and_tested_without():
    trend = summarize(counts({**DOSES, 8: [12, 9, 14]})).trend()
    assert trend.downturn
    assert trend.without_highest == summarize(counts(DOSES)).trend()
    assert "falls at the highest dose" in trend.remarks[0]
    assert summarize(counts(DOSES)).trend().remarks == ()


def test_one_dose_is_no_trend():
    with pytest.raises(InvalidParameterError, match="two or more doses"):
        summarize(counts({0: [9, 12, 8], 1: [14, 18, 13]})).trend()


@pytest.mark.parametrize("score", ["logarithm", [1, 2], [3, 2, 1, 0], ["a", "b", "c", "d"]])
def test_bad_scores(score):
    with pytest.raises(InvalidParameterError, match="score"):
        summarize(counts(DOSES)).trend(score)


def test_several_compounds_are_asked_for_by_name():
    table = counts({0: [9, 12, 8], 1: [14, 18, 13], 2: [24, 30, 27], 3: [9] * 3, 4: [10] * 3})
    table["condition"] = [*["DMSO"] * 3, *["MMC"] * 6, *["water"] * 6]
    assay = summarize(table, control="dmso")
    assert assay.compounds == ("MMC", "water")
    with pytest.raises(InvalidParameterError, match="compound: expected one of 'MMC', 'water'"):
        assay.trend()
    assert assay.trend(compound="MMC").levels == ("DMSO", "MMC 1", "MMC 2")
    assert assay.trend(compound="water").by_unit.p > 0.1


def named(conditions: list[str], doses: list[float]) -> dict[str, list]:
    """Return a table of three wells for each condition, with more micronuclei in later ones."""
    found = [[9 + 8 * i, 12 + 8 * i, 8 + 8 * i] for i in range(len(doses))]
    table = counts(dict(enumerate(found)))
    table["dose"] = np.repeat(doses, 3).tolist()
    return {**table, "condition": np.repeat(conditions, 3).tolist()}


def test_single_doses_of_different_compounds_are_no_series():
    assay = summarize(named(["DMSO", "A", "B", "C"], [0, 1, 10, 50]), control="DMSO")
    assert assay.compounds == ()
    assert "Trend" not in assay.tables()
    with pytest.raises(InvalidParameterError, match="compound with two or more doses"):
        assay.trend()
    assert assay.decision().criteria[1].answer == "not answerable"
    doses = summarize(named(["DMSO", "A", "B", "C"], [0, 1, 10, 50]), by="dose")
    assert doses.trend().levels == ("0", "1", "10", "50")


def test_a_control_of_a_dose_above_others_is_the_lowest_level():
    names = ["DMSO", "MMC", "MMC", "MMC"]
    assay = summarize(named(names, [5, 1, 2, 4]), control="DMSO")
    assert assay.trend().scores == (0, 1, 2, 4)
    assert assay.trend("rank").scores == (0, 1, 2, 3)
    assert any("DMSO, has the dose 5" in note for note in assay.notes)
    lower = summarize(named(names, [0.5, 1, 2, 4]), control="DMSO")
    assert lower.trend().scores == (0.5, 1, 2, 4)
    assert lower.notes == ()


def test_the_control_of_doses_alone_is_the_lowest():
    with pytest.raises(InvalidParameterError, match="control: expected the lowest of the doses, 0"):
        summarize(counts(DOSES), control=2)


@pytest.mark.parametrize("control", ["0.10", "0,1", 0.1, "1e-1"])
def test_the_control_is_found_by_the_value_of_its_dose(control):
    assert (
        summarize(counts({0.1: [9, 12, 8], 1: [24, 30, 27]}), control=control).control.dose == 0.1
    )


def test_results_print_as_sentences_with_their_numbers():
    assay = summarize(
        {
            "well": list("abcdefghijkl"),
            "dose": [0] * 4 + [1] * 4 + [2] * 4,
            "scored": [2000] * 12,
            "micronucleated": [9, 12, 8, 10, 14, 18, 13, 16, 24, 30, 27, 25],
        }
    )
    trend, (contrast, _) = assay.trend(), assay.versus_control()
    lines = str(trend).splitlines()
    assert lines[0] == f"Increase with dose: {', '.join(trend.levels)}"
    assert trend.by_unit.method in lines[1]
    assert trend.pooled.method in lines[2]
    assert str(contrast).startswith(
        f"{contrast.condition} against {contrast.control}: +2.8 per 1000"
    )
    smallest = assay.smallest_increase()[0]
    assert f"from {smallest.control_rate:.1f} to {smallest.rate:.1f} per 1000" in str(smallest)


def test_a_design_of_two_wells_prints_why_it_is_not_estimable():
    table = {
        "well": list("abcd"),
        "condition": ["DMSO"] * 2 + ["MMC"] * 2,
        "scored": [2000] * 4,
        "micronucleated": [9, 12, 24, 30],
    }
    assay = summarize(table, control="DMSO")
    contrast = assay.versus_control()[0]
    assert f"whole units: {contrast.by_unit.method}" in str(contrast)
    assert str(assay.smallest_increase()[0]).startswith("MMC: ")


SMALL = {0: [0, 1, 0], 1: [1, 0, 2], 2: [2, 1, 3], 5: [3, 2, 4]}


@pytest.mark.parametrize("unit", [1e-18, 1e-10, 1e-9, 1e12, 1e200, 1e300])
@pytest.mark.parametrize(("found", "scored"), [(DOSES, 2000), (SMALL, 40)])
def test_the_unit_of_the_dose_changes_nothing(found, scored, unit):
    expected = summarize(counts(found, scored=scored)).trend()
    trend = summarize(counts({unit * d: k for d, k in found.items()}, scored=scored)).trend()
    for ours, theirs in ((trend.pooled, expected.pooled), (trend.by_unit, expected.by_unit)):
        assert ours.p_value == pytest.approx(theirs.p_value, rel=1e-9)
        assert ours.statistic == pytest.approx(theirs.statistic, rel=1e-9)
        assert ours.method == theirs.method
    assert trend.scores == pytest.approx([unit * dose for dose in found], rel=1e-12)


def test_scores_far_from_zero_are_as_their_differences():
    assay = summarize(counts(SMALL, scored=40))
    near, far = (assay.trend([start + k for k in range(4)]) for start in (0.0, 1e9))
    assert far.pooled == near.pooled
    assert far.by_unit == near.by_unit


@pytest.mark.parametrize(
    "doses", [(0, 1e-12, 1), (0, 1, 1e9), (0, 0.1, 0.3), (1e-30, 3e-30, 1e-21)]
)
def test_doses_of_very_different_size_are_exact(doses):
    found, n = (1, 3, 2), 30
    of_dose = [Fraction(str(dose)) for dose in doses]
    observed = sum(k * dose for k, dose in zip(found, of_dose, strict=True))
    ways = [
        math.prod(math.comb(n, k) for k in table)
        for table in itertools.product(range(7), repeat=3)
        if sum(table) == 6
        and sum(k * dose for k, dose in zip(table, of_dose, strict=True)) >= observed
    ]
    table = counts({dose: [k] for dose, k in zip(doses, found, strict=True)}, scored=n)
    pooled = summarize(table, control=str(doses[0])).trend().pooled
    assert pooled.method.endswith("exact")
    assert pooled.p_value == pytest.approx(sum(ways) / math.comb(3 * n, 6), rel=1e-9)


def test_equal_scores_are_no_trend():
    trend = summarize(counts(DOSES)).trend([1, 1, 1, 1])
    assert not trend.pooled.is_estimable
    assert trend.by_unit.method == "not estimable: all doses have one score"


def test_no_micronuclei_at_all_are_no_trend():
    trend = summarize(counts({0: [0] * 3, 1: [0] * 3, 2: [0] * 3})).trend()
    assert not trend.pooled.is_estimable
    assert trend.by_unit.p_value == 1
