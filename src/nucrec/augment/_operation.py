"""Operations of a pipeline, which separate drawing random values from applying them.

The parameter of an operation is either a fixed number or a range ``(low, high)``, from which a value
is drawn for each image. `p` is the probability that the operation is applied at all.
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
    """The limits of a parameter, and whether its values are drawn log-uniformly."""

    low: float
    high: float
    log: bool = False


class Operation(ABC):
    """An operation on images: `sample` draws its random values, and a pure function applies them.

    Examples
    --------
    >>> import numpy as np
    >>> from nucrec.augment import Operation, Rotate
    >>> operation = Rotate((-90, 90))
    >>> isinstance(operation, Operation), list(operation.sample(np.random.default_rng(0)))
    (True, ['degrees'])
    """

    p: float
    bounds: ClassVar[Mapping[str, Bounds]] = {}
    """The parameters that take a number or a range."""

    def __post_init__(self) -> None:
        for name, bound in self.bounds.items():
            _check_range(name, getattr(self, name), bound)
        check_real("p", self.p, low=0, high=1)

    def sample(self, rng: np.random.Generator) -> Values:
        """Draw the values for one image, regardless of `p`.

        Parameters
        ----------
        rng : numpy.random.Generator
            The source of the random values.

        Returns
        -------
        dict of str to float
            The values needed to reproduce the operation.
        """
        return {name: self._draw(name, rng) for name in self.bounds}

    def _draw(self, name: str, rng: np.random.Generator) -> float:
        """Draw from the range of a parameter; a fixed number is returned unchanged."""
        value = getattr(self, name)
        low, high = value if isinstance(value, tuple) else (value, value)
        if low == high:
            return float(low)
        if self.bounds[name].log:
            return math.exp(rng.uniform(math.log(low), math.log(high)))
        return float(rng.uniform(low, high))

    def draw(self, rng: np.random.Generator) -> Values | None:
        """Draw the values for one image, or return None if the operation is not applied.

        The generator always advances by the same amount, so `p` does not affect other draws.

        Parameters
        ----------
        rng : numpy.random.Generator
            The source of the random values.
        """
        applied = bool(rng.random() < self.p)
        values = self.sample(rng)
        return values if applied else None


class Geometric(Operation):
    """A geometric operation: an affine map about the image centre.

    Examples
    --------
    >>> from nucrec.augment import Geometric, Rotate
    >>> operation = Rotate(90)
    >>> isinstance(operation, Geometric)
    True
    >>> operation.matrix({"degrees": 90.0}, (64, 64)).shape
    (3, 3)
    """

    @abstractmethod
    def matrix(self, values: Values, shape: tuple[int, int]) -> Array:
        """Return the affine map.

        Parameters
        ----------
        values : dict of str to float
            The values that `sample` returned.
        shape : (height, width)
            The size of the image, in pixels.

        Returns
        -------
        ndarray of shape (3, 3)
            Maps (x, y, 1), in pixels relative to the image centre, to the new position.
        """


class Intensity(Operation):
    """An operation that changes pixel values.

    Examples
    --------
    >>> import numpy as np
    >>> from nucrec.augment import Gamma, Intensity
    >>> isinstance(Gamma(2.0), Intensity)
    True
    """

    @abstractmethod
    def apply(self, image: Array, values: Values) -> Array:
        """Return the augmented image.

        Parameters
        ----------
        image : ndarray of float32
            The image, in the range of its original dtype.
        values : dict of str to float
            The values that `sample` returned.

        Returns
        -------
        ndarray of float32
            The result; the caller rounds it and clips it to the range of the original dtype.
        """


def _check_range(name: str, value: object, bound: Bounds) -> None:
    pair: tuple[Any, ...] = value if isinstance(value, tuple) else (value, value)
    if len(pair) != 2 or isinstance(value, list):
        raise invalid(name, "a number or a pair (low, high)", value)
    first, last = (check_real(name, v, low=bound.low, high=bound.high) for v in pair)
    if first > last:
        raise invalid(name, "low <= high", value)
