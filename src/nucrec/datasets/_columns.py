"""What a data set is made of, checked: images, labels, columns, positions."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._pixels.image import ImageSource, check_image
from nucrec._validation import check_known, invalid
from nucrec.datasets._images import MemoryImage

Array = npt.NDArray[Any]
Index = int | slice | Sequence[int] | Sequence[bool] | Array


def in_memory(images: Sequence[Array] | Array) -> list[ImageSource]:
    """Return images that are in memory, each checked."""
    try:
        arrays = [np.array(image) for image in images]
    except (TypeError, ValueError) as error:
        raise invalid("images", "a sequence of arrays", images) from error
    for i, array in enumerate(arrays):
        check_image(f"images[{i}]", array)
    return [MemoryImage(array) for array in arrays]


def check_labels(
    labels: npt.ArrayLike, n: int, class_names: Sequence[str]
) -> npt.NDArray[np.int64]:
    """Return labels as int64, checked against the class names."""
    array = np.asarray(labels)
    if array.shape != (n,):
        raise invalid("labels", f"one label for each of the {n} images", f"shape {array.shape}")
    k = len(class_names)
    if array.size and (array.dtype.kind not in "bui" or array.min() < 0 or array.max() >= k):
        raise invalid("labels", f"whole numbers from 0 to {k - 1}", sorted(set(array.tolist())))
    return array.astype(np.int64)


def check_column(name: str, values: npt.ArrayLike, n: int, kind: type | None = None) -> Array:
    """Return one value for each image, checked."""
    try:
        array = np.array(values)
    except ValueError as error:
        raise invalid(name, f"one value for each of the {n} images", values) from error
    if kind is not None:
        check_known(name, array)
        array = array.astype(kind)
    if array.shape != (n,):
        raise invalid(name, f"one value for each of the {n} images", f"shape {array.shape}")
    return array


def positions(index: Index, n: int) -> Array:
    """Return the positions that an integer, a slice, a mask or a list of integers selects."""
    if isinstance(index, slice):
        return np.arange(n)[index]
    array = np.asarray(index)
    if array.ndim == 1 and not array.size:
        array = array.astype(np.intp)
    if array.ndim > 1 or array.dtype.kind not in "bui" or (array.ndim == 0 and array.dtype == bool):
        raise invalid("index", "an integer, a slice, a mask or a list of integers", index)
    if array.dtype == bool and len(array) != n:
        raise IndexError(f"the mask has {len(array)} values, the data set {n} images")
    return np.atleast_1d(np.arange(n)[array])
