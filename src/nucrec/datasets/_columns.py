"""Validate the parts of a data set: images, labels, columns and indices."""

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from nucrec._class_names import (
    check_class_names,
    is_missing,
    look_alike_key,
    merge_look_alikes,
    merged_names,
    order_classes,
    warn_if_positive_is_not_told,
)
from nucrec._pixels.image import ImageSource, check_image
from nucrec._reading.decode import pixels_of_picture
from nucrec._reading.table import meant_column
from nucrec._spelling import did_you_mean
from nucrec._validation import check_known, check_not_mixed, check_unmasked, invalid
from nucrec.datasets._images import MemoryImage
from nucrec.errors import ImageError, InvalidParameterError

Array = npt.NDArray[Any]
CLASS_NAMES = ("nucleus", "micronucleus")
Index = int | slice | Sequence[int] | Sequence[bool] | Array


def in_memory(images: Sequence[Array] | Array) -> list[ImageSource]:
    """Validate images in memory; Pillow images are converted as if read from their files."""
    try:
        arrays = [_pixels(image, f"images[{i}]") for i, image in enumerate(images)]
    except (ImageError, InvalidParameterError):  # ValueErrors, too
        raise
    except (TypeError, ValueError) as error:
        raise invalid("images", "a sequence of arrays", images) from error
    for i, array in enumerate(arrays):
        check_image(f"images[{i}]", array)
    return [MemoryImage(array) for array in arrays]


def _pixels(image: Any, name: str) -> Array:
    check_unmasked(name, image)
    return pixels_of_picture(image, name) if isinstance(image, Image.Image) else np.array(image)


def check_labels(
    labels: npt.ArrayLike, n: int, class_names: Sequence[str] | None
) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """Return labels as int64, and the class names; labels may be class names."""
    check_unmasked("labels", labels)
    array = np.asarray(labels)
    if array.shape != (n,):
        raise invalid("labels", f"one label for each of the {n} images", f"shape {array.shape}")
    check_not_mixed("labels", labels)
    if n and array.dtype.kind in "UTO" and all(isinstance(v, str) for v in array.tolist()):
        return _numbered(array.tolist(), class_names)
    array = _whole(array)
    names = CLASS_NAMES if class_names is None else check_class_names(class_names)
    k = len(names)
    if array.size and (array.dtype.kind not in "bui" or array.min() < 0 or array.max() >= k):
        expected = f"whole numbers from 0 to {k - 1}, or names of classes"
        raise invalid("labels", expected, sorted(set(array.tolist()), key=repr))
    return array.astype(np.int64), names


def _numbered(
    names: list[str], class_names: Sequence[str] | None
) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """Return the class index of each label that is a name."""
    check_no_gaps("labels", (name for name in names if name not in (class_names or ())))
    spelled, _ = merge_look_alikes(names)
    found = set(spelled.values())
    if class_names is None:
        classes = CLASS_NAMES if found <= set(CLASS_NAMES) else tuple(order_classes(found))
        warn_if_positive_is_not_told(classes)
    else:
        classes = check_class_names(class_names)
    numbers = {look_alike_key(name): number for number, name in enumerate(classes)}
    unknown = [name for name in found if look_alike_key(name) not in numbers]
    if unknown:
        raise invalid("labels", f"names among {', '.join(classes)}", unknown[0])
    labels = [numbers[look_alike_key(name)] for name in names]
    return np.array(labels, np.int64), classes


def _whole(column: Array) -> Array:
    """Convert whole numbers to integers, and return all others unchanged."""
    values = column.tolist() if column.dtype.kind in "fO" else []
    return np.array(values).astype(np.int64) if values and all(map(_is_whole, values)) else column


def _is_whole(value: Any) -> bool:
    is_number = isinstance(value, int | float | np.integer | np.floating)
    return bool(is_number and abs(value) < 2**53 and value == value // 1)


def check_no_gaps(name: str, values: Iterable[str]) -> None:
    """Raise if a name is a missing value: empty, NA or NaN."""
    gap = next(filter(is_missing, values), None)
    if gap is not None:
        raise invalid(name, "a name for each image, neither empty nor NA or NaN", gap)


def check_groups(values: npt.ArrayLike, parents: Array) -> Array:
    """Return the group of each image; names that look the same are merged, with a warning.

    An image that forms its own group, named by its id, is left unchanged.
    """
    given = _whole(check_column("groups", values, len(parents)))
    groups = check_column("groups", given, len(parents), str)
    shared = groups != parents
    if not shared.any():
        return groups
    names = groups.tolist()
    told = list(itertools.compress(names, shared))
    check_no_gaps("groups", told)
    keys = set(map(look_alike_key, dict.fromkeys(told)))
    spelled = merged_names((name for name in names if look_alike_key(name) in keys), "groups")
    return np.array([spelled.get(name, name) for name in names])


def check_column(name: str, values: npt.ArrayLike, n: int, kind: type | None = None) -> Array:
    """Validate a column with one value for each image."""
    check_unmasked(name, values)
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


def check_different(name: str, values: Array) -> None:
    """Raise if a value occurs more than once."""
    if len(np.unique(values)) < len(values):
        twice = Counter(values.tolist()).most_common(1)[0][0]
        raise invalid(name, "a different id for each image", f"{twice!r} more than once")


def check_metadata(metadata: Mapping[str, npt.ArrayLike] | None, n: int) -> dict[str, Array]:
    """Return further columns, each with one value for each image."""
    given = {} if metadata is None else metadata
    return {str(k): check_column(f"metadata[{k!r}]", v, n) for k, v in given.items()}


def named_column(name: str, metadata: Mapping[str, Array]) -> Array:
    """Return the metadata column that holds the groups."""
    found = meant_column(name, metadata)
    if found is None:
        known = ", ".join(metadata) or "none"
        expected = f"one group for each image, or a column of: {known}"
        raise invalid("groups", expected, name, did_you_mean(name, metadata))
    return metadata[found]


def positions(index: Index, n: int) -> Array:
    """Return the indices that an integer, a slice, a mask or a list of integers selects."""
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
