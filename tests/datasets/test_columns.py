"""Labels, groups and pictures as people pass them to `ImageDataset`."""

import unicodedata

import numpy as np
import pytest
from PIL import Image

from nucrec.datasets import ImageDataset, folds, split
from nucrec.errors import DataWarning, ImageError, InvalidParameterError

IMAGES = [np.full((6, 5), value, np.uint8) for value in range(4)]
DECOMPOSED, COMPOSED = (unicodedata.normalize(form, "Pr\u00e4parat") for form in ("NFD", "NFC"))


def groups_of(groups) -> list[str]:
    return ImageDataset(IMAGES, [0, 0, 1, 1], groups=groups).groups.tolist()


@pytest.mark.parametrize(
    "groups",
    [[np.nan, "a", "b", "c"], ["", "a", "b", "c"], ["a", "NA", "b", "c"], [None, "a", "b", "c"],
     [1.0, 2.0, np.nan, 1.0], np.array(["a", "b", np.nan, "c"], object)],
)  # fmt: skip
def test_a_missing_group_is_refused(groups):
    with pytest.raises(InvalidParameterError, match="^groups: expected a (name|value) for each"):
        ImageDataset(IMAGES, [0, 0, 1, 1], groups=groups)
    with pytest.raises(InvalidParameterError, match="^groups: expected a (name|value) for each"):
        ImageDataset(IMAGES, [0, 0, 1, 1]).with_groups(groups)


def test_groups_composed_in_two_ways_are_one():
    assert groups_of([DECOMPOSED, COMPOSED, "b", " b "]) == [COMPOSED, COMPOSED, "b", "b"]


@pytest.mark.parametrize(
    ("groups", "merged"),
    [(["Slide 1", "slide 1", "slide 1", "b"], ["slide 1"] * 3 + ["b"]),
     (["1", "1.0", "2", "2"], ["1", "1", "2", "2"]),
     (["0", "0.0", "3.0", "3"], ["0", "0", "3", "3"]),  # images 0 and 3 are called so themselves
     (["s-1", "s\u20101", "s-1", "s\u22122"], ["s-1"] * 3 + ["s\u22122"]),
     (["A1", "\uff21\uff11", "A1", "B1"], ["A1"] * 3 + ["B1"]),
     (["A1", "\u04101", "\u04301", "B1"], ["A1"] * 3 + ["B1"])],  # Cyrillic
)  # fmt: skip
def test_groups_that_look_the_same_are_one_with_a_warning(groups, merged):
    with pytest.warns(DataWarning, match="^groups that look the same are taken for one"):
        assert groups_of(groups) == merged


def test_whole_numbers_are_the_same_groups_as_integers():
    assert groups_of([1.0, 1, 2.0, 2]) == groups_of([1, 1, 2, 2]) == ["1", "1", "2", "2"]
    assert groups_of([1.5, 1, 2, 2]) == ["1.5", "1.0", "2.0", "2.0"]


def test_images_that_are_groups_of_their_own_stay_apart():
    ids = ["a.png", "A.png", "na", ""]
    assert ImageDataset(IMAGES, [0, 0, 1, 1], ids=ids).groups.tolist() == ids
    assert ImageDataset(IMAGES, [0, 0, 1, 1], ids=ids, groups=ids).groups.tolist() == ids


def test_a_column_of_groups_is_found_in_any_case():
    metadata = {"Slide": ["a", "a", "b", "c"]}
    dataset = ImageDataset(IMAGES, [0, 0, 1, 1], metadata=metadata)
    assert dataset.with_groups("slide").groups.tolist() == metadata["Slide"]
    both = ImageDataset(IMAGES, [0, 0, 1, 1], metadata={**metadata, "slide": ["d"] * 4})
    assert both.with_groups("slide").groups.tolist() == ["d"] * 4
    with pytest.raises(InvalidParameterError, match="a column of: Slide, slide. Received: 'SLIDE'"):
        both.with_groups("SLIDE")


@pytest.mark.parametrize(
    "labels", [["nan", "a", "a", "b"], ["a", "", "b", "b"], ["a", np.nan, "b", "b"], ["NA"] * 4]
)
def test_a_missing_label_is_refused(labels):
    with pytest.raises(InvalidParameterError, match="^labels: expected a name for each image"):
        ImageDataset(IMAGES, labels)


