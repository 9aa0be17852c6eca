"""Cytotoxicity by the formulas of OECD TG 487."""

import math

import numpy as np
import pytest
from tests.assay.plates import counts

from nucrec.assay import summarize


def test_indices_by_hand():
    table = counts({0: [9, 12], 1: [14, 18]}, scored=500)
    table |= {"mono": [100, 120, 250, 240], "bi": [350, 330, 220, 235], "multi": [50, 50, 30, 25]}
    control, treated = summarize(table).cytotoxicity()
    of_control, of_treated = (220 + 1360 + 300) / 1000, (490 + 910 + 165) / 1000
    assert (control.cbpi, treated.cbpi) == pytest.approx((of_control, of_treated))
    assert control.cytostasis == pytest.approx(0)
    assert treated.cytostasis == pytest.approx(100 - 100 * (of_treated - 1) / (of_control - 1))
    assert treated.replication_index == pytest.approx(100 * (455 + 110) / (680 + 200))
    assert math.isnan(treated.ricc)


def test_relative_increase_in_cell_count():
    table = counts({0: [9, 12], 1: [14, 18]}, scored=500)
    table |= {"initial_cells": [100] * 4, "final_cells": [300, 320, 200, 210]}
    treated = summarize(table).cytotoxicity()[1]
    assert treated.ricc == pytest.approx(100 * 105 / 210)
    assert math.isnan(treated.cbpi)


def test_cells_with_their_nuclei():
    table = {
        "well": np.repeat(["a", "b"], 10),
        "condition": np.repeat(["DMSO", "MMC"], 10),
        "n_micronuclei": np.zeros(20, int),
        "n_nuclei": np.array([1, 2, 2, 2, 2, 2, 2, 2, 4, 3, *[1] * 6, *[2] * 4]),
    }
    control, treated = summarize(table, control="DMSO").cytotoxicity()
    assert control.cbpi == pytest.approx((1 + 14 + 6) / 10)
    assert treated.cbpi == pytest.approx(1.4)


def test_nothing_without_what_it_needs():
    assay = summarize(counts({0: [9, 12, 8], 1: [14, 18, 13]}))
    assert assay.cytotoxicity() == ()
    assert "Cytotoxicity" not in assay.tables()


def test_without_a_control_only_the_index_itself():
    table = counts({1: [9]}) | {"mono": [100], "bi": [300], "multi": [100]}
    found = summarize(table).cytotoxicity()[0]
    assert found.cbpi == pytest.approx(2)
    assert math.isnan(found.cytostasis)
