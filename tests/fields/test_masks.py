"""Masks matched with fields by name, and layouts by well or file."""

import zipfile

import numpy as np
import pytest
from PIL import Image

from nucrec.errors import DatasetError, DatasetNotFoundError, DataWarning, ImageError
from nucrec.fields import load_fields

PIXELS = np.random.default_rng(0).integers(0, 250, (130, 140), dtype=np.uint8)
LABELS = np.zeros((130, 140), np.uint16)
LABELS[10:30, 10:30], LABELS[50:70, 50:80] = 300, 5


def save(folder, *names: str, image: np.ndarray = PIXELS) -> None:
    for i, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image - np.minimum(image, i) if image is PIXELS else image).save(
            folder / name
        )


@pytest.mark.parametrize(
    ("field", "mask"),
    [
        ("B03_s1.tif", "B03_s1.tif"),
        ("B03_s1.tif", "B03_s1_cp_masks.png"),
        ("B03_s1.tif", "B03_s1_masks.tif"),
        ("B03_s1.tif", "b03_s1_Label.png"),
        ("B03_s1.tif", "B03_s1_label_image.tif"),
        ("B03_s1.tif", "B03_s1-labels.tif"),
        ("B03_s1.tif", "B03_s1_stardist_labels.tif"),
        ("B03_s1.tif", "B03_s1_nuclei.tif"),
        ("B03_s1.tif", "mask_B03_s1.png"),
        ("B03_s1.tif", "Labels of B03_s1.png"),
        ("B03_s4_w1DAPI.png", "B03_s4_w1DAPI_cp_masks.png"),
        ("B03_s4_w1DAPI.png", "B03_s4.png"),
        ("a/x.png", "a/x.png"),
        ("a/x.png", "x.png"),
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_masks_by_name(tmp_path, field, mask, zipped):
    save(tmp_path / "fields", field)
    save(tmp_path / "masks", mask, image=LABELS)
    masks = tmp_path / "masks"
    if zipped:
        masks = tmp_path / "masks.zip"
        with zipfile.ZipFile(masks, "w") as archive:
            archive.write(tmp_path / "masks" / mask, mask)
    (found,) = load_fields(tmp_path / "fields", masks=masks)
    assert found.has_mask
    assert found.labels().dtype == np.int32
    assert np.array_equal(found.labels(), LABELS)


def test_masks_of_the_same_name_in_several_folders(tmp_path):
    save(tmp_path / "fields", "B03/1.png", "B04/1.png")
    save(tmp_path / "masks", "B03/1.png", image=LABELS)
    save(tmp_path / "masks", "B04/1.png", image=LABELS // 5)
    fields = load_fields(tmp_path / "fields", masks=tmp_path / "masks")
    assert [field.labels().max() for field in fields] == [300, 60]


def test_masks_beside_the_images_and_in_a_folder_among_them(tmp_path):
    save(tmp_path / "one", "a.png")
    save(tmp_path / "one", "a_cp_masks.png", image=LABELS)
    np.save(tmp_path / "one" / "a_seg.npy", {"masks": LABELS}, allow_pickle=True)
    save(tmp_path / "two", "a.png")
    save(tmp_path / "two", "masks/a.png", image=LABELS)
    for folder, masks in (("one", "one"), ("two", "two/masks")):
        fields = load_fields(tmp_path / folder, masks=tmp_path / masks)
        assert fields.names == ("a",)
        assert np.array_equal(fields[0].labels(), LABELS)


def test_masks_and_fields_without_each_other_are_named(tmp_path):
    save(tmp_path / "fields", "a.png", "b.png")
    save(tmp_path / "masks", "a.png", "c.png", image=LABELS)
    with pytest.warns(DataWarning) as caught:
        fields = load_fields(tmp_path / "fields", masks=tmp_path / "masks")
    assert fields.names == ("a",)
    assert fields.quarantined[0].name == "b.png"
    assert "has no mask" in fields.quarantined[0].reason
    assert "masks without a field (1): c.png" in fields.remarks
    assert len(caught) == 2


def test_two_masks_of_one_field_are_refused(tmp_path):
    save(tmp_path / "fields", "a.png")
    save(tmp_path / "masks", "a_masks.png", "a_labels.png", image=LABELS)
    with pytest.raises(DatasetError, match="a.png: has 2 masks .a_labels.png, a_masks.png"):
        load_fields(tmp_path / "fields", masks=tmp_path / "masks")


def test_a_mask_of_another_shape_and_a_pickle_are_named_when_read(tmp_path):
    save(tmp_path / "fields", "a.png", "b.png")
    save(tmp_path / "masks", "a.png", image=LABELS[:100])
    np.save(tmp_path / "masks" / "b_seg.npy", {"masks": LABELS}, allow_pickle=True)
    wrong, pickled = load_fields(tmp_path / "fields", masks=tmp_path / "masks")
    with pytest.raises(
        ImageError, match="a.png: the mask has 140 x 100 pixels, but its field has 140 x 130"
    ):
        wrong.labels()
    with pytest.raises(ImageError, match="b_seg.npy: holds pickled Python objects"):
        pickled.labels()


def test_no_masks_there(tmp_path):
    save(tmp_path, "a.png")
    (tmp_path / "masks").mkdir()
    with pytest.raises(DatasetError, match="no masks were found"):
        load_fields(tmp_path, masks=tmp_path / "masks")
    with pytest.raises(DatasetNotFoundError):
        load_fields(tmp_path, masks=tmp_path / "nowhere")


@pytest.fixture
def plate(tmp_path):
    save(tmp_path / "plate", "B02_s1.png", "B02_s2.png", "B03_s1.png", "C11_s1.png")
    return tmp_path / "plate"


def write(path, text: str):
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "well,condition,dose,replicate\nB02,control,0,1\nB03,MMC,0.05,1\nC11,MMC,0.1,2\n",
        "Well;Condition;Dose;Replicate\nb2;control;0;1\nb3;MMC;0,05;1\nc11;MMC;0,1;2\n",
        "\ufeffwell\tcondition\tdose\treplicate\nB2\tcontrol\t0\t1\nB03\tMMC\t5e-2\t1\nC11\tMMC\t.1\t2\n",
        "file,condition,dose,replicate\nB02_s1.png,control,0,1\nB02_s2,control,0,1\n"
        "B03_s1.PNG,MMC,0.05,1\nC11_s1.png,MMC,0.1,2\n",
        "Well ID,Treatment,Dose (uM),Rep\nB02,control,0,1\nB03,MMC,0.05,1\nC11,MMC,0.1,2\n",
        "Metadata_Well,compound,Conc_uM,culture\nB2,control,0,1\nB3,MMC,0.05,1\nC11,MMC,0.1,2\n",
        "Well,Drug,Dose,Rep\nB2,control,0,1\n\u04123,MMC,0.05,1\n\u042111,MMC,0.1,2\n",  # Cyrillic
        "image,condition,concentration,replicate\nB02_s1,control,0,1\nB02_s2,control,0,1\n"
        "B03_s1,MMC,0.05,1\nC11_s1,MMC,0.1,2\n",
    ],
)
def test_layouts(tmp_path, plate, text):
    fields = load_fields(plate, layout=write(tmp_path / "layout.csv", text))
    assert [field.condition for field in fields] == ["control", "control", "MMC", "MMC"]
    assert [field.dose for field in fields] == [0, 0, 0.05, 0.1]
    assert [field.replicate for field in fields] == ["1", "1", "1", "2"]
    assert [field.well for field in fields] == ["B02", "B02", "B03", "C11"]


@pytest.mark.parametrize(
    "text",
    [
        "condition,1,2,3,11\n",  # no map: columns are missing
    ],
)
def test_what_is_no_map_of_a_plate(tmp_path, plate, text):
    with pytest.raises(DatasetError, match="expected a column 'well' or 'file'|expected a header"):
        load_fields(plate, layout=write(tmp_path / "layout.csv", text + "B,x,x,x,x\n"))


COLUMNS = [str(i) for i in range(1, 13)]


def block(name: str, wells: dict[str, str], between: str = ",", columns=COLUMNS) -> str:
    """Return a block of a plate map as plate readers write it."""
    lines = [between.join([name, *columns])]
    for row in "ABCDEFGH":
        lines.append(between.join([row, *(wells.get(f"{row}{i}", "") for i in range(1, 13))]))
    return "\n".join(lines) + "\n"


CONDITIONS = {"B2": "control", "B3": "MMC", "C11": "MMC"}
DOSES = {"B2": "0", "B3": "0.05", "C11": "0.1"}


@pytest.mark.parametrize(
    "text",
    [
        block("condition", CONDITIONS) + "\n" + block("dose", DOSES),
        block("Condition", CONDITIONS, "\t") + block("Dose", DOSES, "\t"),
        "sep=;\nPlate 7;;\nCONDITION:\n"
        + block("<>", CONDITIONS, ";")
        + "dose\n"
        + block("", {well: dose.replace(".", ",") for well, dose in DOSES.items()}, ";",
                [f"{i:02d}" for i in range(1, 13)]),
    ],
)  # fmt: skip
def test_layouts_in_the_shape_of_the_plate(tmp_path, plate, text):
    fields = load_fields(plate, layout=write(tmp_path / "layout.csv", text))
    assert [field.condition for field in fields] == ["control", "control", "MMC", "MMC"]
    assert [field.dose for field in fields] == [0, 0, 0.05, 0.1]
    assert [field.replicate for field in fields] == [None] * 4


def test_wells_of_a_map_without_a_field_are_said(tmp_path, plate):
    layout = write(tmp_path / "layout.csv", block("dose", {**DOSES, "H12": "3"}))
    with pytest.warns(DataWarning, match="layout rows that match no field .1.: H12 "):
        load_fields(plate, layout=layout)


def test_a_layout_as_a_data_frame(plate):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"well": ["B02", "B03", "C11"], "dose": [0, None, 2.5]})
    fields = load_fields(plate, layout=frame)
    assert [field.dose for field in fields] == [0, 0, None, 2.5]


