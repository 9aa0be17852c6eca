"""Simulation of light, cytoplasm and noise that the annotated fields lack.

The annotated fields are few and clean. In other fields the cytoplasm glows because the stain or
another channel bleeds through, and its texture and thin processes resemble micronuclei; there are
out-of-focus haze, debris and uneven illumination. All of this is simulated at random on tiles of
normalised intensity, with 0 for the background and 1 for a nucleus.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from nucrec.fields._segmentation.scale import DIAMETER

Array = npt.NDArray[Any]
Draw = np.random.Generator

_GLOWING = 0.45
"""Share of the tiles in which the cytoplasm glows."""

_PARTS = 28
"""Lengths below are multiples of this part of the nuclear diameter."""


def disturb(tile: Array, nuclei: Array, rng: Draw, diameter: float = DIAMETER) -> Array:
    """Return the tile as it might look with another microscope, stain and culture.

    Parameters
    ----------
    tile : ndarray of shape (H, W)
        float32, 0 for the background and 1 for a nucleus.
    nuclei : ndarray of shape (H, W)
        The label image of the nuclei, which the cytoplasm surrounds.
    rng : numpy.random.Generator
        The random generator.
    diameter : float
        The nuclear diameter, in pixels of the tile.

    Returns
    -------
    ndarray of shape (H, W), float32
    """
    unit = diameter / _PARTS
    if rng.random() < _GLOWING:
        tile = glow(tile, nuclei, rng, unit)
    for chance, change in _CHANGES:
        if rng.random() < chance:
            tile = change(tile, rng, unit)
    gain, offset = np.exp(rng.uniform(-0.35, 0.35)), rng.uniform(-0.06, 0.06)
    return np.asarray(tile * gain + offset, np.float32)


def smooth_noise(shape: tuple[int, ...], period: float, rng: Draw) -> Array:
    """Return noise of mean 0 and standard deviation near 1 that varies over `period` pixels."""
    coarse = [max(2, int(np.ceil(side / period))) + 1 for side in shape]
    knots = rng.standard_normal(coarse).astype(np.float32)
    scale = np.diag([(k - 1.001) / side for k, side in zip(coarse, shape, strict=True)])
    shift = rng.random(len(shape)) * 0.001
    return np.asarray(ndimage.affine_transform(knots, np.diag(scale), shift, shape, order=1))


def glow(tile: Array, nuclei: Array, rng: Draw, unit: float) -> Array:
    """Add cell bodies around nuclei, at 5 to 40 % of their brightness, with texture and processes."""
    distance, nearest = ndimage.distance_transform_edt(nuclei == 0, return_indices=True)
    territory = nuclei[tuple(nearest)]
    spread = np.exp(rng.normal(0, 0.35, int(nuclei.max()) + 1))
    brightness = (rng.uniform(0.05, 0.4) * spread).astype(np.float32)
    if rng.random() < 0.3:
        brightness *= rng.random(brightness.size) < 0.6  # some cells only
    reach = rng.uniform(0.25, 1.2) * _PARTS * unit
    ragged = np.clip(1 + 0.6 * smooth_noise(tile.shape, unit * rng.uniform(8, 30), rng), 0.3, 3)
    body = np.exp(-((distance * ragged / reach) ** rng.uniform(1, 3)))
    level = ndimage.gaussian_filter(brightness[territory], unit * rng.uniform(0.5, 5))
    light = level * body * _texture(tile.shape, rng, unit)
    if rng.random() < 0.5:
        light = ndimage.gaussian_filter(light, unit * rng.uniform(0.5, 1.2))
    return np.asarray(tile + np.where(nuclei > 0, light * rng.random(), light))


def _texture(shape: tuple[int, ...], rng: Draw, unit: float) -> Array:
    fine = rng.uniform(0.1, 0.6) * smooth_noise(shape, unit * rng.uniform(1.5, 4), rng)
    coarse = rng.uniform(0.1, 0.5) * smooth_noise(shape, unit * rng.uniform(4, 12), rng)
    texture = 1 + fine + coarse
    if rng.random() < 0.5:  # folds and processes, where smooth noise changes sign
        ridge = smooth_noise(shape, unit * rng.uniform(6, 16), rng) / rng.uniform(0.08, 0.25)
        texture = texture + rng.uniform(0.3, 1.2) * np.exp(-(ridge**2))
    return np.maximum(texture, 0)


def debris(tile: Array, rng: Draw, unit: float) -> Array:
    """Add specks smaller than micronuclei, and out-of-focus blobs."""
    tile = tile.copy()
    for _ in range(rng.integers(1, 8)):
        small = rng.random() < 0.5
        size = unit * (rng.uniform(0.3, 1.0) if small else rng.uniform(4, 12))
        _add_blob(tile, size, rng.uniform(0.05, 0.25) if small else rng.uniform(0.1, 0.5), rng)
    return tile


def _add_blob(tile: Array, size: float, height: float, rng: Draw) -> None:
    y, x = rng.uniform(0, 1, 2) * tile.shape
    reach = int(3 * size) + 2
    rows = slice(max(0, int(y) - reach), int(y) + reach + 1)
    columns = slice(max(0, int(x) - reach), int(x) + reach + 1)
    part = tile[rows, columns]
    down, across = np.ogrid[: part.shape[0], : part.shape[1]]
    down, across = down + rows.start - y, across + columns.start - x
    part += height * np.exp(-(down**2 + (across / rng.uniform(0.4, 1)) ** 2) / (2 * size**2))


def haze(tile: Array, rng: Draw, unit: float) -> Array:
    """Add uneven light."""
    return tile + rng.uniform(0, 0.25) * smooth_noise(tile.shape, unit * rng.uniform(30, 120), rng)


def gamma(tile: Array, rng: Draw, _unit: float) -> Array:
    """Raise intensities to a power."""
    power = np.exp(rng.uniform(-0.5, 0.5))
    return np.asarray(np.where(tile > 0, np.maximum(tile, 1e-4) ** power, tile))


def blur(tile: Array, rng: Draw, unit: float) -> Array:
    """Blur the image as by optics."""
    return np.asarray(ndimage.gaussian_filter(tile, unit * rng.uniform(0.3, 1.3)))


def noise(tile: Array, rng: Draw, unit: float) -> Array:
    """Add camera or photon noise, independent per pixel or smoothed."""
    level = np.exp(rng.uniform(np.log(0.005), np.log(0.12)))
    drawn = rng.standard_normal(tile.shape).astype(np.float32)
    if rng.random() < 0.3:
        drawn = 2 * unit * ndimage.gaussian_filter(drawn, 0.7 * unit)
    if rng.random() < 0.5:
        drawn = drawn * np.sqrt(np.maximum(tile, 0) + 0.1)
    return np.asarray(tile + level * drawn)


def saturate(tile: Array, rng: Draw, _unit: float) -> Array:
    """Clip bright intensities."""
    return np.minimum(tile, rng.uniform(0.7, 1.5))


def quantise(tile: Array, rng: Draw, _unit: float) -> Array:
    """Round to few levels, as in dim 8-bit images."""
    levels = rng.uniform(15, 60)
    return np.round(tile * levels) / levels


_CHANGES: tuple[tuple[float, Callable[[Array, Draw, float], Array]], ...] = (
    (0.25, debris),
    (0.3, haze),
    (0.5, gamma),
    (0.5, blur),
    (0.6, noise),
    (0.15, saturate),
    (0.15, quantise),
)
"""How often each change is made, in the order in which light passes through them."""
