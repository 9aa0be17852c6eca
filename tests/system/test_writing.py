"""Whatever writes: a full disk, a folder that cannot be written to, interrupts, and two at once.

Mounts file systems, changes the user, and kills processes.
"""

import contextlib
import errno
import gc
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from nucrec.audit import duplicates, save_contact_sheet
from nucrec.datasets import load_mnfinder_crops
from nucrec.errors import NucrecError
from nucrec.evaluate import Report, report
from nucrec.models import cnn, load, model_info, predict_folder, predict_shards, save
from nucrec.paper import reproduce

NOBODY = 65534
OLD = b"what was there before"


@pytest.fixture(scope="module")
def network(crops):
    return cnn(image_size=16, epochs=1, random_state=0).fit(crops[::9])


@pytest.fixture(scope="module")
def cells(tmp_path_factory, crops):
    folder = tmp_path_factory.mktemp("cells")
    for i in range(12):
        Image.fromarray(crops.images[i]).save(folder / f"{i}.png")
    return folder


@pytest.fixture(scope="module")
def a_report() -> Report:
    return report([0, 0, 1, 1, 1], [0, 1, 1, 1, 1])


@pytest.fixture(scope="module")
def writers(gnb, network, a_report, cells, gnb_file, crops) -> dict[str, Callable[[Path], object]]:
    """Everything that writes, by the file that it writes into a folder."""
    overlapping = load_mnfinder_crops("all")[:40]
    pairs = duplicates(overlapping, min_overlap=0.2)
    names = crops.class_names
    return {
        "gnb.skops": lambda folder: save(gnb, folder / "gnb.skops"),
        "cnn.keras": lambda folder: network.save(folder / "cnn.keras"),
        "cells.csv": lambda folder: predict_folder(
            gnb, cells, folder / "cells.csv", class_names=names
        ),
        "model.skops": lambda folder: predict_shards(gnb_file, cells, folder),
        "page.html": lambda folder: a_report.save_html(folder / "page.html"),
        "pairs.csv": lambda folder: pairs.save_csv(folder / "pairs.csv"),
        "pairs.png": lambda folder: save_contact_sheet(pairs, folder / "pairs.png", overlapping),
        "training.npz": lambda folder: cnn(image_size=16, epochs=1, random_state=0).fit(
            crops[::9], checkpoint_dir=folder
        ),
        "run.json": lambda folder: reproduce(
            tables=1, protocol="honest", n_repeats=1, out=folder, progress=False
        ),
    }


FRESH = ("model.skops", "training.npz")  # there, what was there before is read
NAMES = [
    *("gnb.skops", "cnn.keras", "cells.csv", "model.skops", "page.html"),
    *("pairs.csv", "pairs.png", "training.npz", "run.json"),
]


@contextlib.contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """Mount a file system in memory at a folder."""
    command = ["mount", "-t", "tmpfs", "-o", options, "none", str(folder)]
    if sys.platform != "linux" or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("file systems cannot be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> None:
    """Leave no room."""
    with contextlib.suppress(OSError), (folder / ".filler").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1024))


def assert_refused(write, folder: Path, match: str) -> None:
    """The call fails with one line, and changes nothing in the folder."""
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(NucrecError, match=match) as caught:
        write(folder)
    assert "\n" not in str(caught.value)
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert after == before


@pytest.mark.parametrize("name", NAMES)
def test_a_full_disk(writers, tmp_path, name):
    with mounted(tmp_path, "size=64k"):
        if name not in FRESH:
            (tmp_path / name).write_bytes(OLD)
        fill(tmp_path)
        assert_refused(writers[name], tmp_path, "No space left on device|cannot write")


