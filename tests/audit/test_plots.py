"""Pictures of pairs."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from nucrec.audit import DuplicatePair, DuplicatePairs, DuplicatePairsDisplay, leakage
from nucrec.errors import InvalidParameterError


def as_shown(image: np.ndarray) -> np.ndarray:
    """An image of 8 bits, square, as a tile without its frame."""
    return np.asarray(Image.fromarray(image).resize((94, 94), Image.Resampling.BILINEAR))


def test_both_images_of_each_pair_are_shown(crops):
    names = crops.ids[:8].tolist()
    pairs = DuplicatePairs(
        [DuplicatePair(names[2 * k], names[2 * k + 1], "exact", 1.0, 1.0) for k in range(4)], 8
    )
    display = DuplicatePairsDisplay.from_pairs(pairs, crops, limit=3)
    assert display.images.shape == (3, 96, 192)
    for k, both in enumerate(display.images):
        for i in range(2):
            expected = as_shown(crops.images[2 * k + i])
            np.testing.assert_array_equal(both[1:95, 96 * i + 1 : 96 * i + 95], expected)
    ax = Figure(figsize=(6, 4)).subplots()
    assert display.plot(ax=ax).ax_ is ax
    assert display.figure_ is ax.figure
    assert ax.get_title("left") == "3 of 4 pairs among 8 images: 4 exact"
    assert len(ax.images) == 3
    first = ax.texts[0].get_text().splitlines()
    assert first[0] == "exact 1.000"
    assert "".join(first[1:]) == names[0] + names[1]
    assert plt.get_fignums() == []


def test_pairs_of_two_parts(crops):
    train, test = crops[:30], crops[25:60]
    found = leakage(train, test).pairs
    display = DuplicatePairsDisplay.from_pairs(found, train, test, limit=1).plot()
    a, b = (part.ids.tolist().index(n) for part, n in ((train, found[0].a), (test, found[0].b)))
    np.testing.assert_array_equal(display.images[0][1:95, 1:95], as_shown(train.images[a]))
    np.testing.assert_array_equal(display.images[0][1:95, 97:191], as_shown(test.images[b]))
    assert display._repr_png_()


def test_bad_calls(crops):
    pairs = DuplicatePairs([DuplicatePair("x", "y", "exact", 1.0, 1.0)], 2)
    with pytest.raises(InvalidParameterError, match="ids of the data set"):
        DuplicatePairsDisplay.from_pairs(pairs, crops)
    with pytest.raises(InvalidParameterError, match="at least one pair"):
        DuplicatePairsDisplay.from_pairs(DuplicatePairs([], 3), crops)
    with pytest.raises(InvalidParameterError, match="limit"):
        DuplicatePairsDisplay.from_pairs(pairs, crops, limit=0)
    with pytest.raises(InvalidParameterError, match="other: expected"):
        DuplicatePairsDisplay.from_pairs(pairs, crops, other=3)
