"""Large batches, interpolated by compiled code where TensorFlow is loaded: the same values."""

import numpy as np
import pytest
import tensorflow as tf

from nucrec.augment import Flip, Pipeline, Rotate, Shift, Zoom

SIZE = (256, 300)
N = 37  # images: two groups that are compiled for, and some that are left over


def one_by_one(pipeline, images) -> list[np.ndarray]:
    """Return what each image becomes alone, which compiles nothing."""
    return [pipeline([image], SIZE, ids=[str(i)], n_jobs=1)[0] for i, image in enumerate(images)]


def assert_same(pipeline, images) -> None:
    together = pipeline(images, SIZE, n_jobs=2)
    for found, expected in zip(together, one_by_one(pipeline, images), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.fixture
def noise():
    rng = np.random.default_rng(0)
    return lambda shapes: [rng.integers(0, 256, shape, dtype=np.uint8) for shape in shapes]


@pytest.mark.parametrize(
    "shapes",
    [
        [(40 + k, 60 - k) for k in range(N)],
        [(50, 40, 3)] * N,
        [(1, 1)] * N,
        [(700 + k, 900) for k in range(N)],
        [(30, 30), (30, 30, 1), (30, 30, 2)] * 12,
    ],
    ids=["crops", "colour", "a pixel", "shrunk", "channels"],
)
def test_it_is_what_each_image_gives_alone(shapes, noise):
    assert_same(Pipeline([Rotate(), Zoom((0.5, 2))], random_state=0), noise(shapes))


def test_images_that_are_not_turned_keep_their_places(noise):
    assert_same(Pipeline([Rotate(p=0.7)], random_state=1), noise([(50, 60)] * N))


def test_a_point_at_the_edge_is_in_the_image_and_one_beyond_is_not():
    image = np.full((4, 4), 200, np.uint8)
    image[0] = 100  # the border's median is 200
    quarter = SIZE[0] // 4
    # nearly nothing, so that it is not along rows and columns
    moved = Pipeline([Rotate(1e-9), Shift(0.25)])([image] * 32, SIZE, n_jobs=2)
    assert np.unique(moved[0][:quarter]).tolist() == [200]
    middle = moved[0][quarter : quarter + quarter // 2, SIZE[1] // 2 :]
    assert np.unique(middle).tolist() == [100]
    away = Pipeline([Rotate(1e-9), Shift(1.0)])([image] * 32, SIZE, n_jobs=2)
    assert np.unique(away).tolist() == [200]


@pytest.mark.slow
def test_what_would_take_too_much_memory_at_once_goes_one_by_one(noise):
    # 16 channels of 2,200 x 2,200 pixels are more than are compiled for
    assert_same(Pipeline([Rotate()], random_state=2), noise([(2200, 2200)] * 17))


def test_other_dtypes_are_not_compiled_for_but_the_same(noise):
    images = [image.astype(np.uint16) * 200 for image in noise([(40, 40)] * N)]
    assert_same(Pipeline([Flip(), Rotate()], random_state=3), images)


def test_it_works_in_a_pipeline_of_tensorflow(noise):
    pipeline, images = Pipeline([Rotate()], random_state=4), noise([(40, 40)] * N)

    def generate():
        yield pipeline(images, SIZE, n_jobs=2)

    signature = tf.TensorSpec((N, *SIZE), tf.uint8)
    (found,) = tf.data.Dataset.from_generator(generate, output_signature=signature)
    np.testing.assert_array_equal(found, one_by_one(pipeline, images))
