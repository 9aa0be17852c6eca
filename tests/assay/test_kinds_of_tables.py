"""Tables that could be read as something else, and are not."""

import csv
import io

import numpy as np
import pandas as pd
import pytest
from tests.assay.plates import DOSES, cells_of, counts

from nucrec.assay import HistoricalControls, summarize
from nucrec.errors import DatasetError

CELLS = {"well": ["B02"] * 4 + ["B03"] * 4, "mn": [0, 1, 0, 0, 2, 0, 0, 1]}
CONDITIONS = ["DMSO"] * 4 + ["MMC"] * 4


def written(tmp_path, *lines: str):
    path = tmp_path / "table.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["Cells counted", "Total cells counted", "counted", "n_cells"])
def test_counts_are_not_read_as_cells(tmp_path, name):
    path = written(tmp_path, f"Well,Treatment,MN,{name}", "B02,DMSO,12,2000", "B03,DMSO,9,1000")
    with pytest.raises(
        DatasetError, match=f"{name} is 2000, so rows are wells.*n_micronucleated=MN"
    ):
        summarize(path)
    found = summarize(path, columns={"n_micronucleated": "MN"})
    assert [unit.rate.value for unit in found.units] == [6, 9]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (
            {"well": ["B02"], "mn": [12], "counted by": [3]},
            "more than 6 micronuclei, such as 12 in",
        ),
        ({"well": ["B02", "B03"], "mn": [1, 2]}, "one row per well, and no column cell_id"),
        ({"well": ["a", "b"], "mn": [12, 9], "cells_scored": [1, 1]}, "n_micronucleated=mn"),
        ({"well": ["a", "a"], "cell": [1, 2], "mn": [12, 9]}, "more than 6"),
    ],
)
def test_wells_are_no_cells(table, told):
    with pytest.raises(DatasetError, match=told):
        summarize({**table, "condition": ["DMSO"] * len(table["mn"])})


def test_a_cell_in_each_well_is_fine_where_cells_have_names():
    table = {"well": ["a", "b"], "cell_id": [1, 1], "mn": [0, 2], "condition": ["x", "x"]}
    assert summarize(table).conditions[0].n_micronucleated == 1


@pytest.mark.parametrize(
    "scored", [[1, 1, 0, 1], [True, True, False, True], ["TRUE", "TRUE", "FALSE", "TRUE"]]
)
def test_flags_of_cells_are_no_counts(scored):
    table = {"condition": ["x"] * 4, "scored": scored, "positive": [0, 1, 0, 1]}
    with pytest.raises(DatasetError, match="none has more than one cell.*n_micronuclei=positive"):
        summarize(table)
    table["well"] = ["a", "a", "b", "b"]
    found = summarize(table, columns={"n_micronuclei": "positive"}).conditions[0]
    assert (found.n_units, found.n_scored, found.n_micronucleated) == (2, 3, 2)


@pytest.mark.parametrize("no", ["False", "FALSE", "0", "NA", "nan", "no", "FALSCH", "0.0", ""])
def test_what_is_not_excluded_is_scored(tmp_path, no):
    lines = [f"B02,DMSO,{k},{'edge' if k == 3 else no}" for k in (0, 1, 0, 3)]
    path = written(tmp_path, "well,condition,mn,excluded", *lines)
    found = summarize(path).conditions[0]
    assert (found.n_scored, found.n_micronucleated, found.excluded) == (3, 1, {"edge": 1})


def test_flags_of_exclusion():
    table = {**CELLS, "condition": CONDITIONS, "excluded": np.arange(8) % 4 == 0}
    assert [each.excluded for each in summarize(table).conditions] == [{"excluded": 1}] * 2
    table["excluded"] = ["TRUE"] * 8
    with pytest.raises(
        DatasetError, match=r"all 8 cells with a condition are excluded.*\(excluded\)"
    ):
        summarize(table)
    table["excluded"] = ["edge"] * 4 + ["blurred"] * 4
    with pytest.raises(DatasetError, match=r"none is scored \(blurred, edge\)"):
        summarize(table)


