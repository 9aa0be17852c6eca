"""The distribution of historical controls."""

import math
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._shares import student_quantile
from nucrec.assay._names import plain
from nucrec.assay._source import Source, read_source
from nucrec.errors import DatasetError

Array = npt.NDArray[Any]

FEWEST_EXPERIMENTS = 10
PREFERRED_EXPERIMENTS = 20
_RATES = ("rate", "per_1000", "rate_per_1000", "mn_per_1000")


@dataclass(frozen=True)
class HistoricalControls:
    """The rates of earlier control cultures, and the limits in which the next is expected.

    Attributes
    ----------
    n : int
        The number of experiments.
    mean : float
        Of their rates, per 1000 cells.
    low, high : float
        The limits that contain 95 % of single control rates; NaN for fewer than ten experiments.

    Examples
    --------
    >>> from nucrec.assay import HistoricalControls
    >>> HistoricalControls(20, 6.4, 3.1, 10.9).contains(12.0)
    False
    """

    n: int
    mean: float
    low: float
    high: float

    def contains(self, rate: float) -> bool:
        """Return whether a rate lies within the limits.

        Parameters
        ----------
        rate : float
            Per 1000 cells.

        Returns
        -------
        bool
            Whether it does.
        """
        return self.low <= rate <= self.high


def read_historical(historical: str | PathLike[str] | Any) -> HistoricalControls:
    """Return the distribution of the controls in a table with one row for each experiment.

    Raises
    ------
    InvalidParameterError, DatasetNotFoundError, DatasetError
        It is no such table, or a number in it is not possible.
    """
    rates = _rates(read_source(historical, *_RATES, name="historical"))
    roots = np.sqrt(rates)
    n, mean = len(rates), float(roots.mean())
    if n < FEWEST_EXPERIMENTS:
        return HistoricalControls(n, float(rates.mean()), math.nan, math.nan)
    half = student_quantile(0.975, n - 1) * float(roots.std(ddof=1)) * math.sqrt(1 + 1 / n)
    low, high = max(0.0, mean - half) ** 2, (mean + half) ** 2
    return HistoricalControls(n, float(rates.mean()), low, high)


def _rates(source: Source) -> Array:
    if "n_scored" in source and "n_micronucleated" in source:
        scored, found = source.whole("n_scored"), source.whole("n_micronucleated")
        if (found > scored).any():
            row = int((found > scored).argmax())
            raise source.fault("n_micronucleated", row, f"at most {scored[row]}, the cells scored")
        if (scored == 0).any():
            raise source.fault("n_scored", int((scored == 0).argmax()), "at least 1")
        return 1000 * found / scored
    own = next((name for name in source.columns if plain(name) in _RATES), None)
    if own is None:
        raise DatasetError(
            f"{source.name}: historical controls need n_scored and n_micronucleated, or a rate per "
            f"1000 cells in a column 'rate'. Received: {', '.join(source.columns)}"
        )
    named = Source(source.name, source.columns, {**source.called, "rate": own}, source.where)
    rates = named.numbers("rate", "a number from 0 to 1000")
    bad = ~((rates >= 0) & (rates <= 1000))
    if bad.any():
        raise named.fault("rate", int(bad.argmax()), "a number from 0 to 1000")
    return rates
