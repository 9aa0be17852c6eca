"""Checks of the description in a model file, whoever wrote it."""

from collections.abc import Mapping, Sequence
from typing import Any

from nucrec._card import Card
from nucrec.errors import InvalidParameterError

_LONGEST_NAME = 1000  # characters
_LARGEST_SIDE = 4096  # pixels
_MOST_CHANNELS = 4
_LARGEST_CARD = 100_000  # characters


def check_description(about: Mapping[str, Any]) -> None:
    """Raise unless the description is valid.

    Parameters
    ----------
    about : mapping
        The attributes of a `ModelInfo`.

    Raises
    ------
    ValueError
        The description is invalid; the message names the fault.
    """
    names, classes = about["class_names"], about["classes"]
    _check_names(names)
    _must(len(classes) == len(names), f"{len(names)} class names for {len(classes)} classes")
    _must(_are_plain(classes), "classes that are neither texts nor numbers, or not different")
    for name in ("parameters", "preprocessing", "versions", "history"):
        _must(isinstance(about[name], dict), f"{name} that are no dictionary")
    _must(all(isinstance(v, list) for v in about["history"].values()), "a history without lists")
    _must(all(isinstance(v, str) for v in about["versions"].values()), "versions that are no texts")
    _must(isinstance(about["created"], str), "a time that is no text")
    _must(isinstance(about["fingerprint"], str | None), "a fingerprint that is no text")
    _check_marks(about["marks"])
    if about["card"] is not None:
        _check_card(about["card"])
    if about["kind"] == "network":
        _check_images(about["preprocessing"])
    if about["calibration"] is not None:
        _check_calibration(about["calibration"], len(names))


def _must(condition: bool, otherwise: str) -> None:
    if not condition:
        raise ValueError(f"it has {otherwise}")


def _check_names(names: Sequence[Any]) -> None:
    _must(
        bool(names) and all(isinstance(name, str) for name in names),
        "class names that are no texts",
    )
    _must(len(set(names)) == len(names), "class names that are not all different")
    longest = max(map(len, names))
    _must(
        longest <= _LONGEST_NAME, f"a class name of {longest} characters, more than {_LONGEST_NAME}"
    )


def _are_plain(classes: Sequence[Any]) -> bool:
    plain = all(isinstance(value, str | bool | int | float) for value in classes)
    return plain and len(set(classes)) == len(classes) and all(value == value for value in classes)


def _check_marks(marks: Sequence[Any]) -> None:
    _must(
        all(isinstance(mark, str) for mark in marks), "marks of training images that are no texts"
    )


def _check_card(card: Any) -> None:
    """Raise unless it is what `ModelCard.to_dict` returns, or JSON makes of it."""
    try:
        Card.from_dict(card)
    except InvalidParameterError as error:
        raise ValueError(f"it has a faulty card: {error}") from error
    _must(len(str(card)) <= _LARGEST_CARD, f"a card of more than {_LARGEST_CARD} characters")


def _check_images(preprocessing: Mapping[str, Any]) -> None:
    for name, most in (("image_size", _LARGEST_SIDE), ("channels", _MOST_CHANNELS)):
        value = preprocessing[name]
        _must(type(value) is int and 0 < value <= most, f"no {name} from 1 to {most}")


def _check_calibration(calibration: Mapping[str, Any], n_classes: int) -> None:
    rows, labels = calibration["probabilities"], calibration["labels"]
    _must(
        all(len(row) == n_classes and all(map(_is_probability, row)) for row in rows),
        f"a calibration without probabilities of {n_classes} classes",
    )
    fit = len(labels) == len(rows) > 0
    known = all(type(label) is int and 0 <= label < n_classes for label in labels)
    _must(fit and known, "a calibration without a class for each image")
    groups = calibration.get("groups", [0] * len(rows))
    numbered = all(type(group) is int and 0 <= group < len(rows) for group in groups)
    _must(numbered and len(groups) == len(rows), "a calibration without a group for each image")


def _is_probability(value: Any) -> bool:
    return isinstance(value, float | int) and abs(value - 0.5) < 0.51  # 32-bit values, about 0 to 1
