"""Thumbnails, and what of them does not change under the symmetries of the square."""

import numpy as np
import pytest

from nucrec.audit._thumbnails import SIDE, Thumbnails, invariants, standardised, symmetries


def pictures(n: int, seed: int = 0) -> np.ndarray:
    return standardised(np.random.default_rng(seed).normal(size=(n, SIDE, SIDE)))


def test_symmetries_are_the_eight():
    picture = np.arange(16).reshape(1, 4, 4)
    found = {each.tobytes() for each in symmetries(picture)}
    assert len(found) == 8
    np.testing.assert_array_equal(symmetries(picture)[0], picture)
    assert {each.tobytes() for each in symmetries(picture.transpose(0, 2, 1))} == found


def test_invariants_do_not_change_and_keep_the_length():
    some = pictures(5)
    expected = invariants(some)
    assert expected.shape == (5, 5 * SIDE * (SIDE + 2) // 8)
    np.testing.assert_allclose((expected**2).sum(1), 1, atol=1e-5)
    for each in symmetries(some):
        np.testing.assert_allclose(invariants(each), expected, atol=1e-6)


def test_invariants_bring_no_pair_further_apart():
    first, second = pictures(200), pictures(200, seed=1)
    second = standardised(first + 0.03 * np.arange(200).reshape(-1, 1, 1) * second)
    best = np.min([((first - each) ** 2).sum((1, 2)) for each in symmetries(second)], axis=0)
    apart = ((invariants(first) - invariants(second)) ** 2).sum(1)
    assert (apart <= best + 1e-5).all()
    assert apart.max() > 0.5


@pytest.mark.parametrize("shape", [(20, 20), (57, 57), (16, 40), (5, 3)])
def test_thumbnails_turn_with_the_image(shape):
    image = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    whole = Thumbnails.of([image])
    for k, each in enumerate(symmetries(whole.detail)):
        turned = np.rot90(image if k < 4 else image[:, ::-1], k % 4)
        np.testing.assert_allclose(Thumbnails.of([turned]).detail, each, atol=1e-4)


def test_thumbnails_do_not_change_with_brightness_and_contrast():
    image = np.random.default_rng(0).integers(50, 200, (40, 40)).astype(np.float64)
    both = Thumbnails.of([image, image * 0.5 + 9])
    np.testing.assert_allclose(both.plain[0], both.plain[1], atol=1e-2)
    assert not Thumbnails.of([np.full((9, 9), 3.0)]).plain.any()
