"""Quality flags: each on what it is for, counted, and excluding what one says."""

import numpy as np
import pytest
from scipy import ndimage
from tests.fields.drawn import Knowing, drawn, labels_of, plate

from nucrec.fields import Detection, FieldSet, detect

GRID = [(50 * i + 50, 60 * j + 50, 14) for i in range(4) for j in range(5)]
SHAPE = (250, 340)
RNG = np.random.default_rng(5)


def flagged(image, nuclei, micronuclei=None, diameter=28.0, **options):
    """Return the tables of one field, whose micronuclei are certain."""
    micronuclei = np.zeros_like(nuclei) if micronuclei is None else micronuclei
    found = Detection(nuclei, micronuclei, np.ones(micronuclei.max()), diameter)
    return detect(FieldSet.from_arrays([image]), Knowing({"1": found}), **options)


def only(cells, flag):
    """Return the labels of the cells with a flag."""
    return cells.cells["cell_id"][cells.cells[flag]].tolist()


@pytest.fixture
def nuclei():
    return labels_of(SHAPE, GRID)


@pytest.fixture
def image(nuclei):
    """Nuclei of brightness 1000 on 100, a little blurred, with noise."""
    clean = ndimage.gaussian_filter(np.where(nuclei > 0, 1000.0, 100.0), 1)
    return (clean + RNG.normal(0, 10, SHAPE)).clip(0).astype(np.uint16)


def test_a_good_field_has_no_flags(image, nuclei):
    cells = flagged(image, nuclei)
    assert cells.cells["scored"].all()
    flags = {what: n for what, n in cells.counts().items() if "flagged" in what}
    assert len(flags) == 7
    assert set(flags.values()) == {0}


def test_nuclei_at_the_edge():
    discs = [
        (100, 100, 15),
        (10, 40, 15),
        (190, 40, 15),
        (100, 5, 15),
        (100, 295, 15),
        (60, 200, 15),
    ]
    cells = detect(*plate(drawn(discs)))
    assert only(cells, "edge") == [2, 3, 4, 5]
    assert cells.cells["scored"].tolist() == [True, False, False, False, False, True]
    assert cells.cells["excluded"].tolist()[1] == "edge"
    assert cells.fields["n_scored"].tolist() == [2]


def test_blurred_nuclei(image, nuclei):
    blurred = ndimage.gaussian_filter(image.astype(float), 5)
    here = labels_of(SHAPE, [(*GRID[7][:2], 24)]) > 0
    mixed = np.where(here, blurred, image).astype(np.uint16)
    assert only(flagged(mixed, nuclei), "out_of_focus") == [8]
    assert len(only(flagged(blurred.astype(np.uint16), nuclei), "out_of_focus")) == len(GRID)


@pytest.mark.parametrize("sigma", [1.5, 2.0, 2.5])
def test_focus_is_the_width_of_the_edge_in_diameters(sigma):
    nuclei = labels_of((200, 200), [(100, 100, 60)])
    image = ndimage.gaussian_filter(np.where(nuclei > 0, 1000.0, 0.0), sigma).astype(np.float32)
    found = flagged(image, nuclei, diameter=90.0).cells["focus"]
    # a straight edge that is blurred rises by contrast / (sigma sqrt(2 pi)) a pixel; Sobel averages
    # over three pixels, which is a blur of its own
    blur = np.hypot(sigma, np.sqrt(0.5))
    assert found == pytest.approx([90 / (blur * np.sqrt(2 * np.pi))], rel=0.1)


@pytest.mark.parametrize(
    ("dtype", "top", "is_top"),
    [
        (np.uint8, 255, True),
        (np.uint16, 4095, True),
        (np.uint16, 65535, True),
        (np.uint16, 5000, False),
        (np.float32, 1.0, True),
        (np.float32, 0.7, False),
    ],
)
def test_saturated_nuclei(image, nuclei, dtype, top, is_top):
    scaled = image / image.max() * 0.8 * top
    inside = labels_of(SHAPE, [(*GRID[3][:2], 4)]) > 0  # 8 % of the nucleus
    scaled[inside] = top
    scaled[GRID[5][0], GRID[5][1]] = top  # one pixel
    assert only(flagged(scaled.astype(dtype), nuclei), "saturated") == ([4] if is_top else [])
    assert flagged(scaled.astype(dtype), nuclei).cells["scored"].all()


