"""Plates for tests."""

import numpy as np


def counts(found: dict[float, list[int]], scored: int = 2000, **further: list) -> dict[str, list]:
    """Return a table of counts: for each dose the micronucleated cells of its wells."""
    doses = [dose for dose, wells in found.items() for _ in wells]
    return {
        "well": [f"{'ABCDEFGH'[i // 12]}{i % 12 + 1:02d}" for i in range(len(doses))],
        "dose": doses,
        "scored": [scored] * len(doses),
        "micronucleated": [k for wells in found.values() for k in wells],
        **further,
    }


def cells_of(table: dict[str, list]) -> dict[str, np.ndarray]:
    """Return a table of cells with the counts of a table of counts."""
    scored, found = (np.array(table[name]) for name in ("scored", "micronucleated"))
    wells = np.repeat(np.arange(len(scored)), scored)
    rank = np.concatenate([np.arange(n) for n in scored])
    names = {
        key: np.array(table[key])[wells] for key in ("well", "dose", "condition") if key in table
    }
    return {**names, "n_micronuclei": (rank < found[wells]).astype(int)}


DOSES = {0: [9, 12, 8], 1: [14, 18, 13], 2: [24, 30, 27], 4: [40, 38, 45]}
"""A clear increase with dose."""
