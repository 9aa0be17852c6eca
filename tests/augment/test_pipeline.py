"""The pipeline: one interpolation, the same result in any order, and lazily made copies."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nucrec.augment import (
    Brightness,
    Flip,
    Gamma,
    Noise,
    Pipeline,
    Rotate,
    Shear,
    Shift,
    Zoom,
    paper_pipeline,
)
from nucrec.datasets import ImageDataset
from nucrec.errors import InvalidParameterError

EVERYTHING = [
    Flip(),
    Rotate((-180, 180)),
    Zoom((0.8, 1.2)),
    Shift((-0.1, 0.1)),
    Shear((-10, 10)),
    Brightness((0.8, 1.2)),
    Gamma((0.8, 1.2)),
    Noise((0, 0.05)),
]


@pytest.fixture
def mixed(random_image) -> list[np.ndarray]:
    """Images of several shapes and dtypes."""
    kinds = [((9, 12), "uint8"), ((30, 30, 3), "uint8"), ((20, 14), "uint16"), ((8, 8), "float32")]
    return [random_image(shape, dtype) for shape, dtype in kinds]


def assert_same(first, second) -> None:
    for one, other in zip(first, second, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def test_independent_of_order_company_and_workers(mixed):
    pipeline = Pipeline(EVERYTHING, random_state=11)
    ids = ["a", "b", "c", "d"]
    together = pipeline(mixed, ids=ids)
    for n_jobs in (1, 2, 5):
        assert_same(pipeline(mixed, ids=ids, n_jobs=n_jobs), together)
    backwards = pipeline(mixed[::-1], ids=ids[::-1])
    assert_same(backwards[::-1], together)
    alone = [pipeline([image], ids=[name])[0] for image, name in zip(mixed, ids, strict=True)]
    assert_same(alone, together)
    assert_same(Pipeline(EVERYTHING, random_state=11)(mixed, ids=ids), together)


@pytest.mark.parametrize("change", ["seed", "id", "copy"])
def test_other_seeds_ids_and_copies_give_other_values(change, random_image):
    image = random_image((30, 30))
    base = Pipeline(EVERYTHING, random_state=1)([image], ids=["a"], copy=0)[0]
    seed, name, copy = {"seed": (2, "a", 0), "id": (1, "b", 0), "copy": (1, "a", 1)}[change]
    other = Pipeline(EVERYTHING, random_state=seed)([image], ids=[name], copy=copy)[0]
    assert (base != other).mean() > 0.5


def test_no_seed_means_a_new_one_that_is_kept(random_image):
    first, second = Pipeline(EVERYTHING), Pipeline(EVERYTHING)
    assert first.random_state != second.random_state
    again = Pipeline(EVERYTHING, random_state=first.random_state)
    assert again.sample("a") == first.sample("a")


def test_all_geometry_and_the_resizing_are_one_interpolation(random_image):
    # turning there and back, and shrinking and enlarging, loses pixels in several interpolations;
    # in one it loses nothing
    image = random_image((25, 25))
    there_and_back = [Rotate(37), Zoom(0.5), Shear(12), Shear(-12), Zoom(2.0), Rotate(-37)]
    np.testing.assert_array_equal(Pipeline(there_and_back)([image])[0], image)


def test_resizing_alone_is_what_to_array_does(crops):
    part = crops[:5]
    neutral = Pipeline([Rotate(0)])
    resized = neutral(list(part.images), size=(20, 24))
    np.testing.assert_array_equal(resized, part.to_array((20, 24))[..., 0])


def test_rotation_of_an_oblong_image_is_not_distorted():
    # a horizontal bar, turned upright, keeps its length in pixels
    image = np.zeros((60, 100), np.uint8)
    image[29:31, 30:70] = 200
    turned = Pipeline([Rotate(90)])([image])[0]
    rows, columns = np.nonzero(turned)
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (40, 2)


def test_shape_of_the_result(mixed):
    pipeline = paper_pipeline(0)
    assert [image.shape for image in pipeline(mixed)] == [image.shape for image in mixed]
    sized = pipeline(mixed, size=(16, 10))
    assert [image.shape for image in sized] == [(16, 10), (16, 10, 3), (16, 10), (16, 10)]
    stacked = pipeline(np.stack([mixed[1]] * 3), size=8)
    assert isinstance(stacked, np.ndarray)
    assert stacked.shape == (3, 8, 8, 3)


def test_input_is_not_changed(mixed):
    before = [image.copy() for image in mixed]
    Pipeline(EVERYTHING, random_state=0)(mixed)
    assert_same(mixed, before)


@settings(max_examples=50, deadline=None)
@given(
    st.integers(1, 40), st.integers(1, 40), st.sampled_from([None, 1, 2, 3, 4]),
    st.sampled_from(["uint8", "uint16", "int32", "float32", "float64"]),
    st.integers(1, 50), st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_any_image_keeps_dtype_and_range(height, width, channels, dtype, size, seed):
    shape = (height, width) if channels is None else (height, width, channels)
    image = np.random.default_rng(seed).integers(0, 200, shape).astype(dtype)
    changed = Pipeline([Flip(), Rotate((-180, 180)), Zoom((0.5, 2))], random_state=seed)(
        [image], size
    )[0]
    assert changed.dtype == image.dtype
    assert changed.shape == (size, size, *shape[2:])
    assert image.min() <= changed.min()
    assert changed.max() <= image.max()


def test_expand(crops):
    part = crops[150:160]
    pipeline = Pipeline(EVERYTHING, random_state=2)
    larger = pipeline.expand(part, copies=3)
    assert len(larger) == 40
    assert larger.ids[:10].tolist() == part.ids.tolist()
    assert larger.ids[10] == f"{part.ids[0]}#1"
    assert larger.ids[39] == f"{part.ids[9]}#3"
    assert larger.parents.tolist() == part.ids.tolist() * 4
    assert larger.groups.tolist() == part.groups.tolist() * 4
    assert larger.labels.tolist() == part.labels.tolist() * 4
    assert larger.metadata["side"].tolist() == part.metadata["side"].tolist() * 4
    assert larger.images.shapes == part.images.shapes * 4
    assert larger.images[0] is part.images[0]
    for copy in (1, 3):
        direct = pipeline(list(part.images), ids=part.ids, copy=copy)
        assert_same(list(larger.images[10 * copy : 10 * copy + 10]), direct)


def test_copies_are_resized_in_the_same_interpolation(crops):
    part = crops[:4]
    pipeline = paper_pipeline(0)
    larger = pipeline.expand(part, copies=1)
    direct = pipeline(list(part.images), 20, ids=part.ids, copy=1)
    np.testing.assert_array_equal(larger.to_array(20)[4:, ..., 0], direct)


def test_expanded_sets_are_the_same_for_any_number_of_workers_and_order(crops):
    larger = paper_pipeline(4).expand(crops[:20], copies=2)
    array = larger.to_array(24, n_jobs=1)
    np.testing.assert_array_equal(larger.to_array(24, n_jobs=3), array)
    np.testing.assert_array_equal(larger[::-1].to_array(24)[::-1], array)
    assert pickle.loads(pickle.dumps(larger)).fingerprint == larger.fingerprint


def test_copies_are_read_only(crops):
    larger = paper_pipeline(4).expand(crops[:2], copies=1)
    with pytest.raises(ValueError, match="read-only"):
        larger.images[3][0, 0] = 0


def test_only_originals_are_expanded(crops):
    larger = paper_pipeline(4).expand(crops[:2], copies=1)
    with pytest.raises(InvalidParameterError, match="^dataset: expected originals only"):
        paper_pipeline(5).expand(larger)


def test_the_papers_three():
    assert paper_pipeline(3).operations == (Flip(), Rotate((-180, 180)), Zoom((0.8, 1.2)))
    assert paper_pipeline(3).random_state == 3


@pytest.mark.parametrize("operations", [[], "Flip", [1], [Flip], None])
def test_operations_are_checked(operations):
    with pytest.raises(
        InvalidParameterError, match="^operations: expected a sequence of operations"
    ):
        Pipeline(operations)


@pytest.mark.parametrize(
    ("images", "options", "parameter"),
    [
        (np.zeros((4, 4)), {}, "images"),
        ([np.zeros(4)], {}, r"images\[0\]"),
        ([np.zeros((2, 2)), np.array([[np.inf]])], {}, r"images\[1\]"),
        ([np.full((2, 2), np.nan)], {}, r"images\[0\]"),
        ([np.zeros((2, 2, 7))], {}, r"images\[0\]"),
        ([np.zeros((2, 2), complex)], {}, r"images\[0\]"),
        ([np.zeros((2, 2))], {"ids": ["a", "b"]}, "ids"),
        ([np.zeros((2, 2))], {"size": -1}, "size"),
        ([np.zeros((2, 2))], {"copy": -1}, "copy"),
        ([np.zeros((2, 2))], {"n_jobs": 0}, "n_jobs"),
    ],
)
def test_images_are_checked(images, options, parameter):
    with pytest.raises(InvalidParameterError, match=f"^{parameter}: expected"):
        paper_pipeline(0)(images, **options)


def test_values_of_another_pipeline_are_refused():
    with pytest.raises(InvalidParameterError, match="^sampled: expected values for 3 operations"):
        paper_pipeline(0).apply(np.zeros((3, 3)), ({"degrees": 1.0},))


def test_an_empty_batch(crops):
    assert paper_pipeline(0)([]) == []
    empty = paper_pipeline(0).expand(ImageDataset([], []), copies=1)
    assert len(empty) == 0


@settings(max_examples=25, deadline=None)
@given(st.data(), st.integers(2, 7), st.integers(0, 2**32 - 1))
def test_any_order_company_and_number_of_workers_give_the_same(data, n, seed):
    rng = np.random.default_rng(seed)
    images = [rng.integers(0, 256, rng.integers(1, 20, 2), dtype=np.uint8) for _ in range(n)]
    ids = [f"image {i}" for i in range(n)]
    size = data.draw(st.sampled_from([None, 9, (5, 12)]))
    pipeline = Pipeline(EVERYTHING, random_state=seed)
    whole = dict(zip(ids, pipeline(images, size, ids=ids), strict=True))
    order = data.draw(st.permutations(range(n)))
    cut = data.draw(st.integers(0, n))
    for part in (order[:cut], order[cut:]):
        found = pipeline(
            [images[i] for i in part], size, ids=[ids[i] for i in part],
            n_jobs=data.draw(st.integers(1, 3)),
        )  # fmt: skip
        assert_same(found, [whole[ids[i]] for i in part])