@pytest.mark.parametrize("gap", ["NA", "nan", "#N/A", "NULL", "<NA>"])
def test_missing_is_no_condition_and_no_well(tmp_path, gap):
    table = {**CELLS, "condition": ["DMSO"] * 4 + [gap] * 4}
    for source in (table, pd.DataFrame(table)):
        found = summarize(source)
        assert [each.name for each in found.conditions] == ["DMSO"]
        assert "Left out because they have no condition: 4 of 8 cells." in found.remarks
    path = written(tmp_path, "well,condition,mn", "B02,x,1", "B02,x,0", f"{gap},x,0")
    with pytest.raises(DatasetError, match="line 4: well must not be empty"):
        summarize(path)


def test_none_may_be_a_treatment():
    table = {**CELLS, "condition": ["none"] * 4 + ["MMC"] * 4}
    assert [each.name for each in summarize(table, control="none").conditions] == ["none", "MMC"]


@pytest.mark.parametrize(
    "name",
    [
        "Concentration_uM",
        "Dose uM",
        "dose_nM",
        "Dose µM",
        "Dose \u03bcM",
        "conc_ug/ml",
        "Dose (mM)",
    ],
)
def test_doses_with_their_unit(tmp_path, name):
    path = written(
        tmp_path, f"Well,Treatment,{name},scored,positive", "B02,MMC,0,900,9", "B03,MMC,0.5,900,27"
    )
    found = summarize(path)
    assert [(each.dose, each.rate.value) for each in found.conditions] == [(0, 10), (0.5, 30)]


def test_what_looks_like_a_dose_is_told(tmp_path):
    header = "Well,condition,final_conc,Conc_note,scored,positive"
    path = written(tmp_path, header, "B02,MMC,0,low,900,9", "B03,MMC,2,high,900,27")
    (told,) = (each for each in summarize(path).remarks if "Not used" in each)
    assert "'final_conc'." in told
    assert "--columns dose=final_conc" in told
    found = summarize(path, columns={"dose": "final_conc"})
    assert [each.dose for each in found.conditions] == [0, 2]
    assert not any("Not used" in each for each in found.remarks)


@pytest.mark.parametrize(
    ("doses", "wrong"),
    [
        (["0", "1,5", "1.000"], 2),
        (["0", "500", "1.000"], 2),
        (["2.500", "0,5", "0"], 0),
        (["0.500", "1.000", "2.000"], None),
        (["0", "1.125", "2.25"], None),
        (["0", "1.125", "1.375"], None),
    ],
)
def test_a_dose_is_a_thousand_or_one(tmp_path, doses, wrong):
    wells = [f"B0{i};{dose};900;9" for i, dose in enumerate(doses, start=2)]
    path = written(tmp_path, "well;dose;scored;positive", *wells)
    rows = {"well": ["B02", "B03", "B04"], "scored": [900] * 3, "positive": [9] * 3}
    layout = tmp_path / "layout.csv"
    layout.write_text("dose;2;3;4\nB;" + ";".join(doses) + "\n", encoding="utf-8")
    if wrong is None:
        expected = [float(each) for each in doses]
        assert [each.dose for each in summarize(path).conditions] == expected
        assert [each.dose for each in summarize(rows, layout=layout).conditions] == expected
        return
    with pytest.raises(DatasetError, match=f"line {wrong + 2}: dose must .* thousands separators"):
        summarize(path)
    with pytest.raises(
        DatasetError, match=f"well B0{wrong + 2}: dose must .* thousands separators"
    ):
        summarize(rows, layout=layout)


