"""Class folders and CSV files, whole and broken."""

import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nucrec.datasets import Quarantined, load_folder
from nucrec.errors import (
    DatasetError,
    DatasetNotFoundError,
    DataWarning,
    ImageError,
    InvalidParameterError,
)


def save(path: Path, value: int = 50) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (8, 8), value).save(path)


def zipped(folder: Path, archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(folder.rglob("*")):
            file.write(path, path.relative_to(folder.parent))
    return archive


def test_class_folders(class_folder):
    dataset = load_folder(class_folder)
    assert dataset.class_names == ("nucleus", "micronucleus")
    assert dataset.ids[0] == "micronucleus/micronucleus 0.png"
    assert dataset.labels.tolist() == [1] * 4 + [0] * 6
    assert [int(image[0, 0]) for image in dataset.images] == [100, 101, 102, 103, *range(10, 16)]
    assert dataset.images.shapes == [(20, 30)] * 10
    assert dataset.groups.tolist() == dataset.ids.tolist()
    assert dataset.quarantined == ()


def test_a_zip_is_read_like_the_folder(class_folder, tmp_path):
    archive = zipped(class_folder, tmp_path / "cells.zip")
    from_zip, from_folder = load_folder(archive), load_folder(class_folder)
    assert from_zip.fingerprint == from_folder.fingerprint
    assert from_zip.ids.tolist() == [f"cells/{name}" for name in from_folder.ids]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cells", "cells.zip"]


def test_folders_around_the_class_folders_are_passed_through(class_folder):
    assert load_folder(class_folder.parent).fingerprint == load_folder(class_folder).fingerprint


@pytest.mark.parametrize(
    ("folders", "class_names"),
    [
        (("Micronuclei", "Nuclei"), ("Nuclei", "Micronuclei")),
        (("Micronuclie cells", "Normal Cells"), ("Normal Cells", "Micronuclie cells")),
        (("micro-nucleus", "zzz"), ("zzz", "micro-nucleus")),
        (("c", "a", "b"), ("a", "b", "c")),
    ],
)
def test_order_of_classes(folders, class_names, tmp_path):
    for name in folders:
        save(tmp_path / name / "1.png")
    assert load_folder(tmp_path).class_names == class_names


def test_classes_can_be_chosen_and_ordered(tmp_path):
    for name in ("control", "treated", "unsure"):
        save(tmp_path / name / "1.png")
    dataset = load_folder(tmp_path, class_names=["treated", "control"])
    assert dataset.class_names == ("treated", "control")
    assert dataset.ids.tolist() == ["control/1.png", "treated/1.png"]
    assert dataset.labels.tolist() == [1, 0]
    expected = "there is no class 'missing', only control, treated, unsure."
    with pytest.raises(InvalidParameterError, match=expected):
        load_folder(tmp_path, class_names=["control", "missing"])
    with pytest.raises(InvalidParameterError, match="there is no class 'no'"):
        load_folder(tmp_path, class_names=["no", "missing"], allow_absent=True)
    one = load_folder(tmp_path, class_names=["missing", "control"], allow_absent=True)
    assert one.class_names == ("control",)
    for names in ("control", [], ["control", "control"]):
        with pytest.raises(ValueError, match="^class_names: expected"):
            load_folder(tmp_path, class_names=names)


def test_images_may_lie_deeper(tmp_path):
    save(tmp_path / "MN+" / "plate 1" / "well" / "1.png")
    save(tmp_path / "MN-" / "1.png")
    dataset = load_folder(tmp_path)
    assert dataset.class_names == ("MN-", "MN+")
    assert dataset.ids.tolist() == ["MN+/plate 1/well/1.png", "MN-/1.png"]
    assert dataset.labels.tolist() == [1, 0]


@pytest.mark.parametrize("in_zip", [False, True])
def test_folders_inside_the_classes_can_be_groups(tmp_path, in_zip):
    expected = {
        "no/1/x.png": "1",
        "no/1/y.png": "1",
        "no/2/deep/x.png": "2/deep",
        "no/alone.png": "no/alone.png",
        "yes/1/x.png": "1",
        "yes/2/x.png": "2",
    }
    folder = tmp_path / "cells"
    for name in expected:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8)).save(folder / name)
    path = shutil.make_archive(str(tmp_path / "cells"), "zip", folder) if in_zip else folder
    dataset = load_folder(path, group_by="folder")
    assert dict(zip(dataset.ids.tolist(), dataset.groups.tolist(), strict=True)) == expected
    with pytest.warns(DataWarning, match="'1', '2', and each image is a group of its own"):
        assert load_folder(path).groups.tolist() == dataset.ids.tolist()


