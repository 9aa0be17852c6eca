"""Permutations of wells within a design."""

import functools
import itertools
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

MOST = 5000
"""Designs with at most this many arrangements are enumerated; from others as many are drawn."""

_TIE = 1e-9


def anscombe(found: Array, scored: Array) -> Array:
    """Return the variance-stabilising arcsine of the square root of shares.

    F. J. Anscombe, "The transformation of Poisson, binomial and negative-binomial data",
    Biometrika 35, 1948, pp. 246-254.
    """
    return np.asarray(np.arcsin(np.sqrt((found + 3 / 8) / (scored + 3 / 4))))


def n_arrangements(labels: Array, blocks: Array) -> int:
    """Return the number of distinct assignments of labels to units within blocks."""
    total = 1
    for block in np.unique(blocks):
        counts = Counter(labels[blocks == block].tolist())
        total *= math.factorial(counts.total())
        total //= math.prod(map(math.factorial, counts.values()))
    return total


def smallest_p(labels: Array, blocks: Array) -> float:
    """Return the smallest possible p-value of a permutation of labels."""
    return 1 / min(MOST, n_arrangements(labels, blocks))


def arrange(labels: Array, blocks: Array, random_state: int) -> tuple[Array, bool]:
    """Return arrangements of labels over units, and whether they are complete.

    Parameters
    ----------
    labels : ndarray of int, shape (n_units,)
        The group of each unit.
    blocks : ndarray of int, shape (n_units,)
        The block of each unit; labels are exchanged only within blocks.
    random_state : int
        The seed for designs with too many arrangements.

    Returns
    -------
    tuple
        An array of shape (n_arrangements, n_units), and a bool.
    """
    return _arranged(tuple(labels.tolist()), tuple(blocks.tolist()), random_state)


@functools.lru_cache(maxsize=8)  # trend, contrasts and decision request the same arrangements
def _arranged(
    all_labels: tuple[int, ...], all_blocks: tuple[int, ...], random_state: int
) -> tuple[Array, bool]:
    labels, blocks = np.array(all_labels), np.array(all_blocks)
    if n_arrangements(labels, blocks) <= MOST:
        return _all(labels, blocks), True
    rng = np.random.default_rng(random_state)
    drawn = np.empty((MOST - 1, len(labels)), labels.dtype)
    for block in np.unique(blocks):
        there = blocks == block
        drawn[:, there] = rng.permuted(np.tile(labels[there], (MOST - 1, 1)), axis=1)
    return drawn, False


def _all(labels: Array, blocks: Array) -> Array:
    places = [np.flatnonzero(blocks == block) for block in np.unique(blocks)]
    parts = [list(_different(tuple(sorted(labels[there].tolist())))) for there in places]
    order = np.concatenate(places)
    rows = [list(itertools.chain(*choice)) for choice in itertools.product(*parts)]
    found = np.empty((len(rows), len(labels)), labels.dtype)
    found[:, order] = rows
    return found


def _different(items: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yield the distinct orders of sorted items."""
    if not items:
        yield ()
        return
    for item in dict.fromkeys(items):
        at = items.index(item)
        for rest in _different(items[:at] + items[at + 1 :]):
            yield (item, *rest)


def p_value(drawn: Array, observed: float, complete: bool, tie: float | None = None) -> float:
    """Return the share of arrangements whose statistic is at least as large as the observed one.

    Parameters
    ----------
    drawn : ndarray of shape (n_arrangements,)
        The statistics of the arrangements.
    observed : float
        The observed statistic.
    complete : bool
        Whether these are all arrangements, including the observed one.
    tie : float, optional
        Tolerance for ties; by default a part in 10^9, relative to at least 1.
    """
    tie = _TIE * max(1.0, abs(observed)) if tie is None else tie
    at_least = int((drawn >= observed - tie).sum())
    return at_least / len(drawn) if complete else (at_least + 1) / (len(drawn) + 1)
