"""Images that the tests of the zoo share."""

import numpy as np
import pytest

from nucrec.datasets import ImageDataset


@pytest.fixture(scope="module")
def images() -> ImageDataset:
    """Sixty images in twenty groups; the positive ones are a little brighter."""
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    pixels = rng.integers(0, 120, (60, 8, 8)) + 25 * labels[:, None, None]
    return ImageDataset(pixels.astype(np.uint8), labels, groups=np.arange(60) // 3)
