"""The posterior distribution of metrics, given a confusion matrix."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

PRIOR_WEIGHT = 2.0
"""Images that are added to the cells of a confusion matrix; for two classes, Jeffreys' prior."""

_STEP = 1e-5


def prior(confusion: Array) -> Array:
    """Return the prior count of each cell: two images in all, spread over the possible cells.

    A class that occurs can be mistaken for any class that occurs or is predicted. For two classes, this
    is Jeffreys' prior of half an image in each cell.

    - O. Caelen, "A Bayesian interpretation of the confusion matrix", Annals of Mathematics and
      Artificial Intelligence 81, 2017, pp. 429-450.
    """
    occurs = confusion.any(axis=1)
    possible = np.outer(occurs, occurs | confusion.any(axis=0))
    return np.asarray(PRIOR_WEIGHT * possible / possible.sum())


def draw(confusion: Array, effect: float, n_draws: int, rng: np.random.Generator) -> Array:
    """Draw confusion matrices of shape (n_draws, k, k), not scaled, from the posterior distribution.

    Parameters
    ----------
    confusion : ndarray of shape (k, k)
        Counts.
    effect : float
        Design effect: the number of images that carry as much information as an independent one.
    n_draws : int
        Number of draws.
    rng : numpy.random.Generator
        Source of randomness.
    """
    return rng.standard_gamma(confusion / effect + prior(confusion), (n_draws, *confusion.shape))


def influences(statistic: Callable[[Array], Array], confusion: Array) -> Array:
    """Return the derivative of a statistic with respect to each cell, of shape (cells,).

    They are taken at the counts plus the prior, where they exist even without mistakes.

    Parameters
    ----------
    statistic : callable
        Maps matrices (n, ...cells) to values (n,).
    confusion : ndarray
        Counts.
    """
    counts = confusion + prior(confusion)
    steps = _STEP * np.eye(counts.size).reshape(counts.size, *counts.shape)
    return np.asarray((statistic(counts + steps) - statistic(counts[np.newaxis])) / _STEP)
