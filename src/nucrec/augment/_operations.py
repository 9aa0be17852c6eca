"""The operations of a pipeline: each draws its values apart from applying them.

An operation takes a number, which is used as it is, or a range ``(low, high)``, from which a value is drawn
uniformly for each image; `p` is the probability that it is applied at all.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
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
        """Draw the values for one image, as if the operation were applied."""

    def draw(self, rng: np.random.Generator) -> Values | None:
        """Draw the values for one image, or None if the operation leaves it as it is.

        The generator is always advanced alike, so that `p` does not shift the draws of others.
        """
        applied = bool(rng.random() < self.p)
        values = self.sample(rng)
        return values if applied else None


class Geometric(Operation):
    """An operation that moves pixels, as a linear map about the image's centre."""

    @abstractmethod
    def matrix(self, values: Values, shape: tuple[int, int]) -> Array:
        """Return the 3 x 3 map of (x, y, 1), in pixels about the centre, for an image of `shape`."""


class Intensity(Operation):
    """An operation that changes the values of pixels."""

    @abstractmethod
    def apply(self, image: Array, values: Values) -> Array:
        """Return a changed float32 image; the caller rounds and clips to the original dtype."""


def _check_range(name: str, value: object, low: float, high: float) -> tuple[float, float]:
    """Return (low, high) of a number or a range."""
    pair: tuple[Any, ...] = tuple(value) if isinstance(value, tuple | list) else (value, value)
    if len(pair) != 2:
        raise invalid(name, "a number or a pair (low, high)", value)
    first, last = (check_real(name, v, low=low, high=high) for v in pair)
    if first > last:
        raise invalid(name, "low <= high", value)
    return first, last


def _uniform(rng: np.random.Generator, value: Range) -> float:
    low, high = value if isinstance(value, tuple) else (value, value)
    return float(rng.uniform(low, high))


def _log_uniform(rng: np.random.Generator, value: Range) -> float:
    """Draw a factor so that twice and half are equally likely."""
    low, high = value if isinstance(value, tuple) else (value, value)
    return low if low == high else float(math.exp(rng.uniform(math.log(low), math.log(high))))


def _check_p(p: float) -> None:
    check_real("p", p, low=0, high=1)


@dataclass(frozen=True)
class Flip(Geometric):
    """Mirror the image, with probability `p` for each direction.

    Parameters
    ----------
    horizontal, vertical : bool, default=True
        Whether left and right, and top and bottom, may be exchanged.
    p : float, default=0.5
        Probability of each, from 0 to 1.

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

    def __post_init__(self) -> None:
        _check_p(self.p)

    def sample(self, rng: np.random.Generator) -> Values:
        """Draw a direction for each axis: 1 or -1."""
        x, y = rng.random(2) < self.p
        return {"x": -1.0 if x and self.horizontal else 1.0, "y": -1.0 if y and self.vertical else 1.0}

    def draw(self, rng: np.random.Generator) -> Values | None:
        """Draw the values for one image; `p` counts for each direction."""
        return self.sample(rng)

    def matrix(self, values: Values, shape: tuple[int, int]) -> Array:
        """Return the mirroring."""
        return np.diag([values["x"], values["y"], 1.0])


@dataclass(frozen=True)
class Rotate(Geometric):
    """Turn the image about its centre.

    Parameters
    ----------
    degrees : float or (low, high), default=(-180, 180)
        Counter-clockwise, from -360 to 360.
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

    def __post_init__(self) -> None:
        _check_range("degrees", self.degrees, -360, 360)
        _check_p(self.p)

    def sample(self, rng: np.random.Generator) -> Values:
        """Draw an angle."""
        return {"degrees": _uniform(rng, self.degrees)}

    def matrix(self, values: Values, shape: tuple[int, int]) -> Array:
        """Return the rotation; y points down in an image."""
        angle = math.radians(values["degrees"])
        c, s = math.cos(angle), math.sin(angle)
        return np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])


