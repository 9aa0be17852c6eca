"""Intervals of proportions and of means."""

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from nucrec._validation import check_finite, check_int, check_real, invalid
from nucrec.evaluate._inputs import check_resampling, number_groups
from nucrec.evaluate._intervals import bootstrap, percentile_interval
from nucrec.evaluate._metric import Metric


def proportion_interval(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the interval of a proportion of independent images.

    Parameters
    ----------
    successes : int
        The number of images that have the property, at most `n`.
    n : int
        The number of images.
    confidence : float, default=0.95
        Of the interval, strictly between 0 and 1.

    Returns
    -------
    tuple of float
        The low and the high end, within [0, 1]; NaN if `n` is 0.

    Raises
    ------
    InvalidParameterError
        A number is negative, or there are more successes than images.

    Notes
    -----
    Wilson's score interval.

    References
    ----------
    - E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal
      of the American Statistical Association 22, 1927, pp. 209-212.

    Examples
    --------
    >>> from nucrec.evaluate import proportion_interval
    >>> low, high = proportion_interval(9, 10)
    >>> round(low, 2), round(high, 2)
    (0.6, 0.98)
    """
    check_int("n", n, low=0)
    check_int("successes", successes, low=0, high=n)
    check_real("confidence", confidence, low=0, high=1, open_ends=True)
    return wilson(successes, n, NormalDist().inv_cdf(0.5 + confidence / 2))


def wilson(successes: float, n: float, z: float) -> tuple[float, float]:
    """Return Wilson's interval of `z` standard errors; NaN if n is 0."""
    if n == 0:
        return math.nan, math.nan
    share = successes / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def mean_interval(
    values: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    confidence: float = 0.95,
    *,
    n_resamples: int = 2000,
    random_state: int = 0,
) -> Metric:
    """Return the mean of one value for each image, with its interval.

    Parameters
    ----------
    values : array_like of float, shape (n,)
        A finite number for each image, such as the share of several models that are right.
    groups, confidence, n_resamples, random_state : optional
        As in `report`.

    Returns
    -------
    Metric
        The mean; with the percentile interval of the bootstrap over images, or over groups.

    Raises
    ------
    InvalidParameterError
        The values are not finite, or another parameter is out of range.

    References
    ----------
    - B. Efron, R. Tibshirani, "An Introduction to the Bootstrap", 1993, chapters 8 and 13.

    Examples
    --------
    >>> from nucrec.evaluate import mean_interval
    >>> found = mean_interval([0.0, 1.0, 1.0, 0.5] * 10)
    >>> found.value, round(found.low, 2), round(found.high, 2)
    (0.625, 0.49, 0.76)
    """
    check_resampling(confidence, n_resamples, random_state)
    array = np.asarray(values)
    if array.ndim != 1 or not array.size or array.dtype.kind not in "buif":
        raise invalid("values", "a one-dimensional array of numbers", values)
    check_finite("values", array)
    numbers = number_groups(groups, len(array))
    units = np.arange(len(array)) if numbers is None else numbers

    def mean(weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray(weights @ array / weights.sum(axis=1))[:, np.newaxis]

    drawn = bootstrap(mean, units, n_resamples, random_state)[:, 0]
    span = percentile_interval(drawn, confidence, int(units.max()) + 1)
    return Metric(float(array.mean()), *span, "bootstrap" if numbers is None else "group bootstrap")
