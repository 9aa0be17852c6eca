"""The layout of a plate, and columns that are called otherwise."""

import numpy as np
import pytest
from tests.assay.plates import DOSES, cells_of, counts

from nucrec.assay import summarize
from nucrec.errors import DatasetError, InvalidParameterError

TABLE = counts(DOSES)
PLAIN = {name: TABLE[name] for name in ("well", "scored", "micronucleated")}
LAYOUT = {"well": TABLE["well"], "dose": TABLE["dose"]}


def test_a_layout_says_the_same_as_columns():
    expected = summarize(TABLE)
    joined = summarize(PLAIN, layout=LAYOUT)
    assert joined.to_csv("units") == expected.to_csv("units")
    other = {
        "Well": [f"{w[0].lower()}{int(w[1:])}" for w in LAYOUT["well"]],
        "Conc.": LAYOUT["dose"],
    }
    assert summarize(PLAIN, layout=other).to_csv() == expected.to_csv()
    assert joined.columns["dose"] == "dose"


def test_cells_get_conditions_replicates_and_blocks():
    cells = cells_of(counts({0: [2, 3, 1], 1: [6, 7, 8]}, scored=50))
    wells = list(dict.fromkeys(cells["well"].tolist()))
    layout = {
        "well": wells,
        "condition": ["DMSO"] * 3 + ["MMC"] * 3,
        "replicate": [1, 2, 3] * 2,
        "day": ["Monday", "Tuesday", "Monday"] * 2,
    }
    cells = {name: cells[name] for name in ("well", "n_micronuclei")}
    assay = summarize(cells, layout=layout, control="DMSO", block="day")
    assert [(unit.well, unit.replicate, unit.block) for unit in assay.units] == [
        *zip(wells, ["1", "2", "3"] * 2, layout["day"], strict=True)
    ]
    assert [each.n_micronucleated for each in assay.conditions] == [6, 21]


def test_a_layout_by_field_and_by_plate():
    cells = {"ImageNumber": [1, 1, 2, 3], "n_micronuclei": [0, 1, 2, 0]}
    layout = {"field": [1, 2, 3], "well": ["B02", "B02", "B03"], "condition": ["a", "a", "b"]}
    first, second = summarize(cells, layout=layout).conditions
    assert (first.n_scored, first.n_micronucleated, second.n_scored) == (3, 2, 1)
    plates = {
        "plate": ["p1", "p2"],
        "well": ["B02", "B02"],
        "scored": [100, 100],
        "micronucleated": [1, 9],
    }
    layout = {"plate": ["p2", "p1"], "well": ["B02", "B02"], "condition": ["MMC", "DMSO"]}
    found = summarize(plates, layout=layout, control="DMSO").conditions
    assert [each.n_micronucleated for each in found] == [1, 9]


def test_a_misspelt_column_is_asked_about():
    layout = LAYOUT | {"condtion": ["MMC"] * len(LAYOUT["well"]), "Notes": LAYOUT["well"]}
    remarks = summarize(PLAIN, layout=layout).remarks
    asked = "The column 'condtion' is not used; did you mean 'condition'?"
    assert [each for each in remarks if "not used" in each] == [asked]
    by_it = summarize(PLAIN, layout=layout, by="condtion").remarks
    assert not [each for each in by_it if "not used" in each]


def test_what_does_not_fit_is_told():
    layout = {"well": ["B2", "B3", "H1", "H2"], "condition": ["a", "b", "a", "b"]}
    cells = {
        "well": ["B02", "B03", "C07"],
        "scored": [100] * 3,
        "micronucleated": [1, 2, 3],
        "condition": ["old"] * 3,
    }
    assay = summarize(cells, layout=layout)
    assert [each.name for each in assay.conditions] == ["a", "b"]
    told = " ".join(assay.remarks)
    assert "Rows of the layout without cells (2): H1, H2." in told
    assert "Missing from the layout, so left out (wells: 1): C07." in told
    assert "The layout replaces columns of the table: condition." in told


