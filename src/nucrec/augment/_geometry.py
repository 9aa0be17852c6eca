"""Geometric operations: flip, rotate, zoom, shift, shear."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec.augment._operation import Bounds, Geometric, Range, Values

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Flip(Geometric):
    """Flip the image, with probability `p` for each direction.

    Parameters
    ----------
    horizontal, vertical : bool, default=True
        Whether to flip left to right, and top to bottom.
    p : float, default=0.5
        Probability of each flip, from 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from nucrec.augment import Flip, Pipeline
    >>> Pipeline([Flip(vertical=False, p=1)])(np.array([[[1, 2, 3]]], dtype=np.uint8))
    array([[[3, 2, 1]]], dtype=uint8)
    """

    horizontal: bool = True
    vertical: bool = True
    p: float = 0.5

    def sample(self, rng: np.random.Generator) -> Values:
        """Draw a direction for each axis: 1 or -1."""
        x, y = rng.random(2) < self.p
        return {
            "x": -1.0 if x and self.horizontal else 1.0,
            "y": -1.0 if y and self.vertical else 1.0,
        }

    def draw(self, rng: np.random.Generator) -> Values | None:
        """Draw the values for one image; `p` applies to each direction."""
        return self.sample(rng)

    def matrix(self, values: Values, shape: tuple[int, int]) -> Array:
        """Return the flip."""
        return np.array([[values["x"], 0.0, 0.0], [0.0, values["y"], 0.0], [0.0, 0.0, 1.0]])


@dataclass(frozen=True)
class Rotate(Geometric):
    """Rotate the image about its centre.

    Parameters
    ----------
    degrees : float or (low, high), default=(-180, 180)
        Angle, counter-clockwise, from -360 to 360.
    p : float, default=1
        Probability, from 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from nucrec.augment import Pipeline, Rotate
    >>> Pipeline([Rotate(90)])(np.array([[[1, 2], [3, 4]]], dtype=np.uint8))
    array([[[2, 4],
            [1, 3]]], dtype=uint8)
    """

    degrees: Range = (-180.0, 180.0)
    p: float = 1.0
    bounds = {"degrees": Bounds(-360, 360)}

    def matrix(self, values: Values, shape: tuple[int, int]) -> Array:
        """Return the rotation; y points down in an image."""
        angle = math.radians(values["degrees"])
        c, s = math.cos(angle), math.sin(angle)
        return np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])


@dataclass(frozen=True)
class Zoom(Geometric):
    """Enlarge or shrink the content of the image about its centre; the image keeps its size.

    Parameters
    ----------
    factor : float or (low, high), default=(0.8, 1.2)
        Zoom factor, from 0.1 to 10; values above 1 enlarge. Drawn log-uniformly.
    p : float, default=1
        Probability, from 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from nucrec.augment import Pipeline, Zoom
    >>> image = np.array([[0, 0, 0, 0], [0, 9, 9, 0], [0, 9, 9, 0], [0, 0, 0, 0]], dtype=np.uint8)
    >>> Pipeline([Zoom(2.0)])([image])[0]
    array([[5, 7, 7, 5],
           [7, 9, 9, 7],
           [7, 9, 9, 7],
           [5, 7, 7, 5]], dtype=uint8)
    """

    factor: Range = (0.8, 1.2)
    p: float = 1.0
    bounds = {"factor": Bounds(0.1, 10, log=True)}

    def matrix(self, values: Values, shape: tuple[int, int]) -> Array:
        """Return the scaling."""
        factor = values["factor"]
        return np.array([[factor, 0.0, 0.0], [0.0, factor, 0.0], [0.0, 0.0, 1.0]])


@dataclass(frozen=True)
class Shift(Geometric):
    """Shift the image along both axes independently.

    Parameters
    ----------
    fraction : float or (low, high), default=(-0.1, 0.1)
        Shift as a fraction of the image width (to the right) and height (down), from -1 to 1.
    p : float, default=1
        Probability, from 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from nucrec.augment import Pipeline, Shift
    >>> image = np.array([[0, 0, 0, 0], [0, 9, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]], dtype=np.uint8)
    >>> Pipeline([Shift(0.25)])([image])[0]
    array([[0, 0, 0, 0],
           [0, 0, 0, 0],
           [0, 0, 9, 0],
           [0, 0, 0, 0]], dtype=uint8)
    """

    fraction: Range = (-0.1, 0.1)
    p: float = 1.0
    bounds = {"fraction": Bounds(-1, 1)}

    def sample(self, rng: np.random.Generator) -> Values:
        """Draw a fraction for each axis."""
        return {axis: self._draw("fraction", rng) for axis in ("x", "y")}

    def matrix(self, values: Values, shape: tuple[int, int]) -> Array:
        """Return the translation."""
        height, width = shape
        moved = np.eye(3)
        moved[:2, 2] = values["x"] * width, values["y"] * height
        return moved


@dataclass(frozen=True)
class Shear(Geometric):
    """Shear the image along its rows, about its centre.

    Parameters
    ----------
    degrees : float or (low, high), default=(-10, 10)
        Angle by which columns are tilted, from -80 to 80.
    p : float, default=1
        Probability, from 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from nucrec.augment import Pipeline, Shear
    >>> image = np.array([[0, 9, 9, 0], [0, 9, 9, 0], [0, 9, 9, 0]], dtype=np.uint8)
    >>> Pipeline([Shear(45)])([image])[0]
    array([[0, 0, 9, 9],
           [0, 9, 9, 0],
           [9, 9, 0, 0]], dtype=uint8)
    """

    degrees: Range = (-10.0, 10.0)
    p: float = 1.0
    bounds = {"degrees": Bounds(-80, 80)}

    def matrix(self, values: Values, shape: tuple[int, int]) -> Array:
        """Return the shear; the top moves to the right."""
        slanted = np.eye(3)
        slanted[0, 1] = -math.tan(math.radians(values["degrees"]))
        return slanted