def test_a_layout_by_file_may_name_the_well(tmp_path):
    save(tmp_path / "plate", "image 1.png")
    text = "file,well,condition\nimage 1.png,D4,control\n"
    (field,) = load_fields(tmp_path / "plate", layout=write(tmp_path / "layout.csv", text))
    assert (field.well, field.condition) == ("D04", "control")


def test_a_column_that_looks_like_doses_and_is_not_used_is_remarked_on(tmp_path, plate):
    layout = write(
        tmp_path / "layout.csv", "well,condition,final_dose\nB02,a,0\nB03,b,1\nC11,c,2\n"
    )
    with pytest.warns(
        DataWarning, match="looks like doses: 'final_dose'. If it is, call it 'dose'"
    ):
        fields = load_fields(plate, layout=layout)
    assert [field.dose for field in fields] == [None] * 4


def test_a_misspelt_column_of_a_layout_is_asked_about(tmp_path, plate):
    text = "well,condtion,dose,notes\nB02,DMSO,0,\nB03,MMC,1,\nC11,MMC,2,\n"
    layout = write(tmp_path / "layout.csv", text)
    asked = "the column 'condtion' is not used; did you mean 'condition'?"
    with pytest.warns(DataWarning) as caught:
        fields = load_fields(plate, layout=layout)
    assert [str(each.message) for each in caught].count(asked) == 1
    assert asked in fields.remarks
    assert "notes" not in " ".join(fields.remarks)


