"""Sources of the pixels and labels of one field."""

import zlib
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from nucrec._pixels.intensity import only_channel
from nucrec._reading.channels import Channel, pick_channel
from nucrec._reading.roots import Root
from nucrec._reading.stack import read_stack
from nucrec.errors import ImageError
from nucrec.fields._arrays import check_pixels
from nucrec.fields._instances import check_instances, check_shape
from nucrec.fields._labels import decode_labels

Array = npt.NDArray[Any]
Labels = npt.NDArray[np.int32]

_EXACT, _LOSSY = 1, 32
"""How far values may be from a picture of one colour, of 255."""


class Pixels(Protocol):
    """A source of the pixels of a field."""

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""

    def read(self) -> Array:
        """Return the pixels, (H, W)."""

    def stamp(self) -> str:
        """Return a stamp that changes with the content."""


class Mask(Protocol):
    """A source of the labels of a field's nuclei."""

    def read(self, shape: tuple[int, int]) -> Labels:
        """Return the labels, with this shape."""

    def stamp(self) -> str:
        """Return a stamp that changes with the content."""


@dataclass(frozen=True)
class FilePixels:
    """Pixels in a file, or in several files of one z position each."""

    root: Root
    names: tuple[str, ...]
    size: tuple[int, int]
    channel: Channel | None = None
    is_lossy: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.size

    def read(self) -> Array:
        """Return the pixels, (H, W), or the maximum projection of several z positions."""
        result = self._read_one(self.names[0])
        for name in self.names[1:]:
            result = np.maximum(result, self._read_one(name))
        check_pixels(self.names[0], result)
        result.setflags(write=False)
        return result

    def _read_one(self, name: str) -> Array:
        array = read_stack(self.root.read(name), name, self.channel)
        if array.ndim == 3:
            array = self._one_colour(array, name)
        if array.shape != self.size:
            raise ImageError(
                f"{name}: {array.shape[1]} x {array.shape[0]} pixels, but {self.size[1]} x "
                f"{self.size[0]} were expected: the file has changed, or its z positions differ"
            )
        return native_depth(array)

    def stamp(self) -> str:
        """Return the files with their sizes and modification times, and the channel."""
        return f"{[(name, self.root.stamp(name)) for name in self.names]} {self.channel}"

    def _one_colour(self, array: Array, name: str) -> Array:
        """Return the single channel of a single-colour image."""
        if array.shape[2] < 3:
            return np.ascontiguousarray(array[..., 0])  # grey, with transparency
        only = only_channel(array, _LOSSY if self.is_lossy else _EXACT)
        if only is None:
            raise ImageError(
                f"{name}: a picture of several colours, such as a merge or a screenshot, "
                "rather than the image of one stain: export the channel of the nuclei alone "
                "as grey TIFF, or choose a colour with channel='blue'"
            )
        return pick_channel(array, only, (), name)


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
        """Return the labels, with this shape."""
        labels = decode_labels(self.root.read(self.name), self.name, shape)
        labels.setflags(write=False)
        return labels

    def stamp(self) -> str:
        """Return the size and modification time of the file."""
        return f"{self.name} {self.root.stamp(self.name)}"


@dataclass(frozen=True, eq=False)
class ArrayMask:
    """Labels in memory."""

    array: Labels
    name: str

    def read(self, shape: tuple[int, int]) -> Labels:
        """Return the labels, with this shape."""
        check_shape(self.array.shape, shape, self.name)
        check_instances(self.array, self.name)
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
