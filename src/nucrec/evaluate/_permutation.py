"""Permutation tests of two classifiers, which swap their predictions."""

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec.evaluate._paired import Pair
from nucrec.evaluate._sample import Column

Array = npt.NDArray[Any]

_MOST_EXACT = 2**15  # ways to swap answers that are all gone through
_ROUNDING = 1e-12
_CELLS_AT_ONCE = 2**22


def name_of_test(pair: Pair, column: Column) -> str:
    """Return the name of the test that `p_value` performs."""
    of_groups = "" if pair.first.design.groups is None else " of groups"
    if column[0] != "ACC":
        return f"paired permutation{of_groups}"
    return "exact sign flips of groups" if of_groups else "exact McNemar"


def p_value(pair: Pair, column: Column, n_resamples: int, random_state: int) -> float:
    """Return the two-sided p-value of the hypothesis that both have the same metric.

    Under this hypothesis, the predictions of the two are exchangeable for any images, or groups of
    images. The p-value is the share of all exchanges with a difference at least as large.

    - P. Good, "Permutation, Parametric and Bootstrap Tests of Hypotheses", 2005, chapter 3.
    """
    if column[0] == "ACC":
        return accuracy_p_value(pair)
    rng = np.random.default_rng(random_state)
    if column[0] == "AUC":
        return _area_p_value(pair, n_resamples, rng)
    return _confusion_p_value(pair, column, n_resamples, rng)


def n_apart(pair: Pair, column: Column) -> int:
    """Return the number of images, or groups, whose exchange has any effect."""
    if column[0] == "AUC":
        return int(_differing(pair).sum())
    if column[0] == "ACC":
        return int(np.count_nonzero(_by_unit(pair.apart, pair)))
    return int(_changes(pair).any(axis=1).sum())


def least_p_value(n_units: int) -> float:
    """Return the smallest p-value that so many images, or groups, can give."""
    return min(1.0, 2.0 ** (1 - n_units))


def limit(least: float, confidence: float, test: str) -> str:
    """Return a remark if no p-value could have been small enough."""
    if least < 1 - confidence:
        return ""
    units = "groups" if test.endswith("groups") else "images"
    return f"; their answers differ for so few {units} that p cannot be below {least:.2g}"


def accuracy_p_value(pair: Pair) -> float:
    """Return the p-value of equal accuracies, by McNemar's test or by sign flips of groups."""
    from scipy.stats import binomtest

    if pair.first.design.groups is not None:
        return sign_flip_p_value(_by_unit(pair.apart, pair))
    better, worse = int((pair.apart > 0).sum()), int((pair.apart < 0).sum())
    return float(binomtest(better, better + worse).pvalue) if better + worse else 1.0


def sign_flip_p_value(differences: Array) -> float:
    """Return the two-sided p-value of a sum of integers whose signs are exchangeable.

    The distribution of the sum is computed exactly. For differences of -1 and 1 it is that of
    McNemar's exact test.
    """
    sizes = np.abs(differences[differences != 0])
    observed = abs(int(differences.sum()))
    total = int(sizes.sum())
    chances = np.zeros(2 * total + 1)  # of the sums from -total to total
    chances[total] = 1.0
    for size in sizes.tolist():
        chances = (np.roll(chances, size) + np.roll(chances, -size)) / 2
    at_least = np.abs(np.arange(-total, total + 1)) >= observed
    return min(1.0, float(chances[at_least].sum()))


def _by_unit(values: Array, pair: Pair) -> Array:
    """Return the sums of integers over groups, or the integers themselves."""
    groups = pair.first.design.groups
    return values if groups is None else np.bincount(groups, values).astype(int)


def _changes(pair: Pair) -> Array:
    """Return the change of the first confusion matrix when a unit is swapped: (units, cells)."""
    k = len(pair.first.names)
    units = pair.first.design.groups
    units = np.arange(len(pair.first.true)) if units is None else units
    changes = np.zeros((int(units.max()) + 1, k * k), int)
    np.add.at(changes, (units, pair.second.true * k + pair.second.predicted), 1)
    np.add.at(changes, (units, pair.first.true * k + pair.first.predicted), -1)
    return changes


