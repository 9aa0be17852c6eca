"""A number with its interval, and what metrics are called."""

from collections.abc import Collection
from dataclasses import dataclass

from nucrec._text import interval, number
from nucrec._validation import invalid

NAMES = {
    "ACC": "accuracy",
    "PRE": "precision",
    "REC": "recall",
    "F1": "f1",
    "MC": "mcc",
    "KS": "kappa",
    "AUC": "auc",
}
"""The standard name of each of the paper's labels."""

_TITLES = {"f1": "F1", "mcc": "MCC", "auc": "AUC"}


@dataclass(frozen=True)
class Metric:
    """A value with its interval.

    Attributes
    ----------
    value : float
        The metric; NaN where it is undefined.
    low, high : float
        The interval; NaN where there is none.
    method : str
        How the interval was found: "Wilson", "Jeffreys", "Newcombe", "Lang-Reiczigel" or another, with
        ", groups" where images in groups count for less, and ", paired" for a difference.

    Examples
    --------
    >>> from nucrec.evaluate import Metric
    >>> print(Metric(0.9, 0.85, 0.956, "Wilson"))
    0.90 (0.85 to 0.96)
    """

    value: float
    low: float
    high: float
    method: str

    def __str__(self) -> str:
        return f"{number(self.value)} ({interval(self.low, self.high)})"


def title(label: str) -> str:
    """Return what a table calls the metric with this label: "MCC" for "MC"."""
    name = NAMES.get(label, label)
    return _TITLES.get(name, name)


def check_metric(parameter: str, name: object, labels: Collection[str] = NAMES) -> str:
    """Return the label of a metric given by its standard name or its label."""
    known = {key: label for label in labels for key in (label, NAMES[label])}
    if not isinstance(name, str) or name not in known:
        choices = ", ".join(repr(NAMES[label]) for label in labels)
        raise invalid(parameter, f"one of {choices}", name)
    return known[name]
