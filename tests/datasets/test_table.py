"""Tables of labels: their further columns, data frames, and layouts that may be read in two ways."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nucrec.datasets import load_folder
from nucrec.errors import DatasetError, DatasetNotFoundError, DataWarning, InvalidParameterError


def save(path: Path, value: int = 50) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (8, 8), value).save(path)


class Frame:
    """A data frame of some library."""

    def __init__(self, columns):
        self._columns = columns

    @property
    def columns(self):
        return list(self._columns)

    def __getitem__(self, name):
        return self._columns[name]


@pytest.fixture(params=["ours", "pandas"])
def frame(request):
    return Frame if request.param == "ours" else pytest.importorskip("pandas").DataFrame


@pytest.fixture
def cells(tmp_path) -> Path:
    for i in range(4):
        save(tmp_path / "img" / f"{i}.png", i)
    return tmp_path


TABLE = (
    "Well,file,label,dose,slide,count,Note\n01,img/0.png,no,0.5,a,3,x\n02,img/1.png,yes,,a,4,\n"
    "03,img/2.png,no,2e1,b,5,NA\n03,img/3.png,yes,10,b,6,y\n"
)


def test_further_columns_are_metadata(cells):
    (cells / "t.csv").write_text(TABLE)
    with pytest.warns(DataWarning, match="though the column 'Well' may say which images belong"):
        dataset = load_folder(cells / "t.csv")
    assert list(dataset.metadata) == ["Well", "dose", "slide", "count", "Note"]
    assert dataset.metadata["Well"].tolist() == ["01", "02", "03", "03"]
    np.testing.assert_array_equal(dataset.metadata["dose"], [0.5, np.nan, 20, 10])
    assert dataset.metadata["count"].dtype == np.int64
    assert dataset.metadata["Note"].tolist() == ["x", "", "NA", "y"]
    assert dataset.groups.tolist() == dataset.ids.tolist()


def test_a_table_may_lie_elsewhere_than_its_images(cells, frame, tmp_path_factory, monkeypatch):
    elsewhere = tmp_path_factory.mktemp("downloads")
    (elsewhere / "t.csv").write_text("file,label\n0.png,no\n1.png,yes\n")
    monkeypatch.chdir(elsewhere)
    listed = frame({"file": ["0.png", "1.png"], "label": ["no", "yes"]})
    for table in (elsewhere / "t.csv", listed):
        found = load_folder(table, images=cells / "img")
        assert found.ids.tolist() == ["0.png", "1.png"]
        assert [image.max() for image in found.images] == [0, 1]
    with pytest.raises(
        InvalidParameterError, match="images: expected None, unless path is a table"
    ):
        load_folder(cells, images=cells / "img")
    with zipfile.ZipFile(elsewhere / "img.zip", "w") as archive:
        archive.write(cells / "img" / "0.png", "0.png")
    with pytest.raises(InvalidParameterError, match="unpack the archive first"):
        load_folder(elsewhere / "t.csv", images=elsewhere / "img.zip")
    with pytest.raises(DatasetNotFoundError, match="nowhere"):
        load_folder(elsewhere / "t.csv", images=elsewhere / "nowhere")


def test_any_column_can_hold_the_groups(cells):
    (cells / "t.csv").write_text(TABLE)
    assert load_folder(cells / "t.csv", group_by="slide").groups.tolist() == list("aabb")
    assert load_folder(cells / "t.csv", group_by="Well").groups.tolist() == ["01", "02", "03", "03"]
    with pytest.raises(DatasetError, match="line 3: dose must not be empty"):
        load_folder(cells / "t.csv", group_by="dose")
    with pytest.raises(InvalidParameterError, match="one of the columns Well, file, label"):
        load_folder(cells / "t.csv", group_by="plate")


def test_columns_follow_what_is_left_out_and_chosen(cells):
    (cells / "img" / "1.png").write_bytes(b"")
    rows = TABLE + "04,img/9.png,no,1,c,9,z\n05,img/0.png,unsure,1,c,9,z\n".replace(
        "0.png", "00.png"
    )
    save(cells / "img" / "00.png")
    (cells / "t.csv").write_text(rows)
    with pytest.warns(DataWarning, match="^2 files were left out"):
        dataset = load_folder(cells / "t.csv", class_names=["no", "yes"])
    assert dataset.ids.tolist() == ["img/0.png", "img/2.png", "img/3.png"]
    assert dataset.metadata["Well"].tolist() == ["01", "03", "03"]


def test_data_frames(cells, frame, monkeypatch):
    columns = {
        "File": [str(cells / "img" / f"{i}.png") for i in range(4)],
        "label": ["no", "yes", "no", "yes"],
        "plate": [1.0, 1.0, 2.0, 2.0],
        "dose": [0.5, float("nan"), 1.5, 2.5],
    }
    dataset = load_folder(frame(columns), group_by="plate")
    assert dataset.ids.tolist() == [f"{i}.png" for i in range(4)]
    assert dataset.labels.tolist() == [0, 1, 0, 1]
    assert dataset.groups.tolist() == ["1", "1", "2", "2"]
    np.testing.assert_array_equal(dataset.metadata["dose"], columns["dose"])
    assert [int(image[0, 0]) for image in dataset.images] == [0, 1, 2, 3]
    monkeypatch.chdir(cells)
    columns["File"] = [f"img/{i}.png" for i in range(4)]
    relative = load_folder(frame(columns))
    assert relative.ids.tolist() == columns["File"]
    assert relative.fingerprint == dataset.fingerprint


def test_data_frames_that_cannot_be_read(frame):
    with pytest.raises(DatasetError, match="the table: expected the columns file, label"):
        load_folder(frame({"path": ["a.png"], "label": ["x"]}))
    with pytest.raises(DatasetError, match="at least one row"):
        load_folder(frame({"file": [], "label": []}))
    with pytest.raises(DatasetError, match="the table, line 1: label must not be empty"):
        load_folder(frame({"file": ["a.png"], "label": [None]}))
    with pytest.raises(InvalidParameterError, match="^path: expected a path or a data frame"):
        load_folder({"file": ["a.png"]})


@pytest.mark.parametrize(
    "content", ["file,label\na.png,x,y\n", "file,label\na.png,x\nb.png,y,,z\n"]
)
def test_more_cells_than_columns(content, tmp_path):
    (tmp_path / "t.csv").write_text(content)
    with pytest.raises(DatasetError, match=r"line [23]: [34] cells under 2 names of columns"):
        load_folder(tmp_path / "t.csv")


def test_names_of_files_may_hold_blanks_and_backslashes(tmp_path):
    for name in ("two  blanks.png", "back\\slash.png", "a/b.png"):
        save(tmp_path / name)
    (tmp_path / "t.csv").write_text(
        "file,label\ntwo  blanks.png,no\nback\\slash.png,no\nA\\B.PNG,yes\n"
    )
    dataset = load_folder(tmp_path / "t.csv")
    assert dataset.ids.tolist() == ["two  blanks.png", "back\\slash.png", "a/b.png"]


def test_a_name_that_may_mean_several_files_is_not_guessed(tmp_path):
    for name in ("A.png", "a.png", "b.png"):
        save(tmp_path / name)
    (tmp_path / "t.csv").write_text("file,label\nA.PNG,no\na.png,no\nb.png,yes\n")
    with pytest.warns(DataWarning, match=r"A\.PNG: there is no such file"):
        assert load_folder(tmp_path / "t.csv").ids.tolist() == ["a.png", "b.png"]


@pytest.mark.parametrize(
    ("outer", "inner"),
    [(("train", "val"), ("nucleus", "micronucleus")), (("exp 1", "exp 2", "exp 3"), ("x", "y", "z")),
     (("a", "b"), ("s1", "s2"))],
)  # fmt: skip
def test_two_levels_that_may_both_be_classes_are_refused(outer, inner, tmp_path):
    for group in outer:
        for name in inner:
            save(tmp_path / "data" / group / name / "1.png")
    with pytest.raises(DatasetError, match="group_by='top'.*group_by='folder'"):
        load_folder(tmp_path / "data")
    by_top = load_folder(tmp_path, group_by="top", class_names=inner)
    assert by_top.class_names == inner
    assert sorted(set(by_top.groups)) == sorted(outer)
    by_folder = load_folder(tmp_path, group_by="folder", class_names=outer)
    assert by_folder.class_names == outer
    assert sorted(set(by_folder.groups)) == sorted(inner)


def test_classes_whose_names_tell_may_hold_the_same_folders(tmp_path):
    for label in ("normal", "micronucleated"):
        for slide in ("slide 1", "slide 2"):
            save(tmp_path / label / slide / "1.png")
    classes = ("normal", "micronucleated")
    assert load_folder(tmp_path, group_by="folder").class_names == classes
    with pytest.warns(
        DataWarning, match="'slide 1', 'slide 2', and each image is a group of its own"
    ):
        assert load_folder(tmp_path).class_names == classes


def test_group_by_top_needs_two_levels(tmp_path):
    save(tmp_path / "a" / "1.png")
    save(tmp_path / "b" / "1.png")
    with pytest.raises(
        DatasetError, match="group_by='top' needs folders of the classes inside a, b"
    ):
        load_folder(tmp_path, group_by="top")


def test_masks_only_beside_their_image(tmp_path):
    for name in (
        "no/a.png",
        "no/a_masks.png",
        "no/b_mask.tif",
        "yes/c.jpg",
        "yes/c_cp_outlines.png",
    ):
        save(tmp_path / name)
    with pytest.warns(DataWarning, match="^2 files look like masks .*no/a_masks.png"):
        dataset = load_folder(tmp_path)
    assert dataset.ids.tolist() == ["no/a.png", "no/b_mask.tif", "yes/c.jpg"]


@pytest.mark.parametrize("end", ["-mask", ".masks", " Mask", "_label", "_gt", "-cp-masks", "_SEG"])
def test_masks_are_known_whatever_separates_them(end, tmp_path):
    for name in ("no/a.png", f"no/a{end}.png", f"no/b{end}.png", "yes/c.png", "yes/mask.png"):
        save(tmp_path / name)
    with pytest.warns(DataWarning, match="^1 file looks like masks of the images beside"):
        dataset = load_folder(tmp_path)
    assert dataset.ids.tolist() == ["no/a.png", f"no/b{end}.png", "yes/c.png", "yes/mask.png"]


@pytest.mark.parametrize("name", ["found.000", "Temporary Items", "RECYCLER", "@eaDir", "#recycle"])
def test_folders_of_systems_are_no_classes(name, tmp_path):
    for value, folder in enumerate(("nucleus", "micronucleus", name)):
        save(tmp_path / folder / "1.png", value)
    assert load_folder(tmp_path).class_names == ("nucleus", "micronucleus")


@pytest.mark.parametrize(
    ("ending", "encoding"), [("txt", "utf-16"), ("tab", "utf-8"), ("TXT", "utf-8")]
)
def test_tables_that_excel_calls_text(ending, encoding, cells):
    table = cells / f"list.{ending}"
    table.write_text("file\tlabel\nimg/0.png\tnormal\nimg/1.png\tMN\n", encoding=encoding)
    assert load_folder(table).class_names == ("normal", "MN")


def test_missing_values_of_pandas_are_missing(tmp_path):
    pandas = pytest.importorskip("pandas")
    for k in range(4):
        Image.new("L", (4, 4), k).save(tmp_path / f"{k}.png")
    columns = {
        "file": [str(tmp_path / f"{k}.png") for k in range(4)],
        "label": ["nucleus", "micronucleus"] * 2,
    }
    dose = pandas.array([1, None, 3, 4], dtype="Int64")
    found = load_folder(pandas.DataFrame({**columns, "dose": dose})).metadata["dose"]
    np.testing.assert_array_equal(found, [1, np.nan, 3, 4])
    unknown = pandas.array(["nucleus", None, "micronucleus", "nucleus"], dtype="string")
    with pytest.raises(DatasetError, match="line 2: label must not be empty"):
        load_folder(pandas.DataFrame({**columns, "label": unknown}))


def test_numbers_with_a_fraction_are_names(tmp_path):
    rows = ["file,label,group"]
    groups = ("3.1", "3.10", "12345678901234567", "12345678901234568", "2", "2.0")
    for k, group in enumerate(groups):
        Image.new("L", (4, 4), k).save(tmp_path / f"{k}.png")
        rows.append(f"{k}.png,{('nucleus', 'micronucleus')[k % 2]},{group}")
    (tmp_path / "cells.csv").write_text("\n".join(rows))
    with pytest.warns(DataWarning):
        found = load_folder(tmp_path / "cells.csv").groups.tolist()
    assert found[:4] == list(groups[:4])
    assert found[4] == found[5]


def test_an_absolute_path_may_lead_through_a_link(frame, tmp_path):
    for name in "ab":
        save(tmp_path / "data" / "img" / f"{name}.png")
    (tmp_path / "link").symlink_to(tmp_path / "data")
    for place in ("link", "data"):
        rows = "".join(f"{tmp_path}/{place}/img/{n}.png,{label}\n" for n, label in ("a0", "b1"))
        for around in ("link", "data"):
            table = tmp_path / around / "t.csv"
            table.write_text("file,label\n" + rows)
            assert load_folder(table).ids.tolist() == ["img/a.png", "img/b.png"]
    files = [f"{tmp_path}/link/img/a.png", f"{tmp_path}/data/img/b.png"]
    dataset = load_folder(frame({"file": files, "label": ["0", "1"]}))
    assert dataset.ids.tolist() == ["a.png", "b.png"]


def test_a_path_of_nobody_in_a_data_frame_is_left_out(frame, tmp_path):
    save(tmp_path / "a.png")
    files = [f"{tmp_path}/a.png", f"{tmp_path}/b.png", "~nobody-of-this-name/c.png"]
    save(tmp_path / "b.png")
    with pytest.warns(DataWarning, match=r"^1 file was left out .*~nobody-of-this-name/c\.png"):
        assert len(load_folder(frame({"file": files, "label": ["0", "1", "1"]}))) == 2


@pytest.mark.parametrize(
    "text",
    ["#,file,label\n1,a.png,no\n2,b.png,yes\n",
     "# made by hand\n#,file,label\n1,a.png,no\n2,b.png,yes\n",
     "# comment, file, label\nfile,label\na.png,no\nb.png,yes\n"],
)  # fmt: skip
def test_a_hash_may_number_the_rows_or_begin_a_comment(text, tmp_path):
    save(tmp_path / "a.png")
    save(tmp_path / "b.png")
    (tmp_path / "t.csv").write_text(text)
    assert load_folder(tmp_path / "t.csv").class_names == ("no", "yes")


@pytest.mark.parametrize("twice", ["file", "label"])
def test_a_data_frame_with_two_columns_of_one_name(twice):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame([["a.png", "x", "y"]], columns=["file", "label", twice])
    with pytest.raises(DatasetError, match=f"the table: two columns are called '{twice}'"):
        load_folder(table)


def test_a_column_to_group_by_is_found_in_any_case(tmp_path):
    save(tmp_path / "a.png")
    save(tmp_path / "b.png")
    (tmp_path / "t.csv").write_text("file,label,Slide\na.png,0,s1\nb.png,1,s2\n")
    assert load_folder(tmp_path / "t.csv", group_by="SLIDE").groups.tolist() == ["s1", "s2"]
    (tmp_path / "t.csv").write_text("file,label,Slide,slide\na.png,0,s1,t1\nb.png,1,s2,t2\n")
    assert load_folder(tmp_path / "t.csv", group_by="slide").groups.tolist() == ["t1", "t2"]
    with pytest.raises(InvalidParameterError, match="one of the columns file, label, Slide, slide"):
        load_folder(tmp_path / "t.csv", group_by="SLIDE")
