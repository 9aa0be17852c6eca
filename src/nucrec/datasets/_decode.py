"""One file's bytes -> one array. The only place that asks Pillow to decode."""

import io
import re
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from nucrec.errors import ImageError

Array = npt.NDArray[Any]

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif", ".webp")
MAX_SCANS = 100
_START_OF_SCAN = b"\xff\xda"
_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP")
_AS_STORED = ("L", "LA", "RGB", "RGBA", "F", "I")
_IMAGE_DESCRIPTION, _SAMPLE_FORMAT = 270, 339  # tags of TIFF
_UNSIGNED, _SIGNED = 1, 2
_UNPACKED = {"1": "L", "P": "RGB", "PA": "RGBA", "La": "LA", "RGBa": "RGBA"}


class Decoded(NamedTuple):
    """An image and whether its file holds further pages that were not read."""

    array: Array
    has_more_pages: bool


def is_image_name(name: str) -> bool:
    """Tell whether a file of this name is taken for an image."""
    return name.lower().endswith(SUFFIXES)


def decode(data: bytes, name: str) -> Decoded:
    """Decode one image file.

    Parameters
    ----------
    data : bytes
        The content of the file.
    name : str
        The file's name, for the error.

    Returns
    -------
    Decoded
        The array, (H, W) for grey and (H, W, C) otherwise, is read-only and has the dtype of the
        file: uint8, uint16, int32, uint32 or float32. Palettes, CMYK, YCbCr and L*a*b* become RGB(A),
        one-bit images 0 and 255, and the EXIF orientation is applied.

    Raises
    ------
    ImageError
        The bytes are no image of a known format, are damaged, hold more pixels than
        ``PIL.Image.MAX_IMAGE_PIXELS``, or hold what would silently lose precision.
    """
    if not data:
        raise ImageError(f"{name}: the file is empty (0 bytes)")
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            _check_header(image, name)
            if image.info.get("progressive") and data.count(_START_OF_SCAN) > MAX_SCANS:
                # a scan of a few bytes goes over all pixels
                raise ImageError(f"{name}: a progressive JPEG of more than {MAX_SCANS} scans")
            more_pages = image.format == "TIFF" and _has_second_page(image)
            array = _to_array(image)
            if (
                image.format == "TIFF"
                and _sample_format(image) == _UNSIGNED
                and array.dtype == "i4"
            ):
                array = array.view(np.uint32)  # Pillow has no unsigned mode of 32 bits
    except ImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(
            f"{name}: more pixels than PIL.Image.MAX_IMAGE_PIXELS ({error})"
        ) from error
    except UnidentifiedImageError as error:
        raise ImageError(
            f"{name}: not an image of a known format (PNG, JPEG, TIFF, ...)"
        ) from error
    except Exception as error:  # decoders raise nearly anything on damaged input
        raise ImageError(f"{name}: damaged image ({type(error).__name__}: {error})") from error
    if not array.size:
        raise ImageError(f"{name}: holds no pixels")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ImageError(f"{name}: holds NaN or infinite values")
    array.setflags(write=False)
    return Decoded(array, more_pages)


def _check_header(image: Image.Image, name: str) -> None:
    """Refuse, before decoding, what is too large or would be cut to 8 bits."""
    width, height = image.size
    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and width * height > limit:
        raise ImageError(
            f"{name}: {width} x {height} pixels are more than PIL.Image.MAX_IMAGE_PIXELS ({limit})"
        )
    if image.format == "TIFF" and image.mode == "L" and _sample_format(image) == _SIGNED:
        raise ImageError(f"{name}: signed 8-bit values are not supported: convert them to 16 bits")
    tiles = getattr(image, "tile", [])
    if not image.mode.startswith(("I", "F")) and any(";16" in str(tile[3]) for tile in tiles):
        raise ImageError(
            f"{name}: 16-bit colour is not supported, and cutting it to 8 bits would lose data. "
            "Save each channel as a 16-bit grey image, or convert it to 8 bits yourself."
        )


def _sample_format(image: Any) -> int:
    """Return how a TIFF stores its numbers; unsigned unless it says otherwise."""
    stored = image.tag_v2.get(_SAMPLE_FORMAT, _UNSIGNED)
    return int(stored[0] if isinstance(stored, tuple) else stored)


def _has_second_page(image: Image.Image) -> bool:
    # ImageJ may store a whole stack behind one page, and tells so in the description
    description = str(getattr(image, "tag_v2", {}).get(_IMAGE_DESCRIPTION, ""))
    if description.startswith("ImageJ=") and re.search(r"^images=([2-9]|\d\d)", description, re.M):
        return True
    try:
        image.seek(1)
    except EOFError:
        return False
    finally:
        image.seek(0)
    return True


def _to_array(image: Image.Image) -> Array:
    """Decode the first frame of an open image to an array of native byte order."""
    image.load()
    if image.info or image.format == "TIFF":  # TIFF has its tags elsewhere
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
