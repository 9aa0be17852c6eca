"""Images: arrays, and sources of arrays."""

import hashlib
import zlib
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from nucrec._validation import check_finite, invalid
from nucrec.errors import InvalidParameterError

Array = npt.NDArray[Any]

BEYOND_FLOAT32 = "holds values beyond 3.4e38, such as a mark for missing data: replace them first"

KEEP_DECODED_BYTES = 256 * 2**20
"""Pixels of a set of images that are kept in memory; images beyond it are decoded again."""


def check_image(name: str, array: Array) -> None:
    """Raise unless the array is an image: (H, W) or (H, W, C), C from 1 to 4, real and finite."""
    is_image = array.ndim == 2 or (array.ndim == 3 and 1 <= array.shape[2] <= 4)
    if not is_image or not array.size or array.dtype.kind not in "uif":
        received = f"shape {array.shape}, dtype {array.dtype}"
        raise invalid(name, "a real array of shape (H, W) or (H, W, C), C from 1 to 4", received)
    check_finite(name, array)
    if exceeds_float32(array):
        raise InvalidParameterError(f"{name}: {BEYOND_FLOAT32}")


def exceeds_float32(array: Array) -> bool:
    """Return whether 64-bit floats hold values that 32-bit floats cannot, as "no data" marks do."""
    if array.dtype.itemsize <= 4 or array.dtype.kind != "f":
        return False
    return bool(max(array.max(), -array.min()) > float(np.finfo(np.float32).max))


class ImageSource(Protocol):
    """The source of one image."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape, (H, W) or (H, W, C), of the result of `read`."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the result of `read`."""

    def read(self) -> Array:
        """Return the image, read-only."""

    def resized(self, size: tuple[int, int]) -> Array:
        """Return the image at (height, width), interpolated once."""

    def checksum(self) -> int:
        """Return a number that is equal for equal pixels and almost always differs for others."""

    def in_grey(self) -> "ImageSource":
        """Return a source of the single channel of a single-colour image, otherwise this source."""


def checksum_of(image: Array) -> int:
    """Return a checksum of the pixels."""
    return zlib.crc32(np.ascontiguousarray(image).data)


def equal_images(sources: Sequence[ImageSource]) -> Array:
    """Return, for each image, the position of the first one with the same pixels.

    Only images with equal shape, dtype and checksum are read.
    """
    first = np.arange(len(sources))
    alike: dict[tuple[Any, ...], list[int]] = {}
    for i, source in enumerate(sources):
        alike.setdefault((source.shape, source.dtype, source.checksum()), []).append(i)
    for positions in alike.values():
        if len(positions) > 1:
            known: dict[bytes, int] = {}
            for i in positions:
                first[i] = known.setdefault(digest_image(sources[i]), i)
    return first


def digest_image(source: ImageSource) -> bytes:
    """Return the SHA-256 of an image's dtype, shape and pixels."""
    image = source.read()
    header = f"{image.dtype.str.lstrip('<>|=')}{image.shape}".encode()
    little_endian = image.astype(image.dtype.newbyteorder("<"), copy=False)
    return hashlib.sha256(header + little_endian.tobytes()).digest()
