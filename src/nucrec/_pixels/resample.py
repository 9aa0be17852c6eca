"""The only place where images are interpolated.

Resizing and augmentation both use it, so that an augmented image differs from the plain one by the
augmentation alone and not by the resampling method.
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

Array = npt.NDArray[Any]

_SMALL = 128  # pixels


def resize_matrix(shape: tuple[int, int], size: tuple[int, int]) -> Array:
    """Return the 3 x 3 map from pixels of an image of `size` to pixels of one of `shape`."""
    return np.array([[shape[1] / size[1], 0, 0], [0, shape[0] / size[0], 0], [0, 0, 1]])


def resize(image: Array, size: tuple[int, int]) -> Array:
    """Return the image at `size` (height, width), with its dtype and channels."""
    height, width = image.shape[:2]
    if (height, width) == size:
        return image
    if image.dtype == np.uint8 and height <= size[0] and width <= size[1]:
        half = np.float32(0.5)
        return _each_band(image, lambda band: _enlarged(band + half, size).astype(np.uint8))
    matrix = resize_matrix((height, width), size)
    return resample(image, matrix, size)


def resample(image: Array, matrix: Array, size: tuple[int, int]) -> Array:
    """Return the result of `warp`, rounded to the dtype of the image."""
    if image.dtype == np.uint8:
        return _each_band(image, lambda band: rounded(prepare(band, matrix, size, 0.5), size))
    if image.dtype.itemsize > 2 and image.dtype != np.float32:
        return to_dtype(_warp_precisely(image, matrix, size), image.dtype)
    return to_dtype(warp(image, matrix, size), image.dtype)


def _warp_precisely(image: Array, matrix: Array, size: tuple[int, int]) -> Array:
    """Return the result of `warp` for values that 32-bit floats cannot represent; flips are exact.

    Interpolation is linear, so the residuals of the 32-bit floats are interpolated separately and
    added.
    """
    coarse = image.astype(np.float32)
    rest = image.astype(np.float64) - coarse
    largest = float(np.abs(rest).max())
    if not largest:
        return warp(coarse, matrix, size)
    # beyond the edge, nothing is added
    fine = _each_band(
        rest.astype(np.float32),
        lambda band: _unrounded(prepare(band, matrix, size, 0.0)._replace(fill=0.0), size),
    )
    return np.asarray(warp(coarse, matrix, size).astype(np.float64) + fine)


def warp(image: Array, matrix: Array, size: tuple[int, int]) -> Array:
    """Resample an image once, through an affine map.

    If the map shrinks the image, it is first averaged over whole blocks of pixels and then
    interpolated linearly. `to_dtype` rounds the values once, at the end. Beyond the image's edge,
    each channel is filled with the median of its outermost pixels: reflection would show a second
    nucleus, and black a second background.

    Parameters
    ----------
    image : array of shape (H, W) or (H, W, C)
        The image, of any real dtype.
    matrix : array of shape (3, 3)
        The map from (x, y, 1) in the result to (x, y, 1) in the image, in pixels, where (0, 0) is
        the upper left corner of the first pixel.
    size : (height, width)
        Size of the result.

    Returns
    -------
    array of shape ``size`` or ``size + (C,)``
        The result, of dtype float32.
    """
    return _each_band(image, lambda band: _unrounded(prepare(band, matrix, size, 0.0), size))


def bands_of(image: Array) -> list[Array]:
    """Return the channels of an image."""
    return [image] if image.ndim == 2 else [image[..., c] for c in range(image.shape[2])]


def joined(bands: Sequence[Array], like: Array) -> Array:
    """Return channels as an image with as many dimensions as another image."""
    return bands[0] if like.ndim == 2 else np.stack(bands, axis=-1)


def _each_band(image: Array, function: Callable[[Array], Array]) -> Array:
    """Apply a function to each channel, and return the results."""
    return joined([function(band) for band in bands_of(image)], image)


class Prepared(NamedTuple):
    """A channel that only needs to be interpolated.

    Attributes
    ----------
    pixels : array of float32, shape (h, w)
        The channel, averaged over blocks if the map shrinks it.
    to_x, to_y : list of three float
        The coefficients for x and y in the channel, given (x, y, 1) in the result.
    fill : float
        The value beyond the edge.
    """

    pixels: Array
    to_x: list[float]
    to_y: list[float]
    fill: float


def prepare(band: Array, matrix: Array, size: tuple[int, int], more: float) -> Prepared:
    """Return a channel prepared for interpolation, with `more` added to each value."""
    height, width = band.shape
    shrink_x = _block(math.hypot(matrix[0, 0], matrix[0, 1]), width)
    shrink_y = _block(math.hypot(matrix[1, 0], matrix[1, 1]), height)
    pixels = np.add(band, more, dtype=np.float32, order="C")
    if shrink_x > 1 or shrink_y > 1:
        pixels = np.asarray(Image.fromarray(pixels).reduce((shrink_x, shrink_y)))
    fill = _border_median(band) if _leaves_image(matrix, size, (height, width)) else 0.0
    to_x, to_y = (matrix[0] / shrink_x).tolist(), (matrix[1] / shrink_y).tolist()
    return Prepared(pixels, to_x, to_y, fill + more)


def rounded(ready: Prepared, size: tuple[int, int]) -> Array:
    """Return a channel, to which 0.5 was added before, interpolated and converted to 8-bit numbers."""
    if only_enlarges(ready, size):
        return _enlarged(ready.pixels, size).astype(np.uint8)
    # Pillow truncates; doing it there blocks other threads for less time
    return np.asarray(_transformed(ready, size).convert("L"))


def _unrounded(ready: Prepared, size: tuple[int, int]) -> Array:
    """Return an interpolated channel as 32-bit floats."""
    if only_enlarges(ready, size):
        return _enlarged(ready.pixels, size)
    return np.asarray(_transformed(ready, size))


def _transformed(ready: Prepared, size: tuple[int, int]) -> Image.Image:
    affine, maps = Image.Transform.AFFINE, (*ready.to_x, *ready.to_y)
    linear = Image.Resampling.BILINEAR
    picture = Image.fromarray(ready.pixels)
    return picture.transform((size[1], size[0]), affine, maps, linear, fillcolor=ready.fill)


def _enlarged(pixels: Array, size: tuple[int, int]) -> Array:
    """Return the result of `_transformed` by columns and rows, in a third of the time."""
    if max(pixels.shape) > _SMALL:
        picture = Image.fromarray(pixels)
        return np.asarray(picture.resize((size[1], size[0]), Image.Resampling.BILINEAR))
    # faster for a crop than copying to Pillow and back; whole rows are faster than columns
    wide = _more_rows(np.ascontiguousarray(pixels.T), size[1])
    return _more_rows(np.ascontiguousarray(wide.T), size[0])


def _more_rows(pixels: Array, to: int) -> Array:
    """Interpolate along the first axis."""
    before, behind, share = _neighbours(len(pixels), to)
    # "clip" skips a check of the indices
    first = pixels.take(before, axis=0, mode="clip")
    second = pixels.take(behind, axis=0, mode="clip")
    second -= first
    second *= share
    second += first
    return second


@functools.lru_cache(maxsize=1024)
def _neighbours(length: int, to: int) -> tuple[Array, Array, Array]:
    """Return the neighbouring rows for each row of an enlarged image, and the weight of the second."""
    places = (np.arange(to) + 0.5) * length / to - 0.5
    before = np.floor(places).astype(np.intp)
    share = (places - before).astype(np.float32)[:, np.newaxis]
    return before.clip(min=0), (before + 1).clip(max=length - 1), share


def only_enlarges(ready: Prepared, size: tuple[int, int]) -> bool:
    """Return whether the map takes the whole image to a `size` at least as large."""
    (scale_x, *rest_x), (skew, scale_y, shift) = ready.to_x, ready.to_y
    if any((*rest_x, skew, shift)) or not (0 < scale_x <= 1 and 0 < scale_y <= 1):
        return False
    height, width = ready.pixels.shape
    return math.isclose(scale_x * size[1], width) and math.isclose(scale_y * size[0], height)


def _block(scale: float, length: int) -> int:
    """Return the number of pixels to average, for `scale` image pixels per result pixel."""
    return min(max(1, round(scale)), length)


def _border_median(band: Array) -> float:
    """Return the median of the outermost pixels; NumPy's own takes longer than warping a crop."""
    edges = np.sort(np.concatenate((band[0], band[-1], band[:, 0], band[:, -1])))
    middle = len(edges) // 2  # the number of pixels is even
    return (float(edges[middle - 1]) + float(edges[middle])) / 2


