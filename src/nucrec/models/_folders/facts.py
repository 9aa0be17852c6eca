"""Facts about a model that the page shows beside its predictions."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from nucrec import _text as fmt
from nucrec._endings import PRETRAINED
from nucrec._metric_names import title
from nucrec.evaluate import Report, report
from nucrec.models._backbones import name_of
from nucrec.models._card import ModelCard
from nucrec.models._classifier import ImageClassifier
from nucrec.models._folders.worker import sha256_of
from nucrec.models._persistence import load
from nucrec.models._saving.info import model_info
from nucrec.models._saving.opened import model_file

_DIGITS = 16  # of a hash: enough to tell models apart


@dataclass(frozen=True)
class ModelFile:
    """The file of a model, as far as a page tells of it."""

    name: str
    sha256: str
    created: str
    fingerprint: str | None

    @classmethod
    def opened(cls, given: str | Path) -> tuple[Any, Self]:
        """Return a model by its file or as "pretrained", and what the page shows about the file."""
        path = model_file("model", given)
        model, info = load(path), model_info(path)
        name = f"{given}, which comes with nucrec" if given == PRETRAINED else path.name
        return model, cls(name, sha256_of(path), info.created, info.fingerprint)


def model_facts(model: Any, file: ModelFile | None, card: ModelCard | None) -> list[fmt.Row]:
    """Return what a model is, as rows of what and its value."""
    fingerprint = getattr(model, "fingerprint_", None) or None
    rows = [("Kind", _kind(model))]
    if file is not None:
        fingerprint = fingerprint or file.fingerprint
        rows.insert(0, ("Model", file.name))
        rows += [
            ("Saved", readable_time(file.created)),
            ("SHA-256 of the file", _short(file.sha256)),
        ]
    if fingerprint:
        rows.append(("Fingerprint of its training images", _short(fingerprint)))
    if card is not None:
        rows[1:1] = [("Name", card.name), ("Trained on", card.data), ("Licence", card.licence)]
        rows += [("Not for", "; ".join(card.cannot))] if card.cannot else []
    return list(rows)


def report_of_calibration(
    model: Any, class_names: Sequence[str], confidence: float
) -> Report | None:
    """Return how a model did on the images that it was calibrated with; None without any.

    It was not trained on these. Calibration changes no call and no order of the images.
    """
    calibration = getattr(model, "calibration_", None)
    if calibration is None:
        return None
    scores, labels = calibration
    return report(labels, scores.argmax(axis=1), scores, class_names, confidence=confidence)


def report_table(found: Report) -> tuple[fmt.Row, list[fmt.Row]]:
    """Return the header and the rows of a test report: metrics, then the recall of each class."""
    rows = [(title(key), found.metrics[key]) for key in found.metrics]
    rows += [(f"recall of {name}", values["REC"]) for name, values in found.per_class.items()]
    lines = [(name, fmt.number(m.value), fmt.interval(m.low, m.high)) for name, m in rows]
    return ("metric", "value", "interval"), list(lines)


def readable_time(iso: str) -> str:
    """Return a time of ISO 8601 in UTC as people write it."""
    return iso.replace("T", " ").replace("+00:00", " UTC")


def _kind(model: Any) -> str:
    if isinstance(model, ImageClassifier):
        size = model.image_size_
        return f"network, {name_of(model.backbone)}, images of {size} x {size} pixels"
    steps = getattr(model, "steps", None)
    return type(steps[-1][1] if steps else model).__name__


def _short(digest: str) -> str:
    return digest[:_DIGITS]
