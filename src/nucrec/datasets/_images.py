"""Images that are decoded on demand."""

from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from nucrec import _notebook as show
from nucrec._pixels.image import ImageSource, checksum_of
from nucrec._pixels.intensity import only_channel
from nucrec._pixels.resample import resize
from nucrec._reading.channels import Channel
from nucrec._reading.decode import Decoded, decode
from nucrec._reading.roots import Root
from nucrec._text import many
from nucrec._threads import workers_for

Array = npt.NDArray[Any]

_CAMERAS = (8, 10, 12, 14, 16)  # bits that cameras have
_SHOWN = 16  # thumbnails in a notebook


class MemoryImage:
    """An image that is in memory."""

    __slots__ = ("_array", "_grey", "_used")

    def __init__(self, array: Array) -> None:
        self._array = array
        self._grey: ImageSource | None = None
        self._used: int | None = None
        self._array.setflags(write=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the image."""
        return self._array.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the image's values."""
        return self._array.dtype

    @property
    def used_bits(self) -> int | None:
        """The fewest bits of a camera that hold the values; None as of `_used_bits`."""
        if self._used is None:
            self._used = _used_bits(self._array)
        return self._used

    def read(self) -> Array:
        """Return the image, read-only."""
        return self._array

    def resized(self, size: tuple[int, int]) -> Array:
        """Return the image at (height, width), interpolated once."""
        return resize(self._array, size)

    def checksum(self) -> int:
        """Return a checksum of the pixels."""
        return checksum_of(self._array)

    def in_grey(self) -> ImageSource:
        """Return the one channel of a picture of one colour; else this image."""
        if self._grey is None:
            one = only_channel(self._array)
            self._grey = self if one is None else OneChannel(self, one)
        return self._grey


class FileImage:
    """An image in a file, decoded at each access unless its pixels were cached."""

    __slots__ = (
        "_channel",
        "_kept",
        "_name",
        "_only",
        "_root",
        "_sum",
        "dtype",
        "kind",
        "n_bytes",
        "shape",
        "used_bits",
    )

    def __init__(
        self, root: Root, name: str, decoded: Decoded, channel: Channel | None, *, keep: bool
    ) -> None:
        self._root = root
        self._name = name
        self._channel = channel
        self._kept = decoded.array if keep else None
        self._sum = None if keep else checksum_of(decoded.array)  # while the pixels are at hand
        self._only = decoded.only_channel
        self.kind = decoded.kind
        self.n_bytes = decoded.n_bytes
        self.shape: tuple[int, ...] = decoded.array.shape
        self.dtype: np.dtype[Any] = decoded.array.dtype
        self.used_bits = _used_bits(decoded.array)

    def read(self) -> Array:
        """Return the image, read-only."""
        if self._kept is not None:
            return self._kept
        return decode(self._root.read(self._name), self._name, self._channel).array

    def resized(self, size: tuple[int, int]) -> Array:
        """Return the image at (height, width), interpolated once."""
        return resize(self.read(), size)

    def checksum(self) -> int:
        """Return a checksum of the pixels."""
        return checksum_of(self.read()) if self._sum is None else self._sum

    def in_grey(self) -> ImageSource:
        """Return the one channel of a picture of one colour; else this image."""
        return self if self._only is None else OneChannel(self, self._only)


class OneChannel:
    """The only channel of an image that carries information."""

    __slots__ = ("_image", "_number")

    def __init__(self, image: ImageSource, number: int) -> None:
        self._image = image
        self._number = number

    @property
    def shape(self) -> tuple[int, ...]:
        """Height and width."""
        return self._image.shape[:2]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the image's values."""
        return self._image.dtype

    def read(self) -> Array:
        """Return the channel, read-only."""
        channel = np.ascontiguousarray(self._image.read()[..., self._number])
        channel.setflags(write=False)
        return channel

    def resized(self, size: tuple[int, int]) -> Array:
        """Return the channel at (height, width), interpolated once."""
        return resize(self.read(), size)

    def checksum(self) -> int:
        """Return a checksum of the pixels."""
        return checksum_of(self.read())

    def in_grey(self) -> ImageSource:
        """Return this image."""
        return self


class LazyImages(Sequence[Array]):
    """A sequence of images; each is decoded when it is indexed.

    Parameters
    ----------
    sources : sequence of ImageSource
        Where the images come from.

    Examples
    --------
    >>> from nucrec.datasets import load_mnfinder_crops
    >>> images = load_mnfinder_crops().images
    >>> images[:3]
    LazyImages(3 images)
    >>> images[0].shape == images.shapes[0]
    True
    """

    __slots__ = ("_sources",)

    def __init__(self, sources: Sequence[ImageSource]) -> None:
        self._sources = tuple(sources)

    @property
    def sources(self) -> tuple[ImageSource, ...]:
        """Where the images come from."""
        return self._sources

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """The shape of each image, without decoding any."""
        return [source.shape for source in self._sources]

    def __len__(self) -> int:
        return len(self._sources)

    @overload
    def __getitem__(self, index: int) -> Array: ...
    @overload
    def __getitem__(self, index: slice) -> "LazyImages": ...
    def __getitem__(self, index: int | slice) -> "Array | LazyImages":
        if isinstance(index, slice):
            return LazyImages(self._sources[index])
        return self._sources[index].read()

    def __iter__(self) -> Iterator[Array]:
        return (source.read() for source in self._sources)

    def __repr__(self) -> str:
        return f"LazyImages({many(len(self), 'image')})"

    def _repr_html_(self) -> str:
        tiles = [
            show.Tile([show.small_picture(self._sources[i].read)], str(i))
            for i in show.evenly(range(len(self)), _SHOWN)
        ]
        return show.fragment(show.paragraphs(repr(self)), show.thumbnails(tiles))


def _used_bits(image: Array) -> int | None:
    """Return the smallest camera bit depth that holds the values of an image of more than 8 bits.

    Values that some cameras shift to the upper bits are counted without the shift. Returns None for 8
    bits, and for values that are not non-negative integers.
    """
    if image.dtype.kind not in "ui" or image.dtype.itemsize == 1:
        return None
    if image.dtype.kind == "i" and image.min() < 0:
        return None
    together = int(np.bitwise_or.reduce(image, axis=None))
    shift = (together & -together).bit_length() - 1 if together else 0
    needed = (together >> shift).bit_length()
    return next((bits for bits in _CAMERAS if needed <= bits), 8 * image.dtype.itemsize)


def threads_for(images: LazyImages) -> int:
    """Return the number of threads that pays for reading images of these sizes."""
    pixels = [shape[0] * shape[1] for shape in images.shapes]
    return workers_for(sum(pixels) / max(len(pixels), 1))
