"""Likelihood ratios and predictive values, at a given prevalence."""

import math
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from nucrec import _text as fmt
from nucrec._notebook import Facts
from nucrec._text import number, text_table
from nucrec._validation import check_real
from nucrec.evaluate._metric import Metric

METHOD = "MOVER"


class _Span(NamedTuple):
    """A value, and both ends of its interval."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, metric: Metric) -> "_Span":
        return cls(metric.value, metric.low, metric.high)

    @property
    def rest(self) -> "_Span":
        """The share of the others."""
        return _Span(1 - self.value, 1 - self.high, 1 - self.low)

    def after(self, prevalence: float) -> "_Span":
        """Return the shares that follow from likelihood ratios, by Bayes' theorem."""
        return _Span(*(_posterior(prevalence, ratio) for ratio in self))


@dataclass(frozen=True)
class PredictiveValues(Facts):
    """The predictive values and likelihood ratios of a classifier at a stated prevalence.

    Precision depends on how frequent the positive class is in the test set: a classifier whose
    precision is 0.95 on as many micronuclei as normal nuclei is mostly wrong when it answers
    "micronucleus" where 1 % are micronuclei. Sensitivity, specificity and likelihood ratios do not.

    Attributes
    ----------
    positive_class : str
        The class of index 1.
    prevalence : float
        The share of the positive class, as stated.
    sensitivity, specificity : Metric
        The share of positive images called positive, and of negative images called negative.
    positive_likelihood_ratio : Metric
        How much more often a positive image is called positive than a negative one: sensitivity /
        (1 - specificity); infinite without false positives.
    negative_likelihood_ratio : Metric
        How much more often a positive image is called negative than a negative one:
        (1 - sensitivity) / specificity.
    positive_predictive_value : Metric
        The share of images called positive that are positive.
    negative_predictive_value : Metric
        The share of images called negative that are negative.

    Examples
    --------
    >>> from nucrec.evaluate import report
    >>> truth = [0] * 200 + [1] * 200
    >>> found = [1] * 10 + [0] * 190 + [1] * 190 + [0] * 10
    >>> at = report(truth, found).at_prevalence(0.01)
    >>> print(at.positive_predictive_value)
    0.16 (0.10 to 0.26)
    """

    positive_class: str
    prevalence: float
    sensitivity: Metric
    specificity: Metric
    positive_likelihood_ratio: Metric
    negative_likelihood_ratio: Metric
    positive_predictive_value: Metric
    negative_predictive_value: Metric

    @classmethod
    def of(
        cls, positive_class: str, prevalence: float, sensitivity: Metric, specificity: Metric
    ) -> "PredictiveValues":
        """Return the values for a sensitivity and a specificity.

        Parameters
        ----------
        positive_class : str
            The name of the positive class.
        prevalence : float
            The share of the positive class, strictly between 0 and 1.
        sensitivity, specificity : Metric
            The recall of the positive and of the negative class, with intervals.

        Returns
        -------
        PredictiveValues
            Ratios and predictive values, with intervals from those of sensitivity and specificity.

        Raises
        ------
        InvalidParameterError
            The prevalence is out of range.
        """
        check_real("prevalence", prevalence, low=0, high=1, open_ends=True)
        hits, rejected = _Span.of(sensitivity), _Span.of(specificity)
        positive = _ratio(hits, rejected.rest)
        negative = _ratio(hits.rest, rejected)
        of_groups = "groups" in sensitivity.method + specificity.method
        method = METHOD + (", groups" if of_groups else "")
        ratios = positive, negative, positive.after(prevalence), negative.after(prevalence).rest
        metrics = [Metric(*span, method) for span in ratios]
        return cls(positive_class, float(prevalence), sensitivity, specificity, *metrics)

    def __str__(self) -> str:
        of = f"at {fmt.percent(self.prevalence)} {self.positive_class}"
        rows = [
            (name.replace("_", " "), *(number(x, 3) for x in (m.value, m.low, m.high)), m.method)
            for name, m in self._metrics.items()
        ]
        return text_table((of, "value", "low", "high", "method"), rows)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain dicts and numbers."""
        return asdict(self)

    @property
    def _metrics(self) -> dict[str, Metric]:
        return {name: value for name, value in vars(self).items() if isinstance(value, Metric)}


def _posterior(prevalence: float, ratio: float) -> float:
    if math.isinf(ratio):
        return 1.0
    return prevalence * ratio / (prevalence * ratio + 1 - prevalence)


def _ratio(above: _Span, below: _Span) -> _Span:
    """Return the ratio of two independent shares, with the interval that follows from theirs.

    A. Donner, G. Y. Zou, "Closed-form confidence intervals for functions of the normal mean and
    standard deviation", Statistical Methods in Medical Research 21, 2012, pp. 347-359 (MOVER for
    ratios); the lower end is written so that it holds for a share of 0, too.
    """
    if math.isnan(above.low) or math.isnan(below.low):
        return _Span(_divide(above.value, below.value), math.nan, math.nan)
    product = above.value * below.value
    least, most = (end * (2 * above.value - end) for end in (above.low, above.high))
    largest, smallest = (end * (2 * below.value - end) for end in (below.high, below.low))
    low = 0.0
    if least:  # rounding may leave less than 0 where an interval has no width
        low = _divide(least, product + math.sqrt(max(0.0, product**2 - least * largest)))
    high = math.inf
    if smallest:
        high = (product + math.sqrt(max(0.0, product**2 - most * smallest))) / smallest
    return _Span(_divide(above.value, below.value), low, high)


def _divide(a: float, b: float) -> float:
    if b:
        return a / b
    return math.inf if a else math.nan