def test_names_with_a_sign_in_a_layout_for_spreadsheets(tmp_path, plate):
    text = "well,condition\nB02,'-S9\nB03,'+S9\nC11,'S9'\n"
    fields = load_fields(plate, layout=write(tmp_path / "layout.csv", text))
    assert [field.condition for field in fields] == ["-S9", "-S9", "+S9", "'S9'"]
    numbers = ",".join(map(str, range(2, 12)))
    text = f"condition,{numbers}\nB,'-S9,'+S9\nC{',' * 10}'S9'\n"
    fields = load_fields(plate, layout=write(tmp_path / "layout.csv", text))
    assert [field.condition for field in fields] == ["-S9", "-S9", "+S9", "'S9'"]


def test_rows_and_fields_that_fit_nothing_are_said(tmp_path, plate):
    layout = write(tmp_path / "layout.csv", "well,dose\nB02,0\nB03,1\nH12,2\n")
    with pytest.warns(DataWarning) as caught:
        fields = load_fields(plate, layout=layout)
    texts = [str(one.message) for one in caught]
    assert any("layout rows that match no field (1): H12 (" in text for text in texts)
    assert any("not in the layout (1 field: C11_s1.png)" in text for text in texts)
    assert [field.dose for field in fields] == [0, 0, 1, None]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "well,dose\nH12,1\n",
            "no row of the layout matches a field. The layout has names such as H12",
        ),
        (
            "file,dose\nx.tif,1\n",
            "no row of the layout matches a field. The layout has names such as 'x.tif'",
        ),
        ("well,dose\nB02,1\nb2,3\n", "line 3: well 'b2' is listed twice"),
        ("well,dose\nB02,10 uM\n", "line 2: dose: expected a number without a unit"),
        ("well,dose\nB02,-1\n", "line 2: dose: expected a number"),
        ("well;dose\nB02;1,000\n", "line 2: dose: expected a number"),
        (
            "well;dose\nB02;1,5\nB03;1.000\n",
            "line 3: dose: expected a number without thousands separators",
        ),
        ("dose;2;3\nB;500;1.000\n", "line 2: dose: expected a number without thousands separators"),
        ("well,dose\n,1\nB02,2\n", "line 2: well must not be empty"),
        ("well,dose\n7,1\n", "line 2: expected a well such as B03. Received: '7'"),
        ("well,dose,Dose_uM\nB02,1,1\n", "the columns 'dose' and 'Dose_uM' have the same name"),
        ("position,dose\nB02,1\n", "expected a column 'well' or 'file'"),
        ("well,batch\nB02,7\n", "at least one of 'condition', 'dose' and 'replicate'"),
        ("row,1,2,3\nA,c,c,m\n", "line 1: what is this block of the plate map? Received: 'row'"),
        (
            ",1,2,3\nA,c,c,m\n",
            "Received: nothing. In the top left corner of a block stands 'condition'",
        ),
        ("dose,1,2\nA,0,x\n", "line 2, well A02: dose: expected a number"),
        ("dose,1,2\nA,0,1\na,0,1\n", "line 3: row A is there twice in this block"),
        ("dose,1,2\nX,0,1\n", "line 2: expected a row of the plate, A to P. Received: 'X'"),
        ("dose,1,2\nA,0,1,2\n", "line 2: 3 wells below 2 columns"),
        (
            "dose,1,2\nB,0,1\n\ndose,1,2\nB,0,1\n",
            "line 4: a second block 'dose', after that of line 1",
        ),
        ("dose,1,2\nB,,\n", "the map of the plate is empty"),
        (
            "plate 7\nx,y,z\ndose,1,2\nB,0,1\n",
            "line 2: expected the numbers of the plate's columns",
        ),
    ],
)
def test_layouts_that_cannot_be_used(tmp_path, plate, text, message):
    with pytest.raises(DatasetError) as caught:
        load_fields(plate, layout=write(tmp_path / "layout.csv", text))
    assert message in str(caught.value)


