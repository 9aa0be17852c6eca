"""Corrected rates, against `corrected_proportion` and simulation."""

import math
from dataclasses import dataclass

import pytest
from tests.assay.plates import DOSES, counts

from nucrec.assay import summarize
from nucrec.errors import InvalidParameterError
from nucrec.evaluate import corrected_proportion


def test_wells_that_are_alike_are_as_in_corrected_proportion():
    assay = summarize(counts({0: [68, 68, 68]}, scored=1000))
    rate = assay.corrected((190, 200), (1890, 2000)).rates[0]
    expected = corrected_proportion(204, 3000, sensitivity=(190, 200), specificity=(1890, 2000))
    found = (rate.corrected.value, rate.corrected.low, rate.corrected.high)
    assert found == pytest.approx(
        (1000 * expected.value, 1000 * expected.low, 1000 * expected.high)
    )


def test_stated_shares_are_certain():
    rate = summarize(counts({0: [60, 64, 71]})).corrected(0.9, 0.99).rates[0]
    assert rate.corrected.value == pytest.approx(1000 * (65 / 2000 - 0.01) / 0.89)
    uncertain = summarize(counts({0: [60, 64, 71]})).corrected((90, 100), (99, 100)).rates[0]
    assert uncertain.corrected.value == pytest.approx(rate.corrected.value)
    width = rate.corrected.high - rate.corrected.low
    assert uncertain.corrected.high - uncertain.corrected.low > 1.5 * width
    assert uncertain.remark == "the specificity is too uncertain to distinguish this rate from zero"


def test_a_perfect_detector_changes_nothing():
    rate = summarize(counts({0: [60, 64, 71]})).corrected(1.0, 1.0).rates[0]
    ends = (rate.found.value, rate.found.low, rate.found.high)
    found = (rate.corrected.value, rate.corrected.low, rate.corrected.high)
    assert found == pytest.approx(ends, rel=2e-3)  # of two intervals, Wilson's is the exact one


def test_two_wells_stay_not_estimable():
    rate = summarize(counts({0: [60, 64]})).corrected(0.9, 0.99).rates[0]
    assert math.isnan(rate.corrected.low)
    assert "not estimable" in str(summarize(counts({0: [60, 64]})).corrected(0.9, 0.99))


def test_a_useless_detector_says_nothing():
    rate = summarize(counts({0: [60, 64, 71]})).corrected(0.3, 0.6).rates[0]
    assert (rate.corrected.low, rate.corrected.high) == (0, 1000)


@dataclass
class Field:
    called_with: int
    with_micronucleus: int
    called_without: int
    without_micronucleus: int


@dataclass
class Report:
    fields: tuple[Field, ...]


def test_annotated_fields_count_as_groups():
    alike = Report(tuple(Field(18, 20, 198, 200) for _ in range(10)))
    assay = summarize(counts({0: [60, 64, 71]}))
    found = assay.corrected(report=alike)
    assert (found.sensitivity, found.specificity) == pytest.approx((0.9, 0.99))
    assert found.rates[0].corrected == assay.corrected((180, 200), (1980, 2000)).rates[0].corrected
    unlike = Report(tuple(Field(18, 20, 200 - 4 * (k % 2), 200) for k in range(10)))
    wide = assay.corrected(report=unlike).rates[0].corrected
    assert wide.high - wide.low > found.rates[0].corrected.high - found.rates[0].corrected.low
    with pytest.raises(InvalidParameterError, match="at least three fields"):
        assay.corrected(report=Report(alike.fields[:2]))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "corrected: expected exactly one of: sensitivity and specificity"),
        ({"sensitivity": 0.9}, "specificity: expected"),
        ({"sensitivity": 1.2, "specificity": 0.9}, "sensitivity: expected a number"),
        ({"sensitivity": (5, 4), "specificity": 0.9}, "sensitivity"),
        (
            {"sensitivity": (5, 4, 3), "specificity": 0.9},
            "sensitivity: expected a share, or a pair",
        ),
        ({"report": 3}, "report: expected the result of"),
        ({"sensitivity": 0.9, "specificity": 0.9, "report": 3}, "none or several"),
    ],
)
def test_bad_errors_of_the_detector(arguments, words):
    with pytest.raises(InvalidParameterError, match=words):
        summarize(counts(DOSES)).corrected(**arguments)


def test_a_condition_without_scored_cells_has_no_corrected_rate():
    table = counts({0: [60, 64, 71], 1: [0, 0, 0]})
    table["scored"] = [2000] * 3 + [0] * 3
    found = summarize(table).corrected(0.9, 0.99)
    assert math.isfinite(found.rates[0].corrected.value)
    nothing = found.rates[1]
    assert all(math.isnan(getattr(nothing.corrected, name)) for name in ("value", "low", "high"))
    assert nothing.remark == "no cell was scored"
    assert str(found).splitlines()[-1].split("  ")[0] == "1"
    assert "not estimable" in str(found).splitlines()[-1]


def test_a_review_without_micronucleated_cells_says_nothing_of_recall():
    reviewed = {"called": [1] * 60 + [0] * 200, "reviewed": ["no"] * 260}
    found = summarize(counts({0: [60, 64, 71]})).corrected(reviewed=reviewed)
    assert (found.review.precision.value, found.review.missed_per_1000.value) == (0, 0)
    assert math.isnan(found.review.recall.value)
    assert math.isnan(found.sensitivity)
    assert math.isnan(found.rates[0].corrected.value)
    assert "no reviewed cell has a micronucleus" in found.rates[0].remark
    assert "Sensitivity not estimable" in str(found)
    unsure = {"called": reviewed["called"], "reviewed": ["unsure"] + ["no"] * 259}
    told = str(summarize(counts({0: [60, 64, 71]})).corrected(reviewed=unsure))
    assert "precision would be 0.00 to 0.02 and recall not estimable or 1.00." in told
