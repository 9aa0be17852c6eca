"""Microscope image files: their content, and one channel of them as one image."""

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from nucrec._reading import tiff_tags as tag
from nucrec._reading.channels import Channel, channel_number, pick_channel
from nucrec._reading.decode import (
    checked_pixels,
    decode,
    explained,
    is_lossy_picture,
    open_picture,
    oriented,
)
from nucrec._reading.pixel_size import pixel_size_of
from nucrec._reading.planes import Planes, behind_first_page, is_stack_behind_first_page
from nucrec._reading.tiff import TiffKind, check_readable, read_plain_samples, read_samples
from nucrec._reading.tiff_tags import (
    Tags,
    end_of_pixels,
    full_size_pages,
    is_metamorph_stack,
    is_tiff,
    read_pages,
    truncated,
)
from nucrec.errors import ImageError

Array = npt.NDArray[Any]

_NUCLEAR = ("dapi", "hoechst", "hoechst 33342", "draq5", "h2b", "nuclei", "dna")
MAX_PIXELS = 500_000_000
"""Of one plane; Pillow's own limit is made for pictures of the web."""
_EXIF_ORIENTATION = 0x0112
_TURNED = (5, 6, 7, 8)


@dataclass(frozen=True)
class Header:
    """The content of an image file, as far as known without decoding pixels.

    Attributes
    ----------
    size : tuple of int
        Height and width in pixels.
    n_channels : int
        Number of channels to choose from; those of a colour image count as one.
    names : tuple of str
        The names of the channels, if known.
    n_z : int
        Number of positions along the optical axis.
    pixel_size : float or None
        Pixel size in um.
    is_lossy : bool
        Whether the compression is lossy, such as JPEG.
    told : bool
        Whether the file describes its pages.
    is_grey : bool
        Whether it holds a single grey image, without colours or transparency to choose from.
    """

    size: tuple[int, int]
    n_channels: int = 1
    names: tuple[str, ...] = ()
    n_z: int = 1
    pixel_size: float | None = None
    is_lossy: bool = False
    told: bool = True
    is_grey: bool = False


def read_header(data: bytes, name: str) -> Header:
    """Return the content of an image file without decoding its pixels.

    Raises
    ------
    ImageError
        The file is not an image of a known format, is damaged, or cannot be one field: it is a time
        series, several positions, or part of a set of files.
    """
    with explained(data, name):
        return Stack.of(data, name).header if is_tiff(data) else _header_of_picture(data, name)


def read_stack(data: bytes, name: str, channel: Channel | None = None) -> Array:
    """Return one channel of an image file, as maximum projection of several z positions.

    Parameters
    ----------
    data : bytes
        The content of the file.
    name : str
        The file name in error messages.
    channel : int or str, optional
        The channel, by number or name, if there are several.

    Returns
    -------
    ndarray of shape (H, W), or (H, W, C) of a colour picture of which no channel is chosen
        The read-only image, as from `nucrec._reading.decode.decode`.

    Raises
    ------
    ImageError
        The file cannot be read as one image. The message states why and what to do.
    """
    with explained(data, name):
        if is_tiff(data):
            return checked_pixels(Stack.of(data, name).read(channel), name)
    return decode(data, name, channel).array


def _header_of_picture(data: bytes, name: str) -> Header:
    with open_picture(data, name) as image:
        width, height = image.size
        # for a PNG without it, all pixels would be decoded to look for it after them
        may_be_turned = image.format != "PNG" or "exif" in image.info
        turned = may_be_turned and image.getexif().get(_EXIF_ORIENTATION) in _TURNED
        size = (width, height) if turned else (height, width)
        is_grey = image.mode in ("1", "L", "I", "F") or image.mode.startswith("I;16")
        return Header(size, is_lossy=is_lossy_picture(image, data), is_grey=is_grey)


