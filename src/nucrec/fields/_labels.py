"""Label images: one number for each nucleus, 0 for the background."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._paths import checked_path
from nucrec._reading.decode import decode
from nucrec._reading.roots import Folder
from nucrec.errors import DatasetNotFoundError, ImageError

Array = npt.NDArray[Any]
Labels = npt.NDArray[np.int32]


def read_labels(path: str | Path, shape: tuple[int, int] | None = None) -> Labels:
    """Read a label image: 0 for the background, and one number for each nucleus.

    Parameters
    ----------
    path : str or Path
        The file.
    shape : tuple of int, optional
        Height and width that it should have, in pixels.

    Returns
    -------
    ndarray of shape (H, W), int32
        The labels, as the file numbers them.

    Raises
    ------
    DatasetNotFoundError
        There is no such file.
    ImageError
        It is no label image, or not of this shape. The message names the file and says why.

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
    if not file.exists():
        raise DatasetNotFoundError(f"{path}: there is no such file")
    return decode_labels(Folder(file.resolve().parent).read(file.name), file.name, shape)


def decode_labels(data: bytes, name: str, shape: tuple[int, int] | None = None) -> Labels:
    """Return the labels that a file holds."""
    array = decode(data, name).array
    if array.ndim != 2 or array.dtype.kind not in "ui":
        raise ImageError(f"{name}: not a label image")
    labels = array.astype(np.int32)
    if shape is not None:
        check_shape(labels, shape, name)
    return labels


def check_shape(labels: Array, shape: tuple[int, int], name: str) -> None:
    """Raise unless a mask is of the shape of its field."""
    if labels.shape != tuple(shape):
        height, width = labels.shape
        raise ImageError(
            f"{name}: the mask is {width} x {height} pixels, its field {shape[1]} x {shape[0]}. "
            "Make the mask from the same image, or resize it without interpolation."
        )
