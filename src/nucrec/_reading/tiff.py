"""The pixels of a TIFF, decoded by Pillow or tifffile depending on its tags.

Pillow decodes some combinations of tags wrongly without an error. It is used only for those
combinations for which a test compares every pixel.
"""

import io
import logging
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from nucrec._optional import require
from nucrec._reading import tiff_tags as tag
from nucrec._reading.kinds import is_lossy_webp
from nucrec._reading.tiff_tags import Tags
from nucrec.errors import ImageError, MissingExtraError

Array = npt.NDArray[Any]

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _CMYK, _YCBCR, _LAB = 0, 1, 2, 3, 5, 6, 8
_COLOURS = {
    _WHITE_IS_ZERO: ("grey", 1),
    _BLACK_IS_ZERO: ("grey", 1),
    _RGB: ("RGB", 3),
    _PALETTE: ("colour table", 1),
    _CMYK: ("CMYK", 4),
    _YCBCR: ("YCbCr", 3),
    _LAB: ("L*a*b*", 3),
    9: ("ICC L*a*b*", 3),
    10: ("ITU L*a*b*", 3),
    32803: ("colour filter array", 1),
    32844: ("LogL", 1),
    32845: ("LogLuv", 3),
    34892: ("linear raw", 3),
}
_UNSIGNED, _SIGNED, _FLOAT, _UNDEFINED = 1, 2, 3, 4
_FORMATS = {_UNSIGNED: "integer", _SIGNED: "signed integer", _FLOAT: "float"}
_NONE, _JPEG = 1, 7
_CCITT = (2, 3, 4)
_COMPRESSIONS = {
    **dict.fromkeys(_CCITT, "CCITT"),
    5: "LZW",
    6: "old JPEG",
    _JPEG: "JPEG",
    8: "Deflate",
    32766: "NeXT",
    32773: "PackBits",
    32809: "ThunderScan",
    32909: "PixarLog",
    32946: "Deflate",
    33003: "JPEG 2000",
    33005: "JPEG 2000",
    34661: "JBIG",
    34676: "SGI LogLuv",
    34677: "SGI LogLuv",
    34712: "JPEG 2000",
    34713: "Nikon NEF",
    34887: "LERC",
    34892: "JPEG",
    34925: "LZMA",
    34933: "PNG",
    34934: "JPEG XR",
    50000: "Zstandard",
    50001: "WebP",
    50002: "JPEG XL",
    50013: "Deflate",
}
_LOSSLESS = (_NONE, 5, 8, 32773, 32946, 34925, 50000)  # undone by Pillow
_MAY_BE_LOSSY = (6, _JPEG, 33003, 33005, 34712, 34892, 34934, 50002)
_START = 4096  # number of bytes at the start of a WebP image that state its kind
_IN_ALL_PILLOWS = (_NONE, 5, _JPEG, 8, 32773, 32946, *_CCITT)
_CONVERTED = {"CMYK": "RGB", "YCbCr": "RGB", "LAB": "RGB"}
_CONVERT = "save it as RGB of 8 bits, or grey of 8 or 16 bits"
_WIDER = {"bool": "u1", "int8": "i4", "int16": "i4", "float16": "f4"}
"""What becomes of small types, without loss; Pillow makes the same of them."""


