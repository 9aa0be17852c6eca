"""The Cochran-Armitage test for trend over pooled cells."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec.assay._permute import p_value
from nucrec.assay._test_result import TestResult

Array = npt.NDArray[Any]

SMALL = 5.0
"""Below this expected number of micronucleated cells in any group the test is made exact."""

ALL_ALIKE = "not estimable: all doses have one score"

_MOST_STATES = 200_000
_DRAWS = 20_000

_TIE = 16 * float(np.finfo(np.float64).eps)
"""By how much equal sums of scores from 0 to 1 may differ, for each micronucleated cell."""


def armitage(scores: Array, found: Array, scored: Array, random_state: int) -> TestResult:
    """Return the test over pooled cells, exact if counts are small.

    Parameters
    ----------
    scores : ndarray of float, shape (n_groups,)
        The score of each group, such as its dose.
    found, scored : ndarray of int, shape (n_groups,)
        Numbers of micronucleated and of scored cells.
    random_state : int
        The seed for small counts with too many possible tables to enumerate.
    """
    total, n = int(found.sum()), int(scored.sum())
    if total in (0, n):
        return TestResult(math.nan, "not estimable: no cell, or every cell, is micronucleated")
    scores = scaled(scores)
    if np.ptp(scores[scored > 0]) == 0:
        return TestResult(math.nan, ALL_ALIKE)
    z = statistic(scores, found, scored)
    if min(total, n - total) * scored.min() / n >= SMALL:
        upper, two_sided = (float(p) for p in (_tail(z), 2 * _tail(abs(z))))
        return TestResult(upper, "Cochran-Armitage, pooled cells", z, two_sided)
    p, method = _exact(scores, found, scored, random_state)
    return TestResult(p, f"Cochran-Armitage, pooled cells, {method}", z)


def scaled(scores: Array) -> Array:
    """Return scores scaled to 0 to 1, so that they do not depend on the unit of the dose."""
    _, exponent = np.frexp(np.abs(scores).max())
    small = np.ldexp(scores, -int(exponent))  # exact, and without overflow of its range
    small = small - small.min()
    return np.asarray(small / (small.max() or 1.0))


def statistic(scores: Array, found: Array, scored: Array) -> float:
    """Return the standard normal deviate, with the variance given both margins.

    - W. G. Cochran, Biometrics 10, 1954, pp. 417-451.
    - P. Armitage, Biometrics 11, 1955, pp. 375-386.
    """
    n, total = float(scored.sum()), float(found.sum())
    centred = scores - (scores * scored).sum() / n
    of_scores = float((np.square(centred) * scored).sum())
    variance = of_scores * (total - total**2 / n) / (n - 1)
    return float((centred * found).sum()) / math.sqrt(variance)


def _tail(z: float) -> float:
    return 0.5 * math.erfc(z / math.sqrt(2))


def _exact(scores: Array, found: Array, scored: Array, random_state: int) -> tuple[float, str]:
    """Return the p-value given both margins, and the method."""
    observed = float((scores * found).sum())
    tie = _TIE * int(found.sum())
    states = _enumerated(scores, int(found.sum()), scored, tie)
    if states is not None:
        sums, logs = states
        weights = np.exp(logs - logs.max())
        at_least = sums >= observed - tie
        return float(weights[at_least].sum() / weights.sum()), "exact"
    rng = np.random.default_rng(random_state)
    drawn = rng.multivariate_hypergeometric(
        scored.astype(np.int64), int(found.sum()), size=_DRAWS, method="marginals"
    )
    p = p_value(drawn @ scores, observed, complete=False, tie=tie)
    return p, f"permutation of cells ({_DRAWS} draws)"


def _enumerated(scores: Array, total: int, scored: Array, tie: float) -> tuple[Array, Array] | None:
    """Return all possible sums of scores of a number of micronucleated cells, with log weights.

    Return None if there are too many.
    """
    used, sums, logs = np.zeros(1, np.int64), np.zeros(1), np.zeros(1)
    for score, n in zip(scores.tolist(), scored.tolist(), strict=True):
        k = np.arange(min(total, n) + 1)
        if len(k) * len(used) > 10 * _MOST_STATES:
            return None
        used = (used[:, None] + k).ravel()
        sums = (sums[:, None] + score * k).ravel()
        logs = (logs[:, None] + log_binomial(n, k)).ravel()
        used, sums, logs = _merged(used, sums, logs, used <= total, tie)
        if len(used) > _MOST_STATES:
            return None
    return sums[used == total], logs[used == total]


def _merged(
    used: Array, sums: Array, logs: Array, kept: Array, tie: float
) -> tuple[Array, Array, Array]:
    """Return the unique states, each with the logarithm of the sum of its weights."""
    used, sums, logs = used[kept], sums[kept], logs[kept]
    order = np.lexsort((sums, used))
    used, sums, logs = used[order], sums[order], logs[order]
    starts = np.flatnonzero(np.r_[True, (np.diff(used) != 0) | (np.diff(sums) > tie)])
    return used[starts], sums[starts], np.logaddexp.reduceat(logs, starts)


def log_binomial(n: int, k: Array) -> Array:
    """Return the logarithms of binomial coefficients."""
    from scipy.special import gammaln

    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))
