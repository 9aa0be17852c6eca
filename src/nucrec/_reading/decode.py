"""Decoding of one image file to an array."""

import contextlib
import io
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from nucrec._optional import is_installed, require
from nucrec._pixels.image import BEYOND_FLOAT32, exceeds_float32
from nucrec._pixels.intensity import only_channel
from nucrec._reading.channels import Channel, channel_number, pick_channel
from nucrec._reading.kinds import is_lossy_webp, other_kind, unusual_jpeg, why_not_by_name
from nucrec._reading.planes import (
    Planes,
    behind_first_page,
    is_stack_behind_first_page,
)
from nucrec._reading.tiff import TiffKind, check_readable, read_samples
from nucrec._reading.tiff_tags import (
    ORIENTATION,
    Tags,
    end_of_pixels,
    full_size_pages,
    is_metamorph_stack,
    is_tiff,
    read_pages,
    read_tags,
    truncated,
)
from nucrec.errors import ImageError

Array = npt.NDArray[Any]

MAX_SCANS = 100
MAX_CHUNKS = 10_000
_LOSSY_COLOUR = 32
"""How far JPEG and WebP take a picture of one colour from it, of 255; measured: up to 25."""
_START_OF_SCAN = b"\xff\xda"
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_BITS, _PNG_COLOUR, _PNG_GREY_ALPHA = 24, 25, 4
_LEAST_CHUNK = 12  # in bytes
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")
_JPEG = ("JPEG", "MPO")
"""Pillow's names of JPEG files with one picture and with several."""
_AS_STORED = ("L", "LA", "RGB", "RGBA", "F", "I")
_UNPACKED = {"1": "L", "P": "RGB", "PA": "RGBA", "La": "LA", "RGBa": "RGBA"}


class Decoded(NamedTuple):
    """A decoded image with its properties.

    Attributes
    ----------
    array : ndarray of shape (H, W) or (H, W, C)
        The pixels.
    has_more_pages : bool
        Whether the file has further pages that were not read.
    only_channel : int or None
        The channel that holds the whole image, if it has a single colour.
    kind : str
        Format and compression of the file.
    n_bytes : int
        Size of the file.
    """

    array: Array
    has_more_pages: bool
    only_channel: int | None
    kind: str
    n_bytes: int


class _Found(NamedTuple):
    """The result of a format's decoder: pixels, whether further pages follow, kind and precision."""

    array: Array
    has_more_pages: bool
    kind: str
    is_lossy: bool


def decode(data: bytes, name: str, channel: Channel | None = None) -> Decoded:
    """Decode one image file.

    Parameters
    ----------
    data : bytes
        The content of the file.
    name : str
        The file name in error messages.
    channel : int or str, optional
        The channel to return, by number or name; by default all.

    Returns
    -------
    Decoded
        The image. Its array, (H, W) for grey or one channel and (H, W, C) otherwise, is read-only
        and has the dtype of the file, with small types converted to uint8, int32 or float32.
        Palettes, CMYK, YCbCr and L*a*b* are converted to RGB(A), images of less than 8 bits are
        scaled to 0 to 255, and the stated orientation is applied.

    Raises
    ------
    ImageError
        The bytes are not an image of a known format, are damaged, hold more than
        ``PIL.Image.MAX_IMAGE_PIXELS`` pixels, or would silently lose precision or channels.
    """
    with explained(data, name):
        array, more_pages, kind, is_lossy = (_decode_tiff if is_tiff(data) else _decode_other)(
            data, name, channel
        )
    array = checked_pixels(array, name)
    tolerance = _LOSSY_COLOUR if is_lossy else 1
    only = None if array.ndim == 2 else only_channel(array, tolerance)
    return Decoded(array, more_pages, only, kind, len(data))


@contextlib.contextmanager
def explained(data: bytes, name: str) -> Iterator[None]:
    """Convert any exception of a decoder to an ImageError that names the file."""
    if not data:
        raise ImageError(f"{name}: the file is empty (0 bytes)")
    if why := why_not_by_name(name):
        raise ImageError(f"{name}: {why}")
    try:
        yield
    except ImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(
            f"{name}: more pixels than PIL.Image.MAX_IMAGE_PIXELS ({error})"
        ) from error
    except UnidentifiedImageError as error:
        kind = _unusual_jpeg(data) or other_kind(data)
        kind = kind or "not an image of a known format (PNG, JPEG, TIFF, ...)"
        raise ImageError(f"{name}: {kind}") from error
    except Exception as error:  # decoders raise almost anything on damaged input
        kind = _unusual_jpeg(data) or f"damaged image ({type(error).__name__}: {error})"
        raise ImageError(f"{name}: {kind}") from error


