"""Files are whole or not there."""

import os
import stat

import pytest

from nucrec._files import make_folder, write_text
from nucrec.errors import NucrecError


def test_write_and_replace(tmp_path):
    path = tmp_path / "a.csv"
    write_text(path, "first\n")
    write_text(path, "größer\n")
    assert path.read_bytes() == "größer\n".encode()
    assert os.listdir(tmp_path) == ["a.csv"]


def test_permissions_are_those_of_any_new_file(tmp_path):
    (tmp_path / "plain").write_text("x")
    write_text(tmp_path / "ours", "x")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "ours")]
    assert modes[0] == modes[1]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_interrupted_writing_keeps_the_old_file(tmp_path, monkeypatch, error):
    path = tmp_path / "a.csv"
    write_text(path, "old")

    class Broken:
        def __init__(self, handle):
            os.close(handle)

        def __enter__(self):
            raise error

        def __exit__(self, *args):
            pass

    monkeypatch.setattr("os.fdopen", lambda handle, *args, **options: Broken(handle))
    expected = NucrecError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.csv"]


def test_folder_that_is_not_there(tmp_path):
    with pytest.raises(NucrecError, match="cannot write .*No such file or directory"):
        write_text(tmp_path / "no" / "a.csv", "x")


def test_make_folder(tmp_path):
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert os.listdir(tmp_path / "a" / "b") == []
    (tmp_path / "file").write_text("x")
    with pytest.raises(NucrecError, match="Choose another output folder"):
        make_folder(tmp_path / "file" / "b")
