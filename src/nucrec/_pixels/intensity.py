"""Channels and intensity ranges: conversion of any micrograph to the input of a model."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from nucrec._validation import check_choice, check_finite, check_real, invalid

Array = npt.NDArray[Any]
OutputDtype = Literal["uint8", "float32"]

_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601


def rescale_intensity(
    image: npt.ArrayLike,
    percentiles: tuple[float, float] = (0.5, 99.9),
    dtype: OutputDtype = "uint8",
) -> Array:
    """Map an image's intensities linearly from a percentile range to uint8 or to [0, 1].

    This converts 16-bit or float micrographs to the input of 8-bit models. Values beyond the
    percentiles are clipped. 12-bit camera data in a 16-bit file also fill the whole range.

    Parameters
    ----------
    image : array_like of shape (H, W) or (H, W, C)
        The image, finite, of any real dtype.
    percentiles : (low, high), default=(0.5, 99.9)
        Percentiles, 0 <= low < high <= 100, over all pixels and channels of the image. The default
        is that used to scale the shipped micrographs.
    dtype : {"uint8", "float32"}, default="uint8"
        "uint8" gives 0 to 255, "float32" gives 0.0 to 1.0.

    Returns
    -------
    ndarray of the image's shape
        The rescaled image. A constant image becomes 0. If both percentiles are equal, the minimum
        and maximum are used instead.

    Raises
    ------
    InvalidParameterError
        The image is empty, invalid or not finite, or a parameter is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from nucrec.datasets import rescale_intensity
    >>> twelve_bit = np.array([[0, 1024], [2048, 4096]], dtype=np.uint16)
    >>> rescale_intensity(twelve_bit, percentiles=(0, 100))
    array([[  0,  64],
           [128, 255]], dtype=uint8)
    """
    array = np.asarray(image)
    if array.ndim not in (2, 3) or not array.size or array.dtype.kind not in "buif":
        received = f"shape {array.shape}, dtype {array.dtype}"
        raise invalid("image", "a real array of shape (H, W) or (H, W, C)", received)
    check_finite("image", array)
    check_choice("dtype", dtype, ("uint8", "float32"))
    if not isinstance(percentiles, tuple | list) or len(percentiles) != 2:
        raise invalid("percentiles", "a pair (low, high)", percentiles)
    low, high = (check_real("percentiles", value, low=0, high=100) for value in percentiles)
    if low >= high:
        raise invalid("percentiles", "low < high", percentiles)
    start, stop = (float(value) for value in np.percentile(array, [low, high]))
    if stop == start:  # nearly all pixels are equal: the rest must not be lost
        start, stop = float(array.min()), float(array.max())
    if stop == start:
        return np.zeros(array.shape, dtype)
    unit = np.clip((array.astype(np.float64) - start) / (stop - start), 0.0, 1.0)
    scaled = np.rint(unit * 255) if dtype == "uint8" else unit
    return scaled.astype(dtype)


def as_dtype(image: Array, dtype: OutputDtype | None) -> Array:
    """Return the image as `dtype`: 8-bit images by their own range, all others by percentiles."""
    if dtype is None or (dtype == "uint8" and image.dtype == np.uint8):
        return image
    if image.dtype == np.uint8:
        return np.asarray(image / np.float32(255), dtype=np.float32)
    return rescale_intensity(image, dtype=dtype)


def only_channel(image: Array, tolerance: float = 1.0) -> int | None:
    """Return the strongest channel of a single-colour image, or None if it has several colours.

    Grey counts as a single colour, and so does the blue of a DAPI stain: all pixels have the same
    hue at different brightness. The luma of blue would be only 11 % of it.

    Parameters
    ----------
    image : ndarray of shape (H, W) or (H, W, C)
        The image. A fourth channel is transparency, and is ignored.
    tolerance : float, default=1.0
        Tolerance for deviations from that colour, due to rounding or lossy compression, in steps of
        an integer dtype.
    """
    if image.ndim == 2 or image.shape[2] < 3:
        return None
    bands = [image[..., k] for k in range(3)]
    down, right = (max(1, length // 8) for length in image.shape[:2])
    some = [band[::down, ::right] for band in bands]
    # a few pixels quickly identify most multi-colour images
    return _strongest(bands, tolerance) if _strongest(some, 2 * tolerance) is not None else None


def _strongest(bands: Sequence[Array], tolerance: float) -> int | None:
    """Return the strongest of three channels if the others are a constant share of it."""
    tops = [float(band.max()) for band in bands]
    strongest = int(np.argmax(tops))
    reference, top = bands[strongest], tops[strongest]
    if top <= 0:
        return None if any(band.any() for band in bands) else 0
    slack = top * tolerance / 255
    if reference.dtype.kind in "ui":  # another colour may be as dim as the tolerance
        slack = min(tolerance, max(1.0, top / 4))
    precise = np.float64 if reference.dtype.itemsize > 2 else np.float32
    for band, its_top in zip(bands, tops, strict=True):
        empty = its_top == 0 and band.dtype.kind == "u"
        if band is reference or empty or (its_top == top and np.array_equal(band, reference)):
            continue
        if np.abs(band - reference * precise(its_top / top)).max() > slack:
            return None
    return strongest


def to_grey(image: Array) -> Array:
    """Return the image as (H, W): the only channel of a single-colour image, otherwise the luma."""
    one = only_channel(image)
    return to_channels(image, 1)[..., 0] if one is None else image[..., one]


def to_channels(image: Array, channels: int) -> Array:
    """Return the image as (H, W, channels), with 1 or 3 channels and without transparency."""
    bands = image[..., np.newaxis] if image.ndim == 2 else image
    colours = bands[..., : 3 if bands.shape[2] >= 3 else 1]
    if colours.shape[2] == channels:
        return colours
    if channels == 3:
        return np.repeat(colours, 3, axis=2)
    luma = (colours @ _LUMA)[..., np.newaxis]
    rounded = luma if image.dtype.kind == "f" else np.rint(luma)
    return np.asarray(rounded, dtype=image.dtype)
