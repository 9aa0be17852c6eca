"""Channels and value ranges: what turns any micrograph into what a model takes."""

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

    The one step that turns 16-bit (or float) micrographs into what 8-bit models take. Values
    beyond the percentiles are clipped. A camera's 12 bits in a 16-bit file fill the range just
    the same.

    Parameters
    ----------
    image : array_like of shape (H, W) or (H, W, C)
        Any real dtype, finite.
    percentiles : (low, high), default=(0.5, 99.9)
        In percent, 0 <= low < high <= 100, taken over all pixels and channels of the image. The
        default is what the shipped micrographs were scaled with.
    dtype : {"uint8", "float32"}, default="uint8"
        "uint8" gives 0 to 255, "float32" gives 0.0 to 1.0.

    Returns
    -------
    ndarray of the image's shape
        A constant image becomes 0. Where both percentiles are the same value, the darkest and the
        brightest pixel take their place.

    Raises
    ------
    InvalidParameterError
        The image is empty, no image or not finite, or a parameter is out of range.

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
    if stop == start:  # nearly all pixels are alike: the rest must not be lost
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


def to_channels(image: Array, channels: int) -> Array:
    """Return the image as (H, W, channels), for 1 or 3 channels. Transparency is left out."""
    bands = image[..., np.newaxis] if image.ndim == 2 else image
    colours = bands[..., : 3 if bands.shape[2] >= 3 else 1]
    if colours.shape[2] == channels:
        return colours
    if channels == 3:
        return np.repeat(colours, 3, axis=2)
    luma = (colours @ _LUMA)[..., np.newaxis]
    rounded = luma if image.dtype.kind == "f" else np.rint(luma)
    return np.asarray(rounded, dtype=image.dtype)
