"""Label images as programs save them, and what is none."""

import re

import numpy as np
import pytest
import tifffile
from PIL import Image
from scipy import ndimage

from nucrec.errors import DatasetNotFoundError, DataWarning, ImageError
from nucrec.fields import read_labels

ROWS, COLUMNS = np.mgrid[:120, :160]


def discs(numbers: list[int], radius: int = 9) -> np.ndarray:
    """Draw a disc for each number, in a grid."""
    labels = np.zeros((120, 160), np.int64)
    for i, number in enumerate(numbers):
        y, x = 15 + 25 * (i // 5), 15 + 30 * (i % 5)
        labels[(ROWS - y) ** 2 + (COLUMNS - x) ** 2 <= radius**2] = number
    return labels


FEW = discs([3, 1, 200, 17, 4, 5, 250])
MANY = discs([3, 1, 70_000, 17, 4, 5, 2_000_000])


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("a.png", "uint8"), ("a.png", "uint16"), ("a_cp_masks.tif", "uint16"), ("a.tif", "uint32"),
     ("a.tif", "int32"), ("a.tif", "float32"), ("a.npy", "int64"), ("a.npy", "uint16")],
)  # fmt: skip
def test_numbers_are_kept(tmp_path, name, dtype):
    labels = (MANY if dtype in ("uint32", "int32", "int64") else FEW).astype(dtype)
    if name.endswith("npy"):
        np.save(tmp_path / name, labels)
    elif name.endswith("tif"):
        tifffile.imwrite(tmp_path / name, labels, compression="zlib" if dtype == "uint16" else None)
    else:
        Image.fromarray(labels).save(tmp_path / name)
    found = read_labels(tmp_path / name, shape=(120, 160))
    assert found.dtype == np.int32
    assert np.array_equal(found, labels)


def test_colour_tables_are_only_for_looking_at(tmp_path):
    table = np.random.default_rng(0).integers(0, 256, (256, 3))
    image = Image.fromarray(FEW.astype(np.uint8), "L").convert("P")
    image.putdata(FEW.astype(np.uint8).ravel().tolist())
    image.putpalette(table.astype(np.uint8).tobytes())
    image.save(tmp_path / "a.png")
    tifffile.imwrite(
        tmp_path / "b.tif",
        FEW.astype(np.uint8),
        photometric="palette",
        colormap=(table.T * 257).astype(np.uint16),
    )
    tifffile.imwrite(tmp_path / "c.tif", FEW.astype(np.uint8), photometric="miniswhite")
    for name in ("a.png", "b.tif", "c.tif"):
        assert np.array_equal(read_labels(tmp_path / name), FEW)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colours_are_numbered(tmp_path, mode):
    colours = np.array([[0, 0, 0], [0, 0, 9], [0, 1, 0], [2, 0, 0]], np.uint8)
    labels = discs([1, 3, 2])
    image = Image.fromarray(colours[labels]).convert(mode)
    if mode == "RGBA":
        image.putalpha(Image.fromarray(np.where(labels == 2, 0, 255).astype(np.uint8)))
    image.save(tmp_path / "a.png")
    expected = np.where(labels == 3, 2, labels % 2) if mode == "RGBA" else labels
    assert np.array_equal(read_labels(tmp_path / "a.png"), expected)


def test_grey_saved_as_colour_keeps_its_numbers(tmp_path):
    Image.fromarray(FEW.astype(np.uint8)).convert("RGB").save(tmp_path / "a.png")
    assert np.array_equal(read_labels(tmp_path / "a.png"), FEW)


def test_one_nucleus_and_stray_pixels_are_fine(tmp_path):
    labels = discs([255]).astype(np.uint8)
    labels[100, 100] = 255
    Image.fromarray(labels).save(tmp_path / "a.png")
    assert np.array_equal(read_labels(tmp_path / "a.png"), labels)


def refused(path, labels) -> str:
    tifffile.imwrite(path, labels, photometric="minisblack")
    with pytest.raises(ImageError) as caught:
        read_labels(path)
    assert str(caught.value).startswith(f"{path.name}: ")
    return str(caught.value)


@pytest.mark.parametrize("value", [1, 255])
def test_a_semantic_mask_is_refused(tmp_path, value):
    message = refused(tmp_path / "a.tif", (value * (FEW > 0)).astype(np.uint8))
    assert "one number for 7 separate objects" in message
    assert "scipy.ndimage.label" in message


