"""The operations of a pipeline: each draws its values apart from applying them.

An operation takes a number, which is used as it is, or a range ``(low, high)``, from which a
value is drawn uniformly for each image; `p` is the probability that it is applied at all.
"""

import math
from abc import ABC, abstractmethod
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nucrec._validation import check_real, invalid

Array = npt.NDArray[Any]
Range: TypeAlias = float | tuple[float, float]
Values: TypeAlias = dict[str, float]
"""The values that were drawn for one image: enough to replay the operation."""


class Operation(ABC):
    """One change to an image: `sample` draws its values, and what applies them is a pure function."""

    p: float

    @abstractmethod
    def sample(self, rng: np.random.Generator) -> Values:
        """Draw the values for one image, as if the operation were applied.

        Parameters
        ----------
        rng : numpy.random.Generator
            Where the values come from.

        Returns
        -------
        dict of str to float
            Enough to replay the operation.
        """

    def draw(self, rng: np.random.Generator) -> Values | None:
        """Draw the values for one image, or None if the operation leaves it as it is.

        The generator is always advanced alike, so that `p` does not shift the draws of others.

        Parameters
        ----------
        rng : numpy.random.Generator
            Where the values come from.
        """
        applied = bool(rng.random() < self.p)
        values = self.sample(rng)
        return values if applied else None


class Geometric(Operation):
    """An operation that moves pixels, as a linear map about the image's centre."""

    @abstractmethod
    def matrix(self, values: Values, shape: tuple[int, int]) -> Array:
        """Return the map that moves the pixels.

        Parameters
        ----------
        values : dict of str to float
            What `sample` returned.
        shape : (height, width)
            Of the image, in pixels.

        Returns
        -------
        ndarray of shape (3, 3)
            Maps (x, y, 1), in pixels about the image's centre, to where it goes.
        """


class Intensity(Operation):
    """An operation that changes the values of pixels."""

    @abstractmethod
    def apply(self, image: Array, values: Values) -> Array:
        """Return a changed image.

        Parameters
        ----------
        image : ndarray of float32
            In the range of the original dtype.
        values : dict of str to float
            What `sample` returned.

        Returns
        -------
        ndarray of float32
            The caller rounds it and clips it to the range of the original dtype.
        """


def check_range(name: str, value: object, low: float, high: float) -> tuple[float, float]:
    """Return (low, high) of a number or a range."""
    pair: tuple[Any, ...] = tuple(value) if isinstance(value, tuple | list) else (value, value)
    if len(pair) != 2:
        raise invalid(name, "a number or a pair (low, high)", value)
    first, last = (check_real(name, v, low=low, high=high) for v in pair)
    if first > last:
        raise invalid(name, "low <= high", value)
    return first, last


def uniform(rng: np.random.Generator, value: Range) -> float:
    """Draw from a range, or return a number as it is."""
    low, high = value if isinstance(value, tuple) else (value, value)
    return float(rng.uniform(low, high))


def log_uniform(rng: np.random.Generator, value: Range) -> float:
    """Draw a factor so that twice and half are equally likely."""
    low, high = value if isinstance(value, tuple) else (value, value)
    return low if low == high else float(math.exp(rng.uniform(math.log(low), math.log(high))))


def check_p(p: float) -> None:
    """Raise unless `p` is a probability."""
    check_real("p", p, low=0, high=1)
