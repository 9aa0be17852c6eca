"""Label images as TIFF files that Fiji, napari and Cellpose open."""

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy.typing as npt

from nucrec._files import replacing

Array = npt.NDArray[Any]

_SHORT, _LONG = 3, 4
_DEFLATE = 8


def write_labels(path: Path, labels: Array) -> None:
    """Write a label image as 16-bit TIFF, or 32-bit if labels exceed 65535.

    The file has one deflated strip of unsigned numbers; Pillow would write signed 32-bit numbers. A
    file that already has this content is left untouched, so its modification time does not change.

    Raises
    ------
    NucrecError
        The file cannot be written.
    """
    content = _tiff(labels.astype("<u2" if labels.max(initial=0) < 2**16 else "<u4"))
    if path.is_file() and path.read_bytes() == content:
        return
    with replacing(path) as temporary, temporary.open("xb") as file:
        file.write(content)


def _tiff(pixels: Array) -> bytes:
    strip = zlib.compress(pixels.tobytes())
    height, width = pixels.shape
    tags = [
        (256, _LONG, width),
        (257, _LONG, height),
        (258, _SHORT, 8 * pixels.itemsize),
        (259, _SHORT, _DEFLATE),
        (262, _SHORT, 1),  # 0 is black
        (273, _LONG, 8),  # offset of the strip
        (277, _SHORT, 1),  # one channel
        (278, _LONG, height),
        (279, _LONG, len(strip)),
        (339, _SHORT, 1),  # unsigned integers
    ]
    padded = strip + b"\0" * (len(strip) % 2)
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0)
    return b"II" + struct.pack("<HI", 42, 8 + len(padded)) + padded + directory
