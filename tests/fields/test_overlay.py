"""Pictures of fields with the outlines of what was found."""

import numpy as np
import pytest
from scipy import ndimage

from nucrec.errors import InvalidParameterError
from nucrec.fields import overlay

BLUE, ORANGE, PINK, YELLOW = (86, 180, 233), (230, 159, 0), (204, 121, 167), (240, 228, 66)


def where(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return (picture == colour).all(axis=2)


@pytest.fixture
def field() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Three square nuclei, the first two side by side, and a micronucleus below the last."""
    image, nuclei, micronuclei = np.zeros((3, 60, 90), np.uint16)
    nuclei[10:30, 10:30], nuclei[10:30, 30:50], nuclei[10:30, 60:80] = 7, 900, 3
    micronuclei[40:45, 68:73] = 1
    image[...] = 100 + 900 * (nuclei > 0) + 300 * micronuclei
    return image, nuclei, micronuclei


def square(top: int, left: int, side: int, width: int) -> np.ndarray:
    """Return the outermost pixels of a square, drawn by hand."""
    mask = np.zeros((60, 90), bool)
    mask[top : top + side, left : left + side] = True
    mask[top + width : top + side - width, left + width : left + side - width] = False
    return mask


def test_each_kind_of_cell_has_its_outline(field):
    picture = overlay(*field, positive=[3], excluded=[900], legend=False)
    assert (picture.shape, picture.dtype) == ((60, 90, 3), np.uint8)
    assert np.array_equal(where(picture, BLUE), square(10, 10, 20, 1))
    assert np.array_equal(where(picture, ORANGE), square(10, 60, 20, 2))


def test_the_line_of_what_is_not_scored_is_broken(field):
    """So that it differs from the others without its colour, too."""
    picture = overlay(*field, excluded=[900], legend=False)
    line, whole = where(picture, PINK), square(10, 30, 20, 2)
    assert not (line & ~whole).any()
    assert 0.35 < line.sum() / whole.sum() < 0.65
    for side in (line[10, 30:50], line[29, 30:50], line[10:30, 30], line[10:30, 49]):
        assert 0 < side.sum() < 20
    assert ndimage.label(line, np.ones((3, 3)))[1] >= 4


def test_neighbours_that_touch_stay_apart(field):
    picture = overlay(*field, legend=False)
    assert where(picture, BLUE)[15, 28:32].tolist() == [False, True, True, False]


def test_micronuclei_are_left_visible_inside_their_line(field):
    picture = overlay(*field, legend=False)
    ring = where(picture, YELLOW)
    assert not ring[field[2] > 0].any()
    assert ring.sum() > 0
    rows, columns = np.nonzero(ring)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (38, 46, 66, 74)


def test_contrast_is_stretched_whatever_the_depth(field):
    image, *labels = field
    pictures = [
        overlay(values, *labels, legend=False)
        for values in (image, image.astype(np.float32) / 7, (image // 5).astype(np.uint8))
    ]
    assert np.array_equal(pictures[0], pictures[1])
    assert np.array_equal(pictures[0], pictures[2])
    assert pictures[0][20, 20].tolist() == [255] * 3
    assert pictures[0][0, 0].tolist() == [0] * 3


def test_the_legend_is_below_and_leaves_the_field_as_it_is(field):
    bare, whole = overlay(*field, legend=False), overlay(*field)
    assert whole.shape[1] == 90
    assert np.array_equal(whole[:60], bare)
    strip = whole[60:]
    assert all(where(strip, colour).any() for colour in (BLUE, ORANGE, PINK, YELLOW))


@pytest.mark.parametrize("zoom", [1, 2])
def test_the_scale_bar_is_as_long_as_it_says(zoom):
    image, labels = np.zeros((300, 500), np.uint8), np.zeros((300, 500), int)
    picture = overlay(image, labels, labels, pixel_size=0.5, zoom=zoom)
    row = where(picture, (235, 235, 240))[: 300 * zoom].sum(axis=1).max()
    assert row == pytest.approx(50 / 0.5 * zoom, abs=1)  # 50 um: the largest round number below 1/5


def test_large_fields_are_shrunk_and_small_ones_enlarged():
    image = np.zeros((700, 1000), np.uint16)
    image[300:400, 300:400] = 1000
    labels = (image > 0).astype(int)
    small = overlay(image, labels, 0 * labels, longest=300, legend=False)
    assert small.shape == (175, 250, 3)
    assert where(small, BLUE).any()
    assert small[87, 87].tolist() == [255] * 3
    large = overlay(image, labels, 0 * labels, zoom=3, longest=2500, legend=False)
    assert large.shape == (1400, 2000, 3)  # as large as it may be


def test_a_field_without_anything_is_shown():
    nothing = np.zeros((20, 20), int)
    assert not overlay(nothing, nothing, nothing, legend=False).any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image": np.zeros((4, 4, 3))}, "image: expected a real array"),
        ({"nuclei": np.zeros((4, 5), int)}, "nuclei: expected a label image of the field's shape"),
        ({"micronuclei": np.zeros((4, 4))}, "micronuclei: expected a label image"),
        ({"longest": 3}, "longest"),
        ({"zoom": 0}, "zoom"),
        ({"pixel_size": 0}, "pixel_size"),
    ],
)
def test_bad_input_is_named(change, message):
    labels = np.zeros((4, 4), int)
    good = {"image": np.zeros((4, 4)), "nuclei": labels, "micronuclei": labels}
    with pytest.raises(InvalidParameterError, match=message):
        overlay(**good | change)
