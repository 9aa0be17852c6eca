"""Measurements of a cell: what they are, and what they do not depend on."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone

from nucrec.datasets import ImageDataset, load_mnfinder_crops
from nucrec.errors import InvalidParameterError
from nucrec.models import MorphologyFeatures, classical_zoo, load, predict_folder, save

NAMES = list(MorphologyFeatures.descriptions())
SIDE = 96


def discs(*of: tuple[float, float, float, float], axes: float = 1.0) -> np.ndarray:
    """Return soft-edged discs of (x, y, radius, brightness) on a dark background, as 8-bit grey.

    Of the first, the height is `axes` times the width.
    """
    y, x = np.mgrid[:SIDE, :SIDE].astype(float)
    image = np.full((SIDE, SIDE), 20.0)
    for n, (at_x, at_y, radius, brightness) in enumerate(of):
        stretch = axes if n == 0 else 1.0
        r = np.hypot(x - at_x, (y - at_y) / stretch)
        image = np.maximum(image, 20 + brightness * np.clip(radius + 0.5 - r, 0, 1))
    return np.rint(image).astype(np.uint8)


NUCLEUS = (47.5, 47.5, 20.0, 120.0)


def measured(*images: np.ndarray) -> list[dict[str, float]]:
    rows = MorphologyFeatures().fit_transform(list(images))
    return [dict(zip(NAMES, row.tolist(), strict=True)) for row in rows]


@pytest.fixture(scope="module")
def some() -> ImageDataset:
    return load_mnfinder_crops("paper")[::6]


@pytest.fixture(scope="module")
def rows(some) -> np.ndarray:
    return MorphologyFeatures().fit_transform(some)


def test_a_row_is_finite_numbers_with_names_and_descriptions(some, rows):
    assert rows.shape == (len(some), len(NAMES))
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()
    transformer = MorphologyFeatures().fit(some[:2])
    assert transformer.get_feature_names_out().tolist() == NAMES
    assert transformer.domain_ is not None
    assert all(len(text) > 15 for text in MorphologyFeatures.descriptions().values())
    # nothing is measured that is the same of all images
    assert (rows.std(axis=0) > 0).all()


def pixels(some: ImageDataset) -> list[np.ndarray]:
    return [np.asarray(image) for image in some.images]


def test_neither_depth_nor_range_matters(some, rows):
    deep = [image.astype(np.uint16) * 250 + 1000 for image in pixels(some)]
    floats = [image.astype(np.float32) / 255 for image in pixels(some)]
    for other in (deep, floats):
        found = MorphologyFeatures().fit_transform(other)
        assert np.isclose(found, rows, rtol=0.01, atol=0.01).mean() > 0.995


@pytest.mark.parametrize("exponent", [-1000, 110, -110])
def test_values_beyond_32_bits_are_measured_as_others(some, rows, exponent):
    dtype = np.float64 if abs(exponent) == 1000 else np.float32
    far = [np.ldexp(image.astype(dtype), exponent) for image in pixels(some)[:5]]
    plain = [image.astype(np.float32) for image in pixels(some)[:5]]
    expected = MorphologyFeatures().fit_transform(plain)
    assert np.array_equal(MorphologyFeatures().fit_transform(far), expected)
    assert np.isclose(expected, rows[:5], rtol=0.01, atol=0.01).mean() > 0.99


@pytest.mark.parametrize("change", ["turned", "mirrored"])
def test_which_way_round_an_image_is_does_not_matter(some, rows, change):
    turn = np.rot90 if change == "turned" else np.fliplr
    found = MorphologyFeatures().fit_transform([turn(image) for image in pixels(some)])
    assert np.isclose(found, rows, rtol=0.02, atol=0.02).mean() > 0.98


def test_the_size_of_an_image_hardly_matters(some, rows):
    larger = [
        np.asarray(Image.fromarray(image).resize((2 * image.shape[1], 2 * image.shape[0])))
        for image in pixels(some)
    ]
    found = MorphologyFeatures().fit_transform(larger)
    far = np.abs(found - rows) / rows.std(axis=0)
    assert np.median(far) < 0.05
    assert (far < 0.5).mean() > 0.9


def test_a_disc_is_measured_as_one():
    (alone,) = measured(discs(NUCLEUS))
    assert alone["area"] == pytest.approx(np.pi * 20**2 / SIDE**2, rel=0.05)
    assert alone["eccentricity"] < 0.15
    assert alone["solidity"] > 0.95
    assert alone["thickness"] == pytest.approx(1, abs=0.08)
    assert alone["mean_depth"] == pytest.approx(1 / 6, abs=0.03)  # a third of the radius
    assert alone["off_centre"] < 0.01
    assert alone["variation"] < 0.25
    assert [alone[f"parts_{level}"] for level in (0.12, 0.2, 0.35, 0.6)] == [0] * 4
    assert alone["at_edge"] == alone["neighbours"] == 0


def test_an_ellipse_is_measured_as_one():
    (found,) = measured(discs((47.5, 47.5, 15.0, 120.0), axes=2.0))
    assert found["eccentricity"] == pytest.approx(np.sqrt(1 - 1 / 4), abs=0.03)
    assert found["extent"] == pytest.approx(np.pi / 4 / 2, rel=0.08)


def test_a_spot_beside_a_nucleus_is_measured():
    (found,) = measured(discs(NUCLEUS, (47.5 + 20 + 8 + 4, 47.5, 4.0, 90.0)))
    assert found["spot1_size"] == pytest.approx(4 / 20, abs=0.06)
    assert found["spot1_brightness"] == pytest.approx(90 / 120, abs=0.12)
    assert found["spot1_distance"] == pytest.approx((8 + 4) / 40, abs=0.05)
    assert found["spot1_roundness"] > 0.8
    assert found["spot1_fullness"] == pytest.approx(1, abs=0.15)
    assert found["spot1_margin"] == pytest.approx((SIDE - 1 - 79.5) / 40, abs=0.05)
    assert found["spots_above_0.25"] == found["parts_0.2"] == found["parts_0.35"] == 1
    assert found["part_size_0.35"] == pytest.approx(4 / 20, abs=0.06)
    assert found["neighbours"] == 0


def test_spots_are_told_in_the_order_of_their_height():
    three = [(80, 20, 4.0, 40.0), (15, 15, 4.0, 100.0), (80, 80, 4.0, 70.0)]
    (found,) = measured(discs(NUCLEUS, *three))
    brightness = [found[f"spot{n}_brightness"] for n in (1, 2, 3)]
    assert brightness == pytest.approx([100 / 120, 70 / 120, 40 / 120], abs=0.12)
    assert found["parts_0.2"] == 3
    assert found["parts_0.6"] == 1


def test_a_neighbour_is_no_spot_and_not_the_nucleus():
    alone, crowded = measured(discs(NUCLEUS), discs(NUCLEUS, (95, 95, 20.0, 230.0)))
    assert crowded["neighbours"] == 1
    assert crowded["area"] == pytest.approx(alone["area"], rel=0.02)
    assert crowded["spot1_height"] < 0.15


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((40, 40), np.uint8),
        np.full((40, 40), 200, np.uint16),
        np.full((1, 1), 3, np.uint8),
        np.arange(600, dtype=np.uint8).reshape(3, 200),
        np.random.default_rng(0).random((50, 50)).astype(np.float32) * 1e-9,
        -np.random.default_rng(0).random((50, 50)) * 1e9,
        255 - discs(NUCLEUS),
        np.random.default_rng(0).integers(0, 255, (30, 20, 3), dtype=np.uint8),
    ],
    ids=["black", "grey", "pixel", "strip", "faint", "negative", "inverted", "colour"],
)
def test_of_any_image_all_measurements_are_finite(image):
    assert np.isfinite(MorphologyFeatures().fit_transform([image])).all()


def test_the_documentation_describes_each():
    page = (Path(__file__).parents[2] / "docs" / "classical.md").read_text(encoding="utf-8")
    for name, text in MorphologyFeatures.descriptions().items():
        assert f"| `{name}` | {text} |" in page
    assert f"| {len(NAMES)} | `pip install" in page


def test_rows_are_passed_on(some, rows):
    transformer = MorphologyFeatures().fit(rows)
    np.testing.assert_array_equal(transformer.transform(rows), rows)
    assert transformer.get_feature_names_out().tolist() == NAMES
    short = MorphologyFeatures().fit(rows[:, :3])
    assert short.get_feature_names_out().tolist() == ["x0", "x1", "x2"]
    with pytest.raises(ValueError, match="fitted on rows of 3 numbers"):
        short.transform(some)


def test_the_size_is_checked(some):
    with pytest.raises(InvalidParameterError, match="size: expected a whole number of at least 32"):
        MorphologyFeatures(size=8).fit(some)


def test_the_zoo_learns_from_them_and_files_hold_them(crops, tmp_path):
    zoo = classical_zoo("morphology", random_state=0)
    assert list(zoo) == list(classical_zoo())
    few = crops[::4]
    model = clone(zoo["LR"]).fit(few, few.labels)
    assert model.score(few, few.labels) > 0.8
    save(model, tmp_path / "lr.skops", class_names=crops.class_names)
    again = load(tmp_path / "lr.skops")
    np.testing.assert_array_equal(again.predict(few[:5]), model.predict(few[:5]))
    folder = tmp_path / "images"
    folder.mkdir()
    Image.fromarray(np.asarray(few.images[0])).save(folder / "one.png")
    assert len(predict_folder(again, folder).rows) == 1


def test_without_scikit_image_the_extra_is_named():
    code = (
        "import sys; sys.modules['skimage'] = None\n"
        "import numpy as np; from nucrec.models import MorphologyFeatures\n"
        "MorphologyFeatures().fit(np.ones((2, 3)))\n"  # rows need none
        "MorphologyFeatures().fit(np.ones((2, 40, 40)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (
        'MissingExtraError: this needs skimage, which is not installed: pip install "nucrec[mor'
        in (done.stderr)
    )
