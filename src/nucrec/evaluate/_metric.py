"""A number with its interval."""

from dataclasses import dataclass

from nucrec._notebook import Facts
from nucrec._text import interval, number


@dataclass(frozen=True)
class Metric(Facts):
    """A value with its interval.

    Attributes
    ----------
    value : float
        The metric; NaN if it is undefined.
    low, high : float
        The interval; NaN if there is none.
    method : str
        The method of the interval: "Wilson", "Jeffreys", "Newcombe", "Lang-Reiczigel" or another, with
        ", groups" if images were weighted by their groups, and ", paired" for a difference.

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
