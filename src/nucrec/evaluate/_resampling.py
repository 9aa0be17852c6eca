"""Resample statistics, and compute intervals from them."""

from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._parallel import in_parallel
from nucrec._shares import student_quantile

Array = npt.NDArray[Any]

_CELLS_AT_ONCE = 2**22  # of the table (resamples, images), to bound memory


def bootstrap(
    statistic: Callable[[Array], Array],
    units: Array,
    n_resamples: int,
    random_state: int,
) -> Array:
    """Return a statistic of many resamples of whole units, drawn with replacement.

    Large numbers of resamples are drawn in chunks, on the backend of `joblib.parallel_config`.

    Parameters
    ----------
    statistic : callable
        Takes weights of shape (resamples, images), how often each image was drawn, and returns an
        array of shape (resamples, k).
    units : ndarray of int, shape (images,)
        The resampling unit of each image: its group, or a unit of its own.
    n_resamples : int
        Number of resamples.
    random_state : int
        Seed.

    Returns
    -------
    ndarray of shape (n_resamples, k)
        The statistic of each resample; NaN if there is only one unit, which does not show how units
        differ.
    """
    n_units = int(units.max()) + 1
    if n_units == 1:
        return np.full_like(statistic(np.ones((1, len(units)))), np.nan)

    def values(rng: np.random.Generator, k: int) -> Array:
        return statistic(_draws(rng, k, n_units)[:, units])

    rng = np.random.default_rng(random_state)
    return in_chunks(values, len(units), n_resamples, random_state, rng)


def weigh(
    statistic: Callable[[Array], Array],
    n: int,
    n_resamples: int,
    random_state: int,
    rng: np.random.Generator,
) -> Array:
    """Return a statistic under random weights of n images, the first of them drawn from `rng`.

    D. B. Rubin, "The Bayesian bootstrap", The Annals of Statistics 9, 1981. Weights are not
    scaled to add up to 1: a statistic of shares does not need it.
    """

    def values(rng: np.random.Generator, k: int) -> Array:
        return statistic(rng.standard_exponential((k, n)))

    return in_chunks(values, n, n_resamples, random_state, rng)


def percentile_interval(values: Array, confidence: float, n_units: int) -> tuple[float, float]:
    """Return the central range of values resampled from images or groups, ignoring NaN.

    Parameters
    ----------
    values : ndarray of shape (n_resamples,)
        The statistic of each resample.
    confidence : float
        The confidence of the interval.
    n_units : int
        The number of images or groups that were resampled.
    """
    return middle(values, expanded_reach(confidence, n_units))


def middle(values: Array, reach: float) -> tuple[float, float]:
    """Return the central range of values that spans `reach` standard deviations, ignoring NaN."""
    defined = values[~np.isnan(values)]
    if not defined.size or np.isnan(reach):
        return float("nan"), float("nan")
    tail = NormalDist().cdf(-reach)
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)


def expanded_reach(confidence: float, n_units: int) -> float:
    """Return the number of standard deviations that an interval from so few units must span.

    It exceeds the normal quantile, because the standard deviation of resamples of few units is biased
    low and uncertain. NaN for one unit.

    - T. C. Hesterberg, "What teachers should know about the bootstrap", The American Statistician
      69, 2015, section 4.3 (expanded percentile interval).
    """
    if n_units < 2:
        return float("nan")
    quantile = student_quantile(0.5 + confidence / 2, n_units - 1)
    return float(np.sqrt(n_units / (n_units - 1))) * quantile


def _draws(rng: np.random.Generator, n_resamples: int, n_units: int) -> Array:
    """Return how often each unit is drawn in each resample, as floats of shape (resamples, units)."""
    drawn = rng.integers(0, n_units, size=(n_resamples, n_units))
    drawn += np.arange(n_resamples)[:, np.newaxis] * n_units
    counts = np.bincount(drawn.ravel(), minlength=n_resamples * n_units)
    return counts.reshape(n_resamples, n_units).astype(np.float64)


def in_chunks(
    values: Callable[[np.random.Generator, int], Array],
    n: int,
    n_resamples: int,
    random_state: int,
    rng: np.random.Generator,
) -> Array:
    """Return the values of all resamples of n images, computed in chunks.

    The first chunk is drawn from `rng`, and every other one from its own generator, so the results do
    not depend on where, or in which order, the chunks are computed.
    """
    largest = max(1, _CELLS_AT_ONCE // n)
    calls = [(rng, min(largest, n_resamples))]
    for k, start in enumerate(range(largest, n_resamples, largest), 1):
        seed = np.random.SeedSequence(random_state, spawn_key=(k,))
        calls.append((np.random.default_rng(seed), min(largest, n_resamples - start)))
    return np.concatenate(in_parallel(values, calls))
