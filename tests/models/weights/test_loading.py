"""Weights from files: found, checked, and never replaced by others."""

import re

import keras
import numpy as np
import pytest

from nucrec.datasets import ImageDataset
from nucrec.errors import InvalidParameterError, WeightsError, WeightsNotAvailableError
from nucrec.models import Embeddings, ImageClassifier, backbones, transfer

NAME = "mobilenet-v3-large"
SMALLEST = backbones()[NAME]
PIXELS = np.repeat(np.arange(4, dtype=np.uint8), 32 * 32).reshape(4, 32, 32)
IMAGES = ImageDataset(PIXELS, [0, 1, 0, 1])


def fit(weights: object) -> ImageClassifier:
    options = {"mode": "features", "recipe": "paper", "image_size": 32, "epochs": 1}
    return transfer(NAME, weights=weights, random_state=0, **options).fit(IMAGES)


def body(model: ImageClassifier) -> list[np.ndarray]:
    return model.model_.get_layer("backbone").get_weights()


@pytest.fixture(scope="module")
def theirs() -> keras.Model:
    """The same network by Keras, with random weights."""
    network = keras.applications.MobileNetV3Large
    return network(include_top=False, weights=None, input_shape=(32, 32, 3))


def test_weights_from_a_local_file(theirs, tmp_path):
    theirs.save_weights(tmp_path / "mine.weights.h5")
    for found, expected in zip(
        body(fit(tmp_path / "mine.weights.h5")), theirs.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_the_hash_of_a_local_file_is_checked_where_it_is_known(theirs, tmp_path):
    theirs.save_weights(tmp_path / "all.weights.h5")
    path = (tmp_path / "all.weights.h5").rename(tmp_path / SMALLEST.weights_file)
    with pytest.raises(WeightsError, match="its md5 is .* that of the published weights is .{32}"):
        fit(str(path))


@pytest.mark.parametrize("name", backbones())
def test_a_missing_file_is_described(name, tmp_path):
    with pytest.raises(WeightsNotAvailableError) as caught:
        Embeddings(name, tmp_path / "missing.h5").fit(IMAGES).transform(IMAGES)
    message = str(caught.value)
    assert f"there is no file of weights at {tmp_path / 'missing.h5'}" in message
    assert backbones()[name].weights_file in message
    assert re.search(r"\((md5 [0-9a-f]{32}|sha256 [0-9a-f]{64})\)", message)


@pytest.mark.parametrize(
    ("name", "content"), [("a.h5", b"no weights"), ("a.h5", b""), ("a.bin", b"x"), ("a.pth", b"x")]
)
def test_what_is_no_file_of_weights_is_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match=name):
        fit(tmp_path / name)


def test_weights_of_another_network_are_refused(tmp_path):
    images = keras.Input((32, 32, 3))
    keras.Model(images, keras.layers.Conv2D(4, 3)(images)).save_weights(tmp_path / "a.weights.h5")
    with pytest.raises(WeightsError, match="does not hold weights of"):
        fit(tmp_path / "a.weights.h5")


def test_what_is_no_path_is_refused():
    with pytest.raises(InvalidParameterError, match="weights: expected 'imagenet', the path"):
        fit(3)


def test_a_folder_is_no_file_of_weights(tmp_path):
    (tmp_path / SMALLEST.weights_file).mkdir()
    with pytest.raises(WeightsNotAvailableError, match="there is no file of weights"):
        fit(tmp_path / SMALLEST.weights_file)
