"""Pairs as a notebook shows them: the pictures of both, pairs across classes first."""

from collections.abc import Iterable
from typing import Any

import numpy.typing as npt

from nucrec import _notebook as show
from nucrec.datasets import ImageDataset

Array = npt.NDArray[Any]

_SHOWN = 12


class Pictures:
    """The images of pairs, read when they are shown.

    Parameters
    ----------
    dataset, other : ImageDataset
        The data sets of the images `a` and `b`.
    """

    def __init__(self, dataset: ImageDataset, other: ImageDataset) -> None:
        self._parts = dataset, other

    def as_html(self, pairs: Iterable[Any]) -> str:
        """Return some pairs side by side, those across classes first."""
        places = [{str(name): i for i, name in enumerate(part.ids)} for part in self._parts]
        found = [
            (pair, [at[name] for at, name in zip(places, pair[:2], strict=True)]) for pair in pairs
        ]
        found.sort(key=lambda entry: not self._is_across(entry[1]))  # otherwise in their order
        across = sum(self._is_across(places) for _, places in found)
        first = "; those of different classes first" if across else ""
        shown = found[:_SHOWN]
        words = f"{across} of different classes; shown: {len(shown)} of {len(found)}{first}"
        return show.paragraphs(words) + show.thumbnails([self._tile(*entry) for entry in shown])

    def _tile(self, pair: Any, places: list[int]) -> show.Tile:
        pictures = [
            show.small_picture(lambda i=i, part=part: part.images[i])  # type: ignore[misc]
            for part, i in zip(self._parts, places, strict=True)
        ]
        share = f", {pair.overlap:.0%} shared" if pair.kind == "overlap" else ""
        classes = " and ".join(dict.fromkeys(self._classes(places)))
        words = f"{pair.kind} {pair.similarity:.3f}{share}; {classes}"
        return show.Tile(pictures, f"{pair.a} | {pair.b}", words)

    def _classes(self, places: list[int]) -> list[str]:
        return [
            part.class_names[int(part.labels[i])]
            for part, i in zip(self._parts, places, strict=True)
        ]

    def _is_across(self, places: list[int]) -> bool:
        return len(set(self._classes(places))) > 1
