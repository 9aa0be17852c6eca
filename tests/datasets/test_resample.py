"""The one interpolation."""

import numpy as np
import pytest

from nucrec._pixels.resample import resample, resize, warp


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("shape", [(9, 7), (9, 7, 1), (9, 7, 2), (9, 7, 3), (9, 7, 4)])
def test_identity_changes_nothing(shape, dtype, random_image):
    image = random_image(shape, dtype)
    np.testing.assert_array_equal(warp(image, np.eye(3), shape[:2]), image)


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
    moved = warp(image, np.array([[1.0, 0, 3], [0, 1, 0], [0, 0, 1]]), (5, 5))
    assert np.unique(moved[:, 2:]).tolist() == [40]


def test_fill_can_be_given():
    image = np.full((4, 4), 40, np.uint8)
    moved = warp(image, np.array([[1.0, 0, 100], [0, 1, 0], [0, 0, 1]]), (4, 4), fill=7.0)
    assert np.unique(moved).tolist() == [7]


def test_integers_are_clipped_at_the_ends_of_their_dtype():
    from nucrec._pixels.resample import to_dtype

    values = np.array([-3.0, 0.4, 254.6, 300.0], dtype=np.float32)
    assert to_dtype(values, np.dtype("uint8")).tolist() == [0, 0, 255, 255]
    top = np.iinfo(np.int32).max
    assert to_dtype(np.array([1e30], np.float32), np.dtype("int32")).tolist() == [top]


@pytest.mark.parametrize(
    ("shape", "size"),
    [((7, 9), (20, 31)), ((60, 41), (60, 96)), ((40, 40), (30, 80)), ((140, 90), (290, 200))],
)
def test_enlarging_gives_what_any_other_map_gives(shape, size, random_image):
    image = random_image(shape, "float32")
    matrix = np.diag([shape[1] / size[1], shape[0] / size[0], 1.0])
    nudged = matrix.copy()
    nudged[0, 1] = 1e-9  # no longer along rows and columns
    np.testing.assert_allclose(warp(image, matrix, size), warp(image, nudged, size), atol=1e-6)


def test_eight_bits_are_rounded_like_any_other_dtype(random_image):
    image = random_image((33, 21, 3))
    turned = np.array([[0.5, 0.3, -2.0], [-0.3, 0.5, 9.0], [0.0, 0.0, 1.0]])
    values = warp(image, turned, (40, 50))
    found = resample(image, turned, (40, 50))
    assert found.dtype == np.uint8
    assert np.abs(found - values).max() <= 0.5 + 1e-4
