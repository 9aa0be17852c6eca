"""Ranges and channels."""

import numpy as np
import pytest

from nucrec.datasets import ImageDataset, rescale_intensity
from nucrec.errors import InvalidParameterError


def test_percentiles_are_those_of_numpy(random_image):
    image = random_image((50, 40), "uint16")
    low, high = np.percentile(image, [0.5, 99.9])
    expected = np.clip((image - low) / (high - low), 0, 1)
    np.testing.assert_allclose(rescale_intensity(image, dtype="float32"), expected, atol=1e-6)
    assert rescale_intensity(image).tolist() == np.rint(expected * 255).astype(int).tolist()


def test_depth_of_the_file_does_not_matter(random_image):
    twelve_bit = random_image((30, 30), "uint16") >> 4
    np.testing.assert_array_equal(rescale_intensity(twelve_bit), rescale_intensity(twelve_bit * 16))


def test_a_few_bright_pixels_are_not_lost():
    image = np.zeros((500, 500), np.uint16)
    image[100:114, 100:114] = 4000  # less than 0.1 % of the pixels
    assert np.unique(rescale_intensity(image)).tolist() == [0, 255]


def test_a_constant_image_becomes_black():
    assert rescale_intensity(np.full((3, 3), 500, np.uint16)).tolist() == [[0] * 3] * 3


@pytest.mark.parametrize(
    ("image", "options", "parameter"),
    [
        (np.zeros(3), {}, "image"),
        (np.zeros((0, 3)), {}, "image"),
        (np.array([[np.nan, 1.0]]), {}, "image"),
        (np.zeros((2, 2)), {"percentiles": (50, 50)}, "percentiles"),
        (np.zeros((2, 2)), {"percentiles": (-1, 50)}, "percentiles"),
        (np.zeros((2, 2)), {"percentiles": 5}, "percentiles"),
        (np.zeros((2, 2)), {"dtype": "int8"}, "dtype"),
    ],
)
def test_bad_parameters(image, options, parameter):
    with pytest.raises(InvalidParameterError, match=f"^{parameter}: expected .* Received: "):
        rescale_intensity(image, **options)


def as_array(image, **options) -> np.ndarray:
    """Return one image as a data set gives it."""
    return ImageDataset([image], [0]).to_array(**options)[0]


def test_8_bit_is_taken_by_its_full_range():
    image = np.array([[0, 51, 255]], dtype=np.uint8)
    np.testing.assert_allclose(as_array(image, dtype="float32")[..., 0], [[0, 0.2, 1]], rtol=1e-6)
    for dtype in ("uint8", None):
        np.testing.assert_array_equal(as_array(image, dtype=dtype)[..., 0], image)


def test_luma_is_bt_601():
    image = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 9, 9]]], dtype=np.uint8)
    # 0.299, 0.587 and 0.114 of 255
    assert as_array(image, channels=1)[0, :, 0].tolist() == [76, 150, 29, 9]


@pytest.mark.parametrize("channels", [None, 1, 2, 3, 4])
def test_channels(channels, random_image):
    shape = (4, 5) if channels is None else (4, 5, channels)
    image = random_image(shape)
    assert as_array(image, channels=1).shape == (4, 5, 1)
    three = as_array(image, channels=3)
    assert three.shape == (4, 5, 3)
    if channels in (3, 4):
        np.testing.assert_array_equal(three, image[..., :3])
    else:
        grey = image if channels is None else image[..., 0]
        np.testing.assert_array_equal(three, np.dstack([grey] * 3))


def test_16_bit_grey_stays_16_bit(random_image):
    assert as_array(random_image((4, 5, 3), "uint16"), channels=1).dtype == np.uint16
