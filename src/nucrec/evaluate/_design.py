"""The design effect of groups: how much less information they carry than independent images."""

import math
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._shares import n_alike, student_quantile, wilson

Array = npt.NDArray[Any]

ASSUMED_CORRELATION = 0.2
"""The correlation within groups that is assumed where mistakes are too few to estimate it."""

ASSUMED_GROUPS = 2
"""How many groups the assumption counts for, beside those in which mistakes occur."""


@dataclass(frozen=True)
class Design:
    """The dependence between the images of a test set.

    Attributes
    ----------
    n : int
        Number of images.
    groups : ndarray of int, shape (n,), or None
        The index of each image's group, from 0; None for independent images.
    """

    n: int
    groups: Array | None

    @property
    def n_groups(self) -> int | None:
        """The number of groups."""
        return None if self.groups is None else self.n_units

    @property
    def n_units(self) -> int:
        """The number of groups, or of independent images."""
        if self.groups is None or not self.n:
            return self.n
        return int(self.groups.max()) + 1

    @cached_property
    def n_alike(self) -> float | None:
        """The number of groups of one size that say as much; None without groups or images."""
        if self.groups is None or not self.n:
            return None
        return n_alike(np.bincount(self.groups))

    @property
    def method(self) -> str:
        """The suffix of a method's name."""
        return "" if self.groups is None else ", groups"

    def n_groups_with(self, chosen: Array) -> int | None:
        """Return the number of groups that contain any image of a mask."""
        return None if self.groups is None else len(np.unique(self.groups[chosen]))

    def part(self, chosen: Array) -> "Design":
        """Return the design of the images that a mask selects."""
        if self.groups is None:
            return Design(int(chosen.sum()), None)
        numbers = np.unique(self.groups[chosen], return_inverse=True)[1]
        return Design(len(numbers), numbers)

    def reach(self, confidence: float) -> float:
        """Return the half-width of an interval in standard errors; NaN for one group or no image.

        With groups, this is a quantile of Student's t distribution, with the degrees of freedom of a
        variance between as many groups of one size plus those of the assumption.
        """
        if self.groups is None:
            return NormalDist().inv_cdf(0.5 + confidence / 2)
        if self.n_alike is None or self.n_units < 2:
            return math.nan
        return student_quantile(0.5 + confidence / 2, self.n_alike - 1 + ASSUMED_GROUPS)

    def effect(self, influences: Array, notable: Array) -> float:
        """Return the ratio of an estimate's variance to that from independent images, at least 1.

        The variance between groups is that of the infinitesimal jackknife over groups; if their sizes
        differ widely, it allows for large groups pulling the mean towards themselves (CR2). A few
        mistakes in a few groups say little about it, so it is moderated: its logarithm is averaged
        with that for a correlation of 0.2 within groups, which has the weight of two groups.
        Otherwise, the intervals of good classifiers would be far too narrow: if all images are
        classified correctly, groups seem not to differ.

        - L. Kish, "Survey Sampling", 1965 (design effect).
        - B. Efron, "The Jackknife, the Bootstrap and Other Resampling Plans", 1982, chapter 6.
        - R. M. Bell, D. F. McCaffrey, Survey Methodology 28, 2002, pp. 169-181 (CR2).
        - G. K. Smyth, Statistical Applications in Genetics and Molecular Biology 3, 2004, article 3
          (moderated variances, and their degrees of freedom).

        Parameters
        ----------
        influences : ndarray of float, shape (n,)
            The derivative of the estimate with respect to the weight of each image.
        notable : ndarray of bool, shape (n,)
            True for images with one of two outcomes, such as those that were misclassified.
        """
        if self.groups is None:
            return 1.0
        sizes = np.bincount(self.groups)
        if self.n_alike is None or len(sizes) < 2:
            return math.nan
        shares = sizes / self.n if self.n_alike < len(sizes) else None
        found = _observed_effect(influences - influences.mean(), self.groups, shares)
        assumed = 1 + (np.square(sizes).sum() / self.n - 1) * ASSUMED_CORRELATION
        with_outcome = (len(np.unique(self.groups[each])) for each in (notable, ~notable))
        telling = min(*with_outcome, self.n_alike - 1)
        logs = math.log(max(1.0, found)), math.log(assumed)
        moderated = math.exp(np.average(logs, weights=(telling, ASSUMED_GROUPS)))
        return max(found, moderated)


def _observed_effect(centred: Array, groups: Array, shares: Array | None) -> float:
    """Return the variance between groups, of given shares or one size, to that between images."""
    alone = len(groups) / (len(groups) - 1) * np.square(centred).sum()
    squares = np.square(np.bincount(groups, centred))
    n_groups = len(squares)
    if shares is None:
        together = n_groups / (n_groups - 1) * squares.sum()
    else:
        together = (squares / (1 - shares)).sum()
    return float(together / alone) if alone > 0 else 0.0


def share_interval(values: Array, design: Design, confidence: float) -> tuple[float, float]:
    """Return Wilson's interval of the mean of values from 0 to 1, one for each image."""
    effect, reach = design.effect(values, values > 0.5), design.reach(confidence)
    return wilson(float(values.sum()) / effect, len(values) / effect, reach)