def checked_pixels(array: Array, name: str) -> Array:
    """Return a read-only image, or raise if it is empty or not finite."""
    if not array.size:
        raise ImageError(f"{name}: holds no pixels")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ImageError(f"{name}: holds NaN or infinite values")
    if exceeds_float32(array):
        raise ImageError(f"{name}: {BEYOND_FLOAT32}")
    array.setflags(write=False)
    return array


def _unusual_jpeg(data: bytes) -> str:
    """Return why a JPEG cannot be decoded, and what to do; empty for others."""
    unusual = unusual_jpeg(data)
    return unusual and f"a {unusual} JPEG, which is not supported: save it as PNG or TIFF"


def _decode_other(data: bytes, name: str, channel: Channel | None) -> _Found:
    """Return an image other than a TIFF; for an animation, its first frame."""
    with open_picture(data, name) as image:
        if image.format in _JPEG and data.count(_START_OF_SCAN) > MAX_SCANS:
            # a scan of a few bytes covers all pixels
            raise ImageError(f"{name}: a JPEG of more than {MAX_SCANS} scans")
        array = _read_deep_png(image, data) if _is_deep_png(data) else _to_array(image)
        kind, is_lossy = image.format or "", is_lossy_picture(image, data)
    picked = array if channel is None else pick_channel(array, channel, (), name)
    return _Found(picked, False, kind, is_lossy)


def open_picture(data: bytes, name: str) -> Image.Image:
    """Open an image other than a TIFF without decoding it.

    Raises
    ------
    ImageError
        The image is too large, has too many parts, or would be truncated to 8 bits without the
        extra "microscopy".
    """
    if data[: len(_PNG)] == _PNG and _has_too_many_chunks(data):
        raise ImageError(f"{name}: a PNG of more than {MAX_CHUNKS} chunks")
    image = Image.open(io.BytesIO(data), formats=_FORMATS)
    _check_size(image.size, name)
    if _is_deep_png(data) and not is_installed("imagecodecs"):
        advice = 'install the extra microscopy (pip install "nucrec[microscopy]"), '
        raise ImageError(f"{name}: {_cut(data[_PNG_COLOUR] == _PNG_GREY_ALPHA, advice)}")
    return image


def is_lossy_picture(image: Image.Image, data: bytes) -> bool:
    """Return whether the compression of an image other than a TIFF changes values."""
    return image.format in _JPEG or (image.format == "WEBP" and is_lossy_webp(data))


def _has_too_many_chunks(data: bytes) -> bool:
    """Return whether a PNG has so many chunks other than pixels that they dominate the time."""
    if len(data) < _LEAST_CHUNK * MAX_CHUNKS:
        return False
    position, count = len(_PNG), 0
    while position + _LEAST_CHUNK <= len(data) and count <= MAX_CHUNKS:
        count += data[position + 4 : position + 8] != b"IDAT" or not any(
            data[position : position + 4]
        )
        position += _LEAST_CHUNK + int.from_bytes(data[position : position + 4], "big")
    return count > MAX_CHUNKS


def _decode_tiff(data: bytes, name: str, channel: Channel | None) -> _Found:
    """Return the image of a TIFF's first page, or one channel of it."""
    tags = read_tags(data)
    planes = Planes.of(tags)
    if planes.n_files > 1:
        raise ImageError(
            f"{name}: one of {planes.n_files} files that hold the channels of an OME-TIFF together: "
            "save them to one file, or each channel as a TIFF of its own"
        )
    more_pages = tags.next_page != 0 or planes.n_planes > 1 or is_metamorph_stack(tags)
    page = 0
    if channel is not None and planes.n_channels > 1:
        number = channel_number(channel, planes.n_channels, planes.names, name)
        tags, page = _tags_of_channel(tags, planes, number)
        more_pages, channel = planes.n_planes > planes.n_channels, None
    elif channel is not None and _may_be_pages_of_channels(tags, planes):
        tags, page = _page_of_channel(tags, channel, name)
        more_pages, channel = False, None
    kind = TiffKind(tags)
    _check_size(kind.size[::-1], name, kind.pixels)
    check_readable(kind, name)  # or advice on channels would be refused
    if channel is None and kind.n_extra and not kind.has_alpha:
        raise ImageError(
            f"{name}: a TIFF of {kind}, and nothing says which of them to use: choose one with "
            f"channel=0 to channel={kind.samples - 1}"
        )
    samples = oriented(_read_whole(kind, page, name), tags.value(ORIENTATION, 1))
    if channel is not None:
        known = len(planes.names) == kind.samples
        names = planes.names if known else kind.sample_names
        samples = pick_channel(samples, channel, names, name)
    return _Found(samples, more_pages, sys.intern(f"TIFF of {kind}"), kind.is_lossy)


