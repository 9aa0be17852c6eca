"""Files as people have them, each with its right value: data/files-as-people-have-them.md."""

import shutil
import sys
import tarfile
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nucrec.datasets import (
    ImageFiles,
    find_contradictions,
    load_folder,
    load_images,
    load_nucrec,
    split,
)
from nucrec.errors import DatasetError, DatasetNotFoundError, DataWarning, LeakageWarning
from nucrec.fields import load_fields
from nucrec.models import classical_zoo, predict_folder

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(scope="session")
def cases(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("cases")
    with tarfile.open(DATA / "files-as-people-have-them.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder


def read(path: Path) -> np.ndarray:
    """Return the one image of a file as a data set gives it."""
    (part,) = ImageFiles(path.parent, [path.name]).parts(1)
    assert not part.quarantined
    return part.to_array()[0]


def names(folder: str, n: int) -> list[str]:
    """Return the files of a folder that have their true values beside them."""
    with tarfile.open(DATA / "files-as-people-have-them.tar.xz") as archive:
        found = sorted(
            name
            for name in archive.getnames()
            if name.startswith(f"./{folder}/") and name.endswith(".tif")
        )
    assert len(found) == n
    return found


def true_values(path: Path) -> np.ndarray:
    """Return (H, W, C), as tifffile read them."""
    values = np.load(path.with_suffix(".npy"))
    return values[..., np.newaxis] if values.ndim == 2 else np.moveaxis(values, 0, -1)


@pytest.mark.parametrize("name", names("02_rgb16_planar", 2))
def test_02_planar_16_bit_colour(name, cases):
    (part,) = ImageFiles((cases / name).parent, [Path(name).name]).parts(1)
    np.testing.assert_array_equal(part.images[0], true_values(cases / name))
    # both are of one colour
    strongest = 2 if "blue" in name else 0
    np.testing.assert_array_equal(read(cases / name)[..., 0], part.images[0][..., strongest])


@pytest.mark.parametrize("name", names("03_miniswhite", 3))
def test_03_white_is_zero_at_any_depth(name, cases):
    dark = true_values(cases / name)
    top = {"uint8": 255, "uint16": 65535, "float32": 255}[dark.dtype.name]
    np.testing.assert_array_equal(read(cases / name), top - dark)


def test_03_all_depths_show_the_same_picture(cases):
    shown = [read(cases / "03_miniswhite" / f"{name}.tif") for name in ("u8", "u16", "f32")]
    np.testing.assert_array_equal(shown[0] * np.uint16(257), shown[1])
    np.testing.assert_array_equal(shown[0], shown[2])


@pytest.mark.parametrize("name", names("04_planar2_one_sample", 9))
def test_04_one_sample_is_the_same_planar_or_not(name, cases):
    np.testing.assert_array_equal(read(cases / name), true_values(cases / name))


@pytest.mark.parametrize("name", names("05_unsupported_tiff_kinds", 8))
def test_05_kinds_that_pillow_lacks(name, cases, monkeypatch):
    path = cases / name
    np.testing.assert_array_equal(read(path), true_values(path))
    monkeypatch.setitem(sys.modules, "tifffile", None)
    (part,) = ImageFiles(path.parent, [path.name]).parts(1)
    if path.name == "u16_sampleformat4.tif":
        np.testing.assert_array_equal(part.images[0], true_values(path)[..., 0])
    else:
        assert part.quarantined[0].reason.startswith("a TIFF of ")
        assert 'pip install "nucrec[microscopy]"' in part.quarantined[0].reason


def test_07_blue_is_what_grey_is(cases):
    grey, colour, table = (
        load_folder(cases / "07_blue_dapi" / name) for name in ("grey", "rgb_blue", "lut_blue")
    )
    model = classical_zoo(random_state=0)["GNB"].fit(grey, grey.labels)
    for blue in (colour, table):
        assert blue.channels == 1
        assert blue.labels.tolist() == grey.labels.tolist()
        np.testing.assert_array_equal(blue.to_array(32), grey.to_array(32))
        np.testing.assert_array_equal(model.predict_proba(blue), model.predict_proba(grey))


def test_08_jfif_is_jpeg(cases):
    dataset = load_folder(cases / "08_vendor_and_odd_endings" / "jfif")
    assert (len(dataset), dataset.quarantined) == (8, ())
    assert [name for name in dataset.ids if name.endswith(".jfif")] == [
        f"{label}/{i}.jfif" for label in ("micronucleus", "nucleus") for i in range(3)
    ]


@pytest.mark.parametrize("reader", [load_folder, load_images, load_nucrec, ImageFiles])
def test_08_files_of_microscopes_are_named_by_every_reader(reader, cases):
    with pytest.warns(DataWarning) as caught:
        found = reader(cases / "08_vendor_and_odd_endings" / "mixed")
    assert len(found) == 2
    messages = [str(w.message) for w in caught if "where NucRec has" not in str(w.message)]
    assert len(messages) == 1
    assert messages[0].startswith("6 files of microscopes were passed over (6 .czi): export them")
    assert {w.filename for w in caught} == {__file__}


@pytest.mark.parametrize("reader", [load_folder, load_images, load_nucrec, ImageFiles, load_fields])
@pytest.mark.parametrize("is_zipped", [False, True])
def test_08_nothing_but_files_of_microscopes(reader, is_zipped, cases, tmp_path):
    folder = cases / "08_vendor_and_odd_endings" / "only_czi"
    path = shutil.make_archive(str(tmp_path / "a"), "zip", folder) if is_zipped else folder
    with pytest.raises(
        (DatasetError, DatasetNotFoundError),
        match=r"files of microscopes \(6 \.czi\): export them as TIFF",
    ):
        reader(path)


def test_08_files_of_microscopes_among_fields_and_predicted_images(cases, tmp_path):
    folder = cases / "08_vendor_and_odd_endings" / "mixed"
    crops = load_folder(cases / "07_blue_dapi" / "grey")
    model = classical_zoo(random_state=0)["GNB"].fit(crops, crops.labels)
    archive = shutil.make_archive(str(tmp_path / "a"), "zip", folder)
    for path in (folder, archive):
        with pytest.warns(DataWarning, match=r"6 files of microscopes were passed over"):
            assert len(predict_folder(model, path, class_names=["nucleus", "MN"]).rows) == 2
    shutil.copytree(folder, tmp_path / "fields")
    for name in ("micronucleus", "nucleus"):
        field = np.random.default_rng(0).integers(0, 250, (140, 150), dtype=np.uint8)
        Image.fromarray(field).save(tmp_path / "fields" / name / "0.tif")
    with pytest.warns(DataWarning, match=r"6 files of microscopes were passed over"):
        assert len(load_fields(tmp_path / "fields")) == 2


def test_08_a_table_that_lists_a_file_of_a_microscope(cases, tmp_path):
    shutil.copytree(cases / "08_vendor_and_odd_endings" / "mixed", tmp_path / "a")
    table = tmp_path / "a" / "cells.csv"
    table.write_text(
        "file,label\nnucleus/0.tif,nucleus\nmicronucleus/0.tif,micronucleus\nnucleus/1.czi,nucleus\n"
    )
    with pytest.warns(DataWarning, match=r"nucleus/1\.czi: a Zeiss CZI file: export it as TIFF"):
        assert len(load_folder(table)) == 2


@pytest.mark.parametrize("reader", [load_folder, load_nucrec])
def test_a_class_of_nothing_but_files_of_microscopes(reader, tmp_path):
    for name in ("nucleus", "micronucleus"):
        (tmp_path / name).mkdir()
    Image.new("L", (8, 8), 9).save(tmp_path / "nucleus" / "a.png")
    (tmp_path / "micronucleus" / "b.CZI").write_bytes(b"ZISRAWFILE")
    with (
        pytest.warns(DataWarning, match=r"1 file of microscopes was passed over \(1 \.czi\)"),
        pytest.raises((DatasetError, DatasetNotFoundError)),
    ):
        reader(tmp_path)


def test_a_zarr_folder_is_no_class(tmp_path):
    for name in ("nucleus", "micronucleus"):
        (tmp_path / name).mkdir()
        Image.new("L", (8, 8), 9).save(tmp_path / name / "a.png")
    (tmp_path / "slide.ome.zarr" / "0").mkdir(parents=True)
    (tmp_path / "slide.ome.zarr" / "0" / "0").write_bytes(b"9")
    with pytest.warns(DataWarning, match=r"\(1 \.zarr\)"):
        assert load_folder(tmp_path).class_names == ("nucleus", "micronucleus")


def test_predicting_a_folder_names_files_whose_first_channel_is_used(cases, tmp_path):
    crops = load_folder(cases / "07_blue_dapi" / "grey")
    model = classical_zoo(random_state=0)["GNB"].fit(crops, crops.labels)
    pages = [Image.fromarray(image) for image in crops.images[:2]]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    with pytest.warns(
        DataWarning, match="1 TIFF file holds several pages; .* choose the one to read"
    ):
        first = predict_folder(model, tmp_path, class_names=["nucleus", "MN"])
    chosen = predict_folder(model, tmp_path, class_names=["nucleus", "MN"], channel=1)
    for found, image in zip((first, chosen), crops.images, strict=False):
        expected = model.predict_proba([image])[0]
        np.testing.assert_allclose(found.rows[0].probabilities, expected, atol=1e-6)


def test_pictures_in_formats_that_are_not_read_are_named(tmp_path):
    for name in ("a.png", "b.png"):
        Image.new("L", (8, 8), 9).save(tmp_path / name)
    for name in ("c.jp2", "d.jp2", "e.nrrd", "f.ome.zarr/0/0", "f.ome.zarr/.zattrs", "g.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_bytes(b"9")
    with pytest.warns(DataWarning) as caught:
        assert len(load_images(tmp_path)) == 2
    assert [str(w.message).partition(": ")[0] for w in caught] == [
        "1 file of microscopes was passed over (1 .zarr)",
        "3 pictures in formats that are not read were passed over (2 .jp2, 1 .nrrd)",
    ]
    for name in ("a.png", "b.png"):
        (tmp_path / name).unlink()
    shutil.rmtree(tmp_path / "f.ome.zarr")
    with pytest.raises(
        DatasetError, match=r"but pictures in formats .* \(2 \.jp2, 1 \.nrrd\): save"
    ):
        load_images(tmp_path)


def test_10_slides_are_no_classes_but_may_be_groups(cases):
    with pytest.raises(DatasetError, match="either may be the classes. With group_by='top'"):
        load_folder(cases / "10_slide_first")
    dataset = load_folder(cases / "10_slide_first", group_by="top")
    assert dataset.class_names == ("nucleus", "micronucleus")
    assert np.bincount(dataset.labels).tolist() == [27, 24]
    assert sorted(set(dataset.groups)) == [f"slide {i}" for i in range(4)]
    assert all(name.startswith(g) for name, g in zip(dataset.ids, dataset.groups, strict=True))
    with pytest.raises(DatasetError, match="either may be the classes. With group_by='top'"):
        load_folder(cases / "10_slide_first", group_by="folder")
    slides = [f"slide {i}" for i in range(4)]
    other = load_folder(cases / "10_slide_first", group_by="folder", class_names=slides)
    assert other.class_names == tuple(slides)
    assert set(other.groups) == {"nucleus", "micronucleus"}


GOOD_TABLES = [
    "backslash.csv", "blanks.csv", "case_of_ext.csv", "comment_line.csv",
    "cr_only.csv", "index_col.csv", "nbsp.csv", "excel_bom_semicolon_crlf.csv",
    "quote_apostrophe.csv", "semicolon_in_comma.csv", "sep_line.csv", "tab.csv",
    "table.tsv", "trailing_commas.csv", "utf16.csv", "zero_width.csv",
]  # fmt: skip
WITH_SLIDES = ["blanks.csv", "nbsp.csv", "excel_bom_semicolon_crlf.csv", "zero_width.csv"]


@pytest.mark.parametrize("name", GOOD_TABLES)
def test_11_tables_that_are_read(name, cases):
    dataset = load_folder(cases / "11_csv" / name)
    positive = {3, 6, 8, 9, 11}
    files = [f"img/{'micro' * (i in positive)}nucleus/c{i}.png" for i in range(12)]
    assert dataset.ids.tolist() == files
    assert dataset.class_names == ("nucleus", "micronucleus")
    assert dataset.labels.tolist() == [int(i in positive) for i in range(12)]
    slides = [f"slide {i % 3}" for i in range(12)]
    assert dataset.groups.tolist() == (slides if name in WITH_SLIDES else files)


@pytest.mark.parametrize(
    ("name", "classes", "n_groups", "warning"),
    [
        ("mixed_case.csv", ("nucleus", "micronucleus"), 3, "classes that look the same"),
        (
            "numbers_float.csv",
            ("0", "1"),
            12,
            "classes that look the same are taken for one: '0' and",
        ),
        ("group_case.csv", ("nucleus", "micronucleus"), 1, "groups that look the same"),
        ("group_number.csv", ("nucleus", "micronucleus"), 1, "'1' and '1.0' and '01'"),
    ],
)
def test_11_names_that_look_the_same_are_one(name, classes, n_groups, warning, cases):
    with pytest.warns(DataWarning, match=warning):
        dataset = load_folder(cases / "11_csv" / name)
    assert dataset.class_names == classes
    assert np.bincount(dataset.labels).tolist() == [7, 5]
    assert len(set(dataset.groups)) == n_groups


def test_11_numbers_and_composed_names(cases):
    assert load_folder(cases / "11_csv" / "numbers.csv").class_names == ("0", "1")
    dataset = load_folder(cases / "11_csv" / "nfc_names.csv")
    assert len(dataset) == 2
    assert (
        unicodedata.normalize("NFC", dataset.ids[0])
        == "img/Pr\N{LATIN SMALL LETTER A WITH DIAERESIS}parat.png"
    )


MEANT = r"is 'img/nucleus/c0\.png' meant\? Paths are relative to "


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("basename_only.csv", MEANT),
        ("no_extension.csv", MEANT),
        ("posix_abs_other.csv", MEANT),
        ("windows_abs.csv", MEANT),
        ("cp1252.csv", "not UTF-8 text. Save it as 'CSV UTF-8'"),
        ("dup_case.csv", "'img/nucleus/c0.png' is listed more than once, in the lines 2 and 14"),
        (
            "dup_conflict.csv",
            "'img/nucleus/c0.png' is listed more than once, in the lines 2 and 14",
        ),
        ("dup_dotdot.csv", "'img/nucleus/c0.png' is listed more than once, in the lines 2 and 14"),
        ("dup_rows.csv", "'img/nucleus/c0.png' is listed more than once, in the lines 2 and 14"),
        ("empty_label.csv", "line 5: label must not be empty"),
        ("nan_label.csv", "line 5: label must not be empty .received 'NaN'."),
        ("partial_groups.csv", "line 2: group must not be empty"),
        ("no_header.csv", "expected a header line with file, label"),
        ("other_header.csv", "expected a header line with file, label.*Received: 'filename,class'"),
        ("two_label_cols.csv", "two columns are called 'label'"),
        ("table.xlsx", "a workbook.*Save the table as 'CSV UTF-8'"),
    ],
)
def test_11_tables_that_are_refused_in_one_line(name, message, cases):
    with pytest.raises(DatasetError, match=message) as caught:
        load_folder(cases / "11_csv" / name)
    assert "\n" not in str(caught.value)


def test_11_every_table_is_tested(cases):
    tested = {*GOOD_TABLES, "mixed_case.csv", "numbers_float.csv", "group_case.csv", "numbers.csv",
              "group_number.csv", "nfc_names.csv"}  # fmt: skip
    refused = test_11_tables_that_are_refused_in_one_line.pytestmark[0].args[1]
    tested |= {name for name, _ in refused}
    assert {path.name for path in (cases / "11_csv").iterdir()} - {"img"} == tested


@pytest.mark.parametrize(
    ("name", "n"),
    [("plain.zip", 12), ("macos.zip", 12), ("mixed_sep.zip", 12), ("powershell5_backslash.zip", 12),
     ("powershell5_no_top.zip", 12), ("cp850.zip", 6)],
)  # fmt: skip
def test_12_archives_of_all_systems(name, n, cases):
    dataset = load_folder(cases / "12_zip" / name)
    assert len(dataset) == n
    assert dataset.class_names == ("nucleus", "micronucleus")
    assert not any("\\" in name for name in dataset.ids)


def test_12_groups_composed_in_two_ways_are_one(cases):
    dataset = load_folder(cases / "12_zip" / "nfd_groups.zip", group_by="folder")
    assert len(dataset) == 24
    assert len(set(dataset.groups)) == 3
    assert all(unicodedata.is_normalized("NFC", group) for group in dataset.groups)


@pytest.mark.parametrize(
    ("name", "kind"), [("cells.7z", "a 7z archive"), ("cells.tar.gz", "a gzip file")]
)
def test_12_other_archives(name, kind, cases):
    with pytest.raises(DatasetError, match=f"nor a readable zip archive .{kind}: unpack it first."):
        load_folder(cases / "12_zip" / name)


def test_13b_class_names_composed_in_two_ways_are_one(cases):
    dataset = load_folder(cases / "13b_nfc_nfd_class")
    assert [name.split()[0] for name in dataset.class_names] == ["ohne", "Mikrokerne"]
    assert np.bincount(dataset.labels).tolist() == [4, 4]


def test_14_litter_is_passed_over(cases):
    assert len(load_folder(cases / "14_litter")) == len(load_images(cases / "14_litter")) == 12


@pytest.mark.parametrize("reader", [load_folder, load_images])
def test_15_masks_are_no_cells(reader, cases):
    with pytest.warns(DataWarning, match="^12 files look like masks of the images beside them"):
        dataset = reader(cases / "15_cellpose_masks")
    assert len(dataset) == 12
    assert not any("mask" in name for name in dataset.ids)


def test_16_classes_in_several_cases_are_one(cases):
    with pytest.warns(DataWarning, match="classes that look the same are taken for one"):
        dataset = load_folder(cases / "16_case_variants")
    assert [name.casefold() for name in dataset.class_names] == ["nucleus", "micronucleus"]
    assert np.bincount(dataset.labels).tolist() == [8, 5]


def test_18_copies_never_lie_on_both_sides(cases):
    dataset = load_folder(cases / "18_copies")
    different = {image.tobytes() for image in dataset.images}
    assert (len(dataset), len(different)) == (43, 20)
    with pytest.warns(DataWarning, match="images with the same pixels have different labels"):
        train, test = split(dataset, random_state=0)
    assert not {i.tobytes() for i in train.images} & {i.tobytes() for i in test.images}
    contradicting = find_contradictions(dataset)
    assert [sorted({name.split("/")[0] for name in case}) for case in contradicting] == [
        ["micronucleus", "nucleus"]
    ] * 3
    with pytest.warns((LeakageWarning, DataWarning)) as caught:
        split(dataset, by="image", random_state=0)
    assert any(
        "images that are there more than once" in str(w.message)
        for w in caught
        if w.category is LeakageWarning
    )
