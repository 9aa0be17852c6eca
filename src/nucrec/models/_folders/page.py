"""The HTML page of a folder's predictions: counts, probabilities, and the most doubtful images."""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from nucrec._html import gallery, page, paragraph, picture, plot, section, table
from nucrec._plotting import STYLES, label, new_axes
from nucrec.datasets import ImageDataset, ImageFiles
from nucrec.models._classifier import ImageClassifier
from nucrec.models._explain import grey_levels
from nucrec.models._folders.prediction import FolderClassifier, ImagePrediction
from nucrec.models._folders.result import FolderPredictions, notes, summary_table

_BINS = 20
_AT_A_TIME = 16  # images of any size, with their heat maps


class Doubtful:
    """Collect the predictions closest to the decision boundary, and count probabilities.

    Parameters
    ----------
    positive : int
        Position of the positive class.
    limit : int
        Maximum number of predictions to keep.

    Attributes
    ----------
    counts : list of int
        Histogram of the probability of the positive class, in bins from 0 to 1.
    """

    def __init__(self, positive: int, limit: int) -> None:
        self.counts = [0] * _BINS
        self._positive = positive
        self._limit = limit
        self._kept: list[tuple[float, int, ImagePrediction]] = []  # a heap, clearest first

    def seen(self, predictions: Iterable[ImagePrediction]) -> Iterator[ImagePrediction]:
        """Yield the predictions, and keep those closest to the decision boundary."""
        for number, prediction in enumerate(predictions):
            if prediction.error is None:
                self._add(number, prediction)
            yield prediction

    @property
    def predictions(self) -> list[ImagePrediction]:
        """The collected predictions, the most doubtful first."""
        return [prediction for _, _, prediction in sorted(self._kept, reverse=True)]

    def _add(self, number: int, prediction: ImagePrediction) -> None:
        share = prediction.probabilities[self._positive]
        self.counts[min(int(share * _BINS), _BINS - 1)] += 1
        *_, second, first = sorted(prediction.probabilities)
        heapq.heappush(self._kept, (second - first, -number, prediction))
        if len(self._kept) > self._limit:
            heapq.heappop(self._kept)


def prediction_page(
    files: ImageFiles, found: FolderPredictions, doubtful: Doubtful, classifier: FolderClassifier
) -> str:
    """Return the page of a folder. The images shown are read again, a few at a time."""
    positive = found.positive_class
    bins = ", ".join(map(str, doubtful.counts))
    alt = f"Histogram. Images in {_BINS} bins of the probability, from 0 to 1: {bins}"
    histogram = plot(lambda: _histogram(doubtful.counts, positive), alt)
    parts = [
        section("Folders", table(*summary_table(found)), *map(paragraph, notes(found))),
        section(f"Probability of {positive}", histogram),
    ]
    shown = doubtful.predictions
    if shown:
        about = "The images closest to the decision, the most doubtful first."
        if isinstance(classifier.model, ImageClassifier):
            about += (
                f" Beside each: where the network saw what speaks for {positive} (Grad-CAM), from "
                "violet to yellow, scaled for each image by itself; no colour where nothing does."
            )
        entries = gallery(_entries(files, shown, classifier, positive))
        parts.append(section("Doubtful images", paragraph(about), entries))
    if found.quarantined:
        problems = [tuple(entry) for entry in found.quarantined]
        parts.append(section("Files that were not predicted", table(("file", "reason"), problems)))
    return page(f"Predictions of {files.path.name or files.path}", parts)


def _histogram(counts: Sequence[int], positive: str) -> Any:
    ax = new_axes((6.4, 3.0))
    edges = np.linspace(0, 1, _BINS + 1)
    ax.bar(edges[:-1], counts, 1 / _BINS, align="edge", color=STYLES[0].colour, ec="white")
    ax.set(xlim=(0, 1), xlabel=f"probability of {label(positive)}", ylabel="images")
    ax.yaxis.get_major_locator().set_params(integer=True)
    return ax.figure


def _entries(
    files: ImageFiles, shown: Sequence[ImagePrediction], classifier: FolderClassifier, positive: str
) -> Iterator[tuple[str, str, list[str]]]:
    """Yield the name, prediction and pictures of each image."""
    remarks = {prediction.file: _remark(prediction) for prediction in shown}
    again = ImageFiles(files.path, list(remarks), channel=files.channel)
    for images in again.parts(_AT_A_TIME):
        for name, reason in images.quarantined:
            yield name, f"cannot be read any more: {reason}", []
        if len(images):
            pictures = _pictures(images, classifier, positive)
            for name, of_image in zip(images.ids.tolist(), pictures, strict=True):
                yield name, remarks[name], of_image


def _pictures(
    images: ImageDataset, classifier: FolderClassifier, positive: str
) -> Iterator[list[str]]:
    """Yield a picture of each image and, for a network, of its heat map."""
    found = None
    if isinstance(classifier.model, ImageClassifier):
        found = classifier.model.explain(images, classifier.class_names.index(positive))
    for k, (name, image) in enumerate(zip(images.ids.tolist(), images.images, strict=True)):
        pictures = [picture(grey_levels(image), name)]
        if found is not None:
            pictures.append(picture(found.overlay(k), f"{name}: heat of {positive}"))
        yield pictures


def _remark(prediction: ImagePrediction) -> str:
    call = f"{prediction.predicted}, {max(prediction.probabilities):.2f}"
    review = ["a person should look at it"] if prediction.needs_review else []
    return "; ".join([call, *review, *prediction.unusual])