def _leaves_image(matrix: Array, size: tuple[int, int], shape: tuple[int, int]) -> bool:
    """Return whether any corner of the result maps to a point outside the image."""
    slack = 1e-6
    for (to_x, to_y, start), length in zip(matrix[:2].tolist(), (shape[1], shape[0]), strict=True):
        steps = to_x * size[1], to_y * size[0]
        first, last = (start + sum(bound(0.0, step) for step in steps) for bound in (min, max))
        if first <= -slack or last >= length + slack:
            return True
    return False


def to_dtype(values: Array, dtype: np.dtype[Any]) -> Array:
    """Return float values as `dtype`; integers are rounded and clipped to its range."""
    if dtype.kind == "f":
        return np.asarray(values, dtype=dtype)
    limits = np.iinfo(dtype)
    # float32 cannot hold the largest int32: clip in float64
    whole = np.rint(values.astype(np.float64) if dtype.itemsize > 2 else values)
    if dtype.itemsize < 8:
        return np.asarray(np.clip(whole, limits.min, limits.max, out=whole), dtype=dtype)
    # nor can float64 hold the largest int64
    too_large = whole >= float(limits.max)
    whole[too_large] = 0
    result = np.asarray(np.maximum(whole, limits.min), dtype=dtype)
    result[too_large] = limits.max
    return result
