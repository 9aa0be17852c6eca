"""The distribution of historical controls."""

import math
import re
from dataclasses import dataclass, replace
from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._notebook import Facts
from nucrec._reading.column_names import plain
from nucrec._shares import student_quantile
from nucrec.assay._source import Source, read_source
from nucrec.errors import DatasetError

Array = npt.NDArray[Any]

FEWEST_EXPERIMENTS = 10
PREFERRED_EXPERIMENTS = 20
_RATES = (
    "rate",
    "per_1000",
    "rate_per_1000",
    "mn_per_1000",
    "percent",
    "rate_percent",
    "rate_per_cent",
    "rate_pct",
    "mn_percent",
)
_PER_MILLE = re.compile(r"‰|per ?mille|per thousand")
_PER_CENT = re.compile(r"%|(?<![a-z])(?:per[ _]?cent|pct)(?![a-z])")
_PER_NUMBER = re.compile(r"(?:per|/)[ _]*(\d[\d.,' ]*)")

_TOLERANCE = 1e-9


@dataclass(frozen=True)
class HistoricalControls(Facts):
    """The distribution of historical control rates, with limits for single rates.

    Attributes
    ----------
    n : int
        The number of experiments.
    mean : float
        The mean rate, per 1000 cells.
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

    @classmethod
    def from_table(cls, table: str | PathLike[str] | object) -> "HistoricalControls":
        """Compute the distribution of the controls in a table.

        Parameters
        ----------
        table : path, mapping of columns, or data frame
            One row per experiment, with the numbers of scored and micronucleated cells, or a
            ``rate`` per 1000 cells. A unit in the column name is respected: ``rate (%)`` and
            ``rate_percent`` are multiplied by 10.

        Returns
        -------
        HistoricalControls
            The distribution, with limits from Student's t prediction interval of the square roots
            of the rates.

        Raises
        ------
        InvalidParameterError, DatasetNotFoundError, DatasetError
            The table is not of this kind, a number in it is impossible, or the unit of the rate is
            unknown.

        Examples
        --------
        >>> from nucrec.assay import HistoricalControls
        >>> rates = [4.1, 5.0, 6.2, 3.9, 5.5, 4.8, 5.1, 6.0, 4.4, 5.7]
        >>> found = HistoricalControls.from_table({"rate": rates})
        >>> f"{found.n} experiments, {found.low:.1f} to {found.high:.1f} per 1000"
        '10 experiments, 3.3 to 7.1 per 1000'
        """
        rates = _rates(read_source(table, *_RATES, name="historical"))
        n, average = len(rates), float(rates.mean())
        if n < FEWEST_EXPERIMENTS:
            return cls(n, average, math.nan, math.nan)
        roots = np.sqrt(rates)
        mean = float(roots.mean())
        half = student_quantile(0.975, n - 1) * float(roots.std(ddof=1)) * math.sqrt(1 + 1 / n)
        return cls(n, average, max(0.0, mean - half) ** 2, (mean + half) ** 2)

    def contains(self, rate: float) -> bool:
        """Return whether a rate lies within the limits.

        Parameters
        ----------
        rate : float
            The rate, per 1000 cells.

        Returns
        -------
        bool
            True within the limits.
        """
        slack = _TOLERANCE * max(1.0, abs(rate))
        return self.low - slack <= rate <= self.high + slack

    def is_below(self, rate: float) -> bool:
        """Return whether a rate lies above the limits.

        Parameters
        ----------
        rate : float
            The rate, per 1000 cells.

        Returns
        -------
        bool
            True above the limits.
        """
        return rate > self.high and not self.contains(rate)


def historical_of(historical: object) -> HistoricalControls:
    """Return the given historical controls, or those in a table."""
    if isinstance(historical, HistoricalControls):
        return historical
    return HistoricalControls.from_table(historical)


def _rates(source: Source) -> Array:
    if "n_scored" in source and "n_micronucleated" in source:
        scored, found = source.whole("n_scored"), source.whole("n_micronucleated")
        if (found > scored).any():
            row = int((found > scored).argmax())
            raise source.fault(
                "n_micronucleated", row, f"at most {scored[row]}, the number of scored cells"
            )
        if (scored == 0).any():
            raise source.fault("n_scored", int((scored == 0).argmax()), "at least 1")
        return 1000 * found / scored
    own = next((name for name in source.columns if plain(name) in _RATES), None)
    if own is None:
        raise DatasetError(
            f"{source.name}: historical controls need n_scored and n_micronucleated, or a "
            f"rate per 1000 cells in a column 'rate'. Received: {', '.join(source.names)}"
        )
    named = replace(source, called={**source.called, "rate": own})
    unit = _unit(source, own)
    expected = f"a number from 0 to {unit:g}"
    rates = named.numbers("rate", expected)
    bad = ~((rates >= 0) & (rates <= unit))
    if bad.any():
        raise named.fault("rate", int(bad.argmax()), expected)
    return rates * (1000 / unit)


def _unit(source: Source, column: str) -> int:
    """Return the number of cells that a rate refers to, from its column name; 1000 by default."""
    name = column.casefold()
    number = _PER_NUMBER.search(name)
    cells = int(re.sub(r"\D", "", number[1])) if number else 0
    if cells:
        return cells
    if _PER_MILLE.search(name):
        return 1000
    if _PER_CENT.search(name):
        return 100
    if re.search(r"[(\[]", name):
        raise DatasetError(
            f"{source.name}: the unit of {column!r} is unknown. Give rates of historical "
            "controls per 1000 cells, as 'rate', or in percent, as 'rate (%)'"
        )
    return 1000
