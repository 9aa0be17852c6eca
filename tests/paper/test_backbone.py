"""The pre-trained network that the user chooses for Tables V and VI, and what it takes."""

import h5py
import keras
import numpy as np
import pytest

from nucrec.datasets import ImageDataset, load_mnfinder_crops
from nucrec.errors import InvalidParameterError, WeightsError, WeightsNotAvailableError
from nucrec.models import load_backbone
from nucrec.paper import reproduce
from nucrec.paper._parameters import Parameters
from nucrec.paper._runs import Runs
from nucrec.paper._specification import TABLES

SMALLEST = "mobilenet-v3-large"


@pytest.fixture(scope="module")
def tiny() -> ImageDataset:
    """Eighteen images in nine groups; the positive ones are brighter."""
    rng = np.random.default_rng(0)
    labels = np.arange(18) % 2
    images = rng.integers(0, 60, (18, 16, 16)) + 150 * labels[:, None, None]
    return ImageDataset(images.astype(np.uint8), labels, groups=np.arange(18) // 2)


def parameters(**options) -> Parameters:
    given = {"tables": (5, 6), "preset": "quick", "protocol": "both", "random_state": 0}
    return Parameters(**{**given, "n_repeats": 2, "timeout": None, **options})


def write_as_published(network: keras.Model, path) -> None:
    """Write weights in the layout of Keras 2, which those of Keras Applications are published in."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in network.layers]
        file.attrs["backend"] = b"tensorflow"
        for layer in network.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}/{n}:0".encode() for n in range(len(layer.weights))]
            group.attrs["weight_names"] = names
            for name, value in zip(names, layer.get_weights(), strict=True):
                group.create_dataset(name.decode(), data=value)


@pytest.mark.parametrize(
    ("options", "title"),
    [
        ({}, "EfficientNet-Lite0, as a frozen extractor of features, 128 px, 100 epochs"),
        (
            {"backbone": "inception-resnet-v2"},
            "InceptionResNetV2, as a frozen extractor of features, 299 px, 100 epochs",
        ),
        (
            {"backbone": "inception-resnet-v2", "weights": "folder/mine.h5"},
            "InceptionResNetV2, as a frozen extractor of features, 299 px, 100 epochs, "
            "weights of mine.h5",
        ),
        ({"preset": "overnight"}, "InceptionResNetV2, 299 px, 20 epochs"),
        ({"preset": "full"}, "InceptionResNetV2, 299 px, 100 epochs"),
        ({"preset": "full", "backbone": SMALLEST}, "mobilenet-v3-large, 224 px, 100 epochs"),
    ],
)
def test_the_title_says_which_network(options, title):
    assert parameters(**options).networks.setting(TABLES[5]) == title


def test_an_unknown_backbone_is_refused(tiny, tmp_path):
    with pytest.raises(InvalidParameterError, match="backbone: expected one of"):
        reproduce(tiny, 5, backbone="inception", out=tmp_path)


@pytest.mark.parametrize(
    ("name", "error"), [("missing.h5", WeightsNotAvailableError), ("wrong.h5", WeightsError)]
)
def test_a_wrong_file_of_weights_is_one_error_before_anything_is_computed(
    name, error, tiny, tmp_path
):
    (tmp_path / "wrong.h5").write_bytes(b"no weights")
    options = {"backbone": SMALLEST, "weights": tmp_path / name}
    with pytest.raises(error, match=name):
        reproduce(tiny, "1,5", out=tmp_path / "out", progress=False, **options)
    assert not (tmp_path / "out").exists()


def announced(**options) -> str | None:
    given = parameters(**options)
    return Runs(
        load_mnfinder_crops(), given.networks, given, None, None, progress=False
    ).announcement()


def test_hours_are_told_before_a_long_run():
    # the paper's protocol trains on 214 and 1071 images, six folds on 204 and 1020 on average
    trained, tested = 214 + 1071 + 12 * 306 * 2, 92 + 459 + 2 * 2 * 306
    hours = {n: n * (trained / 4 + tested / 14) / 3600 for n in (20, 100)}
    assert announced() is None
    for preset, epochs in (("overnight", 20), ("full", 100)):
        told = announced(preset=preset)
        assert f"the preset {preset} trains on {epochs * trained:,} images" in told
        assert f"about {hours[epochs]:.0f} hours on two CPU cores" in told
    assert "was not measured" in announced(preset="full", backbone=SMALLEST)
    assert announced(preset="full", tables=(1, 2)) is None


@pytest.mark.slow
def test_a_table_with_weights_from_a_file(tiny, tmp_path):
    theirs = load_backbone(SMALLEST, image_size=224, weights=None)
    write_as_published(theirs, tmp_path / "random.h5")
    seen = []
    result = reproduce(
        tiny,
        5,
        protocol="paper",
        out=tmp_path / "out",
        backbone=SMALLEST,
        weights=tmp_path / "random.h5",
        n_repeats=1,
        progress=lambda *step: seen.append(step[2]),
    )
    assert result.missing == ()
    assert result.tables[0].title.endswith("weights of random.h5)")
    assert len(result.tables[0].obtained["paper"]) == 12
    assert result.record["parameters"]["weights"] == str(tmp_path / "random.h5")