@dataclass(frozen=True)
class TiffKind:
    """The storage format of samples in a TIFF."""

    tags: Tags

    @cached_property
    def samples(self) -> int:
        """The number of samples per pixel."""
        return self.tags.value(tag.SAMPLES, 1)

    @cached_property
    def bits(self) -> int:
        """The number of bits per sample; 0 if samples differ."""
        bits = set(self.tags.values(tag.BITS)) or {1}
        return bits.pop() if len(bits) == 1 else 0

    @cached_property
    def sample_format(self) -> int:
        """The sample format: unsigned, signed or float; 0 if samples differ."""
        formats = set(self.tags.values(tag.SAMPLE_FORMAT)) or {_UNSIGNED}
        found = formats.pop() if len(formats) == 1 else 0
        return _UNSIGNED if found == _UNDEFINED else found

    @cached_property
    def photometric(self) -> int:
        """The photometric interpretation."""
        return self.tags.value(tag.PHOTOMETRIC, _WHITE_IS_ZERO)

    @cached_property
    def compression(self) -> int:
        """The compression scheme."""
        return self.tags.value(tag.COMPRESSION, _NONE)

    @property
    def is_compressed(self) -> bool:
        """Whether the samples are compressed."""
        return self.compression != _NONE

    @property
    def is_grey(self) -> bool:
        """Whether there is one sample per pixel, of grey."""
        return self.samples == 1 and self.photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO)

    @cached_property
    def size(self) -> tuple[int, int]:
        """The height and width of the page in pixels."""
        return self.tags.value(tag.HEIGHT, 0), self.tags.value(tag.WIDTH, 0)

    @cached_property
    def is_planar(self) -> bool:
        """Whether samples are stored as separate planes; equivalent with one sample per pixel."""
        return self.samples > 1 and self.tags.value(tag.PLANAR, 1) == 2

    @cached_property
    def n_extra(self) -> int:
        """The number of samples per pixel beyond grey or colours."""
        return self.samples - _COLOURS.get(self.photometric, ("", 1))[1]

    @cached_property
    def has_alpha(self) -> bool:
        """Whether there is one extra sample, declared as transparency."""
        return self.n_extra == 1 and self.alpha == [self.samples - 1]

    @cached_property
    def alpha(self) -> list[int]:
        """The samples declared as transparency."""
        stated = self.tags.values(tag.EXTRA_SAMPLES)
        return [self.samples - len(stated) + i for i, kind in enumerate(stated) if kind in (1, 2)]

    @property
    def sample_names(self) -> tuple[str, ...]:
        """The names of the samples returned by `read_samples`; grey has no names."""
        if self.photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO):
            return ("",) * self.samples
        extra = ("alpha" if self.has_alpha else "unnamed",) * max(0, self.n_extra)
        return ("red", "green", "blue", *extra)

    @cached_property
    def is_lossy(self) -> bool:
        """Whether the compression changes values, or may do so."""
        if _COMPRESSIONS.get(self.compression) == "WebP":
            first = self.tags.value(tag.STRIP_OFFSETS, self.tags.value(tag.TILE_OFFSETS, 0))
            return is_lossy_webp(self.tags.data[first : first + _START])
        return self.compression in _MAY_BE_LOSSY

    @property
    def pixels(self) -> int:
        """The number of pixels decoded at once: those of the page, or of a larger tile.

        Beyond the four samples of RGB with transparency, every four samples count as one more
        pixel.
        """
        height, width = self.size
        tall, wide = self.tags.value(tag.TILE_HEIGHT, 1), self.tags.value(tag.TILE_WIDTH, 1)
        return max(height, tall) * max(width, wide) * max(1, -(-self.samples // 4))

    def __str__(self) -> str:
        depth = f"{self.bits}-bit" if self.bits else "mixed depths"
        parts = [depth, _FORMATS.get(self.sample_format, f"format {self.sample_format}")]
        parts.append(_COLOURS.get(self.photometric, (f"photometric {self.photometric}", 1))[0])
        facts = [] if self.samples == 1 else [f"{self.samples} samples"]
        facts += ["planar"] if self.is_planar else []
        facts += ["big endian"] if self.tags.order == ">" and self.bits > 8 else []
        facts += ["BigTIFF"] if self.tags.is_big else []
        if self.is_compressed:
            name = _COMPRESSIONS.get(self.compression, f"compression {self.compression}")
            facts.append(f"{name}-compressed" if name[0].isupper() else name)
        return ", ".join([" ".join(parts), *facts])


def read_samples(kind: TiffKind, page: int, name: str) -> Array:
    """Return the stored samples of a page, (H, W) or (H, W, C).

    Colours other than RGB are converted to RGB, and samples of less than 8 bits are scaled to 0 to
    255.

    Raises
    ------
    ImageError
        The samples cannot be decoded correctly, or not without the extra "microscopy".
    """
    check_readable(kind, name)
    samples = _read_by_pillow(kind, page) if _pillow_is_right(kind) else None
    if samples is None:
        samples = _read_by_tifffile(kind, page, name)
    if kind.photometric == _PALETTE:
        samples = _apply_colour_table(samples, kind)
    if kind.photometric == _WHITE_IS_ZERO:
        samples = _inverted(samples, kind)
    return samples


def check_readable(kind: TiffKind, name: str) -> None:
    """Raise if the tags alone tell that samples cannot be decoded.

    Raises
    ------
    ImageError
        The samples cannot be decoded correctly, or not without the extra "microscopy".
    """
    # some programs write 24 bits in byte order, others as a row of bits
    if (kind.photometric == _PALETTE and kind.samples > 1) or kind.bits == 24:
        raise ImageError(f"{name}: a TIFF of {kind} is not supported: {_CONVERT}")
    if not _pillow_is_right(kind):
        _tifffile_for(kind, name)


def read_plain_samples(kind: TiffKind, at: int) -> Array | None:
    """Return samples stored uncompressed at an offset, or None if they are not plain grey.

    Raises
    ------
    ValueError
        The file ends before the samples do.
    """
    letter = {_UNSIGNED: "u", _SIGNED: "i", _FLOAT: "f"}.get(kind.sample_format)
    if not kind.is_grey or not letter or kind.compression != _NONE or kind.bits not in (8, 16, 32):
        return None
    height, width = kind.size
    stored = np.dtype(f"{kind.tags.order}{letter}{kind.bits // 8}")
    samples = np.frombuffer(kind.tags.data, stored, height * width, at).reshape(height, width)
    wider = _WIDER.get(samples.dtype.name, samples.dtype.newbyteorder("="))
    samples = samples.astype(wider)
    return _negative(samples, kind) if kind.photometric == _WHITE_IS_ZERO else samples


def _pillow_is_right(kind: TiffKind) -> bool:
    """Return whether Pillow decodes such samples correctly."""
    if kind.tags.is_big and kind.tags.order == ">":
        return False
    if kind.tags.value(tag.FILL_ORDER, 1) != 1:
        return False
    if kind.samples == 1:
        return _pillow_is_right_of_one_sample(kind)
    if kind.bits != 8 or kind.sample_format != _UNSIGNED:
        return False
    compressions: tuple[int, ...] = (*_LOSSLESS, _JPEG)
    if kind.photometric == _YCBCR and kind.compression != _JPEG:
        compressions = _LOSSLESS if set(kind.tags.values(tag.SUBSAMPLING)) == {1} else ()
    grey = kind.photometric == _BLACK_IS_ZERO and kind.has_alpha and not kind.is_planar
    colour = kind.photometric in (_RGB, _CMYK, _YCBCR, _LAB) and kind.n_extra == 0
    in_place = kind.is_planar and kind.compression == _NONE  # refused by Pillow
    colour |= kind.photometric == _RGB and kind.n_extra == 1 and not in_place
    return kind.compression in compressions and (grey or colour)


def _pillow_is_right_of_one_sample(kind: TiffKind) -> bool:
    if kind.photometric == _PALETTE:
        return kind.bits in (1, 2, 4, 8) and kind.compression in _LOSSLESS
    if kind.photometric not in (_WHITE_IS_ZERO, _BLACK_IS_ZERO):
        return False
    swapped = kind.tags.order == ">" and kind.compression != _NONE
    match kind.sample_format, kind.bits:
        case (1, 1):
            return kind.compression in (*_LOSSLESS, *_CCITT)
        case (1, 8):
            return kind.compression in (*_LOSSLESS, _JPEG)
        case (1, 2 | 4 | 16):
            return kind.compression in _LOSSLESS
        case (1, 12):
            return kind.compression == _NONE and kind.tags.order == "<"
        case (1, 32):
            return kind.compression in _LOSSLESS and kind.tags.order == "<"
        case (2, 16 | 32) | (3, 32):
            return kind.compression in _LOSSLESS and not swapped
    return False


def _plain_data(kind: TiffKind) -> bytes:
    """Return the file without tags that are handled here for all depths, or that have no effect."""
    plain = {tag.ORIENTATION: 1, **({tag.PLANAR: 1} if kind.samples == 1 else {})}
    if kind.photometric == _WHITE_IS_ZERO:
        plain[tag.PHOTOMETRIC] = _BLACK_IS_ZERO
    if kind.tags.value(tag.SAMPLE_FORMAT, _UNSIGNED) == _UNDEFINED:
        plain[tag.SAMPLE_FORMAT] = _UNSIGNED
    if kind.n_extra == 1:  # otherwise Pillow drops it, or divides the colours by it
        plain[tag.EXTRA_SAMPLES] = 2
    return kind.tags.with_values(plain)


def _read_by_pillow(kind: TiffKind, page: int) -> Array | None:
    """Return the samples, or None if this version of Pillow lacks the compression."""
    try:
        with Image.open(io.BytesIO(_plain_data(kind)), formats=("TIFF",)) as image:
            image.seek(page)
            image.load()
            converted = image.convert(_CONVERTED[image.mode]) if image.mode in _CONVERTED else image
            samples = np.asarray(converted)
    except OSError:
        if kind.compression in _IN_ALL_PILLOWS:
            raise
        return None
    if samples.dtype == bool:
        return samples.astype(np.uint8) * np.uint8(255)
    if (kind.sample_format, kind.bits) == (_UNSIGNED, 32):
        return samples.view(np.uint32)  # Pillow has no unsigned 32-bit mode
    return np.asarray(samples.astype(samples.dtype.newbyteorder("="), copy=False))


def _tifffile_for(kind: TiffKind, name: str) -> Any:
    """Return the module tifffile, or raise if it is missing or decodes no such samples."""
    known = [_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE]
    known += [_YCBCR] if kind.compression == _JPEG else []
    # tifffile cannot read back several samples of less than 8 bits that it wrote itself
    few_bits = kind.samples > 1 and (kind.bits % 8 != 0) and kind.compression != _JPEG
    if few_bits or kind.photometric not in known:
        raise ImageError(f"{name}: a TIFF of {kind} is not supported: {_CONVERT}")
    try:
        tifffile = require("tifffile", extra="microscopy")
        require("imagecodecs", extra="microscopy")
    except MissingExtraError as error:
        raise ImageError(
            f"{name}: a TIFF of {kind} needs the extra microscopy "
            '(pip install "nucrec[microscopy]"); or save it as a grey TIFF of 8 or 16 bits'
        ) from error
    if kind.compression not in tifffile.TIFF.DECOMPRESSORS:
        raise ImageError(f"{name}: a TIFF of {kind} is not supported: {_CONVERT}")
    return tifffile


def _read_by_tifffile(kind: TiffKind, page: int, name: str) -> Array:
    tifffile = _tifffile_for(kind, name)
    logger = logging.getLogger("tifffile")
    if not logger.handlers:  # otherwise Python writes its messages to standard error
        logger.addHandler(logging.NullHandler())
    with tifffile.TiffFile(io.BytesIO(_plain_data(kind))) as file:
        samples = np.asarray(file.pages[page].asarray(maxworkers=1))
    if kind.is_planar:
        samples = np.moveaxis(samples, 0, -1)
    if samples.shape[:2] != kind.size or samples.dtype.kind not in "buif":
        raise ImageError(f"{name}: a TIFF of {kind} is not supported: {_CONVERT}")
    if kind.bits < 8 and kind.photometric != _PALETTE:
        return np.asarray(np.rint(samples * (255 / (2**kind.bits - 1))), dtype=np.uint8)
    wider = _WIDER.get(samples.dtype.name, samples.dtype.newbyteorder("="))
    return np.asarray(samples.astype(wider, copy=False))


def _apply_colour_table(samples: Array, kind: TiffKind) -> Array:
    """Return the colours indexed by the samples, with 8 bits each if the samples have 8 bits."""
    table = np.array(kind.tags.values(tag.COLOUR_MAP), np.uint16).reshape(3, -1).T
    if table.max(initial=0) < 256:  # some programs write bytes
        table = table * np.uint16(257)
    colours = table[samples]
    return np.asarray(colours if kind.bits > 8 else (colours >> 8).astype(np.uint8))


def _inverted(samples: Array, kind: TiffKind) -> Array:
    """Return samples where 0 is white inverted so that 0 is black; transparency is unchanged."""
    if not kind.alpha:
        return _negative(samples, kind)
    grey = [k for k in range(kind.samples) if k not in kind.alpha]
    result = samples.copy()
    result[..., grey] = _negative(samples[..., grey], kind)
    return result


def _negative(samples: Array, kind: TiffKind) -> Array:
    if samples.dtype.kind == "f":
        return np.asarray(samples.max() - samples)
    if samples.dtype.kind == "i":
        return np.asarray(~samples)
    full = 2 ** max(kind.bits, 8) - 1
    return np.asarray(samples.dtype.type(full) - samples)
