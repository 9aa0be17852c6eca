"""The description of a model as text."""

from collections.abc import Iterator, Mapping
from typing import Any

from nucrec._text import many, printable
from nucrec.models._card import ModelCard

_KINDS = {"network": "network", "classical": "classical model"}


def description_as_text(about: Mapping[str, Any]) -> str:
    """Return what a person needs to know of a model: a few lines, and its card.

    Parameters
    ----------
    about : mapping
        The attributes of a `ModelInfo`.
    """
    lines = [f"{title}: {printable(text)}" for title, text in _texts(about) if text]
    card = [] if about["card"] is None else ["", str(ModelCard.from_dict(about["card"]))]
    return "\n".join([*lines, *card])


def _texts(about: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Model", _KINDS.get(about["kind"], about["kind"])
    yield "Backbone", str(about["parameters"].get("backbone", ""))
    yield "Classes", ", ".join(about["class_names"])
    size = about["preprocessing"].get("image_size")
    yield "Images", f"resized to {size} x {size} pixels" if size else ""
    if about["kind"] == "network":
        calibration = about["calibration"]
        n = 0 if calibration is None else len(calibration["labels"])
        yield "Calibrated", f"with {many(n, 'image')}" if n else "no"
    yield "Created", f"{about['created']}, with nucrec {about['versions'].get('nucrec', '?')}"
    yield "Fingerprint of the training images", about["fingerprint"] or "unknown"