@pytest.mark.filterwarnings(  # NumPy 1.26 leaves its archive to the garbage collector
    r"ignore:Exception ignored in. <function ZipFile.__del__:pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.parametrize("name", ["cnn.keras", "training.npz"])
def test_a_disk_that_fills_while_it_is_written_to(writers, tmp_path, name):
    with mounted(tmp_path, "size=64k"):
        assert_refused(writers[name], tmp_path, "No space left on device|cannot write")


@pytest.mark.parametrize("name", NAMES)
def test_a_disk_that_is_read_only(writers, tmp_path, name):
    with mounted(tmp_path, "size=64k"):
        if name not in FRESH:
            (tmp_path / name).write_bytes(OLD)
        subprocess.run(["mount", "-o", "remount,ro", str(tmp_path)], check=True)
        assert_refused(writers[name], tmp_path, "Read-only file system")


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Be a user whom permissions bind: root may write anywhere."""
    if sys.platform == "win32":
        pytest.skip("there are no users to change to here")
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def public_folder():
    """A folder that every user can reach: that of pytest is private."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.parametrize("mode", [0o555, 0o444])
@pytest.mark.parametrize("name", ["page.html", "training.npz"])
def test_a_folder_without_permission(writers, public_folder, mode, name):
    (public_folder / name).write_bytes(OLD)
    public_folder.chmod(mode)
    with as_nobody(), pytest.raises(NucrecError, match=r"cannot write .*: Permission denied"):
        writers[name](public_folder)
    public_folder.chmod(0o755)
    assert [(p.name, p.read_bytes()) for p in public_folder.iterdir()] == [(name, OLD)]


def test_a_model_that_must_not_be_read(public_folder, gnb_file):
    shutil.copy(gnb_file, public_folder / "gnb.skops")
    (public_folder / "gnb.skops").chmod(0)
    with as_nobody(), pytest.raises(NucrecError, match="Permission denied"):
        model_info(public_folder / "gnb.skops")
    public_folder.chmod(0)
    with as_nobody(), pytest.raises(NucrecError, match="Permission denied"):
        model_info(public_folder / "gnb.skops")


def test_a_disk_that_takes_no_more_keeps_the_old_file(a_report, tmp_path):
    path = tmp_path / "page.html"
    path.write_bytes(OLD)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(NucrecError, match=r"cannot write .*page\.html: File too large"):
            a_report.save_html(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert os.listdir(tmp_path) == [path.name]
    assert path.read_bytes() == OLD


@pytest.fixture
def interrupts_are_heard():
    """Ctrl-C raises KeyboardInterrupt, also where what runs in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


# it may come while zipfile closes a file, which is then left to be closed with a warning
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.usefixtures("interrupts_are_heard")
def test_an_interrupt_leaves_a_whole_file_and_no_other(gnb_file, gnb, tmp_path):
    path = tmp_path / "gnb.skops"
    shutil.copy(gnb_file, path)
    timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))

    def save_again_and_again() -> None:
        for _ in range(2000):
            save(gnb, path)

    timer.start()
    with pytest.raises(KeyboardInterrupt):
        save_again_and_again()
    gc.collect()
    load(path)
    assert os.listdir(tmp_path) == [path.name]


SAVE = """
import sys
from nucrec.datasets import load_mnfinder_crops
from nucrec.models import classical_zoo, save
crops = load_mnfinder_crops()
model = classical_zoo(random_state=0)["GNB"].fit(crops, crops.labels)
names = sys.argv[2].split(",")
print("begins", flush=True)
while True:
    save(model, sys.argv[1], class_names=tuple(names))
    print("saved", flush=True)
"""


def wait_for(process: subprocess.Popen, line: str) -> None:
    for found in process.stdout:
        if found.strip() == line:
            return
    raise AssertionError(process.communicate()[1])


@pytest.mark.slow
def test_two_that_save_to_one_file_and_are_ended(start_interruptible, tmp_path):
    path = tmp_path / "gnb.skops"
    both = [
        start_interruptible([sys.executable, "-c", SAVE, str(path), names])
        for names in ("a,b", "c,d")
    ]
    for process in both:
        wait_for(process, "saved")
        threading.Thread(target=process.stdout.read, daemon=True).start()  # or it would block
    seen, end = set(), time.monotonic() + 20
    while time.monotonic() < end and len(seen) < 2:
        load(path)
        seen.add(model_info(path).class_names)
    assert seen == {("a", "b"), ("c", "d")}
    both[0].send_signal(signal.SIGINT)
    both[0].wait(600)
    both[1].kill()
    both[1].wait(600)
    load(path)
    left = [name for name in os.listdir(tmp_path) if name != path.name]
    # only what was killed at once, without a chance to tidy up, may leave something, and hidden
    assert len(left) <= 2
    assert all(name.startswith(".gnb.skops.") for name in left)


KILLED_WHILE_IT_SAVES = """
import os, signal, sys
import skops.io
from nucrec.models import load, save
model = load(sys.argv[1])
skops.io.dump = lambda model, path: (path.write_bytes(b"half"), os.kill(os.getpid(), signal.SIGKILL))
save(model, sys.argv[2])
"""


def test_what_killed_processes_left_is_deleted_and_nothing_of_others(gnb, gnb_file, tmp_path):
    path = tmp_path / "model.skops"
    code = [sys.executable, "-c", KILLED_WHILE_IT_SAVES, str(gnb_file), str(path)]
    for _ in range(2):
        assert subprocess.run(code).returncode == -signal.SIGKILL
        (left,) = os.listdir(tmp_path)  # of the second; that of the first was deleted by it
    others = [
        left.replace(left.split("-")[-2], str(os.getpid())),  # a process that is running
        left.replace(left.split("-")[0][-8:], "00000000"),  # another machine
        ".notes.tmp",
    ]
    for name in others:
        (tmp_path / name).write_bytes(b"x")
    save(gnb, path)
    assert sorted(os.listdir(tmp_path)) == sorted([*others, path.name])


SHARDS = """
import sys
from nucrec.models import predict_shards
def wait(*_):
    print("holds", flush=True)
    sys.stdin.readline()
predict_shards(*sys.argv[1:], shard_size=5, progress=wait)
"""


@pytest.fixture
def hold():
    """Start a process that holds a folder until it is told to go on."""
    started = []

    def start(code: str, *arguments: Path) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        wait_for(process, "holds")
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("name", ["model.skops", "training.npz", "run.json"])
def test_a_folder_that_another_process_writes_to(writers, hold, tmp_path, name, cells, gnb_file):
    hold(SHARDS, gnb_file, cells, tmp_path)
    assert_refused(writers[name], tmp_path, "another process is writing to it")


@pytest.mark.slow
def test_the_second_of_two_is_refused_and_a_killed_one_holds_nothing(
    hold, tmp_path, cells, gnb_file
):
    call = gnb_file, cells, tmp_path / "out"
    first = hold(SHARDS, *call)
    with pytest.raises(NucrecError, match="another process is writing to it"):
        predict_shards(*call, shard_size=5)
    first.kill()
    first.wait(600)
    assert ".nucrec.lock" in os.listdir(tmp_path / "out")
    assert predict_shards(*call, shard_size=5).total.n == 12
    assert sorted(os.listdir(tmp_path / "out")) == [
        *("model.skops", "part-00000.csv", "part-00001.csv", "part-00002.csv", "shards.json")
    ]


def test_one_after_the_other_and_never_two(cells, gnb_file, tmp_path):
    inside, ends = [], []
    together = threading.Barrier(4)

    def show(*_: object) -> None:
        inside.append(threading.get_ident())
        time.sleep(0.002)
        assert set(inside) == {threading.get_ident()}
        inside.pop()

    def write() -> None:
        for k in range(6):
            together.wait(600)
            try:
                predict_shards(gnb_file, cells, tmp_path / str(k), shard_size=2, progress=show)
                ends.append("written")
            except NucrecError as error:
                ends.append(str(error).partition(": ")[2].partition(".")[0])

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ends) == 24
    assert set(ends) <= {"written", "another process is writing to it"}
    for k in range(6):
        assert len(os.listdir(tmp_path / str(k))) == 6 + 2  # tables, the model, shards.json


def test_without_locks_there_is_a_warning(cells, gnb_file, tmp_path, monkeypatch):
    # no file system without locks can be had here
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.warns(RuntimeWarning, match="knows no locks"):
        predict_shards(gnb_file, cells, tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["model.skops", "part-00000.csv", "shards.json"]
