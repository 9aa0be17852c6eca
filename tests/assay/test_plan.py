import math

import numpy as np
import pytest
from statsmodels.stats.power import TTestIndPower

from nucrec.assay import plan, summarize
from nucrec.errors import InvalidParameterError


@pytest.mark.parametrize("variation", [0.0, 0.2])
@pytest.mark.parametrize("wells", [4, 6, 12])
def test_the_cells_give_the_power_that_was_asked_for(wells, variation):
    cells = plan(6, 12, wells=[wells], doses=1, variation=variation).cells[wells]
    shares = np.array([0.006, 0.012])
    shift = np.diff(np.arcsin(np.sqrt(shares)))[0]
    of_wells = (variation * shares) ** 2 / (4 * shares * (1 - shares))
    deviation = np.sqrt(1 / (4 * cells) + of_wells.mean())
    power = TTestIndPower().power(shift / deviation, wells, 0.05, alternative="larger")
    assert power == pytest.approx(0.8, abs=2e-3)  # cells are whole


def test_more_wells_take_fewer_cells_and_false_positives_take_more():
    ours, worse = plan(6, 12).cells, plan(6, 12, specificity=0.99).cells
    totals = [wells * cells for wells, cells in ours.items()]
    assert totals == sorted(totals, reverse=True)
    assert all(worse[wells] > 1.7 * cells for wells, cells in ours.items())


def test_no_number_of_cells_makes_up_for_wells_that_vary_too_much():
    found = plan(6, 12, wells=[3, 12], variation=0.4)
    assert found.cells[3] == math.inf
    assert math.isfinite(found.cells[12])
    assert "no number suffices" in str(found)


def test_designs_that_cannot_give_a_small_p_value_are_told():
    assert math.isnan(plan(6, 12, wells=[3], doses=1).cells[3])
    assert math.isfinite(plan(6, 12, wells=[3], doses=2).cells[3])
    assert "too few wells" in plan(6, 12, wells=[2]).to_markdown()


def test_what_the_detector_would_find_is_told():
    found = plan(6, 12, sensitivity=0.9, specificity=0.98)
    assert found.found_control_rate == pytest.approx(0.9 * 6 + 0.02 * 994)
    assert "25.3 against 30.6 per 1000" in found.to_html()


def test_an_experiment_of_that_size_says_the_same():
    cells = int(plan(6, 12, wells=[6], doses=1, variation=0).cells[6])
    control = round(0.006 * cells)
    assay = summarize(
        {
            "well": list(range(12)),
            "dose": [0] * 6 + [1] * 6,
            "scored": [cells] * 12,
            "micronucleated": [control] * 6 + [2 * control] * 6,
        }
    )
    smallest = assay.smallest_increase()[0]
    assert smallest.rate / smallest.control_rate == pytest.approx(2, abs=0.15)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rate": 6}, "rate: expected more than the rate of the control, 6"),
        ({"control_rate": 0}, "control_rate: expected a number strictly between 0 and 1000"),
        ({"wells": []}, "wells: expected a list of numbers of wells"),
        ({"wells": 4}, "wells: expected a list of numbers of wells"),
        ({"wells": [4.5]}, "wells: expected a whole number"),
        ({"power": 0.01}, "power: expected more than alpha, 0.05"),
        (
            {"rate": 999.9},
            "variation: expected at most 0.01, the largest possible variation of well rates",
        ),
        ({"specificity": 0.9, "sensitivity": 0.1}, "sensitivity: expected more than 0.1"),
    ],
)
def test_impossible_plans_are_refused(arguments, message):
    with pytest.raises(InvalidParameterError, match=message):
        plan(**{"control_rate": 6, "rate": 12, **arguments})


def test_rates_near_all_cells_need_few():
    assert 1 <= plan(6, 999.9, wells=[4], variation=0).cells[4] < 10
