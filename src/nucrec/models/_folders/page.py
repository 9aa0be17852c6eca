"""The page of a folder's predictions: counts, probabilities, and the images that are doubtful."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._html import gallery, page, paragraph, picture, plot, section, table
from nucrec._plotting import STYLES, new_axes
from nucrec._text import Row
from nucrec.datasets import ImageDataset, ImageFiles, Quarantined
from nucrec.models._classifier import ImageClassifier
from nucrec.models._explain import grey_levels
from nucrec.models._folders.records import Columns, read_rows

Array = npt.NDArray[Any]

_BINS = 20
_AT_A_TIME = 16  # images of any size, with their heat


@dataclass(frozen=True)
class Doubtful:
    """The images closest to the decision, in that order, and how all probabilities are spread.

    Attributes
    ----------
    rows : tuple of list of str
        Rows of the table.
    counts : ndarray of int, shape (n_bins,)
        Images by the probability of the positive class, in bins from 0 to 1.
    """

    rows: tuple[list[str], ...]
    counts: Array

    @classmethod
    def of(cls, path: Path, columns: Columns, limit: int) -> "Doubtful":
        """Read a table, of any length, keeping `limit` rows."""
        counts = np.zeros(_BINS, int)
        positive = columns.class_names.index(columns.positive_class)

        def counted(rows: Iterable[list[str]]) -> Iterator[list[str]]:
            for row in rows:
                if not row[-1]:
                    share = _probabilities(row, columns)[positive]
                    counts[min(int(share * _BINS), _BINS - 1)] += 1
                    yield row

        def margin(row: list[str]) -> float:
            *_, second, first = sorted(_probabilities(row, columns))
            return first - second

        rows = heapq.nsmallest(limit, counted(read_rows(path, columns)), key=margin)
        return cls(tuple(rows), counts)


def prediction_page(
    title: str,
    summary: tuple[Row, list[Row]],
    notes: str,
    quarantined: Iterable[Quarantined],
    doubtful: Doubtful,
    columns: Columns,
    model: Any,
    path: Path,
) -> str:
    """Return the page; the images shown are read again, a few at a time."""
    positive = columns.positive_class
    bins = ", ".join(map(str, doubtful.counts))
    alt = f"Histogram. Images in {_BINS} bins of the probability, from 0 to 1: {bins}"
    parts = [
        section("Folders", table(*summary), paragraph(notes)),
        section(f"Probability of {positive}", plot(lambda: _histogram(doubtful, positive), alt)),
    ]
    if doubtful.rows:
        about = "The images closest to the decision, the most doubtful first."
        if isinstance(model, ImageClassifier):
            about += (
                f" Beside each: where the network saw what speaks for {positive} (Grad-CAM), from "
                "violet to yellow, scaled for each image by itself; no colour where nothing does."
            )
        shown = gallery(_entries(doubtful, columns, model, path))
        parts.append(section("Doubtful images", paragraph(about), shown))
    problems = [tuple(entry) for entry in quarantined]
    if problems:
        parts.append(section("Files that could not be read", table(("file", "reason"), problems)))
    return page(title, parts)


def _histogram(doubtful: Doubtful, positive: str) -> Any:
    ax = new_axes((6.4, 3.0))
    edges = np.linspace(0, 1, _BINS + 1)
    ax.bar(edges[:-1], doubtful.counts, 1 / _BINS, align="edge", color=STYLES[0].colour, ec="white")
    ax.set(xlim=(0, 1), xlabel=f"probability of {positive}", ylabel="images")
    ax.yaxis.get_major_locator().set_params(integer=True)
    return ax.figure


def _entries(
    doubtful: Doubtful, columns: Columns, model: Any, path: Path
) -> Iterator[tuple[str, str, list[str]]]:
    """Yield the name of each image, what was said of it, and its pictures."""
    rows = {row[0]: row for row in doubtful.rows}
    for images in ImageFiles(path, list(rows)).parts(_AT_A_TIME):
        for name, reason in images.quarantined:
            yield name, f"cannot be read any more: {reason}", []
        if not len(images):
            continue
        for name, pictures in zip(
            images.ids.tolist(), _pictures(images, columns, model), strict=True
        ):
            yield name, _remark(rows[name], columns), pictures


def _pictures(images: ImageDataset, columns: Columns, model: Any) -> Iterator[list[str]]:
    """Yield the picture of each image, and, of a network, that of its heat."""
    found = None
    if isinstance(model, ImageClassifier):
        found = model.explain(images, columns.class_names.index(columns.positive_class))
    for k, (name, image) in enumerate(zip(images.ids.tolist(), images.images, strict=True)):
        pictures = [picture(grey_levels(image), name)]
        if found is not None:
            what = f"{name}: heat of {columns.positive_class}"
            pictures.append(picture(found.overlay(k), what))
        yield pictures


def _remark(row: list[str], columns: Columns) -> str:
    probability = max(_probabilities(row, columns))
    ask = "; a person should look at it" if columns.with_ask and row[-2] == "yes" else ""
    return f"{row[1]}, {probability:.2f}{ask}"


def _probabilities(row: list[str], columns: Columns) -> list[float]:
    return [float(value) for value in row[2 : 2 + len(columns.class_names)]]