def test_group_by_is_checked(class_folder, tmp_path):
    with pytest.raises(InvalidParameterError, match="group_by"):
        load_folder(class_folder, group_by="slide")
    table = tmp_path / "cells.csv"
    table.write_text("file,label,slide\ncells/nucleus/nucleus 0.png,a,1\n")
    with pytest.raises(InvalidParameterError, match="one of the columns file, label, slide"):
        load_folder(table, group_by="plate")
    with pytest.raises(InvalidParameterError, match="the name of a column"):
        load_folder(table, group_by=3)
    with pytest.raises(InvalidParameterError, match="the name of a column"):
        load_folder(table, group_by="folder")


def test_unicode_and_blanks_in_names(tmp_path):
    names = ["größe 1.png", "細胞.png", "a'b\"c.png", " lead.png", "émoji 🔬.png"]
    for name in names:
        save(tmp_path / "ядро клетки" / name)
        save(tmp_path / "micro nucléus" / name)
    dataset = load_folder(tmp_path)
    assert len(dataset) == 10
    assert {Path(name).name for name in dataset.ids} == set(names)
    archive = zipped(tmp_path / "ядро клетки", tmp_path / "x.zip")
    with pytest.raises(DatasetError, match="no sub-folders|sub-folder"):
        load_folder(tmp_path / "ядро клетки")
    assert archive.exists()


def test_hidden_and_other_files_are_passed_over(class_folder):
    (class_folder / ".DS_Store").write_bytes(b"x")
    (class_folder / "nucleus" / "._nucleus 0.png").write_bytes(b"x")
    (class_folder / "nucleus" / "notes.txt").write_text("x")
    (class_folder / ".git").mkdir()
    (class_folder / "__MACOSX" / "nucleus").mkdir(parents=True)
    (class_folder / "__MACOSX" / "nucleus" / "._0.png").write_bytes(b"x")
    assert load_folder(class_folder).class_names == ("nucleus", "micronucleus")
    assert len(load_folder(class_folder)) == 10


def test_images_in_no_class_folder_are_quarantined(class_folder):
    save(class_folder / "stray.png")
    with pytest.warns(DataWarning, match=r"stray\.png: lies in no class folder"):
        assert len(load_folder(class_folder)) == 10


def test_a_class_folder_that_is_passed_through_gives_a_warning(tmp_path):
    for field in ("f1", "f2", "f3"):
        save(tmp_path / "data" / "nucleus" / field / "1.png")
    with pytest.warns(DataWarning, match="the only folder is 'nucleus', so .* f1, f2") as caught:
        assert load_folder(tmp_path / "data").class_names == ("f1", "f2", "f3")
    assert caught[0].filename == __file__


BROKEN = {
    "empty.png": b"",
    "text.png": b"just text",
    "cut.png": None,
    "cut.jpg": None,
}


def break_files(folder: Path) -> None:
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 255, (40, 40), dtype=np.uint8))
    for name, content in BROKEN.items():
        path = folder / name
        if content is None:
            noise.save(path)
            content = path.read_bytes()[:-200]
        path.write_bytes(content)


@pytest.mark.parametrize("in_zip", [False, True])
def test_broken_files_are_quarantined_and_nothing_else_is_lost(class_folder, tmp_path, in_zip):
    whole = load_folder(class_folder)
    break_files(class_folder / "nucleus")
    path = zipped(class_folder, tmp_path / "cells.zip") if in_zip else class_folder
    with pytest.warns(DataWarning, match=r"^4 files were left out \(14 images listed\)") as caught:
        dataset = load_folder(path)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert dataset.fingerprint == whole.fingerprint
    reasons = {Path(entry.name).name: entry.reason for entry in dataset.quarantined}
    assert set(reasons) == set(BROKEN)
    assert reasons["empty.png"] == "the file is empty (0 bytes)"
    assert reasons["text.png"].startswith("not an image of a known format")
    assert "damaged" in reasons["cut.png"]
    assert "damaged" in reasons["cut.jpg"]
    assert all(isinstance(entry, Quarantined) for entry in dataset.quarantined)
    assert dataset[:3].quarantined == dataset.quarantined


