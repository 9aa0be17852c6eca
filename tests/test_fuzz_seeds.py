"""All seeds of the fuzzers, regressions among them: each works or gives a clear error."""

import resource
import subprocess

import pytest
from fuzz.targets import SEEDS, TARGETS, warm_up, watched

from nucrec.datasets import load_folder, load_images
from nucrec.errors import DatasetError, DataWarning, ModelFileError, WeightsError
from nucrec.models import Embeddings, load, model_info

FILES = sorted(path for path in SEEDS.rglob("*") if path.is_file())
MEMORY = 128 * 2**20


@pytest.fixture(scope="module")
def warm(tmp_path_factory):
    for name in TARGETS:
        warm_up(name, tmp_path_factory.mktemp(name))


@pytest.mark.usefixtures("warm")
@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_seed(path, tmp_path):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with watched(tmp_path):
        TARGETS[path.parent.name](path.read_bytes())
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < MEMORY


def test_seeds_are_small_and_there_for_each_target():
    assert {path.parent.name for path in FILES} == set(TARGETS)
    assert sum(path.stat().st_size for path in FILES) < 300_000


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")
def test_good_seeds_are_read(crops):
    with pytest.warns(DataWarning, match=r"several pages.*pages\.tif"):
        images = load_images(SEEDS / "image")
    assert all(image.size for image in images.images)
    assert len(images) == len(list((SEEDS / "image").iterdir()))
    assert len(load_folder(SEEDS / "archive" / "cells.zip")) == 4
    assert load(SEEDS / "model" / "network.keras").predict_proba(crops[:2]).shape == (2, 2)
    assert load(SEEDS / "model" / "classical.skops").predict(crops).shape == (306,)


def use_weights(name: str, crops) -> None:
    Embeddings(weights=SEEDS / "weights" / name, image_size=32).fit(crops).transform(crops[:1])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("view-changed-later.pth", "it changes what is no dict"),
        ("deep-key.pth", "keys are neither names nor numbers"),
        ("code.pth", "it asks for os.system"),
        ("memo.pth", "not a file of PyTorch tensors"),
        ("one.pth", "lack the tensor"),  # a good file, of another network
        ("attributes.pth", "lack the tensor"),
    ],
)
def test_weights_that_are_hostile_or_of_another_network_are_refused(name, reason, crops):
    with pytest.raises(WeightsError, match=reason):
        use_weights(name, crops)


@pytest.mark.parametrize("name", ["says-less.zip", "says-less-bzip2.zip", "deep.zip"])
def test_hostile_archives_are_refused(name):
    with pytest.raises(DatasetError):
        load_folder(SEEDS / "archive" / name)


def test_what_is_watched_is_seen(tmp_path):
    with pytest.raises(AssertionError, match="acted outside"), watched(tmp_path / "in"):
        (tmp_path / "out").write_text("x")
    with pytest.raises(AssertionError, match="acted outside"), watched(tmp_path):
        subprocess.run(["true"], check=True)
    with watched(tmp_path):
        (tmp_path / "in").write_text("x")


def test_deflated_members_that_are_damaged(tmp_path):
    content = bytearray((SEEDS / "model" / "network.keras").read_bytes())
    refused = 0
    for position in range(100, len(content) - 600, 97):
        damaged = content.copy()
        damaged[position] ^= 0xFF
        (tmp_path / "a.keras").write_bytes(damaged)
        try:
            model_info(tmp_path / "a.keras")
        except ModelFileError:
            refused += 1
    assert refused > 60  # times of change in the archive may be anything
