"""The one interpolation for many images: compiled, and yet the same."""

import numpy as np
import pytest
import tensorflow as tf

from nucrec._pixels.resample import resample
from nucrec.augment import _resample_many
from nucrec.augment._resample_many import AT_A_TIME, resample_many

SIZE = (256, 300)
N = 2 * AT_A_TIME + 5


def turned(shape, degrees, zoom):
    """Return a map that turns an image about its centre, at SIZE."""
    c, s = np.cos(np.radians(degrees)) / zoom, np.sin(np.radians(degrees)) / zoom
    turn = np.array([[c, s, 0], [-s, c, 0], [0, 0, 1.0]])
    to_centre, back = np.eye(3), np.eye(3)
    to_centre[:2, 2] = -SIZE[1] / 2, -SIZE[0] / 2
    back[:2, 2] = shape[1] / 2, shape[0] / 2
    return back @ np.diag([shape[1] / SIZE[1], shape[0] / SIZE[0], 1]) @ turn @ to_centre


def cases(shapes, rng):
    images = [rng.integers(0, 256, shape, dtype=np.uint8) for shape in shapes]
    angles, zooms = rng.uniform(-180, 180, len(shapes)), rng.uniform(0.5, 2, len(shapes))
    return images, [turned(*each) for each in zip(shapes, angles, zooms, strict=True)]


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
def test_it_is_what_each_image_gives_alone(shapes):
    images, matrices = cases(shapes, np.random.default_rng(0))
    _resample_many._compiled.cache_clear()
    found = resample_many(images, matrices, SIZE, n_jobs=2)
    assert _resample_many._compiled.cache_info().currsize == 1
    for image, matrix, changed in zip(images, matrices, found, strict=True):
        np.testing.assert_array_equal(changed, resample(image, matrix, SIZE))


def test_images_that_are_not_turned_keep_their_places():
    images, matrices = cases([(50, 60)] * N, np.random.default_rng(1))
    for k in range(0, N, 3):
        matrices[k] = np.diag([60 / SIZE[1], 50 / SIZE[0], 1.0])
    found = resample_many(images, matrices, SIZE, n_jobs=2)
    for image, matrix, changed in zip(images, matrices, found, strict=True):
        np.testing.assert_array_equal(changed, resample(image, matrix, SIZE))


def test_a_point_at_the_edge_is_in_the_image_and_one_beyond_is_not():
    image = np.full((4, 4), 200, np.uint8)
    image[0] = 100  # the border's median is 200
    up = [np.array([[4 / SIZE[1], 0, 0], [1e-12, 4 / SIZE[0], y], [0, 0, 1]]) for y in (-1, -4)]
    found = resample_many([image] * 32, up * 16, SIZE, n_jobs=2)
    quarter = SIZE[0] // 4
    assert np.unique(found[0][:quarter]).tolist() == [200]
    assert np.unique(found[0][quarter : quarter + quarter // 2]).tolist() == [100]
    assert np.unique(found[1]).tolist() == [200]


def test_what_would_take_too_much_memory_at_once_goes_one_by_one(monkeypatch):
    images, matrices = cases([(40, 40)] * N, np.random.default_rng(2))
    expected = resample_many(images, matrices, SIZE, n_jobs=1)
    monkeypatch.setattr(_resample_many, "_MAX_CELLS", 1)
    found = resample_many(images, matrices, SIZE, n_jobs=2)
    np.testing.assert_array_equal(found, expected)


def test_one_job_compiles_nothing():
    images, matrices = cases([(40, 40)] * N, np.random.default_rng(4))
    _resample_many._compiled.cache_clear()
    resample_many(images, matrices, SIZE, n_jobs=1)
    assert _resample_many._compiled.cache_info().currsize == 0


def test_it_works_in_a_pipeline_of_tensorflow():
    images, matrices = cases([(40, 40)] * N, np.random.default_rng(3))

    def generate():
        yield np.stack(resample_many(images, matrices, SIZE, n_jobs=2))

    signature = tf.TensorSpec((N, *SIZE), tf.uint8)
    (found,) = tf.data.Dataset.from_generator(generate, output_signature=signature)
    np.testing.assert_array_equal(found, resample_many(images, matrices, SIZE, n_jobs=1))
