"""The search for candidates among whole images."""

import numpy as np
import pytest

from nucrec.audit import _whole


@pytest.mark.parametrize("cells_at_once", [1, 700, 2**23])
def test_all_pairs_within_a_radius_whatever_the_size_of_the_chunks(cells_at_once, monkeypatch):
    monkeypatch.setattr(_whole, "_CELLS_AT_ONCE", cells_at_once)
    points = np.random.default_rng(0).normal(size=(90, 3)).astype(np.float32)
    apart = np.sqrt(((points[:, None].astype(float) - points[None]) ** 2).sum(axis=-1))
    radius = float(np.median(apart))
    a, b = np.triu_indices(len(points), 1)
    expected = {
        (i, j) for i, j in zip(a.tolist(), b.tolist(), strict=True) if apart[i, j] <= radius
    }
    found, seen = [], []
    for first, second, done in _whole._within(points, radius):
        found += list(zip(first.tolist(), second.tolist(), strict=True))
        seen.append(done)
    assert len(found) == len(set(found))
    assert expected <= set(found)
    assert all(apart[pair] <= radius + 1e-3 for pair in found)
    assert seen == sorted(set(seen))
    assert seen[-1] == len(points)