@dataclass(frozen=True)
class Zoom(Geometric):
    """Enlarge or shrink what the image shows, about its centre; the image keeps its size.

    Parameters
    ----------
    factor : float or (low, high), default=(0.8, 1.2)
        Above 1 enlarges; from 0.1 to 10. Drawn uniformly on a logarithmic scale.
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

    def __post_init__(self) -> None:
        _check_range("factor", self.factor, 0.1, 10)
        _check_p(self.p)

    def sample(self, rng: np.random.Generator) -> Values:
        """Draw a factor."""
        return {"factor": _log_uniform(rng, self.factor)}

    def matrix(self, values: Values, shape: tuple[int, int]) -> Array:
        """Return the scaling."""
        return np.diag([values["factor"], values["factor"], 1.0])


@dataclass(frozen=True)
class Shift(Geometric):
    """Move the image, along both axes independently.

    Parameters
    ----------
    fraction : float or (low, high), default=(-0.1, 0.1)
        Of the image's width (to the right) and height (down), from -1 to 1.
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

    def __post_init__(self) -> None:
        _check_range("fraction", self.fraction, -1, 1)
        _check_p(self.p)

    def sample(self, rng: np.random.Generator) -> Values:
        """Draw a fraction for each axis."""
        return {"x": _uniform(rng, self.fraction), "y": _uniform(rng, self.fraction)}

    def matrix(self, values: Values, shape: tuple[int, int]) -> Array:
        """Return the translation."""
        height, width = shape
        moved = np.eye(3)
        moved[:2, 2] = values["x"] * width, values["y"] * height
        return moved


