"""Contact sheets of pairs."""

import numpy as np
import pytest
from PIL import Image

from nucrec.audit import DuplicatePairs, duplicates, leakage, save_contact_sheet
from nucrec.datasets import ImageDataset
from nucrec.errors import InvalidParameterError, NucrecError


def test_the_sheet_shows_both_images_of_each_pair(crops, tmp_path):
    part = crops[:60]
    pairs = duplicates(part, min_overlap=0.2)[:3]
    path = save_contact_sheet(pairs, tmp_path / "pairs.png", part)
    with Image.open(path) as sheet:
        assert sheet.info["dpi"] == pytest.approx((200, 200), abs=0.01)
        values = np.asarray(sheet)
    first = np.asarray(
        Image.fromarray(part.images[part.ids.tolist().index(pairs[0].a)]).resize(
            (190, 190), Image.Resampling.BILINEAR
        )
    )
    np.testing.assert_array_equal(values[17:207, 17:207], first)
    assert (values[210:280] < 128).any()  # the caption
    assert list(tmp_path.iterdir()) == [path]


def test_pairs_of_two_parts(crops, tmp_path):
    found = leakage(crops[:30], crops[25:60])
    path = save_contact_sheet(found.pairs, tmp_path / "pairs.png", crops[:30], crops[25:60])
    assert path.stat().st_size > 1000
    with pytest.raises(InvalidParameterError, match="ids of the data set"):
        save_contact_sheet(found.pairs, tmp_path / "pairs.png", crops[500:510])


def test_names_are_whole_however_long(crops, tmp_path):
    heights = {}
    for length in (10, 60, 240):
        ids = ["W" * length + str(k) for k in range(60)]
        named = ImageDataset(crops[:60].images, crops[:60].labels, ids=ids)
        pairs = duplicates(named, min_overlap=0.2)[:5]
        with Image.open(save_contact_sheet(pairs, tmp_path / "pairs.png", named)) as sheet:
            values = np.asarray(sheet)
        heights[length] = len(values)
        gaps = [slice(400 * k, 400 * k + 16) for k in range(5)]
        assert all((values[:, gap] == 255).all() for gap in gaps)  # nothing runs into the next pair
    assert heights[10] < heights[60] < heights[240]


def test_bad_calls(crops, tmp_path):
    pairs = duplicates(crops[:60], min_overlap=0.2)
    with pytest.raises(InvalidParameterError, match="png"):
        save_contact_sheet(pairs, tmp_path / "pairs.jpg", crops)
    with pytest.raises(InvalidParameterError, match="at least one pair"):
        save_contact_sheet(DuplicatePairs([], 3), tmp_path / "pairs.png", crops)
    with pytest.raises(NucrecError, match="cannot write"):
        save_contact_sheet(pairs, tmp_path / "missing" / "pairs.png", crops)
    assert not list(tmp_path.iterdir())
