"""Rates and their intervals: expected values by arithmetic, by other formulas, and by simulation."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.proportion import proportion_confint
from tests.assay.plates import DOSES, cells_of, counts

from nucrec.assay import summarize
from nucrec.errors import DatasetError, InvalidParameterError


def test_one_well_has_wilsons_interval():
    unit = summarize(counts({0: [20]})).units[0]
    low, high = proportion_confint(20, 2000, method="wilson")
    assert (unit.rate.low, unit.rate.high) == pytest.approx((1000 * low, 1000 * high))
    assert f"{unit.rate.value:.1f} ({unit.rate.low:.1f} to {unit.rate.high:.1f})" == (
        "10.0 (6.5 to 15.4)"  # as in the conventions of the field
    )


@pytest.mark.parametrize("wells", [[5, 50, 20], [10, 11, 30, 14], [3, 40, 22, 9, 60, 31]])
def test_the_interval_over_wells_solves_the_score_equation(wells):
    rate = summarize(counts({0: wells})).conditions[0].rate
    k, n = np.array(wells), 2000.0
    share, total = k.sum() / (n * len(k)), n * len(k)
    chi2 = np.square(k - n * share).sum() / (n * share * (1 - share))
    phi, t = chi2 / (len(k) - 1), stats.t.ppf(0.975, len(k) - 1)
    for end in (rate.low / 1000, rate.high / 1000):
        assert abs(share - end) == pytest.approx(t * math.sqrt(phi * end * (1 - end) / total))


def test_wells_that_vary_less_than_by_chance_have_the_interval_of_their_cells():
    condition = summarize(counts({0: [20, 20, 20]})).conditions[0]
    low, high = proportion_confint(60, 6000, method="wilson")
    assert (condition.rate.low, condition.rate.high) == pytest.approx((1000 * low, 1000 * high))
    assert condition.effective_cells == 6000


@pytest.mark.parametrize("wells", [[9], [9, 12]])
def test_fewer_than_three_wells_have_no_interval(wells):
    assay = summarize(counts({0: wells}))
    rate = assay.conditions[0].rate
    assert rate.value == pytest.approx(sum(wells) / len(wells) / 2)
    assert math.isnan(rate.low)
    assert math.isnan(rate.high)
    assert rate.method.startswith("not estimable")
    assert "not estimable" in str(assay)
    assert any("no interval" in remark for remark in assay.remarks)


def test_wells_without_cells_are_none():
    table = counts({0: [9, 12, 0]})
    table["scored"][2] = 0
    condition = summarize(table).conditions[0]
    assert condition.n_units == 2
    assert math.isnan(condition.rate.low)


def test_no_micronucleated_cell_at_all_still_has_an_upper_end():
    condition = summarize(counts({0: [0, 0, 0]})).conditions[0]
    t = stats.t.ppf(0.975, 2)
    assert condition.rate.low == 0
    assert condition.rate.high == pytest.approx(1000 * t**2 / (6000 + t**2))


@pytest.mark.parametrize("wells", [[7, 60, 25], [12, 11, 35, 14]])
def test_the_interval_of_micronuclei_solves_the_score_equation(wells):
    table = counts({0: [min(k, 20) for k in wells]}, micronuclei=wells)
    rate = summarize(table).conditions[0].micronuclei_rate
    k, n = np.array(wells), 2000.0
    mean, total = k.sum() / (n * len(k)), n * len(k)
    phi = np.square(k - n * mean).sum() / (n * mean) / (len(k) - 1)
    t = stats.t.ppf(0.975, len(k) - 1)
    for end in (rate.low / 1000, rate.high / 1000):
        assert abs(mean - end) == pytest.approx(t * math.sqrt(phi * end / total))


def test_cells_with_several_micronuclei_widen_their_interval():
    numbers = np.zeros((3, 1000), int)
    numbers[:, :4] = 5  # wells are alike: as many independent micronuclei would be surer
    cells = {"well": np.repeat(["B2", "B3", "B4"], 1000), "condition": ["DMSO"] * 3000}
    found = summarize(cells | {"n_micronuclei": numbers.ravel()}).conditions[0]
    single = np.zeros((3, 1000), int)
    single[:, :20] = 1
    other = summarize(cells | {"n_micronuclei": single.ravel()}).conditions[0].micronuclei_rate
    assert found.micronuclei_per_1000 == other.value == 20
    clustered = numbers.var() / numbers.mean()
    effect, z = max(clustered, 1.0), stats.norm.ppf(0.975)
    for end in (found.micronuclei_rate.low / 1000, found.micronuclei_rate.high / 1000):
        assert abs(0.02 - end) == pytest.approx(z * math.sqrt(effect * end / 3000))
    assert other.high - other.low < 0.5 * (found.micronuclei_rate.high - found.micronuclei_rate.low)


def test_micronuclei_that_were_not_counted_have_no_rate():
    assay = summarize(counts(DOSES))
    assert math.isnan(assay.conditions[0].micronuclei_per_1000)
    assert "not counted" in assay.conditions[0].micronuclei_rate.method
    assert "micronuclei per 1000" not in str(assay)


def test_confidence_is_that_of_all_intervals():
    narrow, wide = (summarize(counts(DOSES), confidence=c).conditions[0].rate for c in (0.5, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high
    for confidence in (0, 1, 95):
        with pytest.raises(InvalidParameterError, match="confidence"):
            summarize(counts(DOSES), confidence=confidence)


def test_cells_and_counts_give_the_same():
    table = counts(DOSES)
    of_cells, of_counts = summarize(cells_of(table)), summarize(table)
    for one, other in zip(of_cells.conditions, of_counts.conditions, strict=True):
        assert (one.name, one.n_scored, one.rate) == (other.name, other.n_scored, other.rate)
    assert of_cells.trend() == of_counts.trend()


def test_few_cells_are_said():
    remarks = summarize(counts(DOSES, scored=600)).remarks
    assert any("2000" in remark and "1 (1800)" in remark for remark in remarks)
    assert not any("2000" in remark for remark in summarize(counts(DOSES)).remarks)


@pytest.mark.slow
@pytest.mark.parametrize("wells", [3, 6])
@pytest.mark.parametrize(("rate", "variation"), [(5, 0.0), (5, 0.5), (50, 0.0), (50, 0.5)])
def test_intervals_hold_the_truth(wells, rate, variation):
    from benchmarks.assay import Plate, coverage

    found = coverage(Plate(wells, rate, variation), 1000)
    assert 92 <= found.by_unit <= 99.3  # 99, and the error of 1000 replicates
    if variation:
        assert found.pooled < found.by_unit - 5


@pytest.mark.slow
@pytest.mark.parametrize("wells", [3, 6])
@pytest.mark.parametrize(("rate", "variation"), [(5, 0.0), (5, 0.5), (50, 0.0), (50, 0.5)])
def test_intervals_of_micronuclei_hold_the_truth(wells, rate, variation):
    from benchmarks.assay import Plate, coverage_of_micronuclei

    found = coverage_of_micronuclei(Plate(wells, rate, variation), 1000)
    assert 92 <= found.by_unit <= 99.3
    assert found.pooled < found.by_unit - (5 if variation else 2)


@pytest.mark.slow
def test_tests_by_wells_keep_their_level_and_pooled_ones_do_not():
    from benchmarks.assay import Plate, rejections

    for row in rejections(Plate(4, 50, 0.5), 400):
        assert row.by_unit <= 8  # 5, and the error of 400 replicates
        assert row.pooled > 25


@pytest.mark.parametrize(
    ("scored", "found"),
    [([2000, 2000, 100], [20, 22, 6]), ([3000, 400, 500], [30, 12, 2]), ([2000] * 3, [9, 30, 12])],
)
def test_the_dispersion_of_unequal_wells_is_the_larger_of_pearsons_and_that_of_the_ratio(
    scored, found
):
    n, k = np.array(scored, float), np.array(found, float)
    fitted = sm.GLM(np.c_[k, n - k], np.ones(len(n)), family=sm.families.Binomial()).fit()
    pearson = fitted.pearson_chi2 / fitted.df_resid
    share = k.sum() / n.sum()
    residual = stats.tvar(k - share * n) * len(n) / n.sum() ** 2  # Cochran 1977, (6.13)
    by_cells = residual / (share * (1 - share) / n.sum())
    table = {"well": list("abc"), "dose": [0] * 3, "scored": scored, "micronucleated": found}
    condition = summarize(table).conditions[0]
    assert condition.dispersion == pytest.approx(max(pearson, by_cells))


def test_a_well_with_most_cells_pulls_the_mean_towards_itself():
    n, k = np.array([6000.0, 300, 200, 100, 300]), np.array([60, 9, 4, 1, 8])
    table = {"well": list("abcde"), "dose": [0] * 5, "scored": n.astype(int), "micronucleated": k}
    rate = summarize(table).conditions[0].rate
    share = k.sum() / n.sum()
    # Bell and McCaffrey's CR2: squared sums of residuals over one minus the leverage of each well
    variance = (np.square(k - n * share) / (1 - n / n.sum())).sum() / n.sum() ** 2
    phi = variance / (share * (1 - share) / n.sum())
    t = stats.t.ppf(0.975, max(1, n.sum() ** 2 / np.square(n).sum() - 1))
    for end in (rate.low / 1000, rate.high / 1000):
        assert abs(share - end) == pytest.approx(t * math.sqrt(phi * end * (1 - end) / n.sum()))


@pytest.mark.slow
@pytest.mark.parametrize(
    "scored", [[8000] + [200] * 5, [4000] * 2 + [200] * 4, [2000] * 3 + [100] * 3]
)
@pytest.mark.parametrize("variation", [0.3, 0.6])
def test_intervals_of_wells_of_very_different_sizes_hold_the_truth(scored, variation):
    rng = np.random.default_rng(0)
    shape = 1 / variation**2
    names = {"well": [f"B{k:02}" for k in range(len(scored))], "dose": [0] * len(scored)}
    held = []
    for _ in range(400):
        rates = rng.gamma(shape, 0.05 / shape, len(scored)).clip(0, 1)
        found = rng.binomial(scored, rates)
        rate = summarize({**names, "scored": scored, "micronucleated": found}).conditions[0].rate
        held.append(rate.low <= 50 <= rate.high)
    assert np.mean(held) >= 0.92


def test_wells_of_very_different_sizes_have_a_remark():
    table = {"well": list("abc"), "dose": [0] * 3, "micronucleated": [9, 12, 8]}
    assert any("differ more than 4-fold: " in told for told in _remarks(table, [2000, 2000, 400]))
    assert not any("4-fold" in told for told in _remarks(table, [2000, 2000, 500]))
    (told,) = (told for told in _remarks(table, [6000, 300, 200]) if "most of the scored" in told)
    assert told.startswith("A few wells have most of the scored cells: 0 (3 wells count as 1.2).")
    assert not any("4-fold" in told for told in _remarks(table, [6000, 300, 200]))


def _remarks(table: dict[str, list[object]], scored: list[int]) -> tuple[str, ...]:
    return summarize({**table, "scored": scored}).remarks


def test_wells_of_a_handful_of_cells_do_not_make_the_interval_narrow():
    table = {"well": list("abc"), "dose": [0] * 3, "micronucleated": [5, 0, 0]}
    rate = summarize({**table, "scored": [1000, 5, 5]}).conditions[0].rate
    low, high = proportion_confint(5, 1000, method="wilson")  # of the large well's cells alone
    assert rate.low < 1000 * low
    assert rate.high > 1000 * high


def test_two_large_wells_and_a_small_one_have_a_remark():
    table = {"well": list("abc"), "dose": [0] * 3, "micronucleated": [40, 42, 1]}
    told = _remarks(table, [2000, 2000, 20])
    assert any("0 (20 to 2000)" in each and "somewhat too narrow" in each for each in told)


@pytest.mark.parametrize("name", ["mean", "Total", "sum", "SD", "Mittelwert", "Average", "Means"])
def test_rows_of_summaries_are_no_wells(name):
    table = {
        "well": ["B02", "B03", "B04", name],
        "condition": ["DMSO"] * 4,
        "n_scored": [1000] * 4,
        "n_micronucleated": [5, 6, 7, 6],
    }
    with pytest.raises(DatasetError, match=f"well is '{name}', so this row sums up others"):
        summarize(table)
    named = summarize({**table, "well": ["left", "right", "middle", name]})
    assert len(named.units) == 4
