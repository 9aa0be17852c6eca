"""Where the pixels and the labels of one field come from."""

import zlib
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from nucrec._reading.channels import Channel
from nucrec._reading.decode import decode
from nucrec._reading.roots import Root
from nucrec.errors import ImageError
from nucrec.fields._labels import check_shape, decode_labels

Array = npt.NDArray[Any]
Labels = npt.NDArray[np.int32]


class Pixels(Protocol):
    """Where the pixels of a field come from."""

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""

    def read(self) -> Array:
        """Return the pixels, (H, W)."""

    def stamp(self) -> str:
        """Return what tells whether they have changed."""


class Mask(Protocol):
    """Where the labels of a field's nuclei come from."""

    def read(self, shape: tuple[int, int]) -> Labels:
        """Return the labels, of this shape."""

    def stamp(self) -> str:
        """Return what tells whether they have changed."""


@dataclass(frozen=True)
class FilePixels:
    """Pixels in a file."""

    root: Root
    name: str
    channel: Channel | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        height, width = self.read().shape
        return height, width

    def read(self) -> Array:
        """Return the pixels, (H, W)."""
        decoded = decode(self.root.read(self.name), self.name, self.channel)
        array = decoded.array
        if array.ndim == 3:
            if decoded.only_channel is None:
                raise ImageError(f"{self.name}: a picture of several colours, not of one stain")
            array = np.ascontiguousarray(array[..., decoded.only_channel])
        return native_depth(array)

    def stamp(self) -> str:
        """Return the size of the file, when it was changed, and the channel."""
        return f"{self.root.stamp(self.name)} {self.channel}"


@dataclass(frozen=True, eq=False)
class ArrayPixels:
    """Pixels in memory."""

    array: Array

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        height, width = self.array.shape
        return height, width

    def read(self) -> Array:
        """Return the pixels, (H, W)."""
        return self.array

    def stamp(self) -> str:
        """Return a checksum of the pixels."""
        return _checksum(self.array)


@dataclass(frozen=True)
class FileMask:
    """Labels in a file."""

    root: Root
    name: str

    def read(self, shape: tuple[int, int]) -> Labels:
        """Return the labels, of this shape."""
        return decode_labels(self.root.read(self.name), self.name, shape)

    def stamp(self) -> str:
        """Return the size of the file, and when it was changed."""
        return f"{self.name} {self.root.stamp(self.name)}"


@dataclass(frozen=True, eq=False)
class ArrayMask:
    """Labels in memory."""

    array: Labels
    name: str

    def read(self, shape: tuple[int, int]) -> Labels:
        """Return the labels, of this shape."""
        check_shape(self.array, shape, self.name)
        return self.array

    def stamp(self) -> str:
        """Return a checksum of the labels."""
        return _checksum(self.array)


def native_depth(array: Array) -> Array:
    """Return an image as uint8, uint16 or float32, without rescaling it."""
    if array.dtype.type in (np.uint8, np.uint16, np.float32):
        return array
    whole = array.dtype.kind in "ui" and array.min() >= 0 and array.max() < 2**16
    return np.asarray(array.astype(np.uint16 if whole else np.float32))


def _checksum(array: Array) -> str:
    return f"{array.dtype.str} {array.shape} {zlib.crc32(np.ascontiguousarray(array).data):08x}"
