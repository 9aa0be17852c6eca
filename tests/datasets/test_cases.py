"""Files as people have them, each with its right value: data/files-as-people-have-them.md."""

import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

from nucrec.datasets import ImageFiles, load_folder
from nucrec.models import classical_zoo

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(scope="session")
def cases(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("cases")
    with tarfile.open(DATA / "files-as-people-have-them.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder


def read(path: Path) -> np.ndarray:
    """Return the one image of a file as a data set gives it."""
    (part,) = ImageFiles(path.parent, [path.name]).parts(1)
    assert not part.quarantined
    return part.to_array()[0]


def names(folder: str, n: int) -> list[str]:
    """Return the files of a folder that have their true values beside them."""
    with tarfile.open(DATA / "files-as-people-have-them.tar.xz") as archive:
        found = sorted(
            name
            for name in archive.getnames()
            if name.startswith(f"./{folder}/") and name.endswith(".tif")
        )
    assert len(found) == n
    return found


def true_values(path: Path) -> np.ndarray:
    """Return (H, W, C), as tifffile read them."""
    values = np.load(path.with_suffix(".npy"))
    return values[..., np.newaxis] if values.ndim == 2 else np.moveaxis(values, 0, -1)


@pytest.mark.parametrize("name", names("02_rgb16_planar", 2))
def test_02_planar_16_bit_colour(name, cases):
    (part,) = ImageFiles((cases / name).parent, [Path(name).name]).parts(1)
    np.testing.assert_array_equal(part.images[0], true_values(cases / name))
    # both are of one colour
    strongest = 2 if "blue" in name else 0
    np.testing.assert_array_equal(read(cases / name)[..., 0], part.images[0][..., strongest])


@pytest.mark.parametrize("name", names("03_miniswhite", 3))
def test_03_white_is_zero_at_any_depth(name, cases):
    dark = true_values(cases / name)
    top = {"uint8": 255, "uint16": 65535, "float32": 255}[dark.dtype.name]
    np.testing.assert_array_equal(read(cases / name), top - dark)


def test_03_all_depths_show_the_same_picture(cases):
    shown = [read(cases / "03_miniswhite" / f"{name}.tif") for name in ("u8", "u16", "f32")]
    np.testing.assert_array_equal(shown[0] * np.uint16(257), shown[1])
    np.testing.assert_array_equal(shown[0], shown[2])


@pytest.mark.parametrize("name", names("04_planar2_one_sample", 9))
def test_04_one_sample_is_the_same_planar_or_not(name, cases):
    np.testing.assert_array_equal(read(cases / name), true_values(cases / name))


@pytest.mark.parametrize("name", names("05_unsupported_tiff_kinds", 8))
def test_05_kinds_that_pillow_lacks(name, cases, monkeypatch):
    path = cases / name
    np.testing.assert_array_equal(read(path), true_values(path))
    monkeypatch.setitem(sys.modules, "tifffile", None)
    (part,) = ImageFiles(path.parent, [path.name]).parts(1)
    if path.name == "u16_sampleformat4.tif":
        np.testing.assert_array_equal(part.images[0], true_values(path)[..., 0])
    else:
        assert part.quarantined[0].reason.startswith("a TIFF of ")
        assert 'pip install "nucrec[microscopy]"' in part.quarantined[0].reason


def test_07_blue_is_what_grey_is(cases):
    grey, colour, table = (
        load_folder(cases / "07_blue_dapi" / name) for name in ("grey", "rgb_blue", "lut_blue")
    )
    model = classical_zoo(random_state=0)["GNB"].fit(grey, grey.labels)
    for blue in (colour, table):
        assert blue.channels == 1
        assert blue.labels.tolist() == grey.labels.tolist()
        np.testing.assert_array_equal(blue.to_array(32), grey.to_array(32))
        np.testing.assert_array_equal(model.predict_proba(blue), model.predict_proba(grey))
