"""Which folders are classes: slides, parts of a data set, classes far inside, folders of masks."""

import warnings
from pathlib import Path

import pytest
from PIL import Image

from nucrec.datasets import ImageDataset, load_folder, load_images
from nucrec.errors import DatasetError, DataWarning

CLASSES = ("nucleus", "micronucleus")


def tree(folder: Path, *names: str) -> Path:
    """Make images, each with pixels of its own."""
    for value, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), value).save(path)
    return folder


def in_folders(*levels: tuple[str, ...]) -> list[str]:
    """Return a file in each combination of folders."""
    paths = [""]
    for level in levels:
        paths = [f"{path}{name}/" for path in paths for name in level]
    return [f"{path}1.png" for path in paths]


def loaded(folder: Path, **options) -> tuple[ImageDataset, list[str]]:
    """Return a data set and what it warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        dataset = load_folder(folder, **options)
    return dataset, [str(warning.message) for warning in caught]


@pytest.mark.parametrize("group_by", ["image", "folder"])
@pytest.mark.parametrize("classes", [CLASSES, ("normal", "MN"), ("MN-", "MN+")])
def test_slides_around_the_classes_are_no_classes(group_by, classes, tmp_path):
    slides = ("slide 1", "slide 2", "slide 3")
    tree(tmp_path, *in_folders(slides, classes))
    with pytest.raises(DatasetError, match="With group_by='top' the classes are") as caught:
        load_folder(tmp_path, group_by=group_by)
    assert all(repr(name) in str(caught.value) for name in (*slides, *classes))
    assert load_folder(tmp_path, group_by="top").class_names == classes
    asked = load_folder(tmp_path, group_by=group_by, class_names=slides)
    assert asked.class_names == slides


def test_classes_around_slides_are_classes(tmp_path):
    tree(tmp_path, *in_folders(CLASSES, ("slide 1", "slide 2")))
    dataset, told = loaded(tmp_path)
    assert (dataset.class_names, len(set(dataset.groups))) == (CLASSES, 4)
    assert len(told) == 1
    assert "'slide 1', 'slide 2', and each image is a group of its own" in told[0]
    dataset, told = loaded(tmp_path, group_by="folder")
    assert (dataset.class_names, sorted(set(dataset.groups)), told) == (
        CLASSES, ["slide 1", "slide 2"], [],
    )  # fmt: skip
    assert loaded(tmp_path, class_names=CLASSES)[1] == []


def test_one_folder_of_the_same_name_in_each_class_is_no_group(tmp_path):
    tree(tmp_path, *in_folders(CLASSES, ("images",)))
    assert loaded(tmp_path)[1] == []
    (told,) = loaded(tmp_path, group_by="top")[1]
    assert "are groups, though they are called like classes, and 'images' are taken" in told


@pytest.mark.parametrize("around", ["", "2026/"])
def test_one_slide_is_a_group(around, tmp_path):
    tree(tmp_path, *(f"{around}{name}" for name in in_folders(("slide 1",), CLASSES)))
    dataset, told = loaded(tmp_path, group_by="top")
    assert (dataset.class_names, set(dataset.groups), told) == (CLASSES, {"slide 1"}, [])
    assert loaded(tmp_path)[0].class_names == CLASSES


@pytest.mark.parametrize("group_by", ["image", "folder"])
def test_slides_with_one_class_each_are_no_classes(group_by, tmp_path):
    tree(tmp_path, "s1/nucleus/1.png", "s2/micronucleus/2.png")
    with pytest.raises(
        DatasetError, match="folders 's1', 's2' hold folders named 'micronucleus', "
    ):
        load_folder(tmp_path, group_by=group_by)
    assert load_folder(tmp_path, group_by="top").class_names == CLASSES


@pytest.mark.parametrize("group_by", ["image", "folder", "top"])
def test_the_same_slide_in_all_parts_is_no_class(group_by, tmp_path):
    tree(tmp_path, *in_folders(("train", "test"), ("s1",), CLASSES))
    with pytest.raises(DatasetError, match="named 'micronucleus', 'nucleus', further inside"):
        load_folder(tmp_path, group_by=group_by)


@pytest.mark.parametrize("group_by", ["image", "folder", "top"])
@pytest.mark.parametrize("same_slides", [False, True])
def test_classes_far_inside_are_found(group_by, same_slides, tmp_path):
    slides = [("s1", "s2"), ("s1", "s2") if same_slides else ("s3", "s4")]
    for part, inside in zip(("train", "test"), slides, strict=True):
        tree(tmp_path / part, *in_folders(inside, CLASSES))
    with pytest.raises(DatasetError, match="either may be the classes"):
        load_folder(tmp_path, group_by=group_by)
    dataset = load_folder(tmp_path / "train", group_by="top")
    assert (dataset.class_names, sorted(set(dataset.groups))) == (CLASSES, ["s1", "s2"])


def test_what_is_inside_classes_may_say_yes_and_no(tmp_path):
    tree(tmp_path, *in_folders(CLASSES, ("control", "treated")))
    dataset, told = loaded(tmp_path, group_by="folder")
    assert (dataset.class_names, told) == (CLASSES, [])
    assert sorted(set(dataset.groups)) == ["control", "treated"]


@pytest.mark.parametrize(
    "names",
    [("slide 0", "slide 1", "slide 2"), ("well_1", "well_12"), ("patient-07", "Patient-08"),
     ("train", "test", "val"), ("A01", "A02", "B11"), ("2026-01-03", "2026-01-04"),
     ("Slide A", "Slide B"), ("Donor I", "Donor II"), ("exp 1 HeLa", "exp_2")],
)  # fmt: skip
def test_folders_called_like_slides_are_classes_with_a_warning(names, tmp_path):
    tree(tmp_path, *in_folders(names))
    dataset, told = loaded(tmp_path)
    assert set(dataset.class_names) == set(names)
    assert told[-1 if len(names) > 2 else 0].endswith("If they are classes, pass class_names.")
    assert loaded(tmp_path, class_names=names)[1] == []


@pytest.mark.parametrize(
    "names",
    [CLASSES, ("0", "1"), ("0", "1", "2"), ("class 0", "class 1", "class 2"), ("0 MN", "1 MN", "2 MN"),
     ("a", "b", "c"), ("grade 1", "grade 2", "grade 3"), ("DMSO", "MMC 1", "MMC 2")],
)  # fmt: skip
def test_folders_called_like_classes_are_not_doubted(names, tmp_path):
    tree(tmp_path, *in_folders(names))
    dataset, told = loaded(tmp_path)
    assert (dataset.class_names, told) == (names, [])


@pytest.mark.parametrize("reader", [load_folder, load_images])
@pytest.mark.parametrize("place", ["{}/images/{}.png", "{}/{}.png", "{}/raw/{}.tif"])
@pytest.mark.parametrize("masks", ["{}/masks/{}.png", "{}/Labels/{}.tif", "{}/masks/{}_mask.png"])
def test_masks_in_folders_of_their_own_are_no_cells(reader, place, masks, tmp_path):
    cells = [(name, i) for name in CLASSES for i in range(3)]
    files = [place.format(*cell) for cell in cells]
    tree(tmp_path, *files, *[masks.format(*cell) for cell in cells])
    with pytest.warns(DataWarning, match="^6 files look like masks of the images beside them"):
        dataset = reader(tmp_path)
    assert sorted(dataset.ids) == sorted(files)


def test_a_folder_of_masks_beside_the_classes_is_no_class(tmp_path):
    tree(tmp_path, "nucleus/1.png", "micronucleus/2.png", "masks/1.png", "masks/2.png")
    with pytest.warns(DataWarning, match="^2 files look like masks"):
        assert load_folder(tmp_path).class_names == CLASSES


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("images/B02/s{}.png", "masks/B02/s{}.png"),
        ("images/B02/s{}.png", "masks/B02/s{}_mask.png"),
        ("B02/s{}.png", "masks/B02/s{}.png"),
        ("B02/s{}.png", "masks/B02_s{}.png"),
        ("plate/B0{}.png", "plate_masks/B0{}.png"),
        ("Bilder/{}.png", "Masken/{}.png"),
        ("img/{}.png", "seg/{}.tif"),
        ("p1/images/{}.png", "p1/Segmentation/{}.png"),
        ("labels/B02/s{}.png", "labels/B02/masks/s{}.png"),
        ("B02/s{}.png", "B02/s{}_Maske.png"),
        ("B02/s{}.png", "B02/mask_s{}.png"),
        *[("a{}.png", f"a{{}}_{end}.png") for end in (
            "bw", "binary", "roi", "overlay", "contour", "annotated", "pred", "heatmap", "thumb")],
    ],
)  # fmt: skip
def test_masks_in_a_tree_like_that_of_the_images_are_no_images(image, mask, tmp_path):
    tree(tmp_path, *[name.format(i) for i in (1, 2) for name in (image, mask)])
    with pytest.warns(DataWarning, match="^2 files look like masks of the images beside them"):
        dataset = load_images(tmp_path)
    assert list(dataset.ids) == [image.format(1), image.format(2)]


@pytest.mark.parametrize("place", ["{}/{}.png", "images/{}/{}.png"])
def test_masks_of_all_classes_are_no_class(place, tmp_path):
    cells = [(name, i) for name in CLASSES for i in range(3)]
    tree(tmp_path, *[place.format(*cell) for cell in cells])
    tree(tmp_path, *["masks/{}/{}.png".format(*cell) for cell in cells])
    with pytest.warns(DataWarning, match="^6 files look like masks"):
        dataset = load_folder(tmp_path)
    assert (dataset.class_names, len(dataset)) == (CLASSES, 6)
    assert load_folder(tmp_path / "masks").class_names == CLASSES


def test_a_folder_of_masks_of_which_half_are_called_like_images_holds_no_images(tmp_path):
    tree(tmp_path, "img/1.png", "masks/1.png", "masks/2.png", "seg/1.png", "seg/2.png", "seg/3.png")
    with pytest.warns(DataWarning, match="^3 files .*: masks/1.png, masks/2.png, seg/1.png$"):
        assert list(load_images(tmp_path).ids) == ["img/1.png", "seg/2.png", "seg/3.png"]


def test_a_folder_called_masks_with_other_images_is_what_it_is(tmp_path):
    tree(tmp_path, "nucleus/1.png", "nucleus/masks/7.png", "micronucleus/2.png")
    dataset, told = loaded(tmp_path)
    assert (len(dataset), told) == (3, [])
    assert len(load_images(tmp_path / "nucleus" / "masks")) == 1