def _confusion_p_value(
    pair: Pair, column: Column, n_resamples: int, rng: np.random.Generator
) -> float:
    """Return the p-value of a metric of confusion matrices.

    Units with the same effect are interchangeable, so only the number of swapped units of each kind
    matters. If all combinations of these numbers can be enumerated, the p-value is exact.
    """
    metric, shape = pair.first.from_confusion[column], pair.first.confusion.shape
    changes = _changes(pair)
    kinds, sizes = np.unique(changes[changes.any(axis=1)], axis=0, return_counts=True)
    if not len(kinds):
        return 1.0
    if np.prod(sizes + 1.0) <= _MOST_EXACT:
        swapped, chances = _every_way(sizes.tolist())
    else:
        swapped = rng.binomial(sizes, 0.5, (n_resamples, len(sizes)))
        chances = None
    moved = (swapped @ kinds).reshape(-1, *shape)
    differences = metric(pair.first.confusion + moved) - metric(pair.second.confusion - moved)
    observed = pair.first.value(column) - pair.second.value(column)
    return _share_as_large(differences, observed, chances)


def _every_way(sizes: list[int]) -> tuple[Array, Array]:
    """Return all combinations of swapped units, and the probability of each."""
    from scipy.stats import binom

    ways = np.array(list(itertools.product(*(range(size + 1) for size in sizes))), int)
    return ways, np.asarray(binom.pmf(ways, sizes, 0.5).prod(axis=1))


def _share_as_large(differences: Array, observed: float, chances: Array | None) -> float:
    """Return the probability of a difference at least as large as the observed one.

    For random exchanges, the observed one is included, so that no p-value is 0.
    """
    as_large = ~(np.abs(differences) < abs(observed) - _ROUNDING)  # undefined ones, too
    if chances is not None:
        return min(1.0, float(chances[as_large].sum()))
    return float((as_large.sum() + 1) / (len(as_large) + 1))


def _ranks(pair: Pair) -> list[tuple[Array, Array, Array]]:
    """Return, for each class with an area, its images and the ranks of both sets of scores."""
    from scipy.stats import rankdata

    first, second, true = pair.first.scores, pair.second.scores, pair.first.true
    if first is None or second is None:
        return []
    columns = [1] if len(pair.first.names) == 2 else np.unique(true).tolist()
    return [(true == k, rankdata(first[:, k]), rankdata(second[:, k])) for k in columns]


def _differing(pair: Pair) -> Array:
    """Return the images or groups whose ranks differ between the two classifiers."""
    apart = np.any([first != second for _, first, second in _ranks(pair)], axis=0)
    return _by_unit(apart.astype(int), pair) > 0


def _area_p_value(pair: Pair, n_resamples: int, rng: np.random.Generator) -> float:
    """Return the p-value of the area under the ROC curve, by swapping ranks.

    - E. S. Venkatraman, C. B. Begg, "A distribution-free procedure for comparing receiver operating
      characteristic curves from a paired experiment", Biometrika 83, 1996, pp. 835-848.
    """
    differing = _differing(pair)
    n_units = int(differing.sum())
    exact = 2.0**n_units <= n_resamples
    n_ways = 2**n_units if exact else n_resamples
    at_once = max(1, _CELLS_AT_ONCE // len(pair.first.true))
    found = []
    for start in range(0, n_ways, at_once):
        ways = np.arange(start, min(start + at_once, n_ways))
        swapped = np.zeros((len(ways), len(differing)), bool)
        if exact:
            swapped[:, differing] = ways[:, np.newaxis] >> np.arange(n_units) & 1
        else:
            swapped[:, differing] = rng.random((len(ways), n_units)) < 0.5
        found.append(_swapped_differences(pair, swapped))
    observed = pair.first.value(("AUC", "")) - pair.second.value(("AUC", ""))
    chances = np.full(n_ways, 1 / n_ways) if exact else None
    return _share_as_large(np.concatenate(found), observed, chances)


def _swapped_differences(pair: Pair, swapped: Array) -> Array:
    """Return the difference between both areas after each exchange, of shape (ways,)."""
    groups = pair.first.design.groups
    swapped = swapped if groups is None else swapped[:, groups]
    found = [
        _areas(positive, np.where(swapped, second, first))
        - _areas(positive, np.where(swapped, first, second))
        for positive, first, second in _ranks(pair)
    ]
    return np.asarray(np.mean(found, axis=0))


def _areas(positive: Array, scores: Array) -> Array:
    """Return the areas under the ROC curves of scores of shape (ways, images)."""
    from scipy.stats import rankdata

    n_positive = int(positive.sum())
    ranks = rankdata(scores, axis=1)[:, positive].sum(axis=1)
    n_pairs = n_positive * (len(positive) - n_positive)
    return np.asarray((ranks - n_positive * (n_positive + 1) / 2) / n_pairs)
