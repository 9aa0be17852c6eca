"""Images of which the class is not known: as a whole, and a part at a time."""

import pickle
import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image

from nucrec.datasets import ImageFiles, load_images
from nucrec.errors import DatasetError, DatasetNotFoundError, InvalidParameterError


@pytest.fixture(params=["folder", "zip"])
def plate(request, tmp_path):
    """Seven images in two wells, and one file that is empty."""
    folder = tmp_path / "plate"
    for i in range(7):
        place = folder / f"well {i % 2}"
        place.mkdir(parents=True, exist_ok=True)
        Image.new("L", (5, 4), 10 * i).save(place / f"{i}.png")
    (folder / "well 0" / "x.png").touch()
    if request.param == "folder":
        return folder
    return shutil.make_archive(str(tmp_path / "plate"), "zip", folder)


NAMES = [*(f"well 0/{i}.png" for i in (0, 2, 4, 6)), "well 0/x.png",
         *(f"well 1/{i}.png" for i in (1, 3, 5))]  # fmt: skip


def test_parts_hold_all_images_in_order(plate):
    files = ImageFiles(plate)
    assert list(files.names) == NAMES
    assert files.quarantined == ()
    parts = list(files.parts(3))
    assert [part.ids.tolist() for part in parts] == [NAMES[:3], [NAMES[3], NAMES[5]], NAMES[6:]]
    assert [len(part.quarantined) for part in parts] == [0, 1, 0]
    assert parts[1].quarantined[0] == ("well 0/x.png", "the file is empty (0 bytes)")
    values = [int(image[0, 0]) for part in parts for image in part.images]
    assert values == [0, 20, 40, 60, 10, 30, 50]


def test_a_part_may_be_empty(plate):
    (part,) = ImageFiles(plate, ["well 0/x.png", "no such.png"]).parts(10)
    assert len(part) == 0
    assert [name for name, _ in part.quarantined] == ["well 0/x.png", "no such.png"]


def test_some_files_by_name(plate):
    (part,) = ImageFiles(plate, NAMES[-2:]).parts(10)
    assert part.ids.tolist() == NAMES[-2:]
    np.testing.assert_array_equal(part.images[1], np.full((4, 5), 50, np.uint8))


def test_goes_to_other_processes(plate):
    files = pickle.loads(pickle.dumps(ImageFiles(plate)))
    assert [len(part) for part in files.parts(8)] == [7]


def test_stamps_tell_changes(tmp_path):
    Image.new("L", (5, 4)).save(tmp_path / "a.png")
    before = ImageFiles(tmp_path).stamp("a.png")
    assert before[0] == (tmp_path / "a.png").stat().st_size
    Image.new("L", (50, 40), 3).save(tmp_path / "a.png")
    assert ImageFiles(tmp_path).stamp("a.png") != before
    assert ImageFiles(tmp_path).stamp("b.png") is None
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "a.png", "a.png")
    assert ImageFiles(tmp_path / "a.zip").stamp("b.png") is None
    assert ImageFiles(tmp_path / "a.zip").stamp("a.png")[0] == (tmp_path / "a.png").stat().st_size


def test_links_out_are_left_out_of_the_list(tmp_path):
    Image.new("L", (5, 4)).save(tmp_path / "a.png")
    (tmp_path / "link").symlink_to("/")
    files = ImageFiles(tmp_path)
    assert [name for name, _ in files.quarantined] == ["link"]
    assert repr(files) == f"ImageFiles({str(tmp_path)!r}: 1 image)"


def test_says_what_is_wrong(tmp_path):
    with pytest.raises(DatasetNotFoundError, match="no such folder or file"):
        ImageFiles(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match="no images were found"):
        ImageFiles(tmp_path)
    with pytest.raises(InvalidParameterError, match="^path: expected a path"):
        ImageFiles(3)
    with pytest.raises(InvalidParameterError, match="^names: expected a sequence"):
        ImageFiles(tmp_path, "a.png")
    with pytest.raises(InvalidParameterError, match="^size"):
        list(ImageFiles(tmp_path, []).parts(0))


def test_load_images_needs_one_that_can_be_read(tmp_path):
    (tmp_path / "a.png").touch()
    with pytest.raises(DatasetError, match=r"no image that can be read: a.png: the file is empty"):
        load_images(tmp_path)