@pytest.mark.parametrize(
    "name",
    ["Children_NonMN_Count", "Children_Column_Count", "Children_Non_MN_Count"],
)
def test_other_children_are_no_micronuclei(name):
    table = {"well": ["a", "a"], "condition": ["x", "x"], name: [0, 2]}
    with pytest.raises(DatasetError, match="need a column n_micronuclei"):
        summarize(table)


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("n_micronuclei", [20, 20, 7], r"row 3: micronucleated must be at most n_micronuclei, 7"),
        ("scored", [2000, 2000, 9e18], "row 3: scored must be .* at most 2\\*\\*53"),
        ("scored", [2000, 2000, 1e30], "row 3: scored must be .* at most 2\\*\\*53"),
        ("scored", ["2000", "2000", "1_000"], "row 3: scored must be a whole number"),
        ("dose", ["0", "0", "1_0"], "row 3: dose must be a number"),
    ],
)
def test_counts_that_cannot_be(column, value, told):
    with pytest.raises(DatasetError, match=told):
        summarize({**counts({0: [9, 12, 8]}), column: value})


def test_names_survive_a_file_for_spreadsheets(tmp_path):
    table = {**counts({0: [9, 12, 8], 1: [24, 30, 27]}), "condition": ["-S9"] * 3 + ["+S9"] * 3}
    expected = summarize(table, control="-S9")
    saved = {**table, "condition": ["'" + name for name in table["condition"]]}
    path = tmp_path / "counts.csv"
    pd.DataFrame(saved).to_csv(path, index=False)
    for source in (path, pd.read_csv(path)):
        assert summarize(source, control="-S9").to_csv() == expected.to_csv()
    names = [row["name"] for row in csv.DictReader(io.StringIO(expected.to_csv()))]
    assert [name.split()[0] for name in names] == ["'-S9", "'+S9"]
    layout = tmp_path / "layout.csv"
    pd.DataFrame({key: saved[key] for key in ("well", "condition", "dose")}).to_csv(layout)
    bare = {key: table[key] for key in ("well", "scored", "micronucleated")}
    assert summarize(bare, layout=layout, control="-S9").to_csv() == expected.to_csv()
    layout.write_text("condition,1,2,3,4,5,6\nA" + ",'-S9" * 3 + ",'+S9" * 3, encoding="utf-8")
    mapped = summarize(bare, layout=layout, control="-S9").conditions
    assert [each.name for each in mapped] == ["-S9", "+S9"]


@pytest.mark.parametrize(
    ("header", "row", "key"),
    [
        ("field,dose,replicate", "img1,1,2", "field"),
        ("Well Name,dose,replicate", "B12,2,3", "well"),
    ],
)
def test_lists_are_no_maps_of_plates(tmp_path, header, row, key):
    name, dose, replicate = row.split(",")
    cells = {key: [name] * 3, "cell_id": [1, 2, 3], "mn": [0, 1, 0]}
    (unit,) = summarize(cells, layout=written(tmp_path, header, row), unit=key).units
    assert (unit.condition, unit.replicate, unit.n_scored) == (dose, replicate, 3)


@pytest.mark.parametrize(("text", "received"), [("", "an empty file"), ("well,mn\n", "'well,mn'")])
def test_empty_tables(tmp_path, text, received):
    path = tmp_path / "empty.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DatasetError) as error:
        summarize(path)
    assert str(error.value) == (
        f"{path}: expected a header line and at least one row. Received: {received}"
    )
    with pytest.raises(DatasetError, match="expected a header line"):
        HistoricalControls.from_table(path)


@pytest.mark.parametrize("answers", [("WAHR", "FALSCH"), ("1.0", "0.0"), ("VRAI", "faux")])
def test_answers_of_spreadsheets(answers):
    table = cells_of(counts(DOSES, scored=100))
    yes, no = answers
    called, reviewed = [1, 1, 0, 0], [1, 0, 0, 0]
    sample = {
        "called": [yes if each else no for each in called],
        "reviewed": [yes if each else no for each in reviewed],
    }
    assay = summarize(table)
    plain = assay.corrected(reviewed={"called": called, "reviewed": reviewed})
    assert assay.corrected(reviewed=sample).review.precision == plain.review.precision
    assert plain.review.precision.value == 0.5