@dataclass(frozen=True)
class Shear(Geometric):
    """Slant the image along its rows, about its centre.

    Parameters
    ----------
    degrees : float or (low, high), default=(-10, 10)
        Angle by which columns lean, from -80 to 80.
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

    def __post_init__(self) -> None:
        _check_range("degrees", self.degrees, -80, 80)
        _check_p(self.p)

    def sample(self, rng: np.random.Generator) -> Values:
        """Draw an angle."""
        return {"degrees": _uniform(rng, self.degrees)}

    def matrix(self, values: Values, shape: tuple[int, int]) -> Array:
        """Return the shearing; the top leans to the right."""
        slanted = np.eye(3)
        slanted[0, 1] = -math.tan(math.radians(values["degrees"]))
        return slanted


@dataclass(frozen=True)
class Brightness(Intensity):
    """Multiply all intensities, as more light or stain does.

    Parameters
    ----------
    factor : float or (low, high), default=(0.8, 1.25)
        From 0.01 to 100. Drawn uniformly on a logarithmic scale.
    p : float, default=1
        Probability, from 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from nucrec.augment import Brightness, Pipeline
    >>> Pipeline([Brightness(1.5)])(np.array([[[10, 100, 200]]], dtype=np.uint8))
    array([[[ 15, 150, 255]]], dtype=uint8)
    """

    factor: Range = (0.8, 1.25)
    p: float = 1.0

    def __post_init__(self) -> None:
        _check_range("factor", self.factor, 0.01, 100)
        _check_p(self.p)

    def sample(self, rng: np.random.Generator) -> Values:
        """Draw a factor."""
        return {"factor": _log_uniform(rng, self.factor)}

    def apply(self, image: Array, values: Values) -> Array:
        """Multiply."""
        return image * np.float32(values["factor"])


@dataclass(frozen=True)
class Contrast(Intensity):
    """Multiply the difference of all intensities to their mean.

    Parameters
    ----------
    factor : float or (low, high), default=(0.8, 1.25)
        From 0.01 to 100. Drawn uniformly on a logarithmic scale.
    p : float, default=1
        Probability, from 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from nucrec.augment import Contrast, Pipeline
    >>> Pipeline([Contrast(2.0)])(np.array([[[90, 100, 110]]], dtype=np.uint8))
    array([[[ 80, 100, 120]]], dtype=uint8)
    """

    factor: Range = (0.8, 1.25)
    p: float = 1.0

    def __post_init__(self) -> None:
        _check_range("factor", self.factor, 0.01, 100)
        _check_p(self.p)

    def sample(self, rng: np.random.Generator) -> Values:
        """Draw a factor."""
        return {"factor": _log_uniform(rng, self.factor)}

    def apply(self, image: Array, values: Values) -> Array:
        """Stretch about the mean."""
        factor = np.float32(values["factor"])
        # factor 1 must change nothing, not even by rounding
        return image + (image - image.mean(dtype=np.float64).astype(np.float32)) * (factor - 1)


@dataclass(frozen=True)
class Gamma(Intensity):
    """Raise intensities to a power, between the image's darkest and brightest pixel.

    Parameters
    ----------
    gamma : float or (low, high), default=(0.8, 1.25)
        Above 1 darkens the middle; from 0.05 to 20. Drawn uniformly on a logarithmic scale.
    p : float, default=1
        Probability, from 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from nucrec.augment import Gamma, Pipeline
    >>> Pipeline([Gamma(2.0)])(np.array([[[0, 100, 200]]], dtype=np.uint8))
    array([[[  0,  50, 200]]], dtype=uint8)
    """

    gamma: Range = (0.8, 1.25)
    p: float = 1.0

    def __post_init__(self) -> None:
        _check_range("gamma", self.gamma, 0.05, 20)
        _check_p(self.p)

    def sample(self, rng: np.random.Generator) -> Values:
        """Draw an exponent."""
        return {"gamma": _log_uniform(rng, self.gamma)}

    def apply(self, image: Array, values: Values) -> Array:
        """Bend the curve between the lowest and the highest value."""
        low, high = image.min(), image.max()
        if low == high or values["gamma"] == 1:
            return image
        unit = (image - low) / (high - low)
        return np.asarray(low + (high - low) * unit ** np.float32(values["gamma"]))


@dataclass(frozen=True)
class Noise(Intensity):
    """Add Gaussian noise, drawn for each pixel and channel.

    Parameters
    ----------
    std : float or (low, high), default=(0, 0.05)
        Standard deviation, as a fraction of the span from the image's darkest to its brightest pixel; from
        0 to 1.
    p : float, default=1
        Probability, from 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from nucrec.augment import Noise, Pipeline
    >>> image = np.tile(np.array([0, 200], dtype=np.uint8), (1, 50, 50))
    >>> noisy = Pipeline([Noise(0.1)], random_state=0)(image)
    >>> int(noisy[..., 1::2].astype(float).std().round())
    18
    """

    std: Range = (0.0, 0.05)
    p: float = 1.0

    def __post_init__(self) -> None:
        _check_range("std", self.std, 0, 1)
        _check_p(self.p)

    def sample(self, rng: np.random.Generator) -> Values:
        """Draw a strength, and the seed of the noise so that it can be replayed."""
        return {"std": _uniform(rng, self.std), "seed": float(rng.integers(2**53))}

    def apply(self, image: Array, values: Values) -> Array:
        """Add the noise."""
        span = values["std"] * float(image.max() - image.min())
        rng = np.random.default_rng(int(values["seed"]))
        return image + np.float32(span) * rng.standard_normal(image.shape, dtype=np.float32)


@dataclass(frozen=True)
class Blur(Intensity):
    """Blur with a Gaussian, as a slight loss of focus does.

    Parameters
    ----------
    sigma : float or (low, high), default=(0, 1)
        Standard deviation of the Gaussian in pixels of the result; from 0 to 100. The image is continued
        beyond its edge by its outermost pixels.
    p : float, default=1
        Probability, from 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from nucrec.augment import Blur, Pipeline
    >>> image = np.zeros((5, 5), dtype=np.uint8)
    >>> image[2, 2] = 250
    >>> Pipeline([Blur(0.5)])([image])[0][2]
    array([  0,  21, 155,  21,   0], dtype=uint8)
    """

    sigma: Range = (0.0, 1.0)
    p: float = 1.0

    def __post_init__(self) -> None:
        _check_range("sigma", self.sigma, 0, 100)
        _check_p(self.p)

    def sample(self, rng: np.random.Generator) -> Values:
        """Draw a width."""
        return {"sigma": _uniform(rng, self.sigma)}

    def apply(self, image: Array, values: Values) -> Array:
        """Convolve with a Gaussian along both axes."""
        from scipy.ndimage import gaussian_filter

        sigma = values["sigma"]
        axes = (sigma, sigma, 0.0)[: image.ndim]
        return np.asarray(gaussian_filter(image, axes, mode="nearest"))
