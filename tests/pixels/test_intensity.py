"""Ranges and channels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from nucrec.audit import duplicates
from nucrec.augment import Noise, Pipeline, Rotate
from nucrec.datasets import ImageDataset, load_images, rescale_intensity
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


def of_one_colour(grey: np.ndarray, colour: tuple[float, float, float]) -> np.ndarray:
    """Return a grey picture in shades of a colour, of which one channel is 1."""
    return np.rint(grey[..., np.newaxis] * np.array(colour)).astype(grey.dtype)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 40), st.integers(1, 40), st.permutations([0, 1, 2]), st.floats(0, 1),
    st.floats(0, 1), st.sampled_from(["uint8", "uint16"]), st.integers(0, 2**32 - 1),
    st.integers(1, 255),
)  # fmt: skip
def test_a_picture_of_one_colour_is_its_strongest_channel(
    height, width, order, second, third, dtype, seed, top
):
    grey = np.random.default_rng(seed).integers(0, top, (height, width), endpoint=True)
    colours = of_one_colour(grey.astype(dtype), np.array([1, second, third])[order])
    dataset = ImageDataset([colours], [0])
    assert dataset.channels == 1
    np.testing.assert_array_equal(dataset.to_array()[0, ..., 0], grey)
    with_alpha = np.dstack([colours, np.full_like(grey, 255)]).astype(dtype)
    np.testing.assert_array_equal(ImageDataset([with_alpha], [0]).to_array()[0, ..., 0], grey)


def test_a_second_colour_anywhere_is_a_colour_picture(random_image):
    blue = of_one_colour(random_image((50, 60)), (0, 0, 1))
    blue[31, 17, 0] = 40
    dataset = ImageDataset([blue], [0])
    assert dataset.channels == 3
    luma = np.rint(blue @ np.array([0.299, 0.587, 0.114]))
    np.testing.assert_array_equal(as_array(blue, channels=1)[..., 0], luma)
    np.testing.assert_array_equal(as_array(blue), blue)


def test_blue_and_grey_are_the_same_in_batches_and_augmented(crops):
    part = crops[:12]
    blue = ImageDataset(
        [of_one_colour(image, (0, 0, 1)) for image in part.images], part.labels, ids=part.ids
    )
    pipeline = Pipeline([Rotate(), Noise(0.1)], random_state=0)
    for augment in (None, pipeline):
        ours, theirs = (next(each.batches(40, 12, augment))[0] for each in (part, blue))
        np.testing.assert_array_equal(ours, theirs)
    ours, theirs = (pipeline.expand(each, copies=1).to_array(40) for each in (part, blue))
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(("quality", "subsampling"), [(50, 2), (75, 2), (95, 0)])
def test_blue_stays_one_colour_in_a_jpeg(quality, subsampling, crops, tmp_path):
    for i in range(20):
        picture = Image.fromarray(of_one_colour(crops.images[i], (0, 0, 1)))
        picture.save(tmp_path / f"{i:02}.jpg", quality=quality, subsampling=subsampling)
    found = load_images(tmp_path)
    assert found.channels == 1
    for i, image in enumerate(found.images):
        np.testing.assert_array_equal(found[i].to_array()[0, ..., 0], image[..., 2])
        assert np.abs(image[..., 2].astype(float) - crops.images[i]).mean() < 20


def test_duplicates_in_other_colours_are_found(crops):
    image = crops.images[100]
    blue = of_one_colour(image, (0, 0, 1))
    (pair,) = duplicates(ImageDataset([image, crops.images[5], blue], [0] * 3), min_overlap=1)
    assert (pair.a, pair.b, pair.kind) == ("0", "2", "re-encoded")
