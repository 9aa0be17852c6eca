"""Masks as outlines in ImageJ's format: one .roi file, or a zip of them."""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._optional import require
from nucrec._reading.decode import explained
from nucrec._zip import is_bomb, read_member
from nucrec.errors import ImageError, MissingExtraError
from nucrec.fields._fill import Drawing

Labels = npt.NDArray[np.int32]

ROI = ".roi"
ROI_SUFFIXES = (ROI, ".zip")
_AREAS = ("POLYGON", "RECT", "OVAL", "FREEHAND", "TRACED")


def decode_rois(data: bytes, name: str, shape: tuple[int, int]) -> Labels:
    """Return the label image of the outlines in a file, numbered from 1 in their order.

    Raises
    ------
    ImageError
        The file does not hold ImageJ outlines, or it holds points, lines or outlines on several
        slices, or the package roifile is missing.
    """
    with explained(data, name):
        rois = [_parse(content, name) for content in _contents(data, name)]
        slices = {(r.position, r.c_position, r.z_position, r.t_position) for r in rois}
        if len(slices) > 1:
            raise ImageError(
                f"{name}: outlines on {len(slices)} slices of a stack: keep those of one slice"
            )
        drawing = Drawing(shape, name)
        for number, roi in enumerate(rois, start=1):
            if roi.roitype.name not in _AREAS:
                raise ImageError(
                    f"{name}: outline {number} is a {roi.roitype.name.lower()}, but nuclei "
                    "need areas. Delete it in Fiji's ROI Manager"
                )
            drawing.add(number, roi.coordinates(multi=True))
    return drawing.labels


def is_roi_set(names: list[str]) -> bool:
    """Return whether all files are ImageJ outlines."""
    return bool(names) and all(name.lower().endswith(ROI) for name in names)


def _contents(data: bytes, name: str) -> Iterator[bytes]:
    """Yield the outlines of a file, each as stored by ImageJ."""
    if not data.startswith(b"PK"):
        yield data
        return
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [one for one in archive.infolist() if one.filename.lower().endswith(ROI)]
        if not members:
            raise ImageError(f"{name}: this archive contains no ImageJ outlines (.roi)")
        if is_bomb(sum(one.file_size for one in members), len(data)):
            raise ImageError(f"{name}: would unpack to far more data than outlines need")
        for member in members:
            yield read_member(archive, member)


def _parse(content: bytes, name: str) -> Any:
    try:
        roifile = require("roifile", extra="microscopy")
    except MissingExtraError as error:
        raise ImageError(
            f"{name}: ImageJ outlines need the extra microscopy (pip install "
            '"nucrec[microscopy]"); or save a label image (Fiji: LOCI > ROI Map)'
        ) from error
    return roifile.ImagejRoi.frombytes(content)
