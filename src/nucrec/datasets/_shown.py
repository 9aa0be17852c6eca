"""Display of a data set in notebooks, and its summary in words."""

from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec import _notebook as show
from nucrec._text import images, many

Array = npt.NDArray[Any]

_OF_A_CLASS = 8  # thumbnails
_OF_ALL = 24
_FIRST = 5  # names of files that were left out


def in_words(dataset: Any) -> str:
    """Return how many images of each class, groups, copies and files that were left out there are."""
    counts = _counts(dataset)
    classes = ", ".join(f"{k} {name}" for k, name in zip(counts, dataset.class_names, strict=True))
    parts = [
        f"{images(len(dataset))}: {classes}",
        many(len(np.unique(dataset.groups)), "group"),
    ]
    copies = int((dataset.parents != dataset.ids).sum())
    if copies:
        parts.append(many(copies, "augmented copy", "augmented copies"))
    if dataset.quarantined:
        parts.append(f"{len(dataset.quarantined)} quarantined")
    return "; ".join(parts)


def as_html(dataset: Any) -> str:
    """Return counts for each class, some images of each, and what else is known of them."""
    n_classes = sum(n > 0 for n in _counts(dataset))
    most = max(1, min(_OF_A_CLASS, _OF_ALL // max(1, n_classes)))
    left = _OF_ALL
    parts = []
    for k, name in enumerate(dataset.class_names):
        some = show.evenly(np.flatnonzero(dataset.labels == k), min(most, left))
        left -= len(some)
        if some:
            tiles = [_tile(dataset, i) for i in some]
            share = show.PICTURES * len(some) / min(_OF_ALL, len(dataset))
            parts += [show.heading(name), show.thumbnails(tiles, largest=share)]
    summary = show.paragraphs(f"ImageDataset: {in_words(dataset)}")
    return show.fragment(summary, _class_table(dataset), *parts, *_notes(dataset))


def _counts(dataset: Any) -> list[int]:
    counts: list[int] = np.bincount(dataset.labels, minlength=len(dataset.class_names)).tolist()
    return counts


def _class_table(dataset: Any) -> str:
    rows = [
        (name, str(n), str(len(np.unique(dataset.groups[dataset.labels == k]))))
        for k, (name, n) in enumerate(zip(dataset.class_names, _counts(dataset), strict=True))
    ]
    return show.table(("class", "images", "groups"), rows)


def _tile(dataset: Any, position: int) -> show.Tile:
    picture = show.small_picture(lambda: dataset.images[position])
    return show.Tile([picture], str(dataset.ids[position]))


def _notes(dataset: Any) -> list[str]:
    metadata = ", ".join(dataset.metadata)
    notes = [show.paragraphs(f"Metadata: {metadata}" if metadata else "")]
    if dataset.quarantined:
        first = dataset.quarantined[:_FIRST]
        summary = f"{many(len(dataset.quarantined), 'file')} left out"
        notes.append(show.folded(summary, show.table(("file", "reason"), first)))
    return notes
