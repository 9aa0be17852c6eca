"""The interval of the area under the ROC curve."""

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nucrec.evaluate._design import Design
from nucrec.evaluate._metrics import RankedScores

Array = npt.NDArray[Any]

METHOD = "Newcombe"
_LAST = 1e-12


class Area(NamedTuple):
    """The area under the ROC curve of one class against the others.

    Attributes
    ----------
    value : float
        The area.
    influences : ndarray of float, shape (n,)
        The derivative of the area with respect to the weight of each image.
    misplaced : ndarray of bool, shape (n,)
        True for images that do not outrank all images of the other class.
    n_positive, n_negative : int
        Number of images of the class, and of the other classes.
    """

    value: float
    influences: Array
    misplaced: Array
    n_positive: int
    n_negative: int

    @classmethod
    def of(cls, positive: Array, scores: Array) -> "Area":
        """Return the area of scores that are higher for the positive images."""
        placed = RankedScores(positive, scores).placements()
        n_positive = int(positive.sum())
        sizes = np.where(positive, n_positive, len(positive) - n_positive)
        value = float(placed[positive].mean())
        left = len(positive) - n_positive
        return cls(value, (placed - value) / sizes, placed < 1 - _LAST, n_positive, left)

    def interval(self, effect: float, reach: float) -> tuple[float, float]:
        """Return Newcombe's interval for images with a design effect of `effect`."""
        return newcombe(self.value, self.n_positive / effect, self.n_negative / effect, reach)


def mean_area_interval(areas: list[Area], design: Design, confidence: float) -> tuple[float, float]:
    """Return the interval of the mean of areas, from the means of the ends of their intervals.

    This assumes fully correlated errors, which several classes of one test set nearly have.
    """
    influences = np.mean([area.influences for area in areas], axis=0)
    misplaced = np.any([area.misplaced for area in areas], axis=0)
    effect, reach = design.effect(influences, misplaced), design.reach(confidence)
    low, high = np.mean([area.interval(effect, reach) for area in areas], axis=0)
    return float(low), float(high)


def newcombe(
    area: float, n_positive: float, n_negative: float, reach: float
) -> tuple[float, float]:
    """Return the interval of an area under the ROC curve; its width is positive even for an area of 1.

    It contains all areas within `reach` of their own standard errors from the observed one.

    - R. G. Newcombe, "Confidence intervals for an effect size measure based on the Mann-Whitney
      statistic. Part 2", Statistics in Medicine 25, 2006, pp. 559-573 (method 5).
    """
    from scipy.optimize import brentq

    if math.isnan(reach):
        return math.nan, math.nan
    others = max(0.0, (n_positive + n_negative) / 2 - 1)

    def beyond(true: float) -> float:
        factor = 1 + others * ((1 - true) / (2 - true) + true / (1 + true))
        variance = true * (1 - true) * factor / (n_positive * n_negative)
        return float((area - true) ** 2 - reach**2 * variance)

    low = 0.0 if area <= _LAST else brentq(beyond, 0.0, area - _LAST)
    high = 1.0 if area >= 1 - _LAST else brentq(beyond, area + _LAST, 1.0)
    return float(low), float(high)
