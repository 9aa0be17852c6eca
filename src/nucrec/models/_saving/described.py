"""Display of a model file in notebooks."""

from collections.abc import Mapping
from typing import Any

from nucrec import _notebook as show
from nucrec._text import many, number
from nucrec.models._card import ModelCard


def describe(info: Any) -> str:
    """Return what is known of a model as short tables: numbers of images, epochs and parameters."""
    rows = [
        ("kind", info.kind),
        ("classes", show.as_words(info.class_names)),
        ("images", show.as_words(info.preprocessing)),
        ("training", _training(info)),
        ("calibrated with", _calibration(info.calibration)),
        ("training images", _domain(info.domain)),
        ("training data", info.fingerprint or "unknown"),
        ("saved", info.created),
        ("versions", show.as_words(info.versions)),
    ]
    parameters = [(name, show.as_words(value)) for name, value in info.parameters.items()]
    details = show.folded(f"{len(parameters)} parameters", show.facts(parameters))
    card = "" if info.card is None else ModelCard.from_dict(info.card)._repr_html_()
    title = show.heading("ModelInfo")
    return show.fragment(title, show.facts(rows), details if parameters else "", card)


def _training(info: Any) -> str:
    """Return the number of epochs and the last value of each measure."""
    curves = {name: values for name, values in info.history.items() if _are_numbers(values)}
    if not curves:
        return "no history"
    last = ", ".join(f"{name} {number(values[-1])}" for name, values in curves.items())
    undone = "; the fine-tuning was undone" if info.undone else ""
    return f"{max(map(len, curves.values()))} epochs; at the end {last}{undone}"


def _are_numbers(values: list[Any]) -> bool:
    return bool(values) and all(isinstance(value, int | float) for value in values)


def _calibration(calibration: Mapping[str, list[Any]] | None) -> str:
    return many(len(calibration["labels"]), "image") if calibration else "no images"


def _domain(domain: Mapping[str, Any] | None) -> str:
    """Return the ranges of the training images in words."""
    if not domain:
        return "unknown"
    return "; ".join(f"{name} {_range(value)}" for name, value in domain.items())


def _range(value: Any) -> str:
    if isinstance(value, list | tuple) and len(value) == 2 and _are_numbers(list(value)):
        return " to ".join(map(show.as_words, value))
    return show.as_words(value)
