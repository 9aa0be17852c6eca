"""Paths: what is none, and files that are read and written at once."""

import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from nucrec.audit import duplicates, save_contact_sheet
from nucrec.datasets import ImageFiles, load_folder, load_images
from nucrec.errors import InvalidParameterError, NucrecError
from nucrec.models import load, model_info, predict_folder, save


@pytest.mark.parametrize("path", ["", "a\0b", b"cells", 5, None, "~nobody-here/cells", "a" * 5000])
@pytest.mark.parametrize("read", [load_folder, load_images, load, model_info, ImageFiles])
def test_what_is_no_path(read, path):
    with pytest.raises(InvalidParameterError, match="^path: expected a path"):
        read(path)


def test_somebody_s_home_is_found_and_nobody_s_is_explained(monkeypatch, class_folder):
    monkeypatch.setenv("HOME", str(class_folder.parent))
    assert len(load_folder("~/cells")) == 10
    with pytest.raises(InvalidParameterError, match=r"write \./~nobody-h"):
        load_folder("~nobody-here")


class AsPath(os.PathLike):
    def __init__(self, path: Path) -> None:
        self.path = path

    def __fspath__(self) -> str:
        return str(self.path)


def test_anything_that_is_like_a_path_is_one(class_folder):
    assert len(load_folder(AsPath(class_folder))) == 10


@pytest.fixture
def plate(crops, tmp_path) -> Path:
    (tmp_path / "plate").mkdir()
    for i in range(3):
        Image.fromarray(crops.images[0]).save(tmp_path / "plate" / f"{i}.png")
    return tmp_path / "plate"


def test_a_prediction_replaces_no_image_and_not_its_archive(gnb, plate, tmp_path):
    archive = Path(shutil.make_archive(str(tmp_path / "zipped"), "zip", plate))
    before = archive.read_bytes(), (plate / "1.png").read_bytes()
    for path, out in ((plate, plate / "1.png"), (plate, plate / ".." / "plate" / "1.png"),
                      (archive, archive)):  # fmt: skip
        with pytest.raises(InvalidParameterError, match="^out: expected another file than those"):
            predict_folder(gnb, path, out)
    with pytest.raises(InvalidParameterError, match="^html: expected another file than out"):
        predict_folder(gnb, plate, tmp_path / "a.html", html=tmp_path / "a.html")
    assert (archive.read_bytes(), (plate / "1.png").read_bytes()) == before
    assert predict_folder(gnb, plate, plate / "table.csv").total.n == 3


def test_only_files_are_replaced(gnb, plate, tmp_path):
    images = load_images(plate)
    pairs = duplicates(images)
    for name, write in (
        ("a.skops", lambda path: save(gnb, path)),
        ("a.csv", pairs.save_csv),
        ("a.png", lambda path: save_contact_sheet(pairs, path, images)),
    ):
        os.mkfifo(tmp_path / name)
        with pytest.raises(InvalidParameterError, match="There is no regular file of that name"):
            write(tmp_path / name)
        assert (tmp_path / name).is_fifo()
        (tmp_path / f"folder {name}").mkdir()
        with pytest.raises(InvalidParameterError, match="There is a folder of that name"):
            write(tmp_path / f"folder {name}")
        with pytest.raises(NucrecError, match="cannot write .*there is no folder"):
            write(tmp_path / "nowhere" / name)


def test_a_link_is_followed(gnb, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "gnb.skops").symlink_to(tmp_path / "models" / "gnb.skops")
    save(gnb, tmp_path / "gnb.skops")
    assert (tmp_path / "gnb.skops").is_symlink()
    assert os.listdir(tmp_path / "models") == ["gnb.skops"]
    assert load(tmp_path / "gnb.skops").classes_.tolist() == [0, 1]
