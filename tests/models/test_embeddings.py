"""Embeddings of a frozen network as features."""

import keras
import numpy as np
import pytest

from nucrec.datasets import split
from nucrec.errors import InvalidParameterError, WeightsNotAvailableError
from nucrec.models import Embeddings, classical_zoo, run_zoo


def test_rows_and_images(crops):
    transformer = Embeddings(image_size=32).fit(crops[:6])
    rows = transformer.transform(crops[:6])
    assert rows.shape == (6, 1280)
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(transformer.transform(rows), rows)
    with pytest.raises(ValueError, match="features"):
        transformer.transform(rows[:, :5])
    with pytest.raises(ValueError, match="fitted on rows of 5"):
        Embeddings(image_size=32).fit(rows[:, :5]).transform(crops[:2])


def test_brightness_does_not_matter(crops):
    images = [image.astype(np.float32) for image in crops.images[:4]]
    transformer = Embeddings(image_size=32).fit(images)
    darker = [image * 0.5 + 3 for image in images]
    np.testing.assert_allclose(
        transformer.transform(images), transformer.transform(darker), atol=0.05
    )


def test_a_picture_of_one_colour_is_its_one_channel(crops, random_image):
    grey = list(crops.images[:4])
    blue = [np.dstack([np.zeros_like(image)] * 2 + [image]) for image in grey]
    transformer = Embeddings(image_size=32).fit(grey)
    expected = transformer.transform(grey)
    np.testing.assert_array_equal(transformer.transform(blue), expected)
    np.testing.assert_array_equal(Embeddings(image_size=32).fit_transform(blue), expected)
    # among pictures of several colours, colour says something
    coloured = [*blue, random_image((40, 40, 3))]
    found = Embeddings(image_size=32).fit_transform(coloured)[:4]
    assert not np.allclose(found, expected, rtol=0.1, atol=0.1)


def test_errors(crops, tmp_path):
    with pytest.raises(InvalidParameterError, match="backbone"):
        Embeddings("x").fit(crops)
    with pytest.raises(InvalidParameterError, match="image_size"):
        Embeddings(image_size=8).fit(crops)
    with pytest.raises(WeightsNotAvailableError):
        Embeddings(weights=tmp_path / "missing.pth").fit(crops).transform(crops)


@pytest.mark.slow
def test_the_zoo_on_embeddings_computes_them_once_and_beats_chance(crops):
    zoo = classical_zoo("embeddings", random_state=0)
    assert list(zoo) == list(classical_zoo())
    train, test = split(crops, random_state=0)
    result = run_zoo({name: zoo[name] for name in ("SVM", "LR")}, train, test)
    assert [row.status for row in result] == ["ok", "ok"]
    assert result["SVM"].report.metrics["AUC"].value > 0.6


@pytest.mark.slow
def test_the_network_is_kept_but_not_for_another_file(crops, tmp_path):
    path = tmp_path / "w.weights.h5"
    first, second = (Embeddings("mobilenet-v3-large", path, 32) for _ in range(2))
    network = keras.applications.MobileNetV3Large
    rows = []
    for transformer in (first, second):
        network(include_top=False, weights=None, input_shape=(32, 32, 3)).save_weights(path)
        rows.append(transformer.fit(crops[:2]).transform(crops[:2]))
        np.testing.assert_array_equal(transformer.transform(crops[:2]), rows[-1])
    assert not np.allclose(rows[0], rows[1], rtol=0.1, atol=0)


@pytest.mark.slow
def test_half_the_bits_are_nearly_as_good(crops):
    exact = Embeddings(image_size=32).fit_transform(crops[:4])
    found = Embeddings(image_size=32, precision="bfloat16").fit_transform(crops[:4])
    assert found.dtype == np.float32
    for row, other in zip(exact, found, strict=True):
        assert not np.array_equal(row, other)
        assert np.corrcoef(row, other)[0, 1] > 0.99
