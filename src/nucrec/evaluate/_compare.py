"""Compare classifiers on the same images."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

import numpy.typing as npt

from nucrec import _notebook as show
from nucrec._metric_names import title
from nucrec._text import Row, interval, many, number, percent, text_table
from nucrec._validation import invalid
from nucrec.evaluate._design import Design
from nucrec.evaluate._inputs import (
    by_name,
    check_order,
    check_resampling,
    check_scores,
    encode_many,
    number_groups,
)
from nucrec.evaluate._metric import Metric
from nucrec.evaluate._metrics import FROM_CONFUSION
from nucrec.evaluate._paired import Pair
from nucrec.evaluate._permutation import (
    accuracy_p_value,
    least_p_value,
    limit,
    n_apart,
    name_of_test,
)
from nucrec.evaluate._sample import Sample

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Comparison:
    """The result of `compare`.

    Attributes
    ----------
    n : int
        Number of images.
    only_a, only_b : int
        Number of images that only the first, and only the second, classified correctly.
    p_value : float
        The two-sided p-value of the hypothesis that both are equally accurate.
    test : str
        "exact McNemar", or "exact sign flips of groups" if images share groups.
    differences : mapping of str to Metric
        The metric of the first minus that of the second, with its interval.
    confidence : float
        The confidence of the intervals.
    least_p_value : float
        The smallest p-value that is possible, given the number of images, or groups, on which the
        two differ.

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
    least_p_value: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "differences", MappingProxyType(dict(self.differences)))

    def __reduce__(self) -> tuple[Any, ...]:
        # mapping proxies cannot be pickled: hand over a plain dict
        counts = (self.n, self.only_a, self.only_b, self.p_value, self.test)
        rest = (dict(self.differences), self.confidence, self.least_p_value)
        return Comparison, (*counts, *rest)

    def __str__(self) -> str:
        return "\n".join([self._summary, "", text_table(*self._table)])

    def _repr_html_(self) -> str:
        return show.fragment(show.paragraphs(self._summary), show.table(*self._table))

    @property
    def _summary(self) -> str:
        limited = limit(self.least_p_value, self.confidence, self.test)
        return (
            f"{many(self.n, 'image')}; right in the first alone {self.only_a}, in the second alone "
            f"{self.only_b}; {self.test}: p = {self.p_value:.3g}{limited}"
        )

    @property
    def _table(self) -> tuple[Row, list[Row]]:
        rows: list[Row] = [
            (title(name), number(found.value), interval(found.low, found.high))
            for name, found in self.differences.items()
        ]
        return ("difference", "value", f"interval ({percent(self.confidence)})"), rows

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain dicts and numbers.

        Returns
        -------
        dict
            ``{"n", "only_a", "only_b", "p_value", "least_p_value", "test", "confidence",
            "differences": {"ACC": {"value", "low", "high", "method"}, ...}}``.
        """
        return {
            "n": self.n,
            "only_a": self.only_a,
            "only_b": self.only_b,
            "p_value": self.p_value,
            "least_p_value": self.least_p_value,
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
    """Compare two classifiers on the same images.

    Parameters
    ----------
    y_true, a, b : array_like of int or str, shape (n,)
        The true classes, and the predictions of the two classifiers.
    score_a, score_b : array_like of float, shape (n,) or (n, n_classes), optional
        The scores of the two classifiers; if given, AUC is compared as well.
    class_names, groups, confidence, n_resamples, random_state : optional
        As in `report`.

    Returns
    -------
    Comparison
        A test of whether one is more accurate, and the difference of each metric.

    Raises
    ------
    InvalidParameterError
        As in `report`.

    Notes
    -----
    McNemar's exact test considers the images that only one of the two classified correctly: if both
    were equally accurate, either would be equally likely. With groups, the signs of whole groups are
    flipped instead, and the distribution of the sum is computed exactly; with one image in each
    group, the two tests are identical. Intervals of differences are computed as in `report`, from the
    posterior distribution of the joint table of predictions, and that of the AUC from Newcombe's
    intervals of both areas and their correlation (Zou 2007).

    References
    ----------
    - Q. McNemar, Psychometrika 12, 1947, pp. 153-157.
    - G. Y. Zou, Psychological Methods 12, 2007, pp. 399-413.

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
    pair = Pair(*paired_samples(y_true, {"a": a, "b": b}, [score_a, score_b], class_names, groups))
    overall = [*FROM_CONFUSION, *([] if score_a is None else ["AUC"])]
    return Comparison(
        n=len(pair.apart),
        only_a=int((pair.apart > 0).sum()),
        only_b=int((pair.apart < 0).sum()),
        p_value=accuracy_p_value(pair),
        test=name_of_test(pair, ("ACC", "")),
        differences={
            key: pair.difference((key, ""), confidence, n_resamples, random_state)
            for key in overall
        },
        confidence=float(confidence),
        least_p_value=least_p_value(n_apart(pair, ("ACC", ""))),
    )


def paired_samples(
    y_true: npt.ArrayLike,
    predictions: Mapping[str, npt.ArrayLike],
    scores: Sequence[npt.ArrayLike | None],
    class_names: Sequence[str] | None,
    groups: npt.ArrayLike | None,
) -> list[Sample]:
    """Return samples that share the classes occurring in any of them."""
    names, true, predicted = encode_many(y_true, predictions, class_names)
    design = Design(len(true), number_groups(groups, len(true)))
    scores = [None if each is None else by_name(each, names) for each in scores]
    checked = [
        None if each is None else check_scores(each, len(true), len(names)) for each in scores
    ]
    if class_names is None:
        for given, each, called in zip(scores, checked, predicted, strict=True):
            if given is not None and each is not None:
                check_order(names, given, each, called)
    return [
        Sample(names, true, each, score, design)
        for each, score in zip(predicted, checked, strict=True)
    ]