def test_on_error_raise_stops(class_folder):
    break_files(class_folder / "nucleus")
    with pytest.raises(ImageError, match=r"^nucleus/cut\.jpg: damaged"):
        load_folder(class_folder, on_error="raise")


def test_on_error_is_checked(class_folder):
    with pytest.raises(ValueError, match="^on_error: expected one of 'quarantine', 'raise'"):
        load_folder(class_folder, on_error="ignore")


def test_tiff_pages_give_one_warning(class_folder):
    pages = [Image.new("L", (8, 8), value) for value in (1, 2)]
    for i in range(5):
        pages[0].save(class_folder / "nucleus" / f"{i}.tif", save_all=True, append_images=pages[1:])
    with pytest.warns(
        DataWarning, match="^5 TIFF files hold several pages; the first page"
    ) as caught:
        dataset = load_folder(class_folder)
    assert len(caught) == 1
    assert len(dataset) == 15


def test_links_out_of_the_folder_are_not_followed(class_folder, tmp_path):
    save(tmp_path / "secret" / "1.png")
    (class_folder / "nucleus" / "out.png").symlink_to(tmp_path / "secret" / "1.png")
    (class_folder / "nucleus" / "folder").symlink_to(tmp_path / "secret")
    (class_folder / "nucleus" / "gone.png").symlink_to("nowhere.png")
    with pytest.warns(DataWarning, match="^3 files were left out"):
        dataset = load_folder(class_folder)
    reasons = {entry.name.removeprefix("nucleus/"): entry.reason for entry in dataset.quarantined}
    assert "leads out of the folder" in reasons["out.png"]
    assert reasons["folder"] == "a link to a folder is not followed"
    assert reasons["gone.png"] == "there is no such file"
    assert len(dataset) == 10


def test_links_inside_the_folder_are_read(class_folder):
    (class_folder / "nucleus" / "same.png").symlink_to("nucleus 0.png")
    assert len(load_folder(class_folder)) == 11


def test_loops_of_links_end(class_folder):
    (class_folder / "nucleus" / "loop").symlink_to(class_folder)
    (class_folder / "nucleus" / "a.png").symlink_to("b.png")
    (class_folder / "nucleus" / "b.png").symlink_to("a.png")
    with pytest.warns(DataWarning, match="^3 files were left out"):
        dataset = load_folder(class_folder)
    assert len(dataset) == 10
    assert {entry.name for entry in dataset.quarantined} == {
        "nucleus/loop", "nucleus/a.png", "nucleus/b.png",
    }  # fmt: skip


def test_a_loop_as_the_folder_itself(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(DatasetError, match="loop: cannot be opened"):
        load_folder(tmp_path / "loop")


def test_a_pipe_does_not_hang(class_folder):
    os.mkfifo(class_folder / "nucleus" / "pipe.png")
    with pytest.warns(DataWarning, match=r"pipe\.png: not a regular file"):
        assert len(load_folder(class_folder)) == 10


def test_a_class_with_one_image(tmp_path):
    save(tmp_path / "no" / "1.png")
    save(tmp_path / "yes" / "1.png")
    assert load_folder(tmp_path).labels.tolist() == [0, 1]


def test_a_class_with_none(class_folder):
    (class_folder / "empty").mkdir()
    with pytest.raises(
        DatasetError, match="no image that can be read in class 'empty'.*Add images"
    ):
        load_folder(class_folder)


def test_a_class_of_broken_files_only(class_folder):
    (class_folder / "bad").mkdir()
    (class_folder / "bad" / "1.png").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"class 'bad' \(bad/1\.png: the file is empty"):
        load_folder(class_folder)


def test_no_class_folders(tmp_path):
    with pytest.raises(DatasetError, match="expected one sub-folder .* found no images$"):
        load_folder(tmp_path)
    save(tmp_path / "1.png")
    with pytest.raises(DatasetError, match="found 1 image, but no sub-folders"):
        load_folder(tmp_path)


