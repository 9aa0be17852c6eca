"""Operations that change values: brightness, contrast, gamma, noise, blur."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec.augment._operation import Bounds, Intensity, Range, Values

Array = npt.NDArray[Any]


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
    bounds = {"factor": Bounds(0.01, 100, log=True)}

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
    bounds = {"factor": Bounds(0.01, 100, log=True)}

    def apply(self, image: Array, values: Values) -> Array:
        """Stretch about the mean."""
        factor = np.float32(values["factor"])
        # factor 1 must change nothing, not even by rounding
        mean = np.float32(image.mean(dtype=np.float64))
        return np.asarray(image + (image - mean) * (factor - 1))


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
    bounds = {"gamma": Bounds(0.05, 20, log=True)}

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
        Standard deviation, as a fraction of the span from the image's darkest to its brightest
        pixel; from 0 to 1.
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
        """Draw a strength, and the seed of the noise so that it can be replayed."""
        return {**super().sample(rng), "seed": float(rng.integers(2**53))}

    def apply(self, image: Array, values: Values) -> Array:
        """Add the noise."""
        span = values["std"] * float(image.max() - image.min())
        rng = np.random.default_rng(int(values["seed"]))
        noise = rng.standard_normal(image.shape, dtype=np.float32)
        return np.asarray(image + np.float32(span) * noise)


@dataclass(frozen=True)
class Blur(Intensity):
    """Blur with a Gaussian, as a slight loss of focus does.

    Parameters
    ----------
    sigma : float or (low, high), default=(0, 1)
        Standard deviation of the Gaussian in pixels of the result; from 0 to 100. The image is
        continued beyond its edge by its outermost pixels.
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
