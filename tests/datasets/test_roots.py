"""Archives: read in place, and what was made to do harm."""

import io
import os
import struct
import tracemalloc
import warnings
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from nucrec.datasets import ImageDataset, ImageFiles, load_folder, load_images
from nucrec.errors import DatasetError, DataWarning, ImageError


def png(value: int = 5) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (4, 4), value).save(buffer, "PNG")
    return buffer.getvalue()


def make_zip(path: Path, members: dict[str, bytes], **options) -> Path:
    with zipfile.ZipFile(path, "w", **options) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def load(path: Path) -> ImageDataset:
    return load_folder(path, class_names=["a", "b"])


GOOD = {"a/1.png": png(1), "a/2.png": png(2), "b/1.png": png(3)}


def test_members_that_lead_out_are_quarantined(tmp_path):
    evil = {
        "../evil.png": png(),
        "a/../../evil.png": png(),
        "/abs.png": png(),
        "C:/win.png": png(),
        "b\\..\\..\\evil.png": png(),
    }
    folder = tmp_path / "in" / "here"
    folder.mkdir(parents=True)
    with pytest.warns(DataWarning, match="^5 files were left out"):
        dataset = load(make_zip(folder / "x.zip", {**GOOD, **evil}))
    assert dataset.ids.tolist() == list(GOOD)
    assert {entry.reason for entry in dataset.quarantined} == {"its name leads out of the archive"}
    # nothing was written anywhere
    assert [path.name for path in tmp_path.rglob("*")] == ["in", "here", "x.zip"]


def test_macos_and_hidden_members_are_passed_over(tmp_path):
    extra = {"__MACOSX/a/._1.png": b"x", "a/.hidden.png": b"x", ".git/x.png": b"x"}
    assert load(make_zip(tmp_path / "x.zip", {**GOOD, **extra})).ids.tolist() == list(GOOD)


def test_a_member_that_unpacks_to_too_much_is_not_unpacked(tmp_path):
    path = make_zip(tmp_path / "x.zip", GOOD)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as file:
        with file.open("a/bomb.png", "w", force_zip64=True) as member:
            block = bytes(2**24)
            for _ in range(2**29 // len(block) + 1):
                member.write(block)
    with pytest.warns(DataWarning, match=r"a/bomb\.png: \d+ MB, and files of up to"):
        dataset = load(path)
    assert dataset.ids.tolist() == list(GOOD)


def test_many_members_that_unpack_to_too_much_together(tmp_path):
    bombs = {f"a/{i}.png": bytes(2**26) for i in range(9)}
    path = make_zip(tmp_path / "x.zip", {**GOOD, **bombs}, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(DatasetError, match=r"x\.zip: would unpack from .* archive bomb"):
        load(path)


@pytest.mark.slow
def test_too_many_members(tmp_path):
    path = make_zip(tmp_path / "x.zip", {"a/1.png": png(1)})
    data = path.read_bytes()
    start, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
    entry, n = data[start:end], 1_000_001
    zip64 = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, n, n, n * len(entry), start)
    locator = struct.pack("<IIQI", 0x07064B50, 0, start + n * len(entry), 1)
    ending = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 0xFFFF, 0xFFFF, *[0xFFFFFFFF] * 2, 0)
    path.write_bytes(data[:start] + entry * n + zip64 + locator + ending)
    with pytest.raises(DatasetError, match="1000001 members are more than 1000000"):
        load(path)


def test_a_member_that_lies_about_its_size(tmp_path):
    path = make_zip(tmp_path / "x.zip", GOOD)
    data = bytearray(path.read_bytes())
    # the uncompressed size of a/2.png, in the central directory
    at = data.rindex(b"a/2.png") - 46 + 24
    data[at : at + 4] = struct.pack("<I", 10)
    path.write_bytes(data)
    with pytest.warns(DataWarning, match=r"a/2\.png: cannot be unpacked"):
        dataset = load(path)
    assert dataset.ids.tolist() == ["a/1.png", "b/1.png"]


def test_a_damaged_member(tmp_path):
    path = make_zip(tmp_path / "x.zip", GOOD)
    data = bytearray(path.read_bytes())
    data[data.index(b"a/1.png") + 20] ^= 0xFF
    path.write_bytes(data)
    with pytest.warns(DataWarning, match=r"a/1\.png: cannot be unpacked"):
        assert len(load(path)) == 2


def test_an_encrypted_member(tmp_path):
    path = make_zip(tmp_path / "x.zip", GOOD)
    data = bytearray(path.read_bytes())
    at = data.rindex(b"a/1.png") - 46 + 8
    data[at] |= 1
    path.write_bytes(data)
    with pytest.warns(DataWarning, match=r"a/1\.png: is encrypted"):
        assert len(load(path)) == 2


def test_a_truncated_archive(tmp_path):
    path = make_zip(tmp_path / "x.zip", GOOD)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DatasetError, match="readable zip archive"):
        load(path)


def test_a_name_that_stands_twice_counts_once(tmp_path):
    path = make_zip(tmp_path / "x.zip", GOOD)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile's own, on writing it
        with zipfile.ZipFile(path, "a") as file:
            file.writestr("a/1.png", png(1))
    assert load(path).ids.tolist() == list(GOOD)


