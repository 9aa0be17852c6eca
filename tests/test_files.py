"""Files that are written are whole, and the only ones there."""

import os
import stat

import pytest

from nucrec.errors import NucrecError
from nucrec.evaluate import Report, report
from nucrec.models import cnn


@pytest.fixture(scope="module")
def shown() -> Report:
    return report([0, 1, 1], [0, 1, 0], class_names=("größer", "kleiner"))


def test_a_file_is_replaced_as_a_whole(shown, tmp_path):
    path = tmp_path / "page.html"
    path.write_bytes(b"what was there before")
    shown.save_html(path)
    assert "größer" in path.read_text(encoding="utf-8")
    assert path.read_text(encoding="utf-8").rstrip().endswith("</html>")
    assert os.listdir(tmp_path) == ["page.html"]


def test_permissions_are_those_of_any_new_file(shown, tmp_path):
    (tmp_path / "plain").write_text("x")
    shown.save_html(tmp_path / "ours.html")
    plain, ours = (stat.S_IMODE((tmp_path / n).stat().st_mode) for n in ("plain", "ours.html"))
    assert plain == ours


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a.csv/b.html", "cannot write"),
        ("x" * 300 + ".html", "too long for a name of a file"),
        ("no/a.html", "cannot write"),
    ],
)
def test_a_path_that_cannot_be(shown, tmp_path, name, reason):
    (tmp_path / "a.csv").write_text("x")
    with pytest.raises(NucrecError, match=reason):
        shown.save_html(tmp_path / name)
    assert os.listdir(tmp_path) == ["a.csv"]


def test_the_longest_names_that_can_be(shown, tmp_path):
    name = "x" * 250 + ".html"
    shown.save_html(tmp_path / name)
    assert os.listdir(tmp_path) == [name]


def test_folders_are_made_or_refused_before_the_work(crops, tmp_path):
    (tmp_path / "file").write_text("x")
    network = cnn(image_size=16, epochs=1, random_state=0)
    with pytest.raises(NucrecError, match=r"cannot write to the folder .*Choose another output"):
        network.fit(crops[::9], checkpoint_dir=tmp_path / "file" / "state")
    assert not hasattr(network, "classes_")
    network.fit(crops[::9], checkpoint_dir=tmp_path / "a" / "b")
    assert os.listdir(tmp_path / "a" / "b") == ["training.npz"]
    assert (tmp_path / "file").read_text() == "x"
