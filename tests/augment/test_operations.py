"""Each operation by its behaviour: neutral strength, p, range, replay, bad values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from nucrec.augment import (
    Blur,
    Brightness,
    Contrast,
    Flip,
    Gamma,
    Noise,
    Pipeline,
    Rotate,
    Shear,
    Shift,
    Zoom,
)
from nucrec.errors import InvalidParameterError

NEUTRAL = [
    Flip(horizontal=False, vertical=False, p=1), Rotate(0), Rotate(360), Zoom(1), Shift(0), Shear(0),
    Brightness(1), Contrast(1), Gamma(1), Noise(0), Blur(0),
]  # fmt: skip
STRONG = [
    Flip(p=1), Rotate((20, 160)), Zoom((1.5, 2)), Shift((0.2, 0.4)), Shear((20, 40)),
    Brightness((0.3, 0.6)), Contrast((0.3, 0.6)), Gamma((2, 3)), Noise((0.1, 0.3)), Blur((1, 2)),
]  # fmt: skip


def name(operation) -> str:
    return repr(operation)


@pytest.fixture(params=["uint8", "uint16", "float32"])
def image(request, random_image):
    return random_image((31, 20), request.param)


@pytest.mark.parametrize("operation", NEUTRAL, ids=name)
def test_neutral_strength_is_identity(operation, image):
    changed = Pipeline([operation], random_state=0)([image])[0]
    tolerance = 1e-5 if image.dtype.kind == "f" and operation == Rotate(360) else 0
    np.testing.assert_allclose(changed, image, atol=tolerance)


@pytest.mark.parametrize("operation", STRONG, ids=name)
def test_strong_operations_do_something_and_keep_dtype_and_shape(operation, image):
    changed = Pipeline([operation], random_state=0)([image])[0]
    assert changed.dtype == image.dtype
    assert changed.shape == image.shape
    assert (changed != image).mean() > 0.5


@pytest.mark.parametrize("operation", STRONG, ids=name)
def test_p_0_does_nothing(operation, image):
    never = type(operation)(**{**operation.__dict__, "p": 0})
    np.testing.assert_array_equal(Pipeline([never], random_state=0)([image])[0], image)


@pytest.mark.parametrize("operation", STRONG, ids=name)
def test_p_is_a_probability(operation):
    sometimes = Pipeline([type(operation)(**{**operation.__dict__, "p": 0.3})], random_state=0)
    drawn = [sometimes.sample(str(i))[0] for i in range(1000)]
    if isinstance(operation, Flip):
        applied = [values["x"] < 0 for values in drawn]
    else:
        applied = [values is not None for values in drawn]
    assert 0.25 < np.mean(applied) < 0.35


@pytest.mark.parametrize("operation", STRONG[1:], ids=name)
def test_values_lie_in_the_range(operation):
    (low, high) = next(v for v in operation.__dict__.values() if isinstance(v, tuple))
    pipeline = Pipeline([operation], random_state=1)
    values = [next(iter(pipeline.sample(str(i))[0].values())) for i in range(500)]
    span = high - low
    assert low <= min(values) < low + 0.05 * span
    assert high - 0.05 * span < max(values) <= high


@pytest.mark.parametrize(
    ("operation", "key", "value"),
    [(Rotate(30), "degrees", 30), (Zoom(2), "factor", 2), (Shear(5), "degrees", 5),
     (Brightness(0.5), "factor", 0.5), (Gamma(2), "gamma", 2), (Blur(3), "sigma", 3)],
    ids=str,
)  # fmt: skip
def test_a_number_is_used_as_it_is(operation, key, value):
    assert all(Pipeline([operation]).sample(str(i))[0][key] == value for i in range(5))


@pytest.mark.parametrize("operation", STRONG, ids=name)
def test_replay(operation, image):
    pipeline = Pipeline([operation], random_state=5)
    sampled = pipeline.sample("cell", 3)
    once, twice = (pipeline.apply(image, sampled) for _ in range(2))
    np.testing.assert_array_equal(once, twice)
    np.testing.assert_array_equal(pipeline([image], ids=["cell"], copy=3)[0], once)


@pytest.mark.parametrize(
    ("make", "parameter"),
    [
        (lambda: Flip(p=1.5), "p"),
        (lambda: Flip(p=None), "p"),
        (lambda: Rotate((10, -10)), "degrees"),
        (lambda: Rotate(400), "degrees"),
        (lambda: Rotate("30"), "degrees"),
        (lambda: Rotate((1, 2, 3)), "degrees"),
        (lambda: Zoom(0), "factor"),
        (lambda: Zoom((0.5, float("nan"))), "factor"),
        (lambda: Shift(2), "fraction"),
        (lambda: Shear(90), "degrees"),
        (lambda: Brightness(-1), "factor"),
        (lambda: Contrast(0), "factor"),
        (lambda: Gamma(0), "gamma"),
        (lambda: Noise(-0.1), "std"),
        (lambda: Noise(0.1, p=-1), "p"),
        (lambda: Blur(-1), "sigma"),
    ],
)
def test_bad_values(make, parameter):
    with pytest.raises(InvalidParameterError, match=f"^{parameter}: expected"):
        make()


# what each does, by an independent derivation


def test_flip_is_exact(image):
    both = Pipeline([Flip(p=1)])([image])[0]
    np.testing.assert_array_equal(both, image[::-1, ::-1])
    across = Pipeline([Flip(vertical=False, p=1)])([image])[0]
    np.testing.assert_array_equal(across, image[:, ::-1])


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_quarter_turns_are_exact(turns, random_image):
    image = random_image((24, 24, 3))
    turned = Pipeline([Rotate(90 * turns)])([image])[0]
    np.testing.assert_array_equal(turned, np.rot90(image, turns))


def test_rotation_agrees_with_scipy(random_image):
    smooth = ndimage.gaussian_filter(random_image((41, 41), "float32"), 3)
    turned = Pipeline([Rotate(33)])([smooth])[0]
    expected = ndimage.rotate(smooth, 33, reshape=False, order=1)
    inside = np.hypot(*np.mgrid[-20:21, -20:21]) < 18
    np.testing.assert_allclose(turned[inside], expected[inside], atol=1e-3)


def test_zoom_agrees_with_scipy(random_image):
    smooth = ndimage.gaussian_filter(random_image((40, 40), "float32"), 3)
    zoomed = Pipeline([Zoom(1.6)])([smooth])[0]
    offset = 19.5 - 19.5 / 1.6
    expected = ndimage.affine_transform(smooth, np.eye(2) / 1.6, offset, order=1)
    np.testing.assert_allclose(zoomed, expected, atol=1e-3)


def test_shift_by_whole_pixels_is_exact(random_image):
    image = random_image((20, 40))
    values = ({"x": 0.1, "y": -0.25},)
    moved = Pipeline([Shift()]).apply(image, values)
    np.testing.assert_array_equal(moved[:15, 4:], image[5:, :-4])


def test_shear_moves_rows_in_proportion(random_image):
    image = np.zeros((21, 41), np.uint8)
    image[:, 20] = 200
    sheared = Pipeline([Shear(45)])([image])[0]
    assert sheared.argmax(axis=1).tolist() == list(range(30, 9, -1))


def test_brightness_and_contrast_by_arithmetic(random_image):
    image = random_image((16, 16), "float32")
    np.testing.assert_allclose(Pipeline([Brightness(0.7)])([image])[0], image * 0.7, rtol=1e-5)
    mean = image.mean()
    stretched = Pipeline([Contrast(1.3)])([image])[0]
    np.testing.assert_allclose(stretched, mean + 1.3 * (image - mean), rtol=1e-4, atol=1e-5)


def test_gamma_keeps_both_ends(random_image):
    image = random_image((16, 16), "uint16")
    bent = Pipeline([Gamma(2.0)])([image])[0]
    assert (bent.min(), bent.max()) == (image.min(), image.max())
    low, high = float(image.min()), float(image.max())
    expected = low + (high - low) * ((image - low) / (high - low)) ** 2
    np.testing.assert_allclose(bent, expected, atol=1)


def test_gamma_of_a_constant_image():
    image = np.full((4, 4), 9, np.uint8)
    np.testing.assert_array_equal(Pipeline([Gamma(2.0)])([image])[0], image)


def test_noise_is_gaussian_of_the_given_strength(random_image):
    image = np.zeros((200, 200), np.float32)
    image[0, 0] = 10
    noise = Pipeline([Noise(0.2)], random_state=0)([image])[0][1:]
    assert noise.mean() == pytest.approx(0, abs=0.05)
    assert noise.std() == pytest.approx(2, rel=0.02)
    assert abs(noise[1:].ravel() @ noise[:-1].ravel() / noise.size) < 0.1


def test_blur_agrees_with_scipy(random_image):
    image = random_image((20, 20, 3), "float32")
    blurred = Pipeline([Blur(1.5)])([image])[0]
    for channel in range(3):
        expected = ndimage.gaussian_filter(image[..., channel], 1.5, mode="nearest")
        np.testing.assert_allclose(blurred[..., channel], expected, atol=1e-5)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_integers_saturate(dtype):
    top = np.iinfo(dtype).max
    image = np.array([[top, top // 2, 0]], dtype=dtype)
    bright = Pipeline([Brightness(3)])([image])[0]
    assert bright.tolist() == [[top, top, 0]]


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 30), st.integers(1, 30), st.sampled_from([(), (1,), (3,), (4,)]),
    st.sampled_from(["uint8", "uint16", "int32", "float32"]), st.booleans(), st.booleans(),
)  # fmt: skip
def test_two_flips_are_none(height, width, channels, dtype, across, down):
    image = np.random.default_rng(height).integers(0, 250, (height, width, *channels))
    image = image.astype(dtype)
    flip = Pipeline(
        [Flip(horizontal=across, vertical=down, p=1)] if across or down else [Flip(p=0)]
    )
    once = flip([image])
    np.testing.assert_array_equal(once[0], image[:: -1 if down else 1, :: -1 if across else 1])
    np.testing.assert_array_equal(flip(once)[0], image)
