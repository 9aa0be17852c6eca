"""Files are whole or not there."""

import os
import resource
import signal
import stat
import threading

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


def test_a_disk_that_takes_no_more_keeps_the_old_file(tmp_path):
    path = tmp_path / "a.csv"
    write_text(path, "old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(NucrecError, match=r"cannot write .*a\.csv: File too large"):
            write_text(path, "new" * 10_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.csv"]


@pytest.fixture
def interrupts_are_heard():
    """Ctrl-C raises KeyboardInterrupt, also where what runs in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interrupts_are_heard")
def test_an_interrupt_keeps_the_old_file(tmp_path):
    path = tmp_path / "a.csv"
    write_text(path, "old")
    timer = threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT))

    def write_again_and_again() -> None:
        for _ in range(5000):
            write_text(path, "new" * 2_000_000)

    timer.start()
    with pytest.raises(KeyboardInterrupt):
        write_again_and_again()
    assert path.read_text() in ("old", "new" * 2_000_000)
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
