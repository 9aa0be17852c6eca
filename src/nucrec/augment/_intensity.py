"""Intensity operations: brightness, contrast, gamma, noise, blur."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec.augment._operation import Bounds, Intensity, Range, Values

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Brightness(Intensity):
    """Multiply all intensities, as more light or stain would.

    Parameters
    ----------
    factor : float or (low, high), default=(0.8, 1.25)
        Factor, from 0.01 to 100. Drawn log-uniformly.
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
    bounds = {"factor": Bounds(0.01, 100, log=True)}

    def apply(self, image: Array, values: Values) -> Array:
        """Multiply."""
        return image * np.float32(values["factor"])


@dataclass(frozen=True)
class Contrast(Intensity):
    """Multiply the deviations of all intensities from their mean.

    Parameters
    ----------
    factor : float or (low, high), default=(0.8, 1.25)
        Factor, from 0.01 to 100. Drawn log-uniformly.
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
    bounds = {"factor": Bounds(0.01, 100, log=True)}

    def apply(self, image: Array, values: Values) -> Array:
        """Stretch intensities about their mean."""
        factor = np.float32(values["factor"])
        # factor 1 must change nothing, not even by rounding
        mean = np.float32(image.mean(dtype=np.float64))
        return np.asarray(image + (image - mean) * (factor - 1))


@dataclass(frozen=True)
class Gamma(Intensity):
    """Apply a gamma curve between the darkest and the brightest pixel of the image.

    Parameters
    ----------
    gamma : float or (low, high), default=(0.8, 1.25)
        Exponent, from 0.05 to 20; values above 1 darken intermediate intensities. Drawn
        log-uniformly.
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
    bounds = {"gamma": Bounds(0.05, 20, log=True)}

    def apply(self, image: Array, values: Values) -> Array:
        """Apply the gamma curve between the lowest and the highest value."""
        low, high = image.min(), image.max()
        if low == high or values["gamma"] == 1:
            return image
        unit = (image - low) / (high - low)
        return np.asarray(low + (high - low) * unit ** np.float32(values["gamma"]))


@dataclass(frozen=True)
class Noise(Intensity):
    """Add independent Gaussian noise to each pixel and channel.

    Parameters
    ----------
    std : float or (low, high), default=(0, 0.05)
        Standard deviation, from 0 to 1, as a fraction of the range from the darkest to the brightest
        pixel of the image.
    p : float, default=1
        Probability, from 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from nucrec.augment import Noise, Pipeline
    >>> image = np.tile(np.array([0, 200], dtype=np.uint8), (1, 50, 50))
    >>> noisy = Pipeline([Noise(0.1)], random_state=0)(image)
    >>> int(noisy[..., 1::2].astype(float).std().round())  # a tenth of 200
    20
    """

    std: Range = (0.0, 0.05)
    p: float = 1.0
    bounds = {"std": Bounds(0, 1)}

    def sample(self, rng: np.random.Generator) -> Values:
        """Draw a strength and the seed of the noise, so that it can be reproduced."""
        return {**super().sample(rng), "seed": float(rng.integers(2**53))}

    def apply(self, image: Array, values: Values) -> Array:
        """Add the noise."""
        span = values["std"] * float(image.max() - image.min())
        rng = np.random.default_rng(int(values["seed"]))
        noise = rng.standard_normal(image.shape, dtype=np.float32)
        return np.asarray(image + np.float32(span) * noise)


@dataclass(frozen=True)
class Blur(Intensity):
    """Blur with a Gaussian, as a slight defocus would.

    Parameters
    ----------
    sigma : float or (low, high), default=(0, 1)
        Standard deviation of the Gaussian in pixels of the result, from 0 to 100. The outermost
        pixels are repeated beyond the edge of the image.
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
    bounds = {"sigma": Bounds(0, 100)}

    def apply(self, image: Array, values: Values) -> Array:
        """Convolve with a Gaussian along both axes."""
        from scipy.ndimage import gaussian_filter

        sigma = values["sigma"]
        axes = (sigma, sigma, 0.0)[: image.ndim]
        return np.asarray(gaussian_filter(image, axes, mode="nearest"))
