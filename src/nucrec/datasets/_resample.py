"""The one place where images are interpolated.

Plain resizing and augmentation both end here, so that an augmented image differs from the plain
one by what the augmentation did and not by how it was resampled.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Array = npt.NDArray[Any]


def resize_matrix(shape: tuple[int, int], size: tuple[int, int]) -> Array:
    """Return the 3 x 3 map from pixels of an image of `size` to pixels of one of `shape`."""
    return np.array([[shape[1] / size[1], 0, 0], [0, shape[0] / size[0], 0], [0, 0, 1]])


def resize(image: Array, size: tuple[int, int]) -> Array:
    """Return the image at `size` (height, width), with its dtype and channels."""
    if image.shape[:2] == size:
        return image
    matrix = resize_matrix((image.shape[0], image.shape[1]), size)
    return resample(image, matrix, size)


def resample(image: Array, matrix: Array, size: tuple[int, int]) -> Array:
    """Return what `warp` gives, rounded to the dtype of the image."""
    if image.dtype == np.uint8:
        # Pillow cuts what is behind the point; to do it there keeps other threads waiting for less
        return _each_band(image, lambda band: _warped(band, matrix, size, None, 0.5).convert("L"))
    return to_dtype(warp(image, matrix, size), image.dtype)


def warp(image: Array, matrix: Array, size: tuple[int, int], fill: float | None = None) -> Array:
    """Resample an image once, through an affine map.

    Where the map shrinks, the image is first averaged over whole blocks of pixels, then
    interpolated linearly between its pixels. `to_dtype` rounds the values, once, at the end.

    Parameters
    ----------
    image : array of shape (H, W) or (H, W, C)
        Any real dtype.
    matrix : array of shape (3, 3)
        Maps (x, y, 1) of the result to (x, y, 1) of the image, in pixels, where (0, 0) is the
        upper left corner of the first pixel.
    size : (height, width)
        Size of the result.
    fill : float, optional
        The value beyond the image's edge; by default the median of its outermost pixels, for each
        channel. A mirrored edge would show a second nucleus, and black a second background.

    Returns
    -------
    array of shape ``size`` or ``size + (C,)``
        Of dtype float32.
    """
    return _each_band(image, lambda band: _warped(band, matrix, size, fill, 0.0))


def _each_band(image: Array, function: Callable[[Array], Image.Image]) -> Array:
    """Return what a function makes of each channel, as an array."""
    if image.ndim == 2:
        return np.asarray(function(image))
    bands = (image[..., c] for c in range(image.shape[2]))
    return np.stack([np.asarray(function(band)) for band in bands], axis=-1)


def _warped(
    band: Array, matrix: Array, size: tuple[int, int], fill: float | None, more: float
) -> Image.Image:
    """Return one channel warped, with `more` added to each value."""
    height, width = band.shape
    shrink_x = _block(math.hypot(matrix[0, 0], matrix[0, 1]), width)
    shrink_y = _block(math.hypot(matrix[1, 0], matrix[1, 1]), height)
    picture = Image.fromarray(np.add(band, more, dtype=np.float32, order="C"))
    if shrink_x > 1 or shrink_y > 1:
        picture = picture.reduce((shrink_x, shrink_y))
    row_x, row_y = (matrix[0] / shrink_x).tolist(), (matrix[1] / shrink_y).tolist()
    linear = Image.Resampling.BILINEAR
    if _only_enlarges(row_x, row_y, picture.size, size):
        # the same values, row by row and column by column, in a third of the time
        return picture.resize((size[1], size[0]), linear)
    if fill is None:
        fill = _border_median(band) if _leaves_image(matrix, size, (height, width)) else 0.0
    affine = Image.Transform.AFFINE
    return picture.transform(
        (size[1], size[0]), affine, (*row_x, *row_y), linear, fillcolor=fill + more
    )


def _only_enlarges(
    row_x: list[float], row_y: list[float], shape: tuple[int, int], size: tuple[int, int]
) -> bool:
    """Tell whether a map takes a whole picture of (width, height) to a `size` at least as large."""
    (scale_x, *rest_x), (skew, scale_y, shift) = row_x, row_y
    if any((*rest_x, skew, shift)) or not (0 < scale_x <= 1 and 0 < scale_y <= 1):
        return False
    width, height = scale_x * size[1], scale_y * size[0]
    return math.isclose(width, shape[0]) and math.isclose(height, shape[1])


def _block(scale: float, length: int) -> int:
    """Return how many pixels to average, for `scale` pixels of the image to one of the result."""
    return min(max(1, round(scale)), length)


def _border_median(band: Array) -> float:
    """Return the median of the outermost pixels; NumPy's own takes longer than the warp of a crop."""
    edges = np.sort(np.concatenate((band[0], band[-1], band[:, 0], band[:, -1])))
    middle = len(edges) // 2  # their number is even
    return (float(edges[middle - 1]) + float(edges[middle])) / 2


def _leaves_image(matrix: Array, size: tuple[int, int], shape: tuple[int, int]) -> bool:
    """Tell whether some corner of the result maps to a point beyond the image."""
    slack = 1e-6
    for (to_x, to_y, start), length in zip(matrix[:2].tolist(), (shape[1], shape[0]), strict=True):
        steps = to_x * size[1], to_y * size[0]
        first, last = (start + sum(bound(0.0, step) for step in steps) for bound in (min, max))
        if first <= -slack or last >= length + slack:
            return True
    return False


def to_dtype(values: Array, dtype: np.dtype[Any]) -> Array:
    """Return float values as `dtype`: integers are rounded and clipped to its range."""
    if dtype.kind == "f":
        return np.asarray(values, dtype=dtype)
    limits = np.iinfo(dtype)
    # float32 cannot hold the largest int32: clip in float64
    rounded = np.rint(values.astype(np.float64) if dtype.itemsize > 2 else values)
    return np.asarray(np.clip(rounded, limits.min, limits.max, out=rounded), dtype=dtype)
