"""Validate true classes, predictions, scores and groups, and convert them to numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._class_names import check_class_names, order_classes
from nucrec._validation import (
    check_finite,
    check_int,
    check_known,
    check_real,
    check_unmasked,
    invalid,
)

Array = npt.NDArray[Any]

_SCORES = "Probabilities go to y_score; the classes are, for example, scores.argmax(axis=1)."


def encode_classes(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, class_names: Sequence[str] | None
) -> tuple[tuple[str, ...], Array, Array]:
    """Return the class names, and true and predicted classes as class indices."""
    names, true, (predicted,) = encode_many(y_true, {"y_pred": y_pred}, class_names)
    return names, true, predicted


def encode_many(
    y_true: npt.ArrayLike,
    predictions: Mapping[str, npt.ArrayLike],
    class_names: Sequence[str] | None,
) -> tuple[tuple[str, ...], Array, list[Array]]:
    """Return the class names, and true classes and several predictions as class indices."""
    true = _classes("y_true", y_true)
    predicted = {name: _classes(name, values) for name, values in predictions.items()}
    for name, values in predicted.items():
        _check_alike(name, true, values, may_differ=class_names is not None)
    occurring = np.unique(np.concatenate([true, *predicted.values()]))
    if class_names is not None:
        names = check_class_names(class_names)
        classes = np.array(names) if true.dtype.kind == "U" else np.arange(len(names))
    elif occurring.dtype.kind == "U":
        names = tuple(order_classes(map(str, occurring)))
        classes = np.array(names)
    else:
        classes = occurring
        names = tuple(str(value) for value in classes)
    numbers = [_numbers(name, values, classes) for name, values in predicted.items()]
    return names, _numbers("y_true", true, classes), numbers


def _check_alike(name: str, true: Array, predicted: Array, *, may_differ: bool) -> None:
    """Raise unless predictions can be compared with the true classes."""
    if true.shape != predicted.shape:
        shapes = f"{len(true)} and {len(predicted)}"
        raise invalid(name, "as many values as y_true", shapes)
    if (true.dtype.kind == "U") != (predicted.dtype.kind == "U"):
        expected = "names of classes" if true.dtype.kind == "U" else "numbers of classes"
        received = f"{predicted[0]!r} for {true[0]!r}"
        raise invalid(name, f"{expected}, as y_true", received, "Pass both as one or the other.")
    if not may_differ and not np.isin(predicted, true).any():
        expected = f"classes of y_true, {np.unique(true).tolist()}"
        hint = "If no image at all was classified rightly, pass class_names."
        raise invalid(name, expected, np.unique(predicted).tolist(), hint)


def _classes(name: str, values: npt.ArrayLike) -> Array:
    """Return classes as an array of numbers or of str."""
    check_unmasked(name, values)
    array = np.asarray(values)
    if array.ndim != 1 or not array.size:
        hint = _SCORES if array.ndim == 2 else ""
        raise invalid(name, "a one-dimensional array of at least one class", values, hint)
    if array.dtype.kind == "O":
        check_known(name, array)
        is_text = any(isinstance(value, str) for value in array.tolist())
        array = np.array(array.tolist(), dtype=str if is_text else None)
    if array.dtype.kind not in "buifUS":
        raise invalid(name, "whole numbers or names of classes", f"dtype {array.dtype}")
    check_finite(name, array)
    if array.dtype.kind == "f" and (array != np.round(array)).any():
        fraction = float(array[array != np.round(array)][0])
        raise invalid(name, "whole numbers or names of classes", fraction, _SCORES)
    return array.astype(str) if array.dtype.kind == "S" else array


def _numbers(name: str, array: Array, classes: Array) -> Array:
    """Return the class index of each value."""
    values = array.astype(str) if classes.dtype.kind == "U" else array
    order = np.argsort(classes)
    at = np.clip(np.searchsorted(classes[order], values), 0, len(classes) - 1)
    numbers = order[at]
    unknown = values[classes[numbers] != values]
    if unknown.size:
        raise invalid(name, f"classes among {classes.tolist()}", unknown[0])
    return np.asarray(numbers)


def check_scores(y_score: npt.ArrayLike, n: int, n_classes: int) -> Array:
    """Return scores of shape (n, n_classes)."""
    check_unmasked("y_score", y_score)
    scores = np.asarray(y_score)
    if scores.dtype.kind not in "buif":
        raise invalid("y_score", "numbers", f"dtype {scores.dtype}")
    check_finite("y_score", scores)
    if scores.shape == (n,) and n_classes == 2:
        return np.column_stack([-scores.astype(np.float64), scores])
    if scores.shape != (n, n_classes):
        expected = f"shape ({n}, {n_classes})" + (f" or ({n},)" if n_classes == 2 else "")
        raise invalid("y_score", expected, f"shape {scores.shape}")
    return scores


def check_resampling(confidence: float, n_resamples: int, random_state: int) -> None:
    """Validate the parameters of functions with bootstrap intervals."""
    check_real("confidence", confidence, low=0, high=1, open_ends=True)
    check_int("n_resamples", n_resamples, low=1)
    check_int("random_state", random_state, low=0)


def number_groups(groups: npt.ArrayLike | None, n: int) -> Array | None:
    """Return the index of each image's group, from 0; None if no two images share a group."""
    if groups is None:
        return None
    check_unmasked("groups", groups)
    array = np.asarray(groups)
    if array.shape != (n,):
        raise invalid("groups", f"one group for each of the {n} images", f"shape {array.shape}")
    check_known("groups", array)
    array = array.astype(str) if array.dtype.kind == "O" else array
    names, numbers = np.unique(array, return_inverse=True)
    return None if len(names) == n else numbers
