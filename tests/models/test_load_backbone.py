"""Pre-trained networks as Keras models."""

import numpy as np
import pytest

from nucrec.errors import InvalidParameterError
from nucrec.models import Embeddings, load_backbone


def test_its_features_are_those_of_embeddings(crops):
    images = crops.to_array(size=96)[:24]
    network = load_backbone("efficientnet-lite0", image_size=96)
    grey = images[..., :1].astype(np.float32)
    spread = np.sqrt(
        grey.var((1, 2), keepdims=True) + 1e-3
    )  # embeddings are of standardised images
    grey = (grey - grey.mean((1, 2), keepdims=True)) / spread * 64 + 127.5
    colour = np.repeat(grey, 3, axis=-1)
    found = np.asarray(network((colour - 127) / 128)).mean((1, 2))
    known = Embeddings(image_size=96).fit(images).transform(images)
    np.testing.assert_allclose(found, known, rtol=1e-3, atol=1e-3)

    random = load_backbone("efficientnet-lite0", image_size=96, weights=None)
    other = np.asarray(random((colour - 127) / 128)).mean((1, 2))
    assert not np.allclose(found, other)


def test_any_size_is_taken_where_none_is_given():
    network = load_backbone("efficientnet-lite0", weights=None)
    assert np.asarray(network(np.zeros((1, 64, 160, 3), np.float32))).shape == (1, 2, 5, 1280)


def test_unknown_networks_are_refused():
    with pytest.raises(InvalidParameterError, match="Did you mean 'efficientnet-lite0'"):
        load_backbone("efficientnet-lite")
