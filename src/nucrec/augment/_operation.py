"""The operations of a pipeline: each draws its values apart from applying them.

An operation takes a number, which is used as it is, or a range ``(low, high)``, from which a
value is drawn uniformly for each image; `p` is the probability that it is applied at all.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from nucrec._validation import check_real, invalid

Array = npt.NDArray[Any]
Range: TypeAlias = float | tuple[float, float]
Values: TypeAlias = dict[str, float]
"""The values that were drawn for one image: enough to replay the operation."""


class Bounds(NamedTuple):
    """What a parameter may be, and whether values are drawn evenly on a logarithmic scale."""

    low: float
    high: float
    log: bool = False


class Operation(ABC):
    """One change to an image: `sample` draws its values, and what applies them is a pure function."""

    p: float
    bounds: ClassVar[Mapping[str, Bounds]] = {}
    """The parameters that take a number or a range."""

    def __post_init__(self) -> None:
        for name, bound in self.bounds.items():
            _check_range(name, getattr(self, name), bound)
        check_real("p", self.p, low=0, high=1)

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
        return {name: self._draw(name, rng) for name in self.bounds}

    def _draw(self, name: str, rng: np.random.Generator) -> float:
        """Draw from the range of a parameter; a number is returned as it is."""
        value = getattr(self, name)
        low, high = value if isinstance(value, tuple) else (value, value)
        if low == high:
            return float(low)
        if self.bounds[name].log:
            return math.exp(rng.uniform(math.log(low), math.log(high)))
        return float(rng.uniform(low, high))

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


def _check_range(name: str, value: object, bound: Bounds) -> None:
    pair: tuple[Any, ...] = value if isinstance(value, tuple) else (value, value)
    if len(pair) != 2 or isinstance(value, list):
        raise invalid(name, "a number or a pair (low, high)", value)
    first, last = (check_real(name, v, low=bound.low, high=bound.high) for v in pair)
    if first > last:
        raise invalid(name, "low <= high", value)
