"""The tables of cells: what is measured, and how they are written and read."""

import csv
import io

import numpy as np
import pandas as pd
import pytest
from tests.fields.drawn import drawn, plate

from nucrec.errors import DatasetError, DatasetNotFoundError, InvalidParameterError
from nucrec.fields import Cells, detect


@pytest.fixture(scope="module")
def cells() -> Cells:
    fields = plate(
        drawn([(60, 60, 15), (60, 150, 15), (150, 100, 15)], [(60, 84, 4), (60, 127, 3)]),
        drawn([(100, 100, 15), (100, 200, 20)], []),
        pixel_size=0.5,
    )
    return detect(*fields)


def test_rows_of_the_tables_belong_together(cells):
    assert len(cells) == 5
    assert cells.cells["field"].tolist() == ["1", "1", "1", "2", "2"]
    assert cells.cells["cell_id"].tolist() == [1, 2, 3, 1, 2]
    assert cells.cells["n_micronuclei"].tolist() == [1, 1, 0, 0, 0]
    assert cells.micronuclei["cell_id"].tolist() == [1, 2]
    assert cells.micronuclei["field"].tolist() == ["1", "1"]
    assert cells.fields["n_cells"].tolist() == [3, 2]
    assert cells.fields["n_micronuclei"].tolist() == [2, 0]


def test_the_probability_of_a_cell_is_the_largest_of_its_micronuclei():
    found = detect(*plate(drawn([(60, 60, 15)], [(60, 84, 4), (84, 60, 4), (36, 60, 4)])))
    assert found.cells["n_micronuclei"].tolist() == [3]
    assert found.cells["probability"].tolist() == [pytest.approx(0.9)]


def test_what_is_unknown_is_empty_or_nan(cells):
    assert set(cells.cells["well"].tolist()) == {""}
    assert np.isnan(cells.cells["dose"]).all()
    without = detect(*plate(drawn([(60, 60, 15)])))
    assert np.isnan(without.cells["area_um2"]).all()
    assert np.isnan(without.fields["pixel_size"]).all()


def test_csv_gives_back_the_same(cells, tmp_path):
    cells.to_csv(tmp_path / "results")
    assert sorted(p.name for p in (tmp_path / "results").iterdir()) == [
        "cells.csv",
        "fields.csv",
        "micronuclei.csv",
    ]
    assert Cells.from_csv(tmp_path / "results") == cells


def test_csv_is_what_other_programs_read(cells, tmp_path):
    cells.to_csv(tmp_path)
    frame = pd.read_csv(tmp_path / "cells.csv")
    assert frame["scored"].dtype == bool
    assert frame["area"].tolist() == cells.cells["area"].tolist()
    assert frame["x"].tolist() == cells.cells["x"].tolist()
    assert frame["well"].isna().all()


def odd_text(cells: Cells, text: str) -> Cells:
    tables = (cells.cells, cells.micronuclei, cells.fields)
    return Cells(*({**t, "condition": np.full(len(t["field"]), text)} for t in tables))


@pytest.mark.parametrize("text", ["+S9", "-S9", "=1+1", "@home", "'=1", "''+S9", "'s", 'a,"b"'])
def test_text_that_looks_like_a_formula_is_none_in_a_spreadsheet(cells, text, tmp_path):
    named = odd_text(cells, text)
    named.to_csv(tmp_path)
    with (tmp_path / "cells.csv").open(newline="") as file:
        written = {row["condition"] for row in csv.DictReader(file)}
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in written)
    assert Cells.from_csv(tmp_path) == named


