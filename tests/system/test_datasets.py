"""Data sets read without the right to, and by several processes."""

import os
import tempfile
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from nucrec.datasets import ImageFiles, load_folder
from nucrec.errors import DatasetError, DataWarning


def save(path: Path, value: int = 50) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (8, 8), value).save(path)


@pytest.fixture
def without_privileges():
    """Drop the right to read everything, for a folder outside pytest's own private one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        drop = os.geteuid() == 0

        def enter() -> None:
            if drop:
                os.seteuid(65534)

        try:
            yield folder, enter
        finally:
            if drop:
                os.seteuid(0)


def test_unreadable_file_and_folder(without_privileges):
    folder, drop_privileges = without_privileges
    for name in ("no", "yes"):
        for i in range(3):
            save(folder / name / f"{i}.png")
    (folder / "no" / "0.png").chmod(0)
    save(folder / "yes" / "closed" / "1.png")
    (folder / "yes" / "closed").chmod(0)
    drop_privileges()
    with pytest.warns(DataWarning, match="^2 files were left out"):
        dataset = load_folder(folder)
    reasons = dict(dataset.quarantined)
    assert "Permission denied" in reasons["no/0.png"]
    assert "Permission denied" in reasons["yes/closed"]
    assert len(dataset) == 5


def test_unreadable_root(without_privileges):
    folder, drop_privileges = without_privileges
    save(folder / "data" / "a" / "1.png")
    (folder / "data").chmod(0)
    drop_privileges()
    with pytest.raises(DatasetError, match="cannot be read .*Permission denied"):
        load_folder(folder / "data")
    with pytest.raises(DatasetError, match="cannot be opened .*Permission denied"):
        load_folder(folder / "data" / "a")


def read_all(files: ImageFiles) -> list[int]:
    """Return the value of each image; all are of one value."""
    return [int(image[0, 0]) for part in files.parts(20) for image in part.images]


def test_an_archive_is_read_by_forked_processes(tmp_path):
    for i in range(50):
        save(tmp_path / f"{i:02}.png", i)
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for path in tmp_path.glob("*.png"):
            archive.write(path, path.name)
    files = ImageFiles(tmp_path / "x.zip")
    assert read_all(files) == list(range(50))
    children = []
    for _ in range(2):
        pid = os.fork()
        if pid == 0:
            good = all(read_all(files) == list(range(50)) for _ in range(6))
            os._exit(0 if good else 1)
        children.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0, 0]
