"""The result of one test."""

import math
from dataclasses import dataclass

from nucrec import _text as fmt
from nucrec._notebook import Facts


@dataclass(frozen=True)
class TestResult(Facts):
    """The result of a test for an increase.

    Attributes
    ----------
    p_value : float
        The one-sided p-value; NaN if it is not estimable.
    method : str
        The test, or why it is not estimable.
    statistic : float
        The test statistic; NaN if the test has none.
    p_two_sided : float
        The two-sided p-value; NaN if it is not computed.
    p_adjusted : float
        The p-value adjusted for the number of doses; NaN for a single test.
    p_smallest : float
        The smallest p-value that a permutation test of this design can give; NaN for other tests.

    Examples
    --------
    >>> from nucrec.assay import TestResult
    >>> TestResult(0.004, "Fisher's exact test").is_estimable
    True
    """

    __test__ = False  # not a test for pytest

    p_value: float
    method: str
    statistic: float = math.nan
    p_two_sided: float = math.nan
    p_adjusted: float = math.nan
    p_smallest: float = math.nan

    def __str__(self) -> str:
        """Return the p-value (adjusted, if available) with the name of the test."""
        return f"{fmt.p(self.p)} ({self.method})" if self.is_estimable else self.method

    @property
    def is_estimable(self) -> bool:
        """Whether there is a p-value."""
        return not math.isnan(self.p_value)

    def can_reach(self, alpha: float) -> bool:
        """Return whether the design can give a p-value below a level.

        Parameters
        ----------
        alpha : float
            The significance level.

        Returns
        -------
        bool
            False if there are too few arrangements of units: three against three have 20.
        """
        return not self.p_smallest >= alpha

    @property
    def p(self) -> float:
        """The adjusted p-value if there is one, otherwise the p-value."""
        return self.p_value if math.isnan(self.p_adjusted) else self.p_adjusted
