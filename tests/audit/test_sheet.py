"""Contact sheets of pairs."""

import numpy as np
import pytest
from PIL import Image

from nucrec.audit import DuplicatePairs, duplicates, leakage, save_contact_sheet
from nucrec.errors import InvalidParameterError, NucrecError


def test_the_sheet_shows_both_images_of_each_pair(crops, tmp_path):
    part = crops[:60]
    pairs = duplicates(part, min_overlap=0.2)[:3]
    path = save_contact_sheet(pairs, tmp_path / "pairs.png", part)
    with Image.open(path) as sheet:
        values = np.asarray(sheet)
    first = np.asarray(
        Image.fromarray(part.images[part.ids.tolist().index(pairs[0].a)]).resize(
            (94, 94), Image.Resampling.BILINEAR
        )
    )
    np.testing.assert_array_equal(values[9:103, 9:103], first)
    assert (values[104:144] < 128).any()  # the caption
    assert list(tmp_path.iterdir()) == [path]


def test_pairs_of_two_parts(crops, tmp_path):
    found = leakage(crops[:30], crops[25:60])
    path = save_contact_sheet(found.pairs, tmp_path / "pairs.png", crops[:30], crops[25:60])
    assert path.stat().st_size > 1000
    with pytest.raises(InvalidParameterError, match="ids of the data set"):
        save_contact_sheet(found.pairs, tmp_path / "pairs.png", crops[500:510])


def test_bad_calls(crops, tmp_path):
    pairs = duplicates(crops[:60], min_overlap=0.2)
    with pytest.raises(InvalidParameterError, match="png"):
        save_contact_sheet(pairs, tmp_path / "pairs.jpg", crops)
    with pytest.raises(InvalidParameterError, match="at least one pair"):
        save_contact_sheet(DuplicatePairs([], 3), tmp_path / "pairs.png", crops)
    with pytest.raises(NucrecError, match="cannot write"):
        save_contact_sheet(pairs, tmp_path / "missing" / "pairs.png", crops)
    assert not list(tmp_path.iterdir())