def test_other_letters_than_ascii_are_announced(cells, tmp_path):
    odd_text(cells, "5 µM").to_csv(tmp_path)
    assert (tmp_path / "cells.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert pd.read_csv(tmp_path / "cells.csv")["condition"][0] == "5 µM"
    assert Cells.from_csv(tmp_path) == odd_text(cells, "5 µM")
    cells.to_csv(tmp_path)
    assert (tmp_path / "cells.csv").read_bytes().startswith(b"file,")


def test_a_table_saved_again_by_a_spreadsheet_is_read(cells, tmp_path):
    cells.to_csv(tmp_path)
    for path in tmp_path.iterdir():
        rows = list(csv.reader(io.StringIO(path.read_text())))
        rows = [[c.upper() if c in ("true", "false") else c for c in row] for row in rows]
        path.write_text("\r\n".join(";".join(row) for row in rows), newline="")
    assert Cells.from_csv(tmp_path) == cells


def test_columns_that_others_added_stay(cells, tmp_path):
    cells.to_csv(tmp_path)
    frame = pd.read_csv(tmp_path / "cells.csv")
    frame["reviewed"] = ["yes", "no", "", "yes", "no"]
    frame.to_csv(tmp_path / "cells.csv", index=False)
    again = Cells.from_csv(tmp_path)
    assert again.cells["reviewed"].tolist() == ["yes", "no", "", "yes", "no"]
    both = Cells.concatenate([again.of_field("1"), cells.of_field("2")])
    assert both.cells["reviewed"].tolist() == ["yes", "no", "", "", ""]


def test_files_that_are_no_such_tables(cells, tmp_path):
    with pytest.raises(DatasetNotFoundError, match="there is no such file"):
        Cells.from_csv(tmp_path)
    cells.to_csv(tmp_path)
    (tmp_path / "cells.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DatasetError, match="expected a header line with field, cell_id"):
        Cells.from_csv(tmp_path)
    (tmp_path / "cells.csv").write_text("field,cell_id,n_micronuclei,scored\n1,2,many,true\n")
    with pytest.raises(DatasetError, match="the column n_micronuclei holds"):
        Cells.from_csv(tmp_path)


def test_a_column_that_is_missing_or_of_another_length_is_refused(cells):
    short = {**cells.cells, "area": [1, 2]}
    with pytest.raises(InvalidParameterError, match="columns of the same length"):
        Cells(short, cells.micronuclei, cells.fields)
    with pytest.raises(InvalidParameterError, match="no file"):
        Cells({}, cells.micronuclei, cells.fields)


def test_parts_are_put_together(cells):
    first, second = cells.of_field("1"), cells.of_field("2")
    assert first + second == cells
    assert Cells.concatenate([first, second]) == cells
    assert second + first != cells
    with pytest.raises(InvalidParameterError, match="'1' more than once"):
        cells + first
    with pytest.raises(InvalidParameterError, match="the name of a field"):
        cells.of_field("3")


def test_data_frames_are_copies(cells):
    frame = cells.to_pandas()
    assert list(frame) == list(cells.cells)
    frame.loc[0, "area"] = -1
    assert cells.cells["area"][0] > 0
    assert len(cells.to_pandas("micronuclei")) == 2
    assert cells.to_pandas("fields")["field"].tolist() == ["1", "2"]
    with pytest.raises(InvalidParameterError, match="one of 'cells', 'micronuclei', 'fields'"):
        cells.to_pandas("wells")


def test_columns_cannot_be_changed_by_mistake(cells):
    with pytest.raises(ValueError, match="read-only"):
        cells.cells["area"][0] = 1


def test_what_is_said_of_them(cells):
    said = "5 cells of 2 fields, 5 scored, 2 of them with micronuclei"
    assert repr(cells) == f"Cells({said})"
    assert str(cells).startswith(said)
    numbers = cells.counts()
    assert numbers["cells"] == numbers["cells scored"] == 5
    assert numbers["cells scored, with micronuclei"] == 2
    html = cells._repr_html_()
    assert said in html
    assert "<td>cells flagged edge</td><td>0</td>" in html


def test_cells_of_no_field_are_a_table_too(tmp_path):
    none = Cells.concatenate([])
    none.to_csv(tmp_path)
    assert Cells.from_csv(tmp_path) == none
    assert len(none) == 0
