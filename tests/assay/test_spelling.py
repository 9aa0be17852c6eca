"""Names of wells and conditions that are the same to a person, and wells that are one unit."""

import unicodedata

import numpy as np
import pandas as pd
import pytest
from tests.assay.plates import DOSES, cells_of, counts

from nucrec.assay import summarize
from nucrec.errors import DatasetError

DECOMPOSED = unicodedata.normalize("NFD", "Kontrollé")


def conditions_of(names: list[str], kind: type = dict):
    """Return the assay of six wells, the last three of which are of MMC."""
    table = counts({0: [9, 12, 8], 1: [24, 30, 27]})
    del table["dose"]
    return summarize(kind({**table, "condition": [*names, *["MMC"] * 3]}))


@pytest.mark.parametrize("kind", [dict, pd.DataFrame])
@pytest.mark.parametrize(
    ("names", "merged"),
    [
        (["DMSO", "dmso", "DMSO"], "DMSO"),
        (["1 \u00b5M", "1 \u03bcM", "1 \u00b5M"], "1 \u00b5M"),
        (["Kontrollé", DECOMPOSED, "Kontrollé"], "Kontrollé"),
        (["water\u00a0pure", "water pure", "water  pure"], "water pure"),
        (["DMSO", "DM\u0405\u041e", "DMSO"], "DMSO"),  # typed on a Cyrillic keyboard
    ],
)
def test_spellings_of_one_condition_are_one(kind, names, merged):
    first, second = conditions_of(names, kind).conditions
    assert (first.name, first.n_units, second.name) == (merged, 3, "MMC")


def test_visible_spellings_are_told():
    assert any(
        "'DMSO' and 'dmso'" in told for told in conditions_of(["DMSO", "dmso", "DMSO"]).notes
    )
    assert conditions_of(["water\u00a0pure", "water pure", "water  pure"]).notes == ()


def test_spellings_of_one_block_are_one():
    table = {**counts(DOSES), "day": ["Day 1", "day 1", "DAY 1"] * 4}
    assert len({unit.block for unit in summarize(table, block="day").units}) == 1


def test_cells_of_one_well_however_it_is_spelt_are_one_unit():
    table = cells_of(counts({0: [9]}, scored=100))
    table["well"] = np.array(["B3", "B03", "b03", "b3", "\u04123"] * 20)
    assay = summarize(table)
    assert [unit.name for unit in assay.units] == ["B03"]
    assert assay.conditions[0].n_units == 1
    assert np.isnan(assay.conditions[0].rate.low)
    assert any("'B3' and 'B03' and 'b03' and 'b3'" in told for told in assay.notes)


def test_cells_of_one_well_in_composed_and_decomposed_form_are_one_unit():
    table = cells_of(counts({0: [9]}, scored=100))
    table["well"] = np.array(["Kontrollé", DECOMPOSED] * 50)
    assert summarize(table).conditions[0].n_units == 1


def test_wells_of_one_spelling_keep_it():
    table = {**counts({0: [9, 12, 8]}), "well": ["b3", "C4", "well 5"]}
    assert [unit.well for unit in summarize(table).units] == ["b3", "C4", "well 5"]


@pytest.mark.parametrize("again", ["B03", "b03", "b3"])
def test_counts_of_one_well_twice_are_told_by_row(again):
    table = {**counts({0: [9, 12, 8]}), "well": ["B3", "C4", again]}
    with pytest.raises(
        DatasetError, match="row 3: well B03 is listed twice, first in cells, row 1"
    ):
        summarize(table)


def test_wells_of_a_review_may_be_spelt_otherwise():
    table = cells_of(counts({0: [20], 1: [40]}, scored=100))
    assay = summarize({**table, "well": np.repeat(["B03", "C03"], 100)})
    review = {
        "well": ["B3", "B3", "c3", "c3"],
        "called": [True, False, True, False],
        "reviewed": ["yes", "no", "yes", "no"],
    }
    same = {**review, "well": ["B03", "B03", "C03", "C03"]}
    assert assay.corrected(reviewed=review) == assay.corrected(reviewed=same)


@pytest.mark.parametrize("unit", ["culture", "plate", "animal"])
def test_spellings_of_one_unit_of_any_column_are_one(unit):
    table = cells_of(counts({0: [9]}, scored=100))
    del table["well"]
    assay = summarize({**table, unit: np.array(["A1", "a01"] * 50)}, unit=unit)
    assert [each.name for each in assay.units] == ["A01"]


def test_compounds_with_other_zeros_stay_two():
    assert [each.name for each in conditions_of(["A1", "A01", "A1"]).conditions][:2] == [
        "A1",
        "A01",
    ]


def replicates_of_one_well(**further: list[str]):
    table = {**counts({0: [9, 12, 8]}), "well": ["B02"] * 3, "replicate": ["1", "2", "3"]}
    return summarize({**table, **further}, block="day" if "day" in further else None)


def test_replicates_of_one_well_are_remarked_on():
    told = [note for note in replicates_of_one_well().notes if "one well" in note]
    assert len(told) == 1
    assert "B02" in told[0]


@pytest.mark.parametrize(
    "further",
    [
        {"plate": ["1", "2", "3"]},
        {"day": ["1", "2", "3"]},
        {"well": ["B02", "B03", "B04"]},
    ],
)
def test_wells_of_plates_and_days_are_not(further):
    assert not any("one well" in note for note in replicates_of_one_well(**further).notes)
