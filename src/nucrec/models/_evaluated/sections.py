"""The sections of a page on an evaluation: the report, curves, groups, and the wrong images."""

import itertools
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from nucrec._html import gallery, paragraph, picture, plot, section, table
from nucrec._text import many
from nucrec.datasets import ImageDataset
from nucrec.evaluate import (
    CalibrationDisplay,
    CalibrationError,
    PrecisionRecallDisplay,
    Report,
    RocCurveDisplay,
)
from nucrec.models._evaluated.groups import GroupResult, groups_table
from nucrec.models._evaluated.heat import heat_overlays
from nucrec.models._explain import grey_levels

Array = npt.NDArray[Any]

_KINDS: dict[str, Any] = {
    "ROC curve, with the area under it": RocCurveDisplay,
    "Precision-recall curve, with its average precision": PrecisionRecallDisplay,
    "Reliability diagram: accuracy by confidence": CalibrationDisplay,
}
MOST_WRONG = 60
"""Misclassified images that a page shows at most."""


class Evaluated(Protocol):
    """The parts of an `Evaluation` that a page shows."""

    @property
    def report(self) -> Report: ...
    @property
    def images(self) -> ImageDataset: ...
    @property
    def predicted(self) -> Array: ...
    @property
    def probabilities(self) -> Array | None: ...
    @property
    def calibration_error(self) -> CalibrationError | None: ...
    @property
    def groups(self) -> tuple[GroupResult, ...]: ...
    @property
    def wrong(self) -> Array: ...


def evaluation_sections(evaluation: Evaluated, model: Any = None) -> list[str]:
    """Return the sections of a page, as HTML, with heat maps if the model can explain itself."""
    sections = [evaluation.report.to_html()]
    curves = list(_curves(evaluation))
    if curves:
        sections.append(section("Curves", *curves))
    if evaluation.groups:
        about = "Each interval is of that group alone, as if its images were independent."
        sections.append(
            section("Groups", paragraph(about), table(*groups_table(evaluation.groups)))
        )
    sections.append(_wrong(evaluation, model))
    problems = [tuple(entry) for entry in evaluation.images.quarantined]
    if problems:
        sections.append(section("Files that were left out", table(("file", "reason"), problems)))
    return sections


def _curves(evaluation: Evaluated) -> Iterator[str]:
    """Yield the available curves: of scores for all classes that occur, and of probabilities."""
    images, scores = evaluation.images, evaluation.probabilities
    if scores is None:
        return
    given = images.labels, scores, images.class_names, images.groups
    confidence = evaluation.report.confidence
    every_class = len(np.unique(images.labels)) == len(images.class_names)
    for alt, display in _KINDS.items():
        if every_class or display is CalibrationDisplay:
            found = display.from_predictions(*given, confidence).plot()
            yield plot(partial(getattr, found, "figure_"), alt)
    if evaluation.calibration_error is not None:
        yield paragraph(f"Calibration error {evaluation.calibration_error}.")


def _wrong(evaluation: Evaluated, model: Any) -> str:
    wrong = evaluation.wrong
    if not len(wrong):
        return section("Misclassified images", paragraph("There are none."))
    shown = wrong[:MOST_WRONG]
    was = "was" if len(wrong) == 1 else "were"
    of_all = f"{many(len(wrong), 'image')} of {evaluation.report.n} {was}"
    order = "" if evaluation.probabilities is None else ", those predicted most confidently first"
    first = f"; the first {len(shown)} are shown" if len(shown) < len(wrong) else ""
    about = f"{of_all} misclassified{order}{first}."
    overlays = heat_overlays(model, evaluation.images[shown])
    if overlays:
        about += _about_heat(len(overlays), len(shown))
    entries = _entries(evaluation, shown, overlays)
    return section("Misclassified images", paragraph(about), gallery(entries, "wrong"))


def _about_heat(n: int, n_shown: int) -> str:
    which = "each" if n == n_shown else f"each of the first {n}"
    return (
        f" Beside {which} are the regions that raised the score of the predicted class (Grad-CAM; "
        "yellow raised it most)."
    )


def _entries(
    evaluation: Evaluated, shown: Array, overlays: Sequence[Array]
) -> Iterator[tuple[str, str, list[str]]]:
    """Yield the name of each image, its true and predicted class, and its pictures."""
    images = evaluation.images
    for k, overlay in itertools.zip_longest(shown.tolist(), overlays):
        name, remark = str(images.ids[k]), called(evaluation, k)
        if evaluation.groups:
            remark += f"; group {images.groups[k]}"
        pictures = [picture(grey_levels(images.images[k]), name)]
        if overlay is not None:
            pictures.append(picture(overlay, f"heat map of {name}"))
        yield name, remark, pictures


def called(evaluation: Evaluated, k: int) -> str:
    """Return the true and the predicted class of an image, with its probability if there is one."""
    names, predicted = evaluation.images.class_names, int(evaluation.predicted[k])
    words = f"{names[evaluation.images.labels[k]]}, predicted {names[predicted]}"
    if evaluation.probabilities is None:
        return words
    return f"{words} ({evaluation.probabilities[k, predicted]:.2f})"
