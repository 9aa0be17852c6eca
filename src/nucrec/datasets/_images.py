"""Images that are decoded when they are asked for."""

from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from nucrec._pixels.image import ImageSource
from nucrec._pixels.resample import resize
from nucrec._threads import workers_for
from nucrec.datasets._decode import decode
from nucrec.datasets._roots import Root

Array = npt.NDArray[Any]


class MemoryImage:
    """An image that is in memory."""

    __slots__ = ("_array",)

    def __init__(self, array: Array) -> None:
        self._array = array
        self._array.setflags(write=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the image."""
        return self._array.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the image's values."""
        return self._array.dtype

    def read(self) -> Array:
        """Return the image, read-only."""
        return self._array

    def resized(self, size: tuple[int, int]) -> Array:
        """Return the image at (height, width), interpolated once."""
        return resize(self._array, size)


class FileImage:
    """An image in a file, decoded at each reading unless its pixels were kept."""

    __slots__ = ("_kept", "_name", "_root", "dtype", "shape")

    def __init__(self, root: Root, name: str, array: Array, *, keep: bool) -> None:
        self._root = root
        self._name = name
        self._kept = array if keep else None
        self.shape: tuple[int, ...] = array.shape
        self.dtype: np.dtype[Any] = array.dtype

    def read(self) -> Array:
        """Return the image, read-only."""
        if self._kept is not None:
            return self._kept
        return decode(self._root.read(self._name), self._name).array

    def resized(self, size: tuple[int, int]) -> Array:
        """Return the image at (height, width), interpolated once."""
        return resize(self.read(), size)


class LazyImages(Sequence[Array]):
    """A sequence of images; each is decoded when it is indexed.

    Parameters
    ----------
    sources : sequence of ImageSource
        Where the images come from.
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
        return f"LazyImages({len(self)} images)"


def threads_for(images: LazyImages) -> int:
    """Return how many threads pay for reading images of these sizes."""
    pixels = [shape[0] * shape[1] for shape in images.shapes]
    return workers_for(sum(pixels) / max(len(pixels), 1))
