"""What is said of masks that do not fit their field, or whose labels are broken."""

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from tests.fields.drawn import Knowing, drawn

from nucrec.fields import Detection, FieldSet, detect, load_fields, sample_fields

SHAPE = (240, 300)


def scattered(n: int) -> list[tuple[float, float, float]]:
    """Return discs at random places that do not touch."""
    rng, discs = np.random.default_rng(3), []
    while len(discs) < n:
        place = rng.uniform((16, 16), (224, 284))
        if all(np.hypot(*(place - other[:2])) > 32 for other in discs):
            discs.append((*place, 12.0))
    return discs


DISCS = scattered(14)
FOUND = drawn(DISCS, shape=SHAPE)
MASK = FOUND[1].nuclei


def remarks_on(mask: np.ndarray, image: np.ndarray = FOUND[0]) -> str:
    noisy = image + np.random.default_rng(1).normal(0, 3, image.shape)
    fields = FieldSet.from_arrays([noisy], masks=[mask])
    empty = np.zeros(mask.shape, np.int32)
    nothing = Detection(empty, empty, np.zeros(0, np.float32), 24.0)
    return str(detect(fields, Knowing({"1": nothing})).fields["remarks"][0])


@pytest.mark.parametrize("labels", [range(1, 15), [3, 8], [5]])
def test_a_mask_that_fits_is_not_remarked_on(labels):
    assert remarks_on(np.where(np.isin(MASK, list(labels)), MASK, 0)) == ""


def test_masks_of_whole_cells_and_eroded_ones_fit():
    assert remarks_on(ndimage.grey_dilation(MASK, (9, 9))) == ""
    assert remarks_on(np.where(ndimage.minimum_filter(MASK > 0, 7), MASK, 0)) == ""


@pytest.mark.parametrize(
    ("down", "right", "words"),
    [(24, 0, "24 pixels up"), (-12, 10, "12 pixels down and 10 pixels to the left")],
)
def test_a_shifted_mask_is_remarked_on(down, right, words):
    shifted = ndimage.shift(MASK, (down, right), order=0)
    assert f"the mask seems to be shifted: moved by {words} it would match" in remarks_on(shifted)


@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1)])
def test_a_mirrored_mask_and_that_of_another_field_are_remarked_on(axes):
    assert "the mask seems to belong to another field: " in remarks_on(np.flip(MASK, axes))


def test_annotated_fields_fit_and_swapped_ones_do_not():
    sample = sample_fields()
    height, width = np.min([field.shape for field in sample.fields], axis=0)
    pixels = [field.read()[:height, :width] for field in sample.fields]
    masks = [sample.nuclei(i)[:height, :width] for i in range(3)]
    for i in range(3):
        assert "seems" not in remarks_on(masks[i], pixels[i].astype(np.float32))
        assert "seems" in remarks_on(masks[i - 1], pixels[i].astype(np.float32))


def test_broken_and_missing_labels_are_remarked_on():
    broken = MASK.copy()
    column = round(DISCS[3][1])
    broken[:, column] = np.where(MASK[:, column] == 4, 0, MASK[:, column])
    expected = "labels in several pieces, each counted as one nucleus (1): 4"
    assert remarks_on(broken) == expected
    assert remarks_on(np.zeros_like(MASK)).startswith("the mask has no labels")


def test_a_mask_file_that_does_not_fit_leaves_a_remark(tmp_path):
    Image.fromarray(FOUND[0]).save(tmp_path / "a.png")
    Image.fromarray(np.flipud(MASK).astype(np.uint16)).save(tmp_path / "a_cp_masks.png")
    fields = load_fields(tmp_path, masks=tmp_path)
    cells = detect(fields, Knowing({"a": FOUND[1]}))
    assert "the mask seems to belong to another field" in cells.fields["remarks"][0]
    without = detect(fields, Knowing({"a": FOUND[1]}), masks=False)
    assert without.fields["remarks"].tolist() == [""]
