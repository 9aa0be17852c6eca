"""Intervals of proportions and of means."""

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nucrec._shares import lang_reiczigel, rogan_gladen, wilson
from nucrec._validation import check_finite, check_real, invalid
from nucrec.evaluate._design import Design, share_interval
from nucrec.evaluate._inputs import number_groups
from nucrec.evaluate._metric import Metric

Array = npt.NDArray[Any]


def proportion_interval(
    successes: npt.ArrayLike, n: npt.ArrayLike, confidence: float = 0.95
) -> tuple[float, float]:
    """Return the interval of a proportion, for independent images or groups.

    Parameters
    ----------
    successes : int or array_like of int, shape (n_groups,)
        The number of images with the property, in total or in each group.
    n : int or array_like of int, shape (n_groups,)
        The number of images, in total or in each group.
    confidence : float, default=0.95
        The confidence of the interval, strictly between 0 and 1.

    Returns
    -------
    tuple of float
        The lower and the upper end, within [0, 1]; NaN if `n` is 0, or if there is only one group,
        which does not show how groups differ.

    Raises
    ------
    InvalidParameterError
        A number is negative or not whole, or there are more successes than images.

    Notes
    -----
    This is Wilson's score interval. With groups, the effective number of images replaces the number of
    images, and Student's t replaces the normal distribution, as described in `report`.

    References
    ----------
    - E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal
      of the American Statistical Association 22, 1927, pp. 209-212.
    - N. Dean, M. Pagano, "Evaluating confidence interval methods for binomial proportions in
      clustered surveys", Journal of Survey Statistics and Methodology 3, 2015, pp. 484-503.

    Examples
    --------
    >>> from nucrec.evaluate import proportion_interval
    >>> low, high = proportion_interval(27, 60)
    >>> round(low, 2), round(high, 2)
    (0.33, 0.58)
    >>> low, high = proportion_interval([12, 2, 9, 4], [15, 15, 15, 15])
    >>> round(low, 2), round(high, 2)
    (0.16, 0.78)
    """
    return _count(("successes", "n"), successes, n, confidence).interval


def mean_interval(
    values: npt.ArrayLike, groups: npt.ArrayLike | None = None, confidence: float = 0.95
) -> Metric:
    """Return the mean of values from 0 to 1, one for each image, with its interval.

    Parameters
    ----------
    values : array_like of float, shape (n,)
        A number from 0 to 1 for each image, such as the share of models that are correct.
    groups : array_like, shape (n,), optional
        Images that are not independent share a group.
    confidence : float, default=0.95
        The confidence of the interval, strictly between 0 and 1.

    Returns
    -------
    Metric
        The mean and its interval, which is that of `proportion_interval` for the sum of the values; it
        is slightly too wide for values strictly between 0 and 1.

    Raises
    ------
    InvalidParameterError
        A value is not within [0, 1], or another parameter is out of range.

    Examples
    --------
    >>> from nucrec.evaluate import mean_interval
    >>> found = mean_interval([0.0, 1.0, 1.0, 0.5] * 10)
    >>> found.value, round(found.low, 2), round(found.high, 2)
    (0.625, 0.47, 0.76)
    """
    check_real("confidence", confidence, low=0, high=1, open_ends=True)
    array = np.asarray(values)
    if array.ndim != 1 or not array.size or array.dtype.kind not in "buif":
        raise invalid("values", "a one-dimensional array of numbers", values)
    check_finite("values", array)
    if array.min() < 0 or array.max() > 1:
        raise invalid("values", "numbers from 0 to 1", values)
    design = Design(len(array), number_groups(groups, len(array)))
    interval = share_interval(array.astype(float), design, confidence)
    return Metric(float(array.mean()), *interval, "Wilson" + design.method)