def test_names_and_numbers_are_not_mixed():
    message = "^labels: expected names of classes alone, or numbers of classes alone. Received: 1."
    with pytest.raises(InvalidParameterError, match=message):
        ImageDataset(IMAGES, ["nucleus", 1, "nucleus", 1])


@pytest.mark.parametrize("names", [["a", "A"], ["a", "a "], ["a", ""], ["0", "0.0"], "ab", []])
def test_names_of_classes_differ_to_a_person(names):
    with pytest.raises(InvalidParameterError, match="^class_names: expected a sequence of diff"):
        ImageDataset(IMAGES, [0, 1, 1, 0], class_names=names)


def test_names_of_classes_are_composed():
    dataset = ImageDataset(IMAGES, [0, 1, 1, 0], class_names=[DECOMPOSED, " b"])
    assert dataset.class_names == (COMPOSED, "b")


def test_a_class_may_be_called_none_where_the_classes_are_named():
    dataset = ImageDataset(IMAGES, ["none", "some", "some", "none"], ["none", "some"])
    assert dataset.labels.tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize(
    "labels", [[0.0, 1.0, 1.0, 0.0], np.array([0, 1.0, 1, 0], object), np.array([0, 1, 1, 0], "f4")]
)
def test_whole_floats_are_labels(labels):
    dataset = ImageDataset(IMAGES, labels)
    assert dataset.labels.tolist() == [0, 1, 1, 0]
    assert dataset.labels.dtype == np.int64


@pytest.mark.parametrize("odd", [0.5, np.nan, np.inf, 1e300, 2.0, None])
def test_other_numbers_are_no_labels(odd):
    with pytest.raises(InvalidParameterError, match="^labels: expected whole numbers from 0 to 1"):
        ImageDataset(IMAGES, [0.0, 1.0, 1.0, odd])


@pytest.mark.parametrize("dash", "\u2010\u2011\u2012\u2013\u2212\uff0d")
def test_dashes_and_wide_letters_look_the_same(dash):
    dataset = ImageDataset(IMAGES, ["MN-", "\uff2d\uff2e+", f"MN{dash}", "MN+"])
    assert dataset.labels.tolist() == [0, 1, 0, 1]
    told = ImageDataset(IMAGES[:2], ["MN+", f"MN{dash}"])
    assert told.class_names == (f"MN{dash}", "MN+")


def test_numbers_as_names_keep_their_order():
    assert ImageDataset(IMAGES, ["2", "1", "0", "1"]).class_names == ("0", "1", "2")
    with pytest.warns(DataWarning, match="do not say which is the positive one: '2' is taken"):
        assert ImageDataset(IMAGES, ["2", "1", "2", "1"]).class_names == ("1", "2")


def test_a_picture_with_a_colour_table_is_its_colours():
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (4, 3), dtype=np.uint8)
    indices = rng.integers(0, 4, (6, 5), dtype=np.uint8)
    picture = Image.fromarray(indices, "P")
    picture.putpalette(colours.tobytes())
    dataset = ImageDataset([picture], [0])
    np.testing.assert_array_equal(dataset.images[0], colours[indices])
    assert picture.mode == "P"


@pytest.mark.parametrize(
    ("mode", "shape"),
    [("1", (6, 5)), ("L", (6, 5)), ("I;16", (6, 5)), ("LA", (6, 5, 2)), ("CMYK", (6, 5, 3)),
     ("YCbCr", (6, 5, 3)), ("RGBA", (6, 5, 4))],
)  # fmt: skip
def test_pictures_of_all_modes_are_what_their_files_are(mode, shape):
    assert ImageDataset([Image.new(mode, (5, 6))], [0]).images.shapes == [shape]


def test_a_picture_that_would_be_cut_to_8_bits_is_refused(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((6, 5, 3), np.uint16), photometric="rgb")
    with (
        Image.open(tmp_path / "a.tif") as picture,
        pytest.raises(ImageError, match="16-bit colour"),
    ):
        ImageDataset([picture], [0])


@pytest.mark.parametrize("divide", [split, folds])
@pytest.mark.parametrize("images", [IMAGES, np.array(IMAGES)])
def test_arrays_are_no_data_set(divide, images):
    with pytest.raises(InvalidParameterError, match="^dataset: expected an ImageDataset"):
        divide(images)


def test_one_is_no_plural():
    assert repr(ImageDataset(IMAGES[:1], [1])) == (
        "ImageDataset(1 image: 0 nucleus, 1 micronucleus; 1 group)"
    )