def _read_whole(kind: TiffKind, page: int, name: str) -> Array:
    """Return the samples of a page, or raise if the file ends before them."""
    n_bytes, needed = len(kind.tags.data), end_of_pixels(kind.tags)
    reason = truncated(n_bytes, needed) if needed > n_bytes else ""
    if reason and kind.is_compressed:  # some decoders fill what is missing without an error
        raise ImageError(f"{name}: {reason}")
    try:
        return read_samples(kind, page, name)
    except ImageError:
        raise
    except Exception as error:  # without compression, a length may be overstated without harm
        if not reason:
            raise
        raise ImageError(f"{name}: {reason}") from error


def _tags_of_channel(tags: Tags, planes: Planes, number: int) -> tuple[Tags, int]:
    """Return the tags and the number of the page that holds a channel."""
    if is_stack_behind_first_page(tags, planes):
        kind = TiffKind(tags)
        n_bytes = kind.size[0] * kind.size[1] * kind.samples * kind.bits // 8
        return behind_first_page(tags, number, n_bytes), 0
    page = planes.page_of(number)
    return read_tags(tags.data, page), page


def _may_be_pages_of_channels(tags: Tags, planes: Planes) -> bool:
    """Return whether nothing describes the pages of a grey TIFF."""
    return tags.next_page != 0 and planes.n_planes == 1 and TiffKind(tags).samples == 1


def _page_of_channel(tags: Tags, channel: Channel, name: str) -> tuple[Tags, int]:
    """Return the tags and the number of the page that is chosen by number."""
    pages = read_pages(tags.data)
    full = full_size_pages(pages)
    page = full[channel_number(channel, len(full), (), name)]
    return pages[page], page


def oriented(array: Array, orientation: int) -> Array:
    """Return an image with its orientation, 1 to 8 as in TIFF and EXIF, applied."""
    if orientation in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return np.ascontiguousarray(array)


def _check_size(size: tuple[int, int], name: str, pixels: int | None = None) -> None:
    """Refuse images that are too large, before decoding."""
    width, height = size
    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and max(width * height, pixels or 0) > limit:
        beyond = "" if width * height > limit else ", with its tiles and samples,"
        raise ImageError(
            f"{name}: {width} x {height} pixels{beyond} are more than PIL.Image.MAX_IMAGE_PIXELS "
            f"({limit})"
        )


def _is_deep_png(data: bytes) -> bool:
    """Return whether the file is a PNG of 16 bits other than plain grey, which Pillow truncates."""
    deep = data[_PNG_BITS : _PNG_BITS + 1] == b"\x10" and data[: len(_PNG)] == _PNG
    return deep and data[_PNG_COLOUR] != 0


def _read_deep_png(image: Image.Image, data: bytes) -> Array:
    """Return a PNG of 16-bit colour, or of 16-bit grey with transparency."""
    samples = require("imagecodecs", extra="microscopy").png_decode(data)
    return oriented(np.asarray(samples), image.getexif().get(ORIENTATION, 1))


def _cut(is_grey: bool, advice: str = "") -> str:
    """Return why samples of 16 bits that would be truncated are not read, and what to do."""
    return (
        f"16-bit {'grey with transparency' if is_grey else 'colour'} is not supported, and cutting it "
        f"to 8 bits would lose data: {advice}save each channel as a 16-bit grey image, or convert it "
        "to 8 bits yourself"
    )


def _check_depth(image: Image.Image, name: str) -> None:
    """Refuse a Pillow image that would be truncated to 8 bits, before decoding."""
    modes = [] if image.mode.startswith(("I", "F")) else getattr(image, "tile", [])
    deep = [mode for tile in modes if ";16" in (mode := str(tile[3])) and "BGR" not in mode]
    if deep:  # BGR;16 are 16 bits of all three colours
        raise ImageError(f"{name}: {_cut('LA' in deep[0])}")


def pixels_of_picture(image: Image.Image, name: str) -> Array:
    """Return the pixels of a Pillow image, as from its file.

    Raises
    ------
    ImageError
        The image would be truncated to 8 bits.
    """
    _check_depth(image, name)
    return _to_array(image.copy())


def _to_array(image: Image.Image) -> Array:
    """Decode the first frame of an open image to an array in native byte order."""
    image.load()
    if image.info:
        ImageOps.exif_transpose(image, in_place=True)
    mode = image.mode
    if mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    elif mode in _UNPACKED:
        image = image.convert(_UNPACKED[mode])
    elif mode not in _AS_STORED and not mode.startswith("I;16"):
        image = image.convert("RGB")
    array = np.asarray(image)
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
