"""Tables as programs and people write them: what is read, and what is refused and how."""

import csv
import io
import json
import time

import numpy as np
import pandas as pd
import pytest
from tests.assay.plates import DOSES, cells_of, counts

from nucrec.assay import summarize
from nucrec.errors import DatasetError, DatasetNotFoundError, InvalidParameterError


def written(tmp_path, text: str):
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_kind_of_table_gives_the_same(tmp_path):
    table = counts(DOSES)
    frame = pd.DataFrame(table)
    frame.to_csv(tmp_path / "counts.csv", index=False)
    expected = summarize(table)
    for same in (frame, tmp_path / "counts.csv", str(tmp_path / "counts.csv")):
        assert summarize(same).to_csv("units") == expected.to_csv("units")
        assert summarize(same).to_csv() == expected.to_csv()


class Made:
    """What `detect` returns has its cells as columns."""

    def __init__(self, cells: dict) -> None:
        self.cells = cells


def test_cells_of_detect():
    table = cells_of(counts({0: [3, 5, 4], 1: [9, 7, 8]}, scored=100))
    n = len(table["well"])
    scored = np.arange(n) % 10 > 0
    reasons = np.where(scored, "", np.where(np.arange(n) % 20 == 0, "edge", "small"))
    conditions = np.where(table["dose"] == 0, "DMSO", "MMC")
    made = Made({**table, "condition": conditions, "scored": scored, "excluded": reasons})
    assay = summarize(made, control="DMSO")
    dmso, mmc = assay.conditions
    assert (dmso.name, dmso.is_control, mmc.name) == ("DMSO", True, "MMC")
    assert dmso.n_scored == 270
    assert dmso.excluded == {"edge": 15, "small": 15}
    assert sum(dmso.distribution) == 270
    assert dmso.n_micronucleated == int((table["n_micronuclei"] * scored)[:300].sum())


def test_real_cells_of_detect(tmp_path):
    fields = pytest.importorskip("nucrec.fields")
    if not hasattr(fields, "Cells"):
        pytest.skip("this version has no Cells")
    cells = fields.Cells.concatenate([])
    rows = {
        name: np.array(["x"] * 6, column.dtype) if column.dtype.kind == "U" else np.zeros(6)
        for name, column in cells.cells.items()
    }
    rows |= {"well": np.array(list("abcdef")), "scored": np.ones(6, bool)}
    rows |= {"n_micronuclei": np.array([0, 1, 2, 0, 0, 0]), "excluded": np.full(6, "")}
    made = fields.Cells(rows, cells.micronuclei, cells.fields)
    condition = summarize(made).conditions[0]
    assert (condition.n_units, condition.n_scored, condition.n_micronucleated) == (6, 6, 2)
    assert condition.distribution == (4, 1, 1, 0, 0, 0, 0)
    assert condition.micronuclei_per_1000 == pytest.approx(500)
    made.to_csv(tmp_path)
    assert summarize(tmp_path / "cells.csv").to_csv() == summarize(made).to_csv()


def test_columns_of_other_programs(tmp_path):
    path = written(
        tmp_path,
        "ImageNumber,ObjectNumber,Metadata_Well,Metadata_Treatment,Children_Micronuclei_Count\n"
        "1,1,B02,DMSO,0\n1,2,B02,DMSO,1\n2,1,B03,MMC,3\n",
    )
    dmso, mmc = summarize(path, control="DMSO").conditions
    assert (dmso.n_scored, dmso.n_micronucleated, mmc.n_micronucleated) == (2, 1, 1)
    path = written(tmp_path, "sep=;\nWell;Treatment;Cells scored;MN cells\nB02;DMSO;2000;12\n")
    assert summarize(path).conditions[0].rate.value == 6
    path = written(tmp_path, "image,score,micronuclei\na,0.9,1\na,0.1,0\n")  # micronuclAI
    assert summarize(path, by="image", unit="image").conditions[0].n_micronucleated == 1


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (
            "C02,MMC,1,2000,-3",
            "micronucleated must be a whole number of at least 0 (received '-3')",
        ),
        (
            "C02,MMC,1,2000,2.5",
            "micronucleated must be a whole number of at least 0 (received '2.5",
        ),
        ("C02,MMC,1,2000,", "micronucleated must be a whole number of at least 0 (received '')"),
        (
            "C02,MMC,1,2000,nan",
            "micronucleated must be a whole number of at least 0 (received 'nan",
        ),
        ("C02,MMC,1,many,3", "scored must be a whole number of at least 0 (received 'many')"),
        ("C02,MMC,1,10,30", "micronucleated must be at most scored, 10 (received '30')"),
        ("C02,MMC,1 uM,2000,30", "dose must be a number of at least 0, without its unit"),
        ("C02,MMC,-1,2000,30", "dose must be a number of at least 0 (received '-1')"),
        ("B02,DMSO,0,2000,30", "well B02 is listed twice, first in {path}, line 2"),
    ],
)
def test_bad_counts_name_row_and_column(tmp_path, row, expected):
    header = "well,condition,dose,scored,micronucleated"
    path = written(tmp_path, f"{header}\nB02,DMSO,0,2000,12\n{row}\n")
    with pytest.raises(DatasetError) as error:
        summarize(path)
    assert str(error.value).startswith(f"{path}, line 3: {expected.format(path=path)}")
    assert "\n" not in str(error.value)


