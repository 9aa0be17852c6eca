"""Label images as stored numbers, regardless of their display."""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from nucrec._reading import tiff_tags as tag
from nucrec._reading.decode import decode, explained
from nucrec._reading.stack import MAX_PIXELS, Stack
from nucrec._reading.tiff_tags import is_tiff
from nucrec.errors import ImageError

Array = npt.NDArray[np.generic]

_BLACK_IS_ZERO = 1
_NUMPY = b"\x93NUMPY"
_PNG = b"\x89PNG"
_JPEG = b"\xff\xd8"


def read_stored(data: bytes, name: str) -> Array:
    """Return the numbers stored in a label image, (H, W) or (H, W, C).

    Colour tables and the polarity of grey only affect the display, and are ignored.

    Raises
    ------
    ImageError
        The file is not an image or array, is lossy, or has several pages.
    """
    with explained(data, name):
        if data[:6] == _NUMPY:
            return _read_array(data, name)
        if data[:2] == _JPEG:
            raise ImageError(
                f"{name}: a JPEG, whose compression changes the numbers of labels: save the mask as "
                "PNG or TIFF"
            )
        if is_tiff(data):
            return _read_tiff(data, name)
        if data[:4] == _PNG:
            return _read_png(data, name)
    return decode(data, name).array


def _read_array(data: bytes, name: str) -> Array:
    try:
        loaded = np.load(io.BytesIO(data), allow_pickle=False)
    except ValueError as error:
        raise ImageError(
            f"{name}: holds pickled Python objects, which are not read because they could run code. "
            "Of Cellpose's _seg.npy, save the mask: File > Save masks as PNG/tif, or "
            "cellpose.io.save_masks(..., png=True)"
        ) from error
    return np.asarray(loaded)


def _read_tiff(data: bytes, name: str) -> Array:
    stack = Stack.of(data, name)
    if stack.n_channels > 1 or stack.planes.n_planes > 1 or len(stack.full_pages) > 1:
        n = max(stack.n_channels, stack.planes.n_planes, len(stack.full_pages))
        raise ImageError(
            f"{name}: holds {n} pages or channels; save the labels of the nuclei alone"
        )
    if stack.kind.is_lossy:
        raise ImageError(
            f"{name}: compressed with loss, which changes the numbers of labels: save it without"
        )
    if stack.kind.samples == 1 and stack.kind.bits >= 8:
        data = stack.pages[0].with_values({tag.PHOTOMETRIC: _BLACK_IS_ZERO})
    return Stack.of(data, name).read(None)


def _read_png(data: bytes, name: str) -> Array:
    bits, colours = data[24], data[25]
    with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
        if image.mode == "P" and image.width * image.height <= MAX_PIXELS:
            return np.asarray(image)
    array = decode(data, name).array
    if colours == 0 and bits < 8:  # grey of less than 8 bits is scaled to 0 to 255
        return np.asarray(array // np.uint8(255 // (2**bits - 1)))
    return array
