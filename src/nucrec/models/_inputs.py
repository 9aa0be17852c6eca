"""Conversion of all accepted forms of images, with or without labels."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.multiclass import type_of_target

from nucrec._class_names import (
    is_missing,
    look_alike_key,
    merge_look_alikes,
    order_classes,
)
from nucrec._validation import check_known, check_not_mixed, check_unmasked, invalid
from nucrec.datasets import ImageDataset, LazyImages, check_training_data

Array = npt.NDArray[Any]
Images = ImageDataset | npt.ArrayLike
"""What is taken as images: a data set, an array or a list of them."""


def as_images(X: Any) -> ImageDataset | None:
    """Return X as a data set of images, or None if it holds rows of numbers."""
    if isinstance(X, ImageDataset):
        return X
    if isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1:
        X = X.tolist()
    if isinstance(X, list | tuple) and X and all(isinstance(part, ImageDataset) for part in X):
        # scikit-learn's splitters turn a data set into such an array
        X = LazyImages([source for part in X for source in part.images.sources])
    is_batch = isinstance(X, np.ndarray) and X.ndim in (3, 4)
    is_list = isinstance(X, list | tuple) and len(X) > 0 and np.ndim(X[0]) >= 2
    if is_batch or is_list or isinstance(X, LazyImages):
        return ImageDataset(X, np.zeros(len(X), int))
    return None


def require_images(name: str, X: Any) -> ImageDataset:
    """Return X as a data set of images; raise if it holds rows of numbers or is empty."""
    images = as_images(X)
    if images is None or not len(images):
        raise invalid(name, "at least one image, and images rather than rows of numbers", X)
    return images


def labelled(name: str, X: Images, y: npt.ArrayLike | None) -> tuple[ImageDataset, Array]:
    """Return the images with labels 0, 1, ..., and the classes that the labels stand for."""
    images = require_images(name, X)
    if y is None:
        if not isinstance(X, ImageDataset):
            raise invalid("y", "the classes of the images, or a data set in X", None)
        return images, np.arange(len(images.class_names))
    check_unmasked("y", y)
    values = np.asarray(y)
    if values.shape != (len(images),):
        raise invalid("y", f"one class for each of the {len(images)} images", values.shape)
    check_known("y", values)
    _check_lasting("y", values)
    values = named_classes("y", y, X.class_names if isinstance(X, ImageDataset) else ())
    classes: Array
    is_numbered = isinstance(X, ImageDataset) and values.dtype.kind in "ui"
    if is_numbered and set(values.tolist()) <= set(range(len(images.class_names))):
        classes, labels, names = np.arange(len(images.class_names)), values, images.class_names
    else:
        classes = np.unique(values)
        if classes.dtype.kind == "U":  # the positive class comes last
            classes = np.array(order_classes(str(value) for value in classes))
        at = {value: k for k, value in enumerate(classes.tolist())}
        labels = np.array([at[value] for value in values.tolist()])
        names = tuple(str(value) for value in classes.tolist())
    return _with_labels(images, labels, names), classes


def named_classes(name: str, values: npt.ArrayLike, known: Iterable[Any] = ()) -> Array:
    """Return classes with one spelling of each name, as an array; numbers are unchanged.

    Parameters
    ----------
    name : str
        The parameter, for messages.
    values : array_like of shape (n,)
        The class of each image.
    known : iterable
        Classes of the data set or model. A name among them is never a missing value, even "none".

    Raises
    ------
    InvalidParameterError
        They are not one-dimensional, a name is None, empty, NA or NaN, or some classes are names and
        others numbers.
    """
    check_not_mixed(name, values)
    array = np.asarray(values)
    if array.ndim != 1:
        raise invalid(name, "a one-dimensional array of classes", f"shape {array.shape}")
    check_known(name, array)
    listed = array.tolist()
    if not any(isinstance(value, str) for value in listed):
        return array
    own = {look_alike_key(str(value)) for value in known}
    unknown = (value for value in dict.fromkeys(listed) if look_alike_key(value) not in own)
    gap = next(filter(is_missing, unknown), None)
    if gap is not None:
        raise invalid(name, "a class for each image, neither empty nor NA or NaN", gap)
    spelled, _ = merge_look_alikes(listed)
    return np.array([spelled[value] for value in listed])


def spelled_as(classes: Array, known: Array) -> Array:
    """Return names of classes in the spelling of those that are known; numbers are unchanged."""
    if classes.dtype.kind != "U" or known.dtype.kind != "U":
        return classes
    own = {look_alike_key(name): name for name in np.unique(known).tolist()}
    return np.array([own.get(look_alike_key(name), name) for name in classes.tolist()])


def _check_lasting(name: str, values: Array) -> None:
    """Raise if a model file could not store the classes: bytes, dates, complex numbers."""
    for value in np.unique(values).tolist() if values.dtype.kind != "O" else values.tolist():
        if not isinstance(value, str | bool | int | float):
            hint = "Pass them as texts: [str(value) for value in y]."
            raise invalid(name, "texts or numbers that tell the classes", value, hint)


def check_several_classes(name: str, labels: Array, received: object) -> None:
    """Raise if fewer than two classes occur in the labels of a training set."""
    if len(np.unique(labels)) < 2:
        raise invalid(name, "images of at least two classes", received)


def check_classes(images: ImageDataset, y: Any) -> None:
    """Check the classes that a scikit-learn pipeline passes to the `fit` of its first step.

    Warn of whatever would make the training pointless, as `nucrec.datasets.check_training_data`
    does. Targets that are no classes are ignored.

    Raises
    ------
    InvalidParameterError
        All images are of one class, or a class is missing or has several spellings, which the
        classifier at the end of the pipeline would take for different classes.
    """
    if y is None or np.shape(y) != (len(images),) or not len(images):
        return
    if type_of_target(named_classes("y", y, images.class_names)) in ("binary", "multiclass"):
        _check_one_spelling("y", y)
        train, _ = labelled("y", images, y)
        check_several_classes("y", train.labels, y)
        check_training_data(train)


def _check_one_spelling(name: str, values: Any) -> None:
    """Raise if names of classes look the same, such as "mn" and "MN"."""
    names = [value for value in np.asarray(values).tolist() if isinstance(value, str)]
    _, alike = merge_look_alikes(names)
    if alike:
        raise invalid(name, "one spelling of each class", " and ".join(map(repr, alike[0])))


def some_of_each_class(images: ImageDataset, n: int) -> ImageDataset:
    """Return at most `n` images of each class, taken evenly from the whole data set."""
    chosen = []
    for label in np.unique(images.labels):
        own = np.flatnonzero(images.labels == label)
        chosen.append(own[np.linspace(0, len(own) - 1, min(n, len(own))).astype(int)])
    return images[np.concatenate(chosen)]


def held_out_part(
    name: str,
    given: ImageDataset | tuple[Images, npt.ArrayLike],
    class_names: tuple[str, ...],
    classes: Array,
) -> ImageDataset:
    """Return the validation images, with labels numbered like those of the training images."""
    if isinstance(given, ImageDataset):
        if sorted(given.class_names) != sorted(class_names):
            raise invalid(name, f"the classes {class_names}", given.class_names)
        if not len(given):
            raise invalid(name, "at least one image", given)
        if given.class_names == class_names:
            return given
        order = np.array([class_names.index(each) for each in given.class_names])
        return _with_labels(given, order[given.labels], class_names)
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise invalid(name, "an ImageDataset or a pair (X, y)", given)
    images, values = as_images(given[0]), np.asarray(given[1])
    if images is None or values.shape != (len(images),):
        raise invalid(name, "images, and one class for each", values.shape)
    values = spelled_as(named_classes(name, given[1], classes), classes)
    numbers = {value: k for k, value in enumerate(classes.tolist())}
    unknown = sorted(set(values.tolist()) - set(numbers))
    if unknown:
        raise invalid(name, f"classes among {classes.tolist()}", unknown[0])
    return _with_labels(images, [numbers[v] for v in values.tolist()], class_names)


def _with_labels(
    images: ImageDataset, labels: npt.ArrayLike, class_names: tuple[str, ...]
) -> ImageDataset:
    return ImageDataset(
        images.images,
        labels,
        class_names,
        ids=images.ids.tolist(),
        groups=images.groups,
        parents=images.parents.tolist(),
    )
