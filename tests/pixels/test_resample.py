"""The one interpolation, as `to_array` and pipelines end in it."""

import numpy as np
import pytest

from nucrec.augment import Brightness, Flip, Pipeline, Rotate, Shift, Zoom
from nucrec.datasets import ImageDataset


def resize(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return a grey image at (height, width)."""
    return ImageDataset([image], [0]).to_array(size)[0, ..., 0]


def change(image: np.ndarray, *operations, size=None) -> np.ndarray:
    """Return an image changed by a pipeline."""
    return Pipeline(operations, random_state=0)([image], size)[0]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("shape", [(9, 7), (9, 7, 1), (9, 7, 2), (9, 7, 3), (9, 7, 4)])
def test_identity_changes_nothing(shape, dtype, random_image):
    image = random_image(shape, dtype)
    np.testing.assert_array_equal(change(image, Rotate(0)), image)


@pytest.mark.parametrize("dtype", ["uint32", "int32", "int64", "float64"])
def test_flips_and_quarter_turns_change_no_large_value(dtype):
    rng = np.random.default_rng(0)
    if dtype == "float64":
        image = rng.random((7, 9))
    else:
        ends = np.iinfo("uint32" if dtype == "uint32" else "int32")
        image = rng.integers(ends.min, ends.max, (7, 9), dtype=dtype, endpoint=True)
        image[0, 0], image[1, 1] = ends.max, ends.min
    flipped = change(image, Flip(p=1))
    turned = change(image[:, :7], Rotate(90))
    tolerance = 1e-14 if dtype == "float64" else 0
    np.testing.assert_allclose(flipped, image[::-1, ::-1], rtol=tolerance)
    np.testing.assert_allclose(turned, np.rot90(image[:, :7]), rtol=tolerance)


def test_large_values_are_interpolated_in_between():
    image = np.array([[2**31 + 1, 2**31 + 3]], dtype=np.uint32)
    expected = [[2**31 + 1, 2**31 + 2, 2**31 + 2, 2**31 + 3]]  # 1, 1.5, 2.5 and 3, to even
    np.testing.assert_array_equal(resize(image, (1, 4)), expected)


def test_linear_interpolation_by_hand():
    # enlarged twice: the centres of the new pixels lie at 0.25 and 0.75 between the old ones
    image = np.array([[0, 100]], dtype=np.float32)
    np.testing.assert_allclose(resize(image, (1, 4)), [[0, 25, 75, 100]])


def test_values_are_rounded_not_cut():
    image = np.array([[0, 3]], dtype=np.uint8)
    assert resize(image, (1, 4)).tolist() == [[0, 1, 2, 3]]  # 0, 0.75, 2.25, 3


def test_shrinking_averages_whole_blocks():
    image = np.arange(16, dtype=np.float32).reshape(4, 4)
    np.testing.assert_allclose(resize(image, (2, 2)), [[2.5, 4.5], [10.5, 12.5]])


def test_shrinking_keeps_the_mean_of_noise(random_image):
    image = random_image((512, 512), "uint16")
    assert resize(image, (32, 32)).mean() == pytest.approx(image.mean(), rel=1e-3)


@pytest.mark.parametrize("value", [0, 255])
def test_a_constant_image_stays_constant(value):
    image = np.full((40, 23), value, np.uint8)
    assert np.unique(resize(image, (17, 61))).tolist() == [value]


def test_beyond_the_edge_lies_the_median_of_the_border():
    image = np.full((5, 5), 40, np.uint8)
    image[2, 2] = 200
    moved = change(image, Shift(-0.6))
    assert np.unique(moved[:, 2:]).tolist() == [40]
    assert np.unique(change(image, Shift(1.0))).tolist() == [40]


@pytest.mark.parametrize(
    ("dtype", "values"),
    [("uint8", [0, 100, 200]), ("int32", [-5, 7, 2**30]), ("uint16", [9, 60000])],
)
def test_integers_are_clipped_at_the_ends_of_their_dtype(dtype, values):
    image = np.array([values], dtype)
    ends = np.iinfo(dtype)
    expected = np.clip(np.array(values, float) * 3, ends.min, ends.max)
    np.testing.assert_array_equal(change(image, Brightness(3.0)), [expected.astype(dtype)])


@pytest.mark.parametrize("dtype", ["int32", "uint32", "int64", "uint64"])
@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 3)])
def test_the_ends_of_a_dtype_do_not_overflow(dtype, shape):
    ends = np.iinfo(dtype)
    for value in (ends.min, ends.max):
        image = np.full(shape, value, dtype)
        for size in ((4, 4), (5, 20), (16, 16)):
            resized = ImageDataset([image], [0]).to_array(size, channels=3)
            assert resized.dtype == dtype
            assert np.unique(resized).tolist() == [value]


@pytest.mark.parametrize(
    ("shape", "size"),
    [((7, 9), (20, 31)), ((60, 41), (60, 96)), ((40, 40), (30, 80)), ((140, 90), (290, 200))],
)
def test_enlarging_gives_what_any_other_map_gives(shape, size, random_image):
    image = random_image(shape, "float32")
    nudged = change(image, Rotate(1e-7), size=size)  # no longer along rows and columns
    np.testing.assert_allclose(resize(image, size), nudged, atol=1e-6)


def test_eight_bits_are_rounded_like_any_other_dtype(random_image):
    image = random_image((33, 21, 3))
    found, values = (
        change(each, Rotate(31), Zoom(1.7), size=(40, 50)) for each in (image, image.astype("f4"))
    )
    assert found.dtype == np.uint8
    assert np.abs(found - values).max() <= 0.5 + 1e-4
