"""Validate true classes, predictions, scores and groups, and convert them to numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._class_names import (
    check_class_names,
    is_missing,
    look_alike_key,
    merge_look_alikes,
    merged_names,
    order_classes,
    warn_if_positive_is_not_told,
)
from nucrec._validation import (
    check_finite,
    check_int,
    check_known,
    check_not_mixed,
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
        _check_alike(name, true, values)
    names = () if class_names is None else check_class_names(class_names)
    if true.dtype.kind == "U":
        true, *others = _one_spelling([true, *predicted.values()], names)
        predicted = dict(zip(predicted, others, strict=True))
    occurring = np.unique(np.concatenate([true, *predicted.values()]))
    if class_names is None:
        _check_overlap(true, predicted)
    if names:
        classes = np.array(names) if true.dtype.kind == "U" else np.arange(len(names))
    elif occurring.dtype.kind == "U":
        names = tuple(order_classes(map(str, occurring)))
        classes = np.array(names)
    else:
        classes = occurring
        names = tuple(str(value) for value in classes)
    numbers = [_numbers(name, values, classes) for name, values in predicted.items()]
    return names, _numbers("y_true", true, classes), numbers


def _one_spelling(arrays: Sequence[Array], names: Sequence[str]) -> list[Array]:
    """Return text with one spelling of each class: that of `names`, or that of the true classes."""
    occurring = [np.unique(array, return_inverse=True) for array in arrays]
    texts = list(dict.fromkeys(str(text) for different, _ in occurring for text in different))
    merged_names(map(str, occurring[0][0]), "true classes")  # it warns
    own = {look_alike_key(name): name for name in names}
    spelled, _ = merge_look_alikes(text for text in texts if look_alike_key(text) not in own)
    spelled |= {text: own[look_alike_key(text)] for text in texts if look_alike_key(text) in own}
    if all(text == plain for text, plain in spelled.items()):
        return list(arrays)
    return [np.array([spelled[str(text)] for text in found])[at] for found, at in occurring]


def _check_alike(name: str, true: Array, predicted: Array) -> None:
    """Raise unless predictions can be compared with the true classes."""
    if true.shape != predicted.shape:
        shapes = f"{len(true)} and {len(predicted)}"
        raise invalid(name, "as many values as y_true", shapes)
    if (true.dtype.kind == "U") != (predicted.dtype.kind == "U"):
        expected = "names of classes" if true.dtype.kind == "U" else "numbers of classes"
        received = f"{predicted.tolist()[0]!r} for {true.tolist()[0]!r}"
        raise invalid(name, f"{expected}, as y_true", received, "Pass both as one or the other.")


def _check_overlap(true: Array, predictions: Mapping[str, Array]) -> None:
    """Raise if predictions have no class in common with the true ones."""
    for name, predicted in predictions.items():
        if not np.isin(predicted, true).any():
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
    check_not_mixed(name, values)
    if array.dtype.kind == "U":
        _check_named(name, values, array)
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


def _check_named(name: str, given: npt.ArrayLike, array: Array) -> None:
    """Raise if a name is missing; NumPy makes "nan" of NaN among names."""
    if not isinstance(given, np.ndarray):
        check_known(name, np.asarray(given, object))
    gap = next((text for text in map(str, np.unique(array)) if text.strip() in ("", "nan")), None)
    if gap is not None:
        raise invalid(name, "a name for each image, neither empty nor NaN", gap)


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


def by_name(y_score: npt.ArrayLike, names: Sequence[str]) -> npt.ArrayLike:
    """Return a table of scores with its columns in the order of the classes, if it names them."""
    keys = [look_alike_key(str(column)) for column in getattr(y_score, "columns", ())]
    wanted = [look_alike_key(name) for name in names]
    if sorted(keys) != sorted(wanted):
        return y_score
    return np.asarray(y_score)[:, [keys.index(key) for key in wanted]]


def check_order(
    names: Sequence[str], given: npt.ArrayLike, scores: Array, predicted: Array
) -> None:
    """Raise or warn if scores may be meant for classes in another order, which was not passed.

    Parameters
    ----------
    names : sequence of str
        The classes in our order, which is not always that of the alphabet.
    given : array_like
        The scores as they were passed.
    scores : ndarray of float, shape (n, n_classes)
        The scores as `check_scores` returns them.
    predicted : ndarray of int, shape (n,)
        The predicted classes.
    """
    if all(name.isdecimal() for name in names):  # in the order of their values
        return
    if np.ndim(given) == 1:
        warn_if_positive_is_not_told(names)
        return
    by_alphabet = np.array(sorted(range(len(names)), key=names.__getitem__))
    top = scores.argmax(axis=1)
    others = (by_alphabet[top] == predicted).mean() > (top == predicted).mean()
    if len(names) == 2:  # any threshold may have been chosen, but it keeps the order of the scores
        others = others and _is_reversed(scores[:, 1] - scores[:, 0], predicted)
    if others:
        hint = f"If its columns are {', '.join(sorted(names))}, pass class_names in this order."
        raise invalid("y_score", f"columns for {', '.join(names)}", "others by y_pred", hint)
    if len(names) > 2 and not (top == predicted).any():
        hint = "The largest score of no image is that of its class in y_pred. Pass class_names."
        raise invalid("y_score", f"columns for {', '.join(names)}", "others by y_pred", hint)


def _is_reversed(score: Array, predicted: Array) -> bool:
    """Return whether images called positive have lower scores than most that were not."""
    from scipy.stats import rankdata

    ranks = rankdata(score)
    positive = predicted == 1
    return bool(positive.any() and (ranks[positive].mean() < (len(ranks) + 1) / 2))


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
    names, numbers = np.unique(_named(array), return_inverse=True)
    return None if len(names) == n else numbers


def _named(groups: Array) -> Array:
    """Return groups with one spelling of names that look the same, or raise if one is missing."""
    if groups.dtype.kind in "biuf":
        return groups
    different, at = np.unique(groups.astype(str), return_inverse=True)
    names = different.tolist()
    gap = next(filter(is_missing, names), None)
    if gap is not None:
        raise invalid("groups", "a name for each image, neither empty nor NA or NaN", gap)
    if len(names) == len(groups):  # each image is its own group
        return different[at]
    spelled = merged_names(names, "groups")
    return np.array([spelled[name] for name in names])[at]
