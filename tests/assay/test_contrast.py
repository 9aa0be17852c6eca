"""Doses against the control, against scipy and enumeration."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from tests.assay.plates import DOSES, counts

from nucrec.assay import summarize
from nucrec.errors import InvalidParameterError


def test_pooled_cells_as_in_scipy():
    contrasts = summarize(counts(DOSES)).versus_control()
    totals = [sum(wells) for wells in DOSES.values()]
    expected = [
        stats.fisher_exact([[k, 6000 - k], [totals[0], 6000 - totals[0]]], "greater").pvalue
        for k in totals[1:]
    ]
    assert [each.pooled.p_value for each in contrasts] == pytest.approx(expected, rel=1e-9)
    holm = multipletests(expected, method="holm")[1]
    assert [each.pooled.p_adjusted for each in contrasts] == pytest.approx(holm.tolist(), rel=1e-9)


def test_differences_and_folds():
    contrast = summarize(counts(DOSES)).versus_control()[-1]
    assert (contrast.condition, contrast.control) == ("4", "0")
    assert contrast.difference == pytest.approx((123 - 29) / 6)
    assert contrast.fold == pytest.approx(123 / 29)


def test_three_wells_against_three():
    contrast = summarize(counts({0: [9, 12, 8], 1: [24, 30, 27]})).versus_control()[0]
    assert contrast.by_unit.p == pytest.approx(1 / 20)


def test_one_dose_is_a_permutation_of_wells():
    wells = [9, 12, 8, 15, 11, 24, 10, 27]
    contrast = summarize(counts({0: wells[:4], 1: wells[4:]})).versus_control()[0]
    sums = [sum(chosen) for chosen in itertools.combinations(wells, 4)]
    at_least = sum(each >= sum(wells[4:]) for each in sums)
    assert contrast.by_unit.p == pytest.approx(at_least / math.comb(8, 4))


def test_the_best_of_several_doses_is_compared_with_the_best_of_each_arrangement():
    wells = np.array([9, 12, 8, 14, 10, 13, 24, 11, 27])
    contrasts = summarize(counts({0: wells[:3], 1: wells[3:6], 2: wells[6:]})).versus_control()
    y = wells / 2000

    def dunnett(labels: np.ndarray, dose: int) -> float:
        parts = [y[labels == each] for each in range(3)]
        error = math.sqrt(sum(part.var(ddof=1) for part in parts) / 3)
        return (parts[dose].mean() - parts[0].mean()) / (error * math.sqrt(2 / 3))

    labels = np.repeat(np.arange(3), 3)
    every = list(set(itertools.permutations(labels.tolist())))
    most = [max(dunnett(np.array(each), dose) for dose in (1, 2)) for each in every]
    expected = np.mean(np.array(most) >= dunnett(labels, 2) - 1e-9)
    assert contrasts[1].by_unit.p == pytest.approx(expected)
    assert contrasts[1].by_unit.statistic == pytest.approx(dunnett(labels, 2))


def test_too_few_wells_are_not_estimable():
    contrasts = summarize(counts({0: [9, 12, 8], 1: [24, 30], 2: [40, 38, 45]})).versus_control()
    assert not contrasts[0].by_unit.is_estimable
    assert contrasts[0].pooled.p < 0.05
    assert contrasts[1].by_unit.is_estimable
    none = summarize(counts({0: [9, 12], 1: [24, 30, 27]})).versus_control()
    assert not none[0].by_unit.is_estimable


def test_a_control_without_micronuclei_has_no_fold_increase():
    assay = summarize(counts({0: [0, 0, 0], 1: [4, 6, 5]}))
    assert math.isnan(assay.versus_control()[0].fold)
    assert any("no fold increase" in remark for remark in assay.remarks)


def test_a_control_is_needed():
    table = counts({1: [9, 12, 8], 2: [24, 30, 27]})
    for call in ("versus_control", "smallest_increase"):
        with pytest.raises(InvalidParameterError, match="control"):
            getattr(summarize(table), call)()
    alone = summarize(counts({0: [9, 12, 8]}))
    with pytest.raises(InvalidParameterError, match="besides the control"):
        alone.versus_control()


def test_the_smallest_increase_is_found_with_the_power_that_is_said():
    smallest = summarize(counts({0: [20] * 4, 1: [20] * 4})).smallest_increase(power=0.8)[0]
    rng = np.random.default_rng(0)
    found = rng.binomial(2000, [0.01, smallest.rate / 1000], (20_000, 4, 2))
    y = np.arcsin(np.sqrt(found / 2000))
    error = np.sqrt(y.var(axis=1, ddof=1).sum(axis=1) / 4)
    t = (y.mean(axis=1)[:, 1] - y.mean(axis=1)[:, 0]) / error
    assert np.mean(stats.t.sf(t, 6) < 0.05) == pytest.approx(0.8, abs=0.02)


def test_variation_between_wells_makes_the_smallest_increase_larger():
    alike, unlike = (
        summarize(counts({0: wells, 1: wells})).smallest_increase()[0]
        for wells in ([20, 19, 21, 20], [5, 40, 12, 23])
    )
    assert alike.dispersion == 1
    assert unlike.dispersion > 5
    assert unlike.rate > alike.rate > 10
    few = summarize(counts({0: [20, 20], 1: [20] * 3})).smallest_increase()[0]
    assert math.isnan(few.rate)


def test_three_wells_against_three_can_find_nothing():
    assay = summarize(counts({0: [1, 2, 1], 1: [240, 300, 270]}))
    result = assay.versus_control()[0].by_unit
    assert result.p_smallest == pytest.approx(1 / 20)
    assert (result.can_reach(0.05), result.can_reach(0.051)) == (False, True)
    smallest = assay.smallest_increase()[0]
    assert math.isnan(smallest.rate)
    assert "cannot give p < 0.05" in smallest.method
    criterion = assay.decision().criteria[0]
    assert criterion.answer == "not answerable"
    assert "smallest possible with so few units" in criterion.reason


@pytest.mark.slow
@pytest.mark.parametrize("doses", [1, 3])
def test_permuted_wells_have_the_power_that_is_said(doses):
    flat = {dose: [20] * 4 for dose in range(doses + 1)}
    rate = summarize(counts(flat)).smallest_increase(power=0.8)[-1].rate
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(400):
        drawn = {dose: rng.binomial(2000, 0.01, 4).tolist() for dose in range(doses)}
        drawn[doses] = rng.binomial(2000, rate / 1000, 4).tolist()
        found += summarize(counts(drawn)).versus_control()[-1].by_unit.p < 0.05
    assert 0.7 < found / 400 < 0.92


@pytest.mark.parametrize(
    ("conditions", "doses", "names"),
    [
        (["M", "M", "M 1"], [1, 2, np.nan], ["M (dose 1)", "M 2", "M 1 (no dose)"]),
        (["M", "M", "N"], [1e6, 1e6 + 0.1, 3], ["M 1000000", "M 1000000.1", "N"]),
    ],
)
def test_conditions_that_print_alike_are_called_and_tested_apart(conditions, doses, names):
    table = counts({0: [9, 12, 8], 1: [14, 18, 13], 2: [24, 30, 27], 3: [90, 80, 85]})
    table["dose"] = [0] * 3 + np.repeat(doses, 3).tolist()
    table["condition"] = ["DMSO"] * 3 + np.repeat(conditions, 3).tolist()
    assay = summarize(table, control="DMSO")
    assert [each.condition for each in assay.versus_control()] == names
    del table["dose"]
    table["condition"] = np.repeat(["DMSO", "A", "B", "C"], 3).tolist()
    unlike = summarize(table, control="DMSO").versus_control()
    for contrast, other in zip(assay.versus_control(), unlike, strict=True):
        assert contrast.difference == other.difference
        assert contrast.by_unit == other.by_unit


def test_doses_that_differ_by_rounding_alone_are_one():
    table = counts({0: [9, 12, 8], 0.3: [14, 18, 13]})
    table["dose"][4] = 0.1 + 0.2
    assert [each.n_units for each in summarize(table).conditions] == [3, 3]


def test_large_p_values_are_of_the_step_down_too():
    found = {0: [10, 12, 9], 1: [11, 13, 8], 2: [12, 9, 14]}
    p = [each.by_unit.p for each in summarize(counts(found)).versus_control()]
    alone = {d: summarize(counts({0: found[0], 1: found[d]})) for d in (1, 2)}
    last = [alone[d].versus_control()[0].by_unit.p for d in (1, 2)]
    first = int(np.argmin(p))
    assert p[first] > 0.1
    assert p[1 - first] == pytest.approx(max(p[first], last[1 - first]))


@pytest.mark.parametrize("power", [0.01, 0.05])
def test_a_power_of_no_more_than_the_level_is_refused(power):
    with pytest.raises(InvalidParameterError, match=r"power: expected more than alpha, 0\.05"):
        summarize(counts(DOSES)).smallest_increase(power=power)