def test_crowded_nuclei():
    labels = np.zeros((120, 160), np.int32)
    labels[20:40, 20:40], labels[20:40, 40:60], labels[40:60, 20:40] = (
        1,
        2,
        3,
    )  # 1 has two neighbours
    labels[80:100, 20:40], labels[80:100, 42:62] = 4, 5  # two pixels between
    labels[80:100, 100:120] = 6
    image = np.where(labels > 0, 100, 10).astype(np.uint8)
    # of the 76 pixels of the outline, 20 to 39 are within two pixels of others
    assert only(flagged(image, labels, diameter=20.0), "crowded") == [1, 2, 3]
    assert flagged(image, labels, diameter=20.0).cells["scored"].all()
    assert not flagged(image, labels, exclude=["crowded"]).cells["scored"][:3].any()


def test_condensed_nuclei(image, nuclei):
    bright = image.astype(float)
    for k, factor, radius in [(2, 3.0, 10), (9, 3.0, 14), (12, 1.0, 10), (13, 1.2, 7)]:
        row, column, _ = GRID[k]
        around = labels_of(SHAPE, [(row, column, 20)]) > 0
        nuclei[around] = 0
        bright[around] = 100
        disc = labels_of(SHAPE, [(row, column, radius)]) > 0
        nuclei[disc], bright[disc] = k + 1, 900 * factor + 100
    # small and bright; as large as the others; small, but no brighter; tiny, and hardly
    cells = flagged(bright.astype(np.uint16), nuclei)
    assert only(cells, "condensed") == [3]
    assert cells.cells["excluded"].tolist()[2] == "condensed"


def test_small_objects_are_no_cells_and_no_parents(image):
    nuclei = labels_of(SHAPE, [*GRID, (75, 80, 4)])
    assert only(flagged(image, nuclei), "small") == [21]
    tiny = labels_of(SHAPE, [*GRID, (75, 80, 2)])
    spot = labels_of(SHAPE, [(75, 84, 2)])
    found = flagged(image, tiny, spot)
    assert found.cells["excluded"].tolist()[20].startswith("small")
    assert found.micronuclei["cell_id"].tolist() != [21]


def test_more_than_five_micronuclei_are_apoptotic():
    def around(row, column, n):
        angles = np.arange(n) * 2 * np.pi / n
        return [(row + 22 * np.sin(a), column + 22 * np.cos(a), 3) for a in angles]

    nuclei = [(60, 60, 15), (60, 200, 15)]
    cells = detect(*plate(drawn(nuclei, [*around(60, 60, 5), *around(60, 200, 6)])))
    assert cells.cells["n_micronuclei"].tolist() == [5, 6]
    assert only(cells, "apoptotic") == [2]
    assert cells.cells["excluded"].tolist() == ["", "apoptotic"]


def test_which_flags_exclude_is_for_the_user_to_say():
    field = drawn([(100, 100, 15), (10, 40, 15), (60, 200, 15), (60, 231, 2)])
    by_default = detect(*plate(field))
    assert by_default.cells["scored"].tolist() == [True, False, True, False]
    none = detect(*plate(field), exclude=[])
    assert none.cells["scored"].all()
    assert none.cells["edge"].tolist() == by_default.cells["edge"].tolist()
    edge = detect(*plate(field), exclude=["edge"])
    assert edge.cells["excluded"].tolist() == ["", "edge", "", ""]


def test_several_reasons_are_all_said():
    field = drawn([(100, 100, 15), (60, 200, 15), (1, 40, 3)])
    assert detect(*plate(field)).cells["excluded"].tolist() == ["", "", "edge; small"]