@pytest.mark.parametrize("name", ["a/1.png", "a\\1.png", "./a/1.png", "a//1.png", "a/./1.png"])
def test_of_two_images_of_one_name_the_later_is_read_and_the_other_named(name, tmp_path):
    path = make_zip(tmp_path / "x.zip", GOOD)
    member = zipfile.ZipInfo()
    member.filename = name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile's own, on writing it
        with zipfile.ZipFile(path, "a") as file:
            file.writestr(member, png(9))
    with pytest.warns(DataWarning, match="^1 file was left out .* another image of this name"):
        dataset = load(path)
    assert dataset.ids.tolist() == list(GOOD)
    assert int(dataset.images[0][0, 0]) == 9  # as unpacking it would give
    assert [name for name, _ in dataset.quarantined] == ["a/1.png"]
    with pytest.raises(ImageError, match=r"a/1\.png: the archive holds another image"):
        load_folder(path, class_names=["a", "b"], on_error="raise")


@pytest.mark.parametrize(
    ("name", "what"),
    [("cells.csv", "a table: load_folder reads tables"), ("cells.TSV", "a table"),
     ("cell.png", "an image: give the folder that holds it"), ("cells.md", "not a zip file")],
)  # fmt: skip
def test_a_file_that_is_no_archive_is_told_by_its_kind(name, what, tmp_path):
    (tmp_path / name).write_bytes(b"file,label\n")
    with pytest.raises(DatasetError, match=f"neither a folder nor a readable zip archive .*{what}"):
        ImageFiles(tmp_path / name)


def test_a_file_that_is_not_there(tmp_path):
    (part,) = ImageFiles(make_zip(tmp_path / "x.zip", GOOD), ["c/1.png", "a/2.png"]).parts(2)
    assert part.quarantined == (("c/1.png", "there is no such file in x.zip"),)
    assert int(part.images[0][0, 0]) == 2


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_that_unpacks_to_more_than_it_says_takes_no_memory(tmp_path, method):
    content = bytes(2**26)
    path = make_zip(tmp_path / "x.zip", {"a/1.png": content}, compression=method)
    stated, said = struct.pack("<L", len(content)), struct.pack("<L", 64)
    path.write_bytes(path.read_bytes().replace(stated, said))
    files = ImageFiles(path)
    tracemalloc.start()
    try:
        (part,) = files.parts(1)
        assert part.quarantined[0].reason.startswith("cannot be unpacked")
        assert tracemalloc.get_traced_memory()[1] < 2**21
    finally:
        tracemalloc.stop()


def test_a_member_in_very_many_folders_is_left_out(tmp_path):
    deep = "a/" * 30_000 + "1.png"
    path = make_zip(tmp_path / "x.zip", {**GOOD, deep: next(iter(GOOD.values()))})
    tracemalloc.start()
    try:
        with pytest.warns(DataWarning, match="lies in more than 50 folders"):
            dataset = load(path)
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()
    assert dataset.ids.tolist() == list(GOOD)
    just = "x/" * 50 + "1.png"
    assert ImageFiles(make_zip(tmp_path / "y.zip", {just: b""})).names == (just,)


def test_folders_in_folders_without_end(tmp_path):
    deep = tmp_path / "x" / "/".join(["d"] * 60)
    deep.mkdir(parents=True)
    (deep / "a.png").write_bytes(png())
    (tmp_path / "x" / "b.png").write_bytes(png())
    with pytest.warns(DataWarning, match="lies in more than 50 folders"):
        found = load_images(tmp_path / "x")
    assert found.ids.tolist() == ["b.png"]
    assert [entry.name.count("d") for entry in found.quarantined] == [51]


def test_very_many_classes_without_images_make_a_short_error(tmp_path):
    members = {f"class {i}/1.png": b"" for i in range(500)}
    with pytest.raises(DatasetError) as caught:
        load_folder(make_zip(tmp_path / "x.zip", members))
    assert "and 490 more" in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_a_pipe_is_no_archive_and_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "x.zip")
    with pytest.raises(DatasetError, match="neither a folder nor a file"):
        load_images(tmp_path / "x.zip")


@pytest.fixture
def secret(tmp_path) -> Path:
    """A folder outside of the one that is read."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "2.png").write_bytes(png(200))
    return tmp_path / "outside"


def test_a_folder_that_becomes_a_link_is_not_followed_out(tmp_path, secret):
    inside = tmp_path / "x" / "well"
    inside.mkdir(parents=True)
    for name in ("1.png", "2.png"):
        (inside / name).write_bytes(png())
    parts = ImageFiles(tmp_path / "x", ["well/1.png", "well/2.png"]).parts(1)
    assert next(parts).ids.tolist() == ["well/1.png"]
    inside.rename(tmp_path / "away")
    inside.symlink_to(secret)
    (problem,) = next(parts).quarantined
    assert problem.name == "well/2.png"
    assert "leads out of the folder" in problem.reason


@pytest.mark.parametrize(
    ("replace", "reason"),
    [
        (lambda path, _: os.mkfifo(path), "not a regular file"),
        (lambda path, secret: path.symlink_to(secret / "2.png"), "leads out of"),
        (lambda path, _: path.mkdir(), "not a regular file"),
    ],
    ids=["pipe", "link", "folder"],
)
def test_what_is_replaced_between_the_look_and_the_opening(
    tmp_path, secret, monkeypatch, replace, reason
):
    path = tmp_path / "x" / "1.png"
    path.parent.mkdir()
    path.write_bytes(png())
    files = ImageFiles(path.parent, ["1.png"])
    really_open = os.open

    def replace_then_open(name, *rest, **more):
        if str(name) == str(path):
            path.unlink()
            replace(path, secret)
        return really_open(name, *rest, **more)

    monkeypatch.setattr(os, "open", replace_then_open)
    (part,) = files.parts(1)
    (problem,) = part.quarantined
    assert reason in problem.reason
