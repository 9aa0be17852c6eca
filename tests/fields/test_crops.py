"""Crops of single nuclei, cut out of fields."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from nucrec.datasets import ImageDataset, load_folder
from nucrec.errors import DatasetError, InvalidParameterError
from nucrec.fields import FieldSet, crops


@pytest.fixture
def mask() -> np.ndarray:
    """Three nuclei: one in the open, two close to each other; labels skip numbers."""
    mask = np.zeros((100, 160), np.int32)
    mask[20:40, 30:40], mask[60:80, 80:100], mask[60:80, 106:118] = 4, 9, 300
    return mask


@pytest.fixture
def image(mask) -> np.ndarray:
    """Random pixels, so that each place is known by them; background below 1000."""
    rng = np.random.default_rng(5)
    return (rng.integers(0, 999, mask.shape) + 3000 * (mask > 0)).astype(np.uint16)


@pytest.fixture
def fields(image, mask) -> FieldSet:
    return FieldSet.from_arrays([image, image.T], names=["a", "b 2"], masks=[mask, mask.T])


def table(fields: FieldSet) -> SimpleNamespace:
    """Return what crops takes of Cells, with a micronucleus in cell 9."""
    names = [(field.name, label) for field in fields for label in (300, 9, 4)]
    columns = {
        "file": np.array([name + ".tif" for name, _ in names]),
        "field": np.array([name for name, _ in names]),
        "cell_id": np.array([label for _, label in names]),
        "n_micronuclei": np.array([2 * (label == 9) for _, label in names]),
        "scored": np.ones(6, bool),
        "well": np.array([None] * 6, dtype=object),
    }
    return SimpleNamespace(cells=columns)


def test_windows_are_one_and_a_half_boxes_and_eight_pixels(fields, image):
    found = crops(fields)
    assert len(found) == 6
    assert found.class_names == ("unlabelled",)
    # 1.5 * 20 + 8 = 38 around the middle (30, 35), and (70, 90)
    assert np.array_equal(found.images[0], image[11:49, 16:54])
    assert np.array_equal(found.images[1], image[51:89, 71:109])
    assert found.images[0].dtype == np.uint16
    assert np.array_equal(found.images[3], found.images[0].T)


def test_groups_are_fields_and_metadata_tell_the_place(fields):
    found = crops(fields)
    assert found.groups.tolist() == ["a"] * 3 + ["b 2"] * 3
    assert found.metadata["cell_id"].tolist() == [4, 9, 300] * 2
    assert found.metadata["area"].tolist() == [200, 400, 240] * 2
    assert found.metadata["x"].tolist() == [34.5, 89.5, 111.5, 29.5, 69.5, 69.5]
    assert found.metadata["y"].tolist() == [29.5, 69.5, 69.5, 34.5, 89.5, 111.5]
    assert len(set(found.ids.tolist())) == 6
    assert np.isnan(found.metadata["dose"]).all()


def test_windows_are_cut_off_at_the_edges():
    mask = np.zeros((40, 40), int)
    mask[0:10, 30:40] = 1
    (found,) = crops(FieldSet.from_arrays([mask.astype(np.uint8)], masks=[mask])).images
    assert found.shape == (16, 17)  # rows -7 to 15, columns 23 to 45


def test_a_size_is_kept(fields, image):
    found = crops(fields, size=24)
    assert {picture.shape for picture in found.images} == {(24, 24)}
    assert np.array_equal(found.images[0], image[18:42, 23:47])


def test_scale_and_margin_are_kept(fields):
    sides = [len(picture) for picture in crops(fields, scale=2, margin=3).images[:3]]
    assert sides == [43, 43, 43]


def nearest(mask: np.ndarray, y: int, x: int) -> set[int]:
    """Return the labels whose closest pixel is nearest to a place, by trying all pixels."""
    places = np.argwhere(mask > 0)
    distances = np.hypot(*(places - (y, x)).T)
    ties = places[distances <= distances.min() + 1e-9]
    return set(mask[tuple(ties.T)].tolist())


def test_a_territory_is_what_is_nearest_by_trying_all_pixels(fields, image, mask):
    whole, own = crops(fields[:1]), crops(fields[:1], territory=True)
    background = np.uint16(np.median(image[mask == 0]))
    for label, top, left, k in ((9, 51, 71, 1), (300, 51, 93, 2)):
        picture = own.images[k]
        for y, x in np.ndindex(picture.shape):
            owners = nearest(mask, top + y, left + x)
            if owners == {label}:
                assert picture[y, x] == whole.images[k][y, x]
            elif label not in owners:
                assert picture[y, x] == background


def test_a_territory_hides_the_nucleus_next_door(fields):
    whole, own = crops(fields[:1]), crops(fields[:1], territory=True)
    for k, area in enumerate((200, 400, 240)):
        assert (own.images[k] >= 3000).sum() == area
    assert (whole.images[1] >= 3000).sum() > 400


def test_no_pixel_is_in_two_territories():
    rng = np.random.default_rng(1)
    mask = np.zeros((90, 90), int)
    for label in range(1, 8):
        y, x = rng.integers(5, 75, 2)
        mask[y : y + 9, x : x + 9] = label
    image = np.arange(1, 8101, dtype=np.float32).reshape(90, 90)
    found = crops(FieldSet.from_arrays([image], masks=[mask]), scale=4, territory=True)
    background = np.median(image[mask == 0])
    seen = np.concatenate([picture[picture != background] for picture in found.images])
    assert len(np.unique(seen)) == len(seen)
    assert set(image[mask > 0].tolist()) - {background} <= set(seen.tolist())


def test_labels_and_metadata_come_from_the_cells(fields):
    found = crops(fields, table(fields))
    assert found.class_names == ("nucleus", "micronucleus")
    assert found.labels.tolist() == [0, 1, 0] * 2
    assert found.metadata["cell_id"].tolist() == [4, 9, 300] * 2
    assert found.metadata["field_file"].tolist() == ["a.tif"] * 3 + ["b 2.tif"] * 3
    assert found.metadata["well"].tolist() == [""] * 6


def test_cells_that_are_not_scored_are_left_out_unless_asked_for(fields):
    cells = table(fields)
    cells.cells["scored"] = cells.cells["cell_id"] != 9
    found = crops(fields, cells)
    assert found.metadata["cell_id"].tolist() == [4, 300] * 2
    assert found.labels.tolist() == [0] * 4
    assert crops(fields, cells, scored_only=False).labels.tolist() == [0, 1, 0] * 2
    cells.cells["scored"] = np.zeros(6, bool)
    with pytest.raises(DatasetError, match="none of 6 is scored. Pass scored_only=False"):
        crops(fields, cells)


def test_saved_crops_are_the_same_again(fields, tmp_path):
    kept = crops(fields, table(fields))
    found = crops(fields, table(fields), out=tmp_path / "new" / "crops")
    assert isinstance(found, ImageDataset)
    again = load_folder(tmp_path / "new" / "crops" / "crops.csv")
    by_folder = load_folder(
        tmp_path / "new" / "crops", group_by="folder", class_names=found.class_names
    )
    for each in (found, again):
        assert each.fingerprint == kept.fingerprint
        assert each.groups.tolist() == kept.groups.tolist()
        assert each.metadata["cell_id"].tolist() == kept.metadata["cell_id"].tolist()
    assert len(np.unique(by_folder.groups)) == 2
    saved = tmp_path / "new" / "crops" / "micronucleus" / "a" / "9.png"
    assert np.array_equal(np.asarray(Image.open(saved)), kept.images[1])


def test_unlabelled_and_float_crops_are_saved_too(image, mask, tmp_path):
    fields = FieldSet.from_arrays([image.astype(np.float32) / 7], masks=[mask])
    found = crops(fields, out=tmp_path / "crops")
    assert found.class_names == ("unlabelled",)
    assert found.fingerprint == crops(fields).fingerprint
    assert found.images[0].dtype == np.float32


def test_a_folder_that_is_not_empty_is_left_alone(fields, tmp_path):
    (tmp_path / "mine.txt").touch()
    with pytest.raises(InvalidParameterError, match="out: expected a new or empty folder"):
        crops(fields, out=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_fields_without_masks_or_nuclei_are_named(image, mask):
    with pytest.raises(DatasetError, match="1 has no mask"):
        crops(FieldSet.from_arrays([image]))
    with pytest.raises(DatasetError, match="no mask contains a nucleus"):
        crops(FieldSet.from_arrays([image], masks=[0 * mask]))


def test_cells_without_a_nucleus_of_the_mask_are_refused(fields):
    cells = table(fields[:1])
    with pytest.raises(InvalidParameterError, match="none of cell 4 of field b 2"):
        crops(fields, cells)


@pytest.mark.parametrize(
    ("options", "name"),
    [({"scale": 0}, "scale"), ({"margin": -1}, "margin"), ({"size": 3}, "size")],
)
def test_parameters_are_checked(fields, options, name):
    with pytest.raises(InvalidParameterError, match=f"^{name}: expected"):
        crops(fields, **options)