def corrected_proportion(
    positive: npt.ArrayLike,
    n: npt.ArrayLike,
    *,
    sensitivity: tuple[npt.ArrayLike, npt.ArrayLike],
    specificity: tuple[npt.ArrayLike, npt.ArrayLike],
    confidence: float = 0.95,
) -> Metric:
    """Return the proportion of a class, corrected for classification errors.

    A classifier with a specificity of 0.95 classifies 5 % of the normal nuclei as micronuclei. If
    micronuclei are rare, the proportion that it counts is too high, however many images there are.

    Parameters
    ----------
    positive : int or array_like of int, shape (n_groups,)
        The number of images classified as positive, in total or in each group.
    n : int or array_like of int, shape (n_groups,)
        The number of images, in total or in each group.
    sensitivity : pair of int, or pair of array_like of int of shape (n_validation_groups,)
        The number of positive images of a validation set that were classified as positive, and the
        number of all positive ones, in total or in each group. The classifier must not have been
        trained on them.
    specificity : pair of int, or pair of array_like of int of shape (n_validation_groups,)
        The number of negative images of a validation set that were classified as negative, and the
        number of all negative ones, in total or in each group.
    confidence : float, default=0.95
        The confidence of the interval, strictly between 0 and 1.

    Returns
    -------
    Metric
        The corrected proportion, clipped to the range from 0 to 1, and its interval, which includes the
        uncertainty of sensitivity and specificity. If these do not add up to more than 1, the
        classifier carries no information, and the result is NaN, from 0 to 1.

    Raises
    ------
    InvalidParameterError
        A number is negative or not whole, a part exceeds its whole, or a validation set is empty.

    Notes
    -----
    The estimate of Rogan and Gladen, with the interval of Lang and Reiczigel. With groups, the
    effective number of images takes the place of the number, as in `proportion_interval`. The
    correction holds for images like those of the validation set.

    If the validation images come from groups, such as fields of view, pass the counts of each: in
    simulations of 200 positive and 200 negative ones in 10 groups with a correlation of 0.2, 95 %
    intervals from totals contained the true proportion in 61 to 83 % of cases, those from counts of
    each group in 93 to 100 %. If there is only one group, there is no interval.

    References
    ----------
    - W. J. Rogan, B. Gladen, "Estimating prevalence from the results of a screening test", American
      Journal of Epidemiology 107, 1978, pp. 71-76.
    - Z. Lang, J. Reiczigel, "Confidence limits for prevalence of disease adjusted for estimated
      sensitivity and specificity", Preventive Veterinary Medicine 113, 2014, pp. 13-22.

    Examples
    --------
    >>> from nucrec.evaluate import corrected_proportion, proportion_interval
    >>> low, high = proportion_interval(68, 1000)
    >>> round(low, 3), round(high, 3)  # what is counted is 6.8 %
    (0.054, 0.085)
    >>> found = corrected_proportion(68, 1000, sensitivity=(190, 200), specificity=(190, 200))
    >>> round(found.value, 3), round(found.low, 3), round(found.high, 3)
    (0.02, 0.0, 0.054)
    """
    count = _count(("positive", "n"), positive, n, confidence)
    hits = _rate("sensitivity", sensitivity, confidence)
    rejected = _rate("specificity", specificity, confidence)
    in_groups = np.ndim(positive) or np.ndim(sensitivity[0]) or np.ndim(specificity[0])
    method = "Lang-Reiczigel" + (", groups" if in_groups else "")
    if hits.share + rejected.share <= 1:
        return Metric(math.nan, 0.0, 1.0, method)
    if not count.n or math.isnan(count.effect):
        return Metric(math.nan, math.nan, math.nan, method)
    value = rogan_gladen(count.share, hits.share, rejected.share)
    if math.isnan(hits.effect) or math.isnan(rejected.effect):
        return Metric(value, math.nan, math.nan, method)
    low, high = lang_reiczigel(count.effective, hits.effective, rejected.effective, count.reach)
    return Metric(value, min(low, value), max(high, value), method)


class _Count(NamedTuple):
    """The number of images, the number with a property, and the dependence between images."""

    successes: int
    n: int
    effect: float
    reach: float

    @property
    def share(self) -> float:
        return self.successes / self.n

    @property
    def effective(self) -> tuple[float, float]:
        """The numbers of independent images that say as much."""
        return self.successes / self.effect, self.n / self.effect

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(*self.effective, self.reach)


def _count(
    names: tuple[str, str], successes: npt.ArrayLike, n: npt.ArrayLike, confidence: float
) -> _Count:
    """Check counts, in all or by group."""
    check_real("confidence", confidence, low=0, high=1, open_ends=True)
    hits, sizes = _whole(names[0], successes), _whole(names[1], n)
    if hits.shape != sizes.shape:
        raise invalid(names[0], f"as many numbers as {names[1]}", f"shape {hits.shape}")
    if (hits > sizes).any():
        raise invalid(names[0], f"at most {names[1]}, {sizes.tolist()}", hits.tolist())
    total, size = int(hits.sum()), int(sizes.sum())
    if not sizes.ndim or not size:
        return _Count(total, size, 1.0, Design(size, None).reach(confidence))
    groups = np.repeat(np.arange(np.count_nonzero(sizes)), sizes[sizes > 0])
    outcomes = np.repeat(np.tile([1.0, 0.0], sizes.size), np.c_[hits, sizes - hits].ravel())
    design = Design(size, groups)
    return _Count(total, size, design.effect(outcomes, outcomes > 0), design.reach(confidence))


def _whole(name: str, values: npt.ArrayLike) -> Array:
    """Return one whole number of at least 0, or a list of them, as an array."""
    array = np.asarray(values)
    numeric = array.ndim < 2 and array.size and array.dtype.kind in "iuf"
    if not numeric or not (np.isfinite(array) & (array >= 0) & (array == np.floor(array))).all():
        raise invalid(name, "a whole number of at least 0, or one for each group", values)
    return array.astype(np.int64)


def _rate(name: str, pair: tuple[npt.ArrayLike, npt.ArrayLike], confidence: float) -> _Count:
    """Return how many of a validation set were right, and of how many.

    With groups, the effective number is smaller by what Student's t exceeds the normal quantile.
    """
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise invalid(name, "a pair: how many were right, and of how many", pair)
    count = _count((f"{name}[0]", f"{name}[1]"), *pair, confidence)
    if not count.n:
        raise invalid(f"{name}[1]", "at least one image", pair[1])
    usual = Design(count.n, None).reach(confidence)
    return count._replace(effect=count.effect * (count.reach / usual) ** 2)
