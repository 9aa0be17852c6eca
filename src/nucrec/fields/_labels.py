"""Label images: one number for each nucleus, 0 for the background."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._paths import checked_path
from nucrec._reading.roots import Folder
from nucrec._reading.stored_labels import read_stored
from nucrec._validation import check_size
from nucrec._warnings import warn
from nucrec.errors import DatasetNotFoundError, DataWarning, ImageError

Array = npt.NDArray[Any]
Labels = npt.NDArray[np.int32]

_FEW = 16  # labels; more than that are no classes of a semantic mask
_SMALL = 0.05  # of the largest piece of a label: what is smaller is a stray pixel
_INSTANCES = (
    "Save a label image, in which each nucleus has a number of its own (Fiji: MorphoLibJ > Connected "
    "Components Labeling; Python: scipy.ndimage.label)."
)


def read_labels(path: str | Path, shape: tuple[int, int] | None = None) -> Labels:
    """Read a label image: 0 for the background, and one number for each nucleus.

    TIFF and PNG of 8, 16 or 32 bits, as Cellpose (``_cp_masks``), StarDist, CellProfiler, QuPath and
    Fiji save them; pictures in which each nucleus has a colour of its own; NumPy arrays (``.npy``).
    The numbers are kept as they are stored, whatever colours a program shows them in. Of coloured
    pictures, nuclei are numbered from 1 by their colour (red, then green, then blue).

    Parameters
    ----------
    path : str or Path
        The file.
    shape : tuple of int, optional
        Height and width that it should have, in pixels.

    Returns
    -------
    ndarray of shape (H, W), int32
        The labels.

    Raises
    ------
    DatasetNotFoundError
        There is no such file.
    ImageError
        It is no label image: one number for all nuclei, blurred edges, JPEG, no background, numbers
        that are not whole, pickled objects, or another shape. The message names the file and says
        what to do.
    InvalidParameterError
        A parameter is of another type.

    Warns
    -----
    DataWarning
        Nothing is labelled.

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
    return decode_labels(Folder(file.resolve().parent).read(file.resolve().name), file.name, shape)


def decode_labels(data: bytes, name: str, shape: tuple[int, int] | None = None) -> Labels:
    """Return the labels that a file holds, checked."""
    stored = read_stored(data, name)
    colours = stored.ndim == 3 and stored.shape[2] in (2, 3, 4)
    numbers = _numbers_of_colours(stored, name) if colours else stored
    if numbers.ndim != 2:
        raise ImageError(f"{name}: an array of shape {stored.shape}, but a mask has (H, W)")
    labels = as_labels(numbers, name)
    if shape is not None:
        check_shape(labels, shape, name)
    if not labels.any():
        warn(f"{name}: the mask is empty, so its field has no nuclei", DataWarning)
    check_instances(labels, name)
    return labels


def as_labels(numbers: Array, name: str) -> Labels:
    """Return whole numbers from 0 as int32, or raise."""
    if numbers.dtype.kind == "f":
        if not np.isfinite(numbers).all() or (numbers != np.rint(numbers)).any():
            raise ImageError(
                f"{name}: holds numbers that are not whole, as probabilities are. {_INSTANCES}"
            )
    elif numbers.dtype.kind not in "bui":
        raise ImageError(f"{name}: holds {numbers.dtype}, but labels are whole numbers")
    low, high = numbers.min(initial=0), numbers.max(initial=0)
    if low < 0 or high > np.iinfo(np.int32).max:
        raise ImageError(f"{name}: labels from {low} to {high}, but they are 0 to 2147483647")
    return numbers.astype(np.int32)


def check_shape(labels: Array, shape: tuple[int, int], name: str) -> None:
    """Raise unless a mask is of the shape of its field."""
    if labels.shape == tuple(shape):
        return
    height, width = labels.shape
    raise ImageError(
        f"{name}: the mask has {width} x {height} pixels, its field {shape[1]} x {shape[0]}. Make the "
        "mask from the same image, or resize it by the nearest neighbour."
    )


def check_instances(labels: Labels, name: str) -> None:
    """Raise unless each label is one object."""
    areas = np.bincount(labels.ravel()) if labels.max(initial=0) < labels.size else None
    if areas is None:  # numbers far beyond the count: renumber
        labels = np.unique(labels, return_inverse=True)[1].reshape(labels.shape).astype(np.int32)
        labels += 0 if (labels == 0).any() else 1
        areas = np.bincount(labels.ravel())
    if areas[0] == labels.size:
        return
    if not areas[0]:
        raise ImageError(
            f"{name}: the mask has no background: every pixel is labelled. {_INSTANCES}"
        )
    n_labels = np.count_nonzero(areas[1:])
    if n_labels >= 4 and _share_of_frayed(labels, areas) > 0.5:
        raise ImageError(
            f"{name}: most of its {n_labels} numbers are thin seams, as blurred or interpolated edges "
            "leave them (anti-aliasing, resizing, a JPEG before). Save the mask from the program that "
            f"made it, without smoothing. {_INSTANCES}"
        )
    if n_labels <= _FEW and (pieces := _count_pieces(labels)) > (
        1 if n_labels == 1 else 2 * n_labels
    ):
        which = "one number" if n_labels == 1 else f"{n_labels} numbers"
        raise ImageError(
            f"{name}: {which} for {pieces} separate objects, so it tells nucleus from background, but "
            f"not one nucleus from the next. {_INSTANCES}"
        )


def _share_of_frayed(labels: Labels, areas: Array) -> float:
    """Return the share of labels that are nowhere as thick as an object is.

    Of a compact object, most pixels have the same label on their right and below.
    """
    right = labels[:, :-1][labels[:, :-1] == labels[:, 1:]]
    below = labels[:-1][labels[:-1] == labels[1:]]
    n = len(areas)
    alike = np.minimum(np.bincount(right, minlength=n), np.bincount(below, minlength=n))[1:]
    present = areas[1:] > 0
    return float((alike[present] < 0.4 * areas[1:][present]).mean())


def _count_pieces(labels: Labels) -> int:
    """Return how many separate objects the labels make up, without stray pixels."""
    from scipy import ndimage

    pieces = 0
    for number in np.unique(labels[labels > 0]).tolist():
        found, n = ndimage.label(labels == number, structure=np.ones((3, 3)))
        sizes = np.bincount(found.ravel(), minlength=n + 1)[1:]
        pieces += int((sizes >= max(4.0, _SMALL * sizes.max())).sum()) or 1
    return pieces


def _numbers_of_colours(stored: Array, name: str) -> Array:
    """Return a number for each colour, 0 for black and for what is transparent."""
    values = stored.astype(np.int64)
    if stored.dtype.kind not in "ui" or values.max(initial=0) > np.iinfo(np.uint16).max:
        raise ImageError(f"{name}: colours of {stored.dtype}, but 8 or 16 bits were expected")
    alpha = values[..., -1] if stored.shape[2] in (2, 4) else None
    colours = values[..., :3] if stored.shape[2] >= 3 else values[..., :1]
    code = colours[..., 0]
    if colours.shape[2] == 3 and not (colours == colours[..., :1]).all():
        code = (colours[..., 0] << 32) | (colours[..., 1] << 16) | colours[..., 2]
        visible = code if alpha is None else np.where(alpha == 0, 0, code)
        present = np.unique(visible[visible > 0])
        return np.asarray(np.where(visible > 0, np.searchsorted(present, visible) + 1, 0))
    return np.asarray(code if alpha is None else np.where(alpha == 0, 0, code))