def test_a_semantic_mask_of_several_classes_is_refused(tmp_path):
    classes = (FEW > 0) + (FEW > 100).astype(np.uint8)
    assert "2 numbers for 7 separate objects" in refused(tmp_path / "a.tif", classes)


def test_few_labels_far_apart_in_several_places_are_classes(tmp_path):
    classes = discs([1, 2, 1, 2, 1])
    assert "2 numbers for 5 separate objects" in refused(tmp_path / "a.tif", classes.astype("u1"))
    numbers = np.arange(1, 21)
    numbers[[17, 18, 19]] = 1, 2, 3  # three of seventeen were used again
    again = discs(numbers.tolist()).astype("u1")
    assert "17 numbers for 20 separate objects" in refused(tmp_path / "b.tif", again)


def test_numbers_that_begin_again_after_255_are_refused(tmp_path):
    labels = np.zeros((200, 360), np.uint8)
    for i in range(300):
        row, column = 2 + 12 * (i // 20), 2 + 18 * (i % 20)
        labels[row : row + 8, column : column + 8] = i % 255 + 1
    message = refused(tmp_path / "a.tif", labels)
    assert "255 numbers for 300 separate objects: numbering restarts after 255" in message
    assert message.endswith("Save the mask with 16 bits")


def test_a_broken_label_is_read_and_said(tmp_path):
    labels = discs([3, 1, 200, 17, 4, 5, 250]).astype(np.uint8)
    labels[:30, 45] = 0  # through the middle of 1
    tifffile.imwrite(tmp_path / "a.tif", labels)
    with pytest.warns(DataWarning, match=r"^a.tif: labels in several pieces, each .* .1.: 1$"):
        assert np.array_equal(read_labels(tmp_path / "a.tif"), labels)


@pytest.mark.parametrize("numbers", [[255] * 7, [3, 1, 200, 17, 4, 5, 250]])
def test_blurred_edges_are_refused(tmp_path, numbers):
    blurred = ndimage.gaussian_filter(discs(numbers).astype(np.float32), 1).astype(np.uint8)
    assert "labels are thin seams" in refused(tmp_path / "a.tif", blurred)


def test_a_resized_mask_is_refused(tmp_path):
    smooth = Image.fromarray(FEW.astype(np.uint8)).resize((300, 250), Image.Resampling.BILINEAR)
    assert "labels are thin seams" in refused(tmp_path / "a.tif", np.asarray(smooth))


def test_jpeg_is_refused(tmp_path):
    Image.fromarray(FEW.astype(np.uint8)).save(tmp_path / "a.jpg")
    with pytest.raises(ImageError, match=r"^a.jpg: a JPEG, whose compression changes the numbers"):
        read_labels(tmp_path / "a.jpg")


def test_probabilities_negatives_and_full_masks_are_refused(tmp_path):
    assert "fractional numbers" in refused(tmp_path / "a.tif", (FEW / 300).astype(np.float32))
    assert "labels from -200 to 0" in refused(tmp_path / "b.tif", -discs([200]).astype(np.int32))
    assert "no background" in refused(tmp_path / "c.tif", np.full((50, 50), 3, np.uint8))
    assert "holds 3 pages or channels" in refused(
        tmp_path / "d.tif", np.stack([FEW.astype(np.uint8)] * 3)[..., :20]
    )


def test_cellposes_own_file_is_refused_without_running_it(tmp_path):
    np.save(tmp_path / "a_seg.npy", {"masks": FEW}, allow_pickle=True)
    with pytest.raises(ImageError, match=r"^a_seg.npy: holds pickled .*save the mask: File > Save"):
        read_labels(tmp_path / "a_seg.npy")


def test_an_empty_mask_is_said(tmp_path):
    Image.new("L", (50, 40)).save(tmp_path / "a.png")
    with pytest.warns(DataWarning, match=r"^a.png: the mask is empty"):
        assert not read_labels(tmp_path / "a.png").any()


def test_another_shape_and_no_file(tmp_path):
    Image.fromarray(FEW.astype(np.uint8)).save(tmp_path / "a.png")
    message = "a.png: the mask has 160 x 120 pixels, but its field has 100 x 120."
    with pytest.raises(ImageError, match=re.escape(message)):
        read_labels(tmp_path / "a.png", shape=(120, 100))
    with pytest.raises(DatasetNotFoundError, match="there is no such file"):
        read_labels(tmp_path / "b.png")
