"""Where NucRec may lie, and how it is laid out."""

import shutil
import warnings
from pathlib import Path

import pytest
from PIL import Image

from nucrec.datasets import is_nucrec, load_nucrec
from nucrec.errors import DatasetNotFoundError, DataWarning


def fill(folder: Path, n: int, mode: str = "RGB") -> None:
    folder.mkdir(parents=True)
    for i in range(n):
        Image.new(mode, (6 + i % 3, 5)).save(folder / f"{i}.png")


@pytest.fixture
def published(tmp_path) -> Path:
    """A folder laid out, misspelt and counted as the published one."""
    fill(tmp_path / "NucRec" / "NucReg Dataset" / "Micronuclie cells", 158)
    fill(tmp_path / "NucRec" / "NucReg Dataset" / "Normal Cells", 148)
    return tmp_path


def test_published_layout(published):
    dataset = load_nucrec(published)
    assert len(dataset) == 306
    assert dataset.class_names == ("nucleus", "micronucleus")
    assert [int((dataset.labels == k).sum()) for k in (0, 1)] == [148, 158]
    assert dataset.ids[0] == "NucRec/NucReg Dataset/Micronuclie cells/0.png"
    assert dataset.labels[0] == 1
    assert is_nucrec(published)


def test_zip(published, tmp_path_factory):
    archive = shutil.make_archive(str(tmp_path_factory.mktemp("zip") / "NucRec"), "zip", published)
    assert load_nucrec(archive).fingerprint == load_nucrec(published).fingerprint


@pytest.mark.parametrize(
    ("normal", "micro"),
    [("nucleus", "micronucleus"), ("NORMAL", "MicroNucleus"), ("x/Nuclei/y", "x/Micronuclei/y"),
     ("Nucleus set/Normal", "Nucleus set/Micro-nuclei")],
)  # fmt: skip
def test_other_layouts(normal, micro, tmp_path):
    fill(tmp_path / normal, 3, "L")
    fill(tmp_path / micro, 2, "RGBA")
    with pytest.warns(
        DataWarning, match="3 nucleus and 2 micronucleus images, where NucRec has 148"
    ):
        dataset = load_nucrec(tmp_path)
    assert sorted(dataset.labels.tolist()) == [0, 0, 0, 1, 1]
    assert not is_nucrec(tmp_path)


def test_places(published, tmp_path_factory, monkeypatch):
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("NUCREC_DATA", raising=False)
    with pytest.raises(DatasetNotFoundError, match=str(home / "nucrec_data")):
        load_nucrec()
    (home / "nucrec_data").symlink_to(published)
    assert len(load_nucrec()) == 306
    (home / "nucrec_data").unlink()
    (home / "nucrec_data").symlink_to(published)
    monkeypatch.setenv("NUCREC_DATA", str(home / "typo"))
    with pytest.warns(DataWarning, match=r"NUCREC_DATA names .*typo, which is not there: loading"):
        assert len(load_nucrec()) == 306
    monkeypatch.setenv("NUCREC_DATA", str(published))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(load_nucrec()) == 306


@pytest.mark.parametrize("existing", [True, False])
def test_not_found_says_how_to_go_on(existing, tmp_path):
    place = tmp_path if existing else tmp_path / "nowhere"
    with pytest.raises(DatasetNotFoundError) as caught:
        load_nucrec(place)
    for part in ("10.21227/1f43-t560", str(place), "Micronuclie cells", "load_mnfinder_crops()"):
        assert part in str(caught.value)


def test_path_is_checked():
    with pytest.raises(TypeError, match="^path: expected a path"):
        load_nucrec(5)
    with pytest.raises(TypeError, match="^path: expected a path"):
        is_nucrec(5)


def test_nothing_is_not_nucrec(tmp_path):
    assert not is_nucrec(tmp_path / "nowhere")
    assert not is_nucrec(tmp_path)


def test_one_class_alone_is_not_found(tmp_path):
    fill(tmp_path / "nucleus", 2)
    with pytest.raises(DatasetNotFoundError):
        load_nucrec(tmp_path)
