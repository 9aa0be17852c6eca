"""Label images: one label per nucleus, 0 for the background."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._paths import checked_path
from nucrec._reading.roots import Folder
from nucrec._reading.stored_labels import read_stored
from nucrec._validation import check_size, invalid
from nucrec._warnings import warn
from nucrec.errors import DatasetNotFoundError, DataWarning, ImageError
from nucrec.fields._instances import INSTANCES, check_instances, check_shape
from nucrec.fields._json_files import JSON_SUFFIXES, JsonFile, JsonMask
from nucrec.fields._mask_remarks import remarks_on_pieces
from nucrec.fields._roi_files import ROI_SUFFIXES, decode_rois

Array = npt.NDArray[Any]
Labels = npt.NDArray[np.int32]


def read_labels(path: str | Path, shape: tuple[int, int] | None = None) -> Labels:
    """Read a label image: 0 for the background, and one label per nucleus.

    Supported images are TIFF and PNG with 8, 16 or 32 bits, as saved by Cellpose (``_cp_masks``),
    StarDist, CellProfiler, QuPath and Fiji; images in which each nucleus has its own colour; and
    NumPy arrays (``.npy``). Stored labels are kept, whatever colours a program displays them in. In
    coloured images, nuclei are numbered from 1 by their colour (red, then green, then blue).

    Supported outlines are those of ImageJ's ROI Manager (``RoiSet.zip`` or ``.roi``, with the extra
    ``microscopy``), numbered from 1 in their order; COCO (``.json``, polygons and run lengths),
    with the annotation ids as labels; and GeoJSON, as exported by QuPath, numbered from 1. A pixel
    belongs to a nucleus if its centre lies inside the outline; where outlines overlap, it belongs
    to the later one.

    Parameters
    ----------
    path : str or Path
        The file.
    shape : tuple of int, optional
        Expected height and width in pixels. Required for outlines, whose files do not state it.

    Returns
    -------
    ndarray of shape (H, W), int32
        The labels.

    Raises
    ------
    DatasetNotFoundError
        There is no such file.
    ImageError
        The file is not a label image: it has one label for all nuclei or for several far apart,
        blurred edges, JPEG compression, no background, fractional numbers, pickled objects, or
        another shape. The message names the file and says what to do.
    InvalidParameterError
        A parameter has another type, or `shape` is missing for outlines.

    Warns
    -----
    DataWarning
        There are no labels, or a label consists of several pieces.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from PIL import Image
    >>> from nucrec.fields import read_labels
    >>> labels = np.zeros((40, 60), np.uint16)
    >>> labels[5:15, 5:15], labels[20:30, 30:45] = 1, 700
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Image.fromarray(labels).save(Path(folder) / "field 1.png")
    ...     np.unique(read_labels(Path(folder) / "field 1.png", shape=(40, 60)))
    array([  0,   1, 700], dtype=int32)
    """
    file = checked_path("path", path)
    if shape is not None:
        shape = check_size("shape", shape)
    if not file.exists():
        raise DatasetNotFoundError(f"{path}: there is no such file")
    labels = _labels_of(file, shape)
    for remark in remarks_on_pieces(labels):
        warn(f"{file.name}: {remark}", DataWarning)
    return labels


def _labels_of(file: Path, shape: tuple[int, int] | None) -> Labels:
    whole = file.resolve()
    root, kind = Folder(whole.parent), whole.suffix.lower()
    if kind in (*JSON_SUFFIXES, *ROI_SUFFIXES) and shape is None:
        expected = "height and width of the field, which files of outlines do not state"
        raise invalid("shape", expected, shape)
    if kind not in JSON_SUFFIXES or shape is None:
        return decode_labels(root.read(whole.name), file.name, shape)
    outlines = JsonFile(root, whole.name)
    images = outlines.images
    if len(images) > 1:
        raise ImageError(
            f"{file.name}: contains outlines of {len(images)} images. Pass the file to "
            "load_fields as masks"
        )
    for remark in outlines.remarks:
        warn(remark, DataWarning)
    return JsonMask(outlines, *images).read(shape).copy()


def decode_labels(data: bytes, name: str, shape: tuple[int, int] | None = None) -> Labels:
    """Return the checked labels in a file."""
    if shape is not None and name.lower().endswith(ROI_SUFFIXES):
        labels = decode_rois(data, name, shape)
    else:
        labels = _decode_image(data, name)
    if shape is not None:
        check_shape(labels.shape, shape, name)
    if not labels.any():
        warn(f"{name}: the mask is empty, so its field has no nuclei", DataWarning)
    check_instances(labels, name)
    return labels


def _decode_image(data: bytes, name: str) -> Labels:
    stored = read_stored(data, name)
    colours = stored.ndim == 3 and stored.shape[2] in (2, 3, 4)
    numbers = _numbers_of_colours(stored, name) if colours else stored
    if numbers.ndim != 2:
        raise ImageError(
            f"{name}: an array of shape {stored.shape}, but a mask must have shape (H, W)"
        )
    return as_labels(numbers, name)


def as_labels(numbers: Array, name: str) -> Labels:
    """Return non-negative whole numbers as int32, or raise."""
    if numbers.dtype.kind == "f":
        if not np.isfinite(numbers).all() or (numbers != np.rint(numbers)).any():
            raise ImageError(
                f"{name}: contains fractional numbers, as probability maps do. {INSTANCES}"
            )
    elif numbers.dtype.kind not in "bui":
        raise ImageError(f"{name}: contains {numbers.dtype}, but labels must be whole numbers")
    low, high = numbers.min(initial=0), numbers.max(initial=0)
    if low < 0 or high > np.iinfo(np.int32).max:
        raise ImageError(
            f"{name}: labels from {low} to {high}, but they must be from 0 to 2147483647"
        )
    return numbers.astype(np.int32)


def _numbers_of_colours(stored: Array, name: str) -> Array:
    """Return a number for each colour, and 0 for black and transparent pixels."""
    values = stored.astype(np.int64)
    if stored.dtype.kind not in "ui" or values.max(initial=0) > np.iinfo(np.uint16).max:
        raise ImageError(f"{name}: colours of type {stored.dtype}, but 8 or 16 bits were expected")
    alpha = values[..., -1] if stored.shape[2] in (2, 4) else None
    colours = values[..., :3] if stored.shape[2] >= 3 else values[..., :1]
    code = colours[..., 0]
    if colours.shape[2] == 3 and not (colours == colours[..., :1]).all():
        code = (colours[..., 0] << 32) | (colours[..., 1] << 16) | colours[..., 2]
        visible = code if alpha is None else np.where(alpha == 0, 0, code)
        present = np.unique(visible[visible > 0])
        return np.asarray(np.where(visible > 0, np.searchsorted(present, visible) + 1, 0))
    return np.asarray(code if alpha is None else np.where(alpha == 0, 0, code))
