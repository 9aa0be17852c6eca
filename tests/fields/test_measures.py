"""What is measured of cells and micronuclei, against definitions worked out otherwise."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import ConvexHull
from scipy.spatial.distance import cdist
from tests.fields.drawn import Knowing, drawn, plate

from nucrec.fields import Detection, FieldSet, detect

RNG = np.random.default_rng(3)


def cells_of(nuclei: np.ndarray, micronuclei: np.ndarray | None = None, image=None, **given):
    """Detect what is given, each micronucleus with the probability 0.5."""
    micronuclei = np.zeros_like(nuclei) if micronuclei is None else micronuclei
    image = np.where(nuclei > 0, 100, 10).astype(np.uint8) if image is None else image
    found = Detection(nuclei, micronuclei, np.full(micronuclei.max(), 0.5), 30.0)
    options = {key: given.pop(key) for key in list(given) if key != "pixel_size"}
    fields = FieldSet.from_arrays([image], **given)
    return detect(fields, Knowing({"1": found}), **options)


@pytest.fixture(scope="module")
def blobs() -> np.ndarray:
    """Irregular shapes, some with holes."""
    smooth = ndimage.gaussian_filter(RNG.random((250, 300)), 6)
    labels, n = ndimage.label(smooth > np.quantile(smooth, 0.8))
    assert n > 20
    return labels.astype(np.int32)


@pytest.fixture(scope="module")
def measured(blobs):
    return cells_of(blobs, exclude=[]).cells


def pixels_of(labels: np.ndarray) -> list[np.ndarray]:
    return [np.argwhere(labels == k) for k in range(1, labels.max() + 1)]


def test_areas_and_centres(blobs, measured):
    pixels = pixels_of(blobs)
    assert measured["area"].tolist() == [len(each) for each in pixels]
    centres = np.array([each.mean(axis=0) for each in pixels])
    assert measured["y"] == pytest.approx(centres[:, 0], rel=1e-5)
    assert measured["x"] == pytest.approx(centres[:, 1], rel=1e-5)


def test_eccentricity_is_that_of_the_covariance(blobs, measured):
    for each, found in zip(pixels_of(blobs), measured["eccentricity"], strict=True):
        small, large = np.linalg.eigvalsh(np.cov(each.T, bias=True))
        assert found == pytest.approx(np.sqrt(1 - small / large), rel=1e-5)


def test_solidity_counts_the_pixels_of_the_hull(blobs, measured):
    everywhere = np.argwhere(np.ones((250, 300), bool))
    sides = np.array([(0.5, 0), (-0.5, 0), (0, 0.5), (0, -0.5)])
    for each, found in zip(pixels_of(blobs), measured["solidity"], strict=True):
        corners = (each[:, None] + sides).reshape(-1, 2)
        low, high = each.min(axis=0), each.max(axis=0)
        near = everywhere[((everywhere >= low) & (everywhere <= high)).all(axis=1)]
        planes = ConvexHull(corners).equations
        inside = (near @ planes[:, :2].T + planes[:, 2] <= 1e-9).all(axis=1)
        assert found == pytest.approx(len(each) / inside.sum(), rel=1e-5)


def test_what_scikit_image_finds():
    shape = np.zeros((60, 130), np.int32)
    shape[10:30, 10:20] = shape[20:30, 10:50] = 1  # an L
    shape[40:45, 60:75] = 2
    found = cells_of(shape).cells
    # skimage.measure.regionprops of scikit-image 0.26.0
    assert found["eccentricity"] == pytest.approx([0.931748, 0.944911], rel=1e-5)
    assert found["solidity"] == pytest.approx([0.775194, 1.0], rel=1e-5)
    assert found["x"] == pytest.approx([26.5, 67.0])
    assert found["y"] == pytest.approx([22.5, 42.0])


def test_mean_intensity_is_of_the_pixels_as_they_are(blobs):
    image = RNG.integers(0, 60_000, blobs.shape).astype(np.uint16)
    found = cells_of(blobs, image=image).cells["mean_intensity"]
    labels = np.arange(1, blobs.max() + 1)
    assert found == pytest.approx(ndimage.mean(image, blobs, labels), rel=1e-5)


def test_a_single_pixel_and_a_line_are_objects():
    labels = np.zeros((60, 130), np.int32)
    labels[30, 40] = 1
    labels[10, 20:40] = 2
    found = cells_of(labels).cells
    assert found["eccentricity"].tolist() == [0, 1]
    assert found["solidity"].tolist() == [1, 1]


def test_lengths_are_in_micrometres_too():
    fields = plate(drawn([(60, 60, 15)], [(60, 84, 4)]), pixel_size=0.5)
    found = detect(*fields)
    for table in (found.cells, found.micronuclei):
        assert table["x_um"] == pytest.approx(table["x"] / 2)
        assert table["y_um"] == pytest.approx(table["y"] / 2)
        assert table["area_um2"] == pytest.approx(table["area"] / 4)
    assert found.micronuclei["distance_um"].tolist() == [2.0]


def test_the_gap_is_counted_in_pixels_between_both():
    labels = np.zeros((60, 130), np.int32)
    labels[20:40, 20:40] = 1
    gaps = []
    for left in (40, 41, 44):
        spots = np.zeros_like(labels)
        spots[28:32, left : left + 4] = 1
        gaps += cells_of(labels, spots).micronuclei["distance"].tolist()
    assert gaps == [0, 1, 4]
    inside = np.zeros_like(labels)
    inside[30:33, 30:33] = 1
    assert cells_of(labels, inside).micronuclei["distance"].tolist() == [0]


def test_the_diameter_ratio_is_that_of_circles_of_the_same_area():
    labels = np.zeros((60, 130), np.int32)
    labels[20:40, 20:40] = 1
    spots = np.zeros_like(labels)
    spots[28:32, 44:48] = 1
    found = cells_of(labels, spots).micronuclei
    assert found["diameter_ratio"].tolist() == [pytest.approx(np.sqrt(16 / 400))]
    assert found["humn"].tolist() == [True]


def row_of_spots(sides):
    """One large nucleus for each square micronucleus, 30 pixels wide."""
    labels = np.zeros((60, 100 * len(sides)), np.int32)
    spots = np.zeros_like(labels)
    for k, side in enumerate(sides):
        left = 100 * k + 10
        labels[15:45, left : left + 30] = k + 1
        spots[20 : 20 + side, left + 34 : left + 34 + side] = k + 1
    return labels, spots


def test_the_range_of_humn_is_a_flag_and_an_option():
    labels, spots = row_of_spots([1, 2, 10, 11])  # 1/30, 1/15, 1/3 and more of 30 pixels
    found = cells_of(labels, spots)
    assert found.micronuclei["humn"].tolist() == [False, True, True, False]
    assert found.cells["n_micronuclei"].tolist() == [1, 1, 1, 1]
    only = cells_of(labels, spots, diameter_ratio=(1 / 16, 1 / 3))
    assert only.micronuclei["counted"].tolist() == [False, True, True, False]
    assert only.cells["n_micronuclei"].tolist() == [0, 1, 1, 0]
    assert only.cells["probability"].tolist() == [0, 0.5, 0.5, 0]
    why = only.micronuclei["excluded"].tolist()
    assert why == ["diameter not 0.0625 to 0.333 of its nucleus", "", "", why[0]]
    assert only.counts()[f"micronuclei not counted: {why[0]}"] == 2


def test_a_micronucleus_far_from_every_nucleus_is_nobodys():
    found = detect(*plate(drawn([(60, 60, 15)], [(60, 84, 4), (60, 180, 4)])))
    assert found.micronuclei["cell_id"].tolist() == [1, 0]
    assert found.micronuclei["counted"].tolist() == [True, False]
    assert np.isnan(found.micronuclei["distance"][1])
    assert found.counts()["micronuclei not counted: no nucleus within 1.25 diameters"] == 1
    assert detect(*plate(drawn([(60, 60, 15)], [(60, 180, 4)])), max_distance=4).micronuclei[
        "cell_id"
    ].tolist() == [1]


def test_of_two_nuclei_the_nearer_edge_counts_and_not_the_nearer_centre():
    # 6 pixels from the edge of the large one, whose centre is twice as far as that of the small one
    found = detect(*plate(drawn([(100, 60, 40), (100, 150, 14)], [(100, 110, 4)])))
    assert found.micronuclei["cell_id"].tolist() == [1]


def test_micronuclei_between_two_nuclei_are_ambiguous():
    far = detect(*plate(drawn([(60, 60, 15), (60, 150, 15)], [(60, 84, 4)])))
    assert far.micronuclei["ambiguous"].tolist() == [False]
    near = detect(*plate(drawn([(60, 60, 15), (60, 110, 15)], [(60, 84, 4)])))
    assert near.micronuclei["ambiguous"].tolist() == [True]
    assert near.micronuclei["cell_id"].tolist() == [1]


def test_the_nearest_edge_is_what_a_distance_transform_says(blobs):
    taken = ndimage.binary_dilation(blobs > 0, iterations=2)
    spots, n = ndimage.label(~taken & (RNG.random(blobs.shape) > 0.995))
    found = cells_of(blobs, spots.astype(np.int32), max_distance=50)
    _, (rows, columns) = ndimage.distance_transform_edt(blobs == 0, return_indices=True)
    gaps = ndimage.distance_transform_edt(blobs == 0) - 1
    big = ndimage.sum(blobs > 0, blobs, np.arange(blobs.max() + 1)) >= np.pi * 3**2
    checked = 0
    for spot, cell, gap in zip(
        found.micronuclei["micronucleus_id"],
        found.micronuclei["cell_id"],
        found.micronuclei["distance"],
        strict=True,
    ):
        inside = np.argwhere(spots == spot)
        least = gaps[tuple(inside.T)]
        nearest = inside[least <= least.min() + 1e-9]
        owners = set(blobs[rows[tuple(nearest.T)], columns[tuple(nearest.T)]].tolist())
        if all(big[owner] for owner in owners) and len(owners) == 1:
            assert gap == pytest.approx(least.min(), rel=1e-5, abs=1e-5)
            to_cell = cdist(inside, np.argwhere(blobs == cell)).min() - 1
            assert to_cell == pytest.approx(gap, rel=1e-5, abs=1e-5)
            checked += 1
    assert checked > 0.8 * n
