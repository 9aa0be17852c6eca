"""Pairs as a notebook shows them: the pictures of both side by side."""

from collections.abc import Sequence
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

    def as_html(self, pairs: Sequence[Any]) -> str:
        """Return the first pairs, the images of each side by side."""
        places = [{str(name): i for i, name in enumerate(part.ids)} for part in self._parts]
        tiles = [
            self._tile(pair, [at[name] for at, name in zip(places, pair[:2], strict=True)])
            for pair in pairs[:_SHOWN]
        ]
        more = f"shown: the first {_SHOWN}" if len(pairs) > _SHOWN else ""
        return show.paragraphs(more) + show.thumbnails(tiles)

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