def test_bad_values_of_arrays_name_row_and_column():
    table = counts({0: [9, 12, 8]})
    table["micronucleated"] = np.array([9, np.nan, 8])
    with pytest.raises(
        DatasetError, match=r"cells, row 2: micronucleated must be .* \(received nan\)"
    ):
        summarize(table)


@pytest.mark.parametrize(
    ("cells", "error", "words"),
    [
        (3, InvalidParameterError, "cells: expected a table"),
        ({"well": ["a"], "condition": ["b"]}, DatasetError, "need a column n_micronuclei"),
        ({"well": ["a"], "mn": [0, 1]}, InvalidParameterError, "columns of the same length"),
        ({"well": [], "mn": []}, InvalidParameterError, "at least one row"),
        ("nowhere.csv", DatasetNotFoundError, "no such file"),
    ],
)
def test_what_is_no_table(cells, error, words):
    with pytest.raises(error, match=words):
        summarize(cells)


def test_unknown_names_are_asked_about():
    table = {**counts({0: [9, 12, 8], 1: [24, 30, 27]}), "condition": ["DMSO"] * 3 + ["MMC"] * 3}
    with pytest.raises(InvalidParameterError, match="control: .*Did you mean 'DMSO'"):
        summarize(table, control="DMS0")
    with pytest.raises(InvalidParameterError, match="by: .*Did you mean 'condition'"):
        summarize(table, by="conditions")
    with pytest.raises(InvalidParameterError, match="unit: expected a column"):
        summarize(table, unit="dish")
    untreated = {"well": ["A01", "A02"], "scored": [2000, 2000], "micronucleated": [9, 12]}
    with pytest.raises(InvalidParameterError, match="State the treatment of each well in a column"):
        summarize(untreated)


def test_one_well_has_one_condition():
    table = cells_of(counts({0: [3], 1: [4]}, scored=10))
    table["well"] = np.full(20, "B02")
    with pytest.raises(
        DatasetError, match="row 11: well B02 has condition '1', but '0' in cells, row 1"
    ):
        summarize(table)
    table["plate"] = np.repeat(["1", "2"], 10)
    assay = summarize(table)
    assert [unit.name for unit in assay.units] == ["1 B02", "2 B02"]
    assert assay.tables()["By well"][0][0] == "plate, well"
    table["replicate"] = table.pop("plate")
    assert "replicate, well" in summarize(table).to_markdown()


def test_wells_alone_are_called_so():
    assert summarize(counts(DOSES)).tables()["By well"][0][0] == "well"


def test_cells_without_a_condition_are_left_out_and_counted():
    table = {**counts({0: [9, 12, 8], 1: [24, 30, 27]}), "condition": ["DMSO"] * 3 + [""] * 3}
    assay = summarize(table, control="DMSO")
    assert len(assay.conditions) == 1
    assert "Left out because they have no condition: 3 of 6 rows." in assay.remarks


def test_the_only_dose_of_zero_is_the_control():
    assay = summarize(counts(DOSES))
    assert assay.control.name == "0"
    assert any("only condition with dose 0" in remark for remark in assay.remarks)


def test_csv_opens_right_in_a_spreadsheet():
    table = {**counts({0: [9] * 3, 1: [24] * 3}), "condition": ["=1+1"] * 3 + ["+S9"] * 3}
    assay = summarize(table)
    rows = list(csv.DictReader(io.StringIO(assay.to_csv())))
    assert [row["name"] for row in rows] == ["'=1+1", "'+S9"]
    assert float(rows[0]["per_1000"]) == 4.5
    units = list(csv.DictReader(io.StringIO(assay.to_csv("units"))))
    assert [int(row["n_micronucleated"]) for row in units] == [9, 9, 9, 24, 24, 24]
    with pytest.raises(InvalidParameterError, match="table"):
        assay.to_csv("wells")


def test_tables_in_all_formats():
    table = {**counts(DOSES), "condition": ["<b>", *["DMSO"] * 2, *["a|b"] * 9]}
    assay = summarize(table, control="DMSO")
    assert "&lt;b&gt;" in assay._repr_html_()
    assert "<b>" not in assay.to_html().replace("<p><b>", "")
    assert "a\\|b 1" in assay.to_markdown()
    assert assay.to_latex().startswith("\\begin{tabular}")
    assert json.loads(json.dumps(assay.to_dict()))["control"] == "DMSO"
    assert assay.to_dict()["conditions"][0]["n_scored"] == 4000
    assert set(assay.tables()) == {
        "Rates",
        "Against the control",
        "Smallest detectable increase",
        "Increase with dose",
        "By well",
    }


def test_the_input_is_not_changed():
    table = cells_of(counts({0: [3, 5, 4]}, scored=50))
    before = {name: column.copy() for name, column in table.items()}
    summarize(table)
    assert all(np.array_equal(table[name], column) for name, column in before.items())


@pytest.mark.slow
def test_a_plate_of_192000_cells_takes_seconds():
    table = cells_of(counts({dose: [20 + dose] * 6 for dose in range(16)}))
    assert len(table["well"]) == 192_000
    start = time.process_time()
    assay = summarize(table)
    assay.to_dict()
    assert time.process_time() - start < 4  # measured: docs/concepts/cells-and-wells.md