@dataclass(frozen=True)
class Stack:
    """The pages of a TIFF as channels and z positions."""

    name: str
    pages: tuple[Tags, ...]
    planes: Planes

    @classmethod
    def of(cls, data: bytes, name: str) -> "Stack":
        """Read the tags of all pages, and check that they form one field."""
        try:
            pages = read_pages(data)
        except ValueError as error:
            raise ImageError(
                f"{name}: truncated or damaged: {error}; copy or export it again"
            ) from error
        stack = cls(name, tuple(pages), Planes.of(pages[0]))
        check_readable(stack.kind, name)
        stack._check_single()
        stack._check_whole()
        return stack

    @cached_property
    def kind(self) -> TiffKind:
        """The storage format of the samples on the first page."""
        return TiffKind(self.pages[0])

    @cached_property
    def is_behind_first_page(self) -> bool:
        """Whether the planes follow the first one without separate tags."""
        return is_stack_behind_first_page(self.pages[0], self.planes)

    @cached_property
    def full_pages(self) -> list[int]:
        """The pages that are not smaller copies of others."""
        return full_size_pages(self.pages)

    @property
    def is_told(self) -> bool:
        """Whether the file describes its pages."""
        return self.planes.n_planes > 1 or len(self.full_pages) <= 1

    @property
    def header(self) -> Header:
        """The content of the file."""
        height, width = self.kind.size
        turned = self.pages[0].value(tag.ORIENTATION, 1) in _TURNED
        return Header(
            (width, height) if turned else (height, width),
            self.n_channels,
            self.planes.names if len(self.planes.names) == self.n_channels else (),
            self.planes.n_z if self.is_told else 1,
            pixel_size_of(self.pages[0]),
            self.kind.is_lossy,
            told=self.is_told,
            is_grey=self.n_channels == 1 and self.kind.is_grey,
        )

    @property
    def n_channels(self) -> int:
        """The number of channels to choose from."""
        if not self.is_told:
            return len(self.full_pages)
        if self.planes.n_channels > 1:
            return self.planes.n_channels
        unnamed = self.kind.n_extra and not self.kind.has_alpha
        return self.kind.samples if unnamed else 1

    def read(self, channel: Channel | None) -> Array:
        """Return one channel, as maximum projection of several z positions."""
        number = 0
        of_pages = self.planes.n_channels > 1 or not self.is_told
        if channel is None and self.n_channels > 1:
            raise ImageError(f"{self.name}: {several_channels(self.header)}")
        if channel is not None and of_pages:
            number = channel_number(channel, self.n_channels, self.header.names, self.name)
            channel = None
        result = self._plane(number, 0)
        for z in range(1, self.planes.n_z if self.is_told else 1):
            result = np.maximum(result, self._plane(number, z))
        result = oriented(result, self.pages[0].value(tag.ORIENTATION, 1))
        if channel is None:
            return result
        known = len(self.planes.names) == self.kind.samples
        names = self.planes.names if known else self.kind.sample_names
        return pick_channel(result, channel, names, self.name)

    def _plane(self, channel: int, z: int) -> Array:
        if self.is_behind_first_page:
            return self._plane_behind(self.planes.plane_of(channel, z))
        page = self.planes.page_of(channel, z) if self.is_told else self.full_pages[channel]
        if page >= len(self.pages):
            raise ImageError(f"{self.name}: damaged: it has {len(self.pages)} pages, none {page}")
        kind = TiffKind(self.pages[page])
        if kind.size != self.kind.size:
            raise ImageError(f"{self.name}: its pages are of different sizes")
        return self._samples(kind, page)

    def _plane_behind(self, plane: int) -> Array:
        kind = self.kind
        at = kind.tags.value(tag.STRIP_OFFSETS, 0) + plane * self._bytes_of_plane
        samples = read_plain_samples(kind, at)
        if samples is not None:
            return samples
        return self._samples(TiffKind(behind_first_page(kind.tags, plane, self._bytes_of_plane)), 0)

    def _samples(self, kind: TiffKind, page: int) -> Array:
        if kind.pixels > MAX_PIXELS:
            raise ImageError(f"{self.name}: {kind.size[1]} x {kind.size[0]} pixels are too many")
        if Image.MAX_IMAGE_PIXELS is None or kind.pixels <= Image.MAX_IMAGE_PIXELS:
            return read_samples(kind, page, self.name)
        with warnings.catch_warnings():  # fields of view may be larger than web images
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return read_samples(kind, page, self.name)

    @property
    def _bytes_of_plane(self) -> int:
        height, width = self.kind.size
        return height * width * self.kind.samples * self.kind.bits // 8

    def _check_single(self) -> None:
        """Refuse files that are not one field."""
        planes, first = self.planes, self.pages[0]
        reason = ""
        if planes.n_files > 1:
            reason = (
                f"one of {planes.n_files} files that hold the planes of an OME-TIFF together: save "
                "them to one file, or each channel as a TIFF of its own"
            )
        elif planes.n_images > 1:
            reason = (
                f"holds {planes.n_images} images, such as positions: save each as a file of its own"
            )
        elif planes.n_times > 1:
            reason = (
                f"a time series of {planes.n_times} frames: save the frames to be scored as files of "
                "their own (Fiji: Image > Duplicate, or Image > Stacks > Stack to Images)"
            )
        elif planes.n_planes not in (1, planes.n_channels * planes.n_z):
            reason = (
                f"describes {planes.n_planes} images, but {planes.n_channels} channels of "
                f"{planes.n_z} z positions: save it again as a hyperstack or an OME-TIFF"
            )
        elif is_metamorph_stack(first):
            n_planes = first.entries[tag.METAMORPH_STACK].count
            reason = (
                f"a MetaMorph stack of {n_planes} planes: save it as an OME-TIFF, or each plane as a "
                "file"
            )
        if reason:
            raise ImageError(f"{self.name}: {reason}")

    def _check_whole(self) -> None:
        """Refuse a file that ends before its last pixel."""
        n_bytes = len(self.pages[0].data)
        needed = max(map(end_of_pixels, self.pages))
        if self.is_behind_first_page:
            start = self.pages[0].value(tag.STRIP_OFFSETS, 0)
            needed = max(needed, start + self.planes.n_planes * self._bytes_of_plane)
        elif self.planes.n_planes > len(self.pages):
            raise ImageError(
                f"{self.name}: truncated: describes {self.planes.n_planes} planes, but holds "
                f"{len(self.pages)}; copy or export it again"
            )
        if needed > n_bytes:
            raise ImageError(f"{self.name}: {truncated(n_bytes, needed)}")


def several_channels(header: Header) -> str:
    """Return why a channel must be chosen, and the available channels."""
    n = header.n_channels
    if not header.told:
        return (
            f"holds {n} pages, and nothing says whether they are channels, z positions or times: "
            f"choose a page with channel=0 to channel={n - 1}, or save it as an OME-TIFF"
        )
    if any(header.names):
        named = ", ".join(f"{i}: {name or 'unnamed'}" for i, name in enumerate(header.names))
        example = next((name for name in header.names if name.casefold() in _NUCLEAR), None)
        such_as = repr(next(filter(None, (example, *header.names))))
        return f"holds {n} channels ({named}): choose that of the nuclei, such as channel={such_as}"
    return f"holds {n} channels: choose that of the nuclei with channel=0 to channel={n - 1}"