def test_only_other_kinds_of_files(tmp_path):
    for name in ("a/1.czi", "b/1.czi", "b/2.nd2"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(
        DatasetError, match=r"files of microscopes \(2 \.czi, 1 \.nd2\): export them as TIFF"
    ):
        load_folder(tmp_path)


def test_nothing_there(tmp_path):
    with pytest.raises(DatasetNotFoundError, match="there is no such folder or file"):
        load_folder(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError):
        load_folder(tmp_path / "nowhere.csv")


def test_a_file_that_is_no_archive(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"no zip")
    with pytest.raises(DatasetError, match="neither a folder nor a readable zip archive"):
        load_folder(tmp_path / "a.zip")


@pytest.mark.parametrize("path", [None, 5, b"a"])
def test_path_is_checked(path):
    with pytest.raises(TypeError, match="^path: expected a path"):
        load_folder(path)


# CSV files


def write_csv(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "labels.csv"
    path.write_text(text, encoding=encoding)
    return path


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_csv(class_folder, separator, encoding):
    lines = ["file,label,group", "nucleus/nucleus 0.png,normal,f1", "nucleus/nucleus 1.png,normal,f2",
             "./micronucleus/micronucleus 3.png,micronucleus,f1"]  # fmt: skip
    text = "\n".join(lines).replace(",", separator)
    dataset = load_folder(write_csv(class_folder, text, encoding))
    assert dataset.class_names == ("normal", "micronucleus")
    assert dataset.ids.tolist() == [
        "nucleus/nucleus 0.png", "nucleus/nucleus 1.png", "micronucleus/micronucleus 3.png",
    ]  # fmt: skip
    assert dataset.labels.tolist() == [0, 0, 1]
    assert dataset.groups.tolist() == ["f1", "f2", "f1"]
    assert [int(image[0, 0]) for image in dataset.images] == [10, 11, 103]


def test_csv_typed_by_hand(class_folder):
    text = (
        "File, Label, GROUP\n\nnucleus/nucleus 0.png , yes , x \n nucleus/nucleus 1.png, no,x\n\n"
    )
    dataset = load_folder(write_csv(class_folder, text))
    assert dataset.class_names == ("no", "yes")
    assert dataset.groups.tolist() == ["x", "x"]


def test_csv_without_groups(class_folder):
    path = write_csv(class_folder, "label,file\n0,nucleus/nucleus 0.png\n1,nucleus/nucleus 1.png\n")
    dataset = load_folder(path)
    assert dataset.groups.tolist() == dataset.ids.tolist()


def test_csv_naming_missing_files_and_files_outside(class_folder, tmp_path):
    save(tmp_path / "outside.png")
    rows = ["nucleus/nucleus 0.png,0", "nucleus/gone.png,0", "nucleus/nucleus 1.png,1",
            "../outside.png,1", f"{tmp_path / 'outside.png'},1"]  # fmt: skip
    path = write_csv(class_folder, "file,label\n" + "\n".join(rows))
    with pytest.warns(
        DataWarning, match=r"^3 files were left out .*nucleus/gone\.png: there is no such"
    ):
        dataset = load_folder(path)
    assert len(dataset) == 2
    reasons = dict(dataset.quarantined)
    assert "leads out of the folder" in reasons["../outside.png"]
    assert "leads out of the folder" in reasons[str(tmp_path / "outside.png")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a header line with file, label"),
        ("file,label\n", "at least one row"),
        ("name,class\na.png,b\n", "Received: 'name,class'"),
        ("file,label\na.png,\n", "line 2: label must not be empty"),
        (
            "file,label\na.png,x\na.png,y\n",
            "'a.png' is listed more than once, in the lines 2 and 3",
        ),
        ('file,label\n"a.png,x\n', "not a readable CSV file"),
        ("\n\nname,class\n\na.png,b\n", "Received: 'name,class'"),
        ("file,label\n\n\n\na.png,\n", "line 5: label must not be empty"),
        ("file,label,group\na.png,x,1\nb.png,x,\n", "line 3: group must not be empty"),
        ("file,label,group\na.png,x,1\nb.png,x\n", "line 3: group must not be empty"),
    ],
)
def test_bad_csv(text, message, tmp_path):
    with pytest.raises(DatasetError, match=message):
        load_folder(write_csv(tmp_path, text))


def test_csv_in_another_encoding(tmp_path):
    with pytest.raises(DatasetError, match="not UTF-8"):
        load_folder(write_csv(tmp_path, "file,label\ngröße.png,x\n", "latin-1"))


def test_a_stray_image_beside_the_folders_does_not_make_parts_of_a_data_set_classes(tmp_path):
    for name in ("train/a/1", "train/b/2", "test/a/3", "test/b/4", "train/overview"):
        path = tmp_path / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4)).save(path)
    with pytest.raises(DatasetError, match="either may be the classes. With group_by='top'"):
        load_folder(tmp_path)
