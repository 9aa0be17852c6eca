"""The shipped crops, all of them."""

import pytest

from nucrec.datasets import ImageDataset, load_mnfinder_crops


@pytest.fixture(scope="session")
def crops() -> ImageDataset:
    return load_mnfinder_crops("all")