def test_a_layout_in_the_shape_of_the_plate(tmp_path):
    path = tmp_path / "layout.csv"
    path.write_text('condition,1,2\nA,DMSO,MMC\n\ndose,1,2\nA,0,"0,5"\n', encoding="utf-8")
    cells = {"well": ["A1", "A02"], "scored": [100, 100], "micronucleated": [1, 9]}
    found = summarize(cells, layout=path).conditions
    assert [(each.name, each.dose, each.n_micronucleated) for each in found] == [
        ("DMSO", 0, 1),
        ("MMC", 0.5, 9),
    ]
    path.write_text("condition,1,2\nA,DMSO,MMC\n\ndose,1,2\nA,0,1 uM\n", encoding="utf-8")
    with pytest.raises(DatasetError, match="line 5, well A02: dose must be a number"):
        summarize(cells, layout=path)


@pytest.mark.parametrize(
    ("layout", "told"),
    [
        ("well,condition\nG01,a\n", r"layout.csv, line 2: no row of the layout matches.*G01.*A01"),
        (
            "well,condition\nA01,a\nA1,b\n",
            r"layout.csv, line 3: well A1 is listed twice, first in .*2",
        ),
        ("well,condition\nA01,a\n,b\n", r"layout.csv, line 3: well must not be empty"),
        ("well,dose\nA01,1 uM\n", r"layout.csv, line 2: dose must be a number"),
        ("row,condition\nA,a\n", r"layout.csv: expected a column well.*Received: row, condition"),
    ],
)
def test_bad_layouts_name_the_line(tmp_path, layout, told):
    path = tmp_path / "layout.csv"
    path.write_text(layout, encoding="utf-8")
    with pytest.raises(DatasetError, match=told):
        summarize(PLAIN, layout=path)


def test_columns_by_any_name(tmp_path):
    table = {"Pos": TABLE["well"], "BN": TABLE["scored"], "pos cells": TABLE["micronucleated"]}
    named = {"well": "Pos", "n_scored": "bn", "n_micronucleated": "pos cells"}
    found = summarize(table, layout=LAYOUT, columns=named)
    assert found.to_csv("units") == summarize(TABLE).to_csv("units")
    assert found.columns["n_scored"] == "BN"
    with pytest.raises(InvalidParameterError, match=r"n_scored: Pos, BN.*Did you mean 'BN'"):
        summarize(table, layout=LAYOUT, columns=named | {"n_scored": "B"})
    with pytest.raises(InvalidParameterError, match="columns: expected names among"):
        summarize(table, columns={"wel": "Pos"})
    with pytest.raises(InvalidParameterError, match="columns: expected a mapping"):
        summarize(table, columns=[("well", "Pos")])


def test_columns_of_which_two_are_the_same():
    table = TABLE | {"Scored": TABLE["scored"]}
    with pytest.raises(DatasetError, match="'scored' and 'Scored' have the same name"):
        summarize(table)
    assert summarize(table, columns={"n_scored": "Scored"}).conditions[0].n_scored == 6000


@pytest.mark.parametrize(
    "name",
    ["Children_Micronuclei_Count", "Children_FilteredMicronuclei_Count", "Children_MN_Count"],
)
def test_micronuclei_as_children(name):
    table = {"Metadata_Well": ["a", "a"], "Metadata_Treatment": ["x", "x"], name: [0, 2]}
    assert summarize(table).conditions[0].n_micronucleated == 1


def test_decimal_commas_and_units_in_brackets(tmp_path):
    path = tmp_path / "excel.csv"
    lines = [
        "Well;Dose [µM];Scored;MN cells",
        "B02;0;2000;9",
        "B03;0,5;2000;12",
        "B04;1,25;2 000;20",
    ]
    path.write_text("\n".join(lines), encoding="utf-8-sig")
    assay = summarize(path)
    assert [each.dose for each in assay.conditions] == [0, 0.5, 1.25]
    assert assay.conditions[2].n_scored == 2000
    path.write_text("\n".join([*lines, "B05;1,000;2000;9"]), encoding="utf-8")
    with pytest.raises(DatasetError, match=r"line 5: Dose \[µM\] must be a number"):
        summarize(path)


def test_numbers_of_a_data_frame_are_no_thousands():
    table = counts({0: [1], 1: [2]}) | {"scored": np.array([2.0, 3.0])}
    assert [each.n_scored for each in summarize(table).conditions] == [2, 3]