def test_a_layout_by_well_needs_wells(tmp_path):
    save(tmp_path / "plate", "image.png")
    layout = write(tmp_path / "layout.csv", "well,dose\nB02,1\n")
    with pytest.raises(
        DatasetError, match="names such as 'image.png' contain no recognisable well"
    ):
        load_fields(tmp_path / "plate", layout=layout)
    with pytest.raises(DatasetNotFoundError):
        load_fields(tmp_path / "plate", layout=tmp_path / "nowhere.csv")
    with pytest.raises(ValueError, match="layout: expected the path of a CSV file"):
        load_fields(tmp_path / "plate", layout=3)


def test_label_images_of_detect_are_masks_of_fields_in_folders(tmp_path):
    save(tmp_path / "plate", "B02/s1.tif", "B03/s1.tif")
    save(tmp_path / "labels", "B02_s1.tif", "B03_s1.tif", image=LABELS)
    fields = load_fields(tmp_path / "plate", masks=tmp_path / "labels")
    assert [field.has_mask for field in fields] == [True, True]
    assert not fields.quarantined


def test_masks_in_a_tree_like_that_of_the_fields(tmp_path):
    for number, well in enumerate(("B02", "B03"), start=1):
        save(tmp_path / "images" / well, "s1.png")
        save(tmp_path / "masks" / well, "s1.png", image=LABELS // number)
    with pytest.warns(DataWarning, match="^2 files look like masks .*masks/B02/s1.png"):
        assert load_fields(tmp_path).names == ("images_B02_s1", "images_B03_s1")
    fields = load_fields(tmp_path, masks=tmp_path / "masks")
    assert [field.labels().max() for field in fields] == [300, 150]
    assert not fields.remarks


def test_masks_of_other_folders_are_not_offered_to_a_field_without_one(tmp_path):
    names = [f"{well}/s1.tif" for well in ("B02", "B03", "E02")]
    save(tmp_path / "plate", *names)
    save(tmp_path / "masks", "B02/s1.png", "B03/s1.png", image=LABELS)
    with pytest.warns(DataWarning, match="E02/s1.tif"):
        fields = load_fields(tmp_path / "plate", masks=tmp_path / "masks")
    assert [field.name for field in fields] == ["B02_s1", "B03_s1"]
    (left_out,) = fields.quarantined
    assert "has no mask" in left_out.reason
