"""Comparing classifiers that answered for the same images."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._text import interval, number, percent, text_table
from nucrec._validation import invalid
from nucrec.evaluate._inputs import check_resampling
from nucrec.evaluate._intervals import percentile_interval
from nucrec.evaluate._metric import Metric, title
from nucrec.evaluate._sample import Sample

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Comparison:
    """What `compare` found.

    Attributes
    ----------
    n : int
        Number of images.
    only_a, only_b : int
        Images that only the first, and only the second, got right.
    p_value : float
        Of the test that both are right equally often, two-sided.
    test : str
        "exact McNemar", or "exact sign flips of groups" if groups were given.
    differences : mapping of str to Metric
        The first's metric minus the second's, with the paired bootstrap's interval.
    confidence : float
        Of the intervals.

    Examples
    --------
    >>> from nucrec.evaluate import compare
    >>> print(compare([0, 0, 1, 1, 1, 1], [0, 0, 1, 1, 1, 1], [0, 0, 1, 0, 0, 1]).p_value)
    0.5
    """

    n: int
    only_a: int
    only_b: int
    p_value: float
    test: str
    differences: Mapping[str, Metric]
    confidence: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "differences", MappingProxyType(dict(self.differences)))

    def __reduce__(self) -> tuple[Any, ...]:
        # mapping proxies cannot be pickled: hand over a plain dict
        counts = (self.n, self.only_a, self.only_b, self.p_value, self.test)
        return Comparison, (*counts, dict(self.differences), self.confidence)

    def __str__(self) -> str:
        lines = [
            f"{self.n} images; right in the first alone {self.only_a}, in the second alone "
            f"{self.only_b}; {self.test}: p = {self.p_value:.3g}",
            "",
            text_table(
                ("difference", "value", f"interval ({percent(self.confidence)})"),
                [
                    (title(name), number(found.value), interval(found.low, found.high))
                    for name, found in self.differences.items()
                ],
            ),
        ]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain dicts and numbers.

        Returns
        -------
        dict
            ``{"n", "only_a", "only_b", "p_value", "test", "confidence", "differences": {"ACC":
            {"value", "low", "high", "method"}, ...}}``.
        """
        return {
            "n": self.n,
            "only_a": self.only_a,
            "only_b": self.only_b,
            "p_value": self.p_value,
            "test": self.test,
            "confidence": self.confidence,
            "differences": {name: asdict(found) for name, found in self.differences.items()},
        }


def compare(
    y_true: npt.ArrayLike,
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    *,
    score_a: npt.ArrayLike | None = None,
    score_b: npt.ArrayLike | None = None,
    class_names: Sequence[str] | None = None,
    groups: npt.ArrayLike | None = None,
    confidence: float = 0.95,
    n_resamples: int = 2000,
    random_state: int = 0,
) -> Comparison:
    """Compare two classifiers that answered for the same images.

    Parameters
    ----------
    y_true, a, b : array_like of int or str, shape (n,)
        True classes, and those that each of both predicted.
    score_a, score_b : array_like of float, shape (n,) or (n, n_classes), optional
        Scores of both; with them AUC is compared as well.
    class_names, groups, confidence, n_resamples, random_state : optional
        As in `report`.

    Returns
    -------
    Comparison
        A test of whether one is right more often, and the difference of each metric.

    Raises
    ------
    InvalidParameterError
        As in `report`.

    Notes
    -----
    McNemar's exact test looks at the images that only one got right: if both were equally good,
    each would be as likely the one's as the other's. With groups, whole groups change sides
    instead, and the distribution of the sum is computed exactly; with one image in each group both
    are the same test. Differences are those of both metrics in the same resamples.

    References
    ----------
    - Q. McNemar, Psychometrika 12, 1947, pp. 153-157.
    - B. Efron, R. Tibshirani, "An Introduction to the Bootstrap", 1993, chapters 8 and 13.

    Examples
    --------
    >>> from nucrec.evaluate import compare
    >>> truth = [0, 1] * 20
    >>> good, poor = truth[:36] + [1, 0] * 2, truth[:24] + [1, 0] * 8
    >>> found = compare(truth, good, poor)
    >>> found.only_a, found.only_b, round(found.p_value, 4)
    (12, 0, 0.0005)
    >>> round(found.differences["ACC"].value, 3)
    0.3
    """
    check_resampling(confidence, n_resamples, random_state)
    if (score_a is None) != (score_b is None):
        raise invalid("score_a and score_b", "both or none", "one of them")
    first, second = paired_samples(y_true, [a, b], [score_a, score_b], class_names, groups)
    right_a, right_b = (sample.predicted == sample.true for sample in (first, second))
    apart = first.values() - second.values()
    drawn = [sample.resampled(n_resamples, random_state) for sample in (first, second)]
    return Comparison(
        n=len(first.true),
        only_a=int((right_a & ~right_b).sum()),
        only_b=int((right_b & ~right_a).sum()),
        p_value=exact_p_value(first, second),
        test=name_of_test(first),
        differences={
            key: Metric(
                float(apart[k]), *difference_span(drawn, k, confidence, first.n_units), first.method
            )
            for k, (key, name) in enumerate(first.columns)
            if not name
        },
        confidence=float(confidence),
    )


def sign_flip_p_value(differences: Array) -> float:
    """Return the two-sided p-value of a sum of whole numbers, if each could as well be negative.

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


def paired_samples(
    y_true: npt.ArrayLike,
    predictions: Sequence[npt.ArrayLike],
    scores: Sequence[npt.ArrayLike | None],
    class_names: Sequence[str] | None,
    groups: npt.ArrayLike | None,
) -> list[Sample]:
    """Return the samples, all with the same classes: those that occur in any."""
    arrays = [np.asarray(each) for each in (y_true, *predictions)]
    if class_names is None:
        shapes = {array.shape for array in arrays}
        if len(shapes) > 1:
            raise invalid("predictions", "as many values as y_true", sorted(shapes))
        everything = Sample.of(np.concatenate(arrays), np.concatenate(arrays), None, None, None)
        if arrays[0].dtype.kind in "biuf":
            arrays = np.split(everything.true, len(arrays))
        class_names = everything.names
    return [
        Sample.of(arrays[0], predicted, score, class_names, groups)
        for predicted, score in zip(arrays[1:], scores, strict=True)
    ]


def exact_p_value(first: Sample, second: Sample) -> float:
    """Return the p-value of both being right equally often."""
    from scipy.stats import binomtest

    apart = (first.predicted == first.true).astype(int) - (second.predicted == second.true)
    if first.groups is not None:
        return sign_flip_p_value(np.bincount(first.groups, apart).astype(int))
    discordant = np.count_nonzero(apart)
    return float(binomtest(np.count_nonzero(apart > 0), discordant).pvalue) if discordant else 1.0


def name_of_test(sample: Sample) -> str:
    """Return what `exact_p_value` does."""
    return "exact McNemar" if sample.groups is None else "exact sign flips of groups"


def difference_span(
    drawn: Sequence[Array], column: int, confidence: float, n_units: int
) -> tuple[float, float]:
    """Return the interval of a difference, from the same resamples of both."""
    apart = drawn[0][:, column] - drawn[1][:, column]
    return percentile_interval(apart, confidence, n_units)
