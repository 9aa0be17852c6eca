"""How much less images in groups say than as many independent ones."""

import math
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

ASSUMED_CORRELATION = 0.15
"""The correlation within groups that is assumed where mistakes are too few to estimate it."""

ASSUMED_GROUPS = 2
"""How many groups the assumption counts for, beside those in which mistakes occur."""


def design_effect(influences: Array, groups: Array, notable: Array) -> float:
    """Return the ratio of the variance of an estimate to that from independent images, at least 1.

    The variance between groups is that of the infinitesimal jackknife over groups. Few mistakes
    in few groups say little of it, so it is moderated: averaged with what a correlation of 0.15
    within groups would give, which counts as two groups. Without this, intervals of good
    classifiers are far too narrow: where all images are right, groups seem not to differ.

    - L. Kish, "Survey Sampling", 1965 (design effect).
    - B. Efron, "The Jackknife, the Bootstrap and Other Resampling Plans", 1982, chapter 6.
    - G. K. Smyth, Statistical Applications in Genetics and Molecular Biology 3, 2004, article 3
      (moderated variances, and their degrees of freedom).

    Parameters
    ----------
    influences : ndarray of float, shape (n,)
        The derivative of the estimate with respect to the weight of each image.
    groups : ndarray of int, shape (n,)
        The number of each image's group, from 0; at least two groups.
    notable : ndarray of bool, shape (n,)
        Images of the rarer outcome, such as those that were classified wrongly.
    """
    n, sizes = len(groups), np.bincount(groups)
    n_groups = len(sizes)
    centred = influences - influences.mean()
    alone = n / (n - 1) * np.square(centred).sum()
    together = n_groups / (n_groups - 1) * np.square(np.bincount(groups, centred)).sum()
    found = float(together / alone) if alone > 0 else 0.0
    assumed = 1 + (np.square(sizes).sum() / n - 1) * ASSUMED_CORRELATION
    telling = min(_groups_with(notable, groups), _groups_with(~notable, groups), n_groups - 1)
    moderated = (telling * found + ASSUMED_GROUPS * assumed) / (telling + ASSUMED_GROUPS)
    return max(1.0, found, float(moderated))


def _groups_with(chosen: Array, groups: Array) -> int:
    return len(np.unique(groups[chosen]))


def normal_quantile(confidence: float) -> float:
    """Return how many standard errors an interval reaches to either side."""
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def group_quantile(confidence: float, n_groups: int) -> float:
    """Return the same for a variance from groups, among them those of the assumption."""
    return student_quantile(0.5 + confidence / 2, n_groups - 1 + ASSUMED_GROUPS)


def student_quantile(p: float, freedom: int) -> float:
    """Return a quantile of Student's t distribution."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, p))


def wilson(successes: float, n: float, reach: float) -> tuple[float, float]:
    """Return Wilson's score interval of `reach` standard errors; NaN without images."""
    if not n > 0:
        return math.nan, math.nan
    share, spread = successes / n, reach**2 / n
    centre = (share + spread / 2) / (1 + spread)
    half = math.sqrt(spread * (share * (1 - share) + spread / 4)) / (1 + spread)
    return max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half))
