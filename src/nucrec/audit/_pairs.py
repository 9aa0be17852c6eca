"""Pairs of duplicate images, as numbers and text."""

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, overload

import numpy as np
import numpy.typing as npt

from nucrec import _notebook as show
from nucrec._files import write_text
from nucrec._paths import output_file
from nucrec._text import Row, csv_text, in_lines, many, printable, terminal_width, text_table
from nucrec.audit._pictures import Pictures
from nucrec.datasets import ImageDataset

Array = npt.NDArray[Any]

_SHOWN = 10
_NARROWEST = 16  # characters of a name in a line


class DuplicatePair(NamedTuple):
    """Two duplicate or near-duplicate images.

    Attributes
    ----------
    a, b : str
        The ids of the images, in the order of the data set.
    kind : str
        "exact" for equal pixels; "overlap" for windows that share a part of one picture; otherwise
        one or several, joined by "+", of "turned" (rotated or flipped), "resized" and "intensity"
        (another brightness or contrast), or "re-encoded" if none of these applies.
    similarity : float
        Correlation, from 0 to 1: of the shared part for "overlap", and of the fine structure of the
        two thumbnails otherwise.
    overlap : float
        The shared area, as a share of the smaller image: 1 except for "overlap".
    across : bool
        Whether the images have different classes. Of two copies, one is then labelled wrongly.

    Examples
    --------
    >>> from nucrec.audit import DuplicatePair
    >>> pair = DuplicatePair("a.png", "b.png", "turned+resized", similarity=0.99, overlap=1.0)
    >>> pair.a, pair.b, pair.kind.split("+")
    ('a.png', 'b.png', ['turned', 'resized'])
    """

    a: str
    b: str
    kind: str
    similarity: float
    overlap: float
    across: bool = False


class DuplicatePairs(Sequence[DuplicatePair]):
    """The pairs that `duplicates` found: those across classes first, then by decreasing similarity.

    Parameters
    ----------
    pairs : sequence of DuplicatePair
        The pairs.
    n_images : int
        The number of images that were compared.

    Examples
    --------
    >>> from nucrec.audit import DuplicatePair, DuplicatePairs
    >>> pairs = DuplicatePairs([DuplicatePair("1.png", "2.png", "exact", 1.0, 1.0)], n_images=3)
    >>> pairs[0].b
    '2.png'
    >>> print(pairs)
    1 pair among 3 images: 1 exact
    <BLANKLINE>
    a       b      kind  similarity  overlap
    1.png  2.png  exact       1.000     1.00
    """

    __slots__ = ("_pairs", "_pictures", "n_images")

    def __init__(self, pairs: Sequence[DuplicatePair], n_images: int) -> None:
        self._pairs = tuple(pairs)
        self._pictures: Pictures | None = None
        self.n_images = n_images

    def _with_pictures(
        self, dataset: ImageDataset, other: ImageDataset | None = None
    ) -> "DuplicatePairs":
        """Return these pairs with the data sets of the images `a` and `b`, for notebooks."""
        pairs = DuplicatePairs(self._pairs, self.n_images)
        pairs._pictures = Pictures(dataset, dataset if other is None else other)
        return pairs

    def __reduce__(self) -> tuple[Any, ...]:
        return DuplicatePairs, (self._pairs, self.n_images)  # without the images

    def __len__(self) -> int:
        return len(self._pairs)

    @overload
    def __getitem__(self, index: int) -> DuplicatePair: ...
    @overload
    def __getitem__(self, index: slice) -> "DuplicatePairs": ...
    def __getitem__(self, index: int | slice) -> "DuplicatePair | DuplicatePairs":
        if isinstance(index, slice):
            part = DuplicatePairs(self._pairs[index], self.n_images)
            part._pictures = self._pictures
            return part
        return self._pairs[index]

    def __iter__(self) -> Iterator[DuplicatePair]:
        return iter(self._pairs)

    def __repr__(self) -> str:
        return f"DuplicatePairs({self.summary})"

    def __str__(self) -> str:
        if not self._pairs:
            return self.summary
        lines = [self.summary, "", _table(self._pairs[:_SHOWN])]
        if len(self) > _SHOWN:
            lines.append(f"and {len(self) - _SHOWN} more")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        summary = show.paragraphs(self.summary)
        if self._pictures is not None and self._pairs:
            return show.fragment(summary, self._pictures.as_html(self._pairs))
        return show.fragment(summary, show.table((*_HEADER, "classes"), map(_cells, self._pairs)))

    @property
    def counts(self) -> dict[str, int]:
        """The number of pairs of each kind, in decreasing order."""
        kinds, numbers = np.unique([pair.kind for pair in self._pairs], return_counts=True)
        order = np.argsort(-numbers, kind="stable")
        return {str(kinds[k]): int(numbers[k]) for k in order}

    @property
    def summary(self) -> str:
        """A one-line summary of the pairs."""
        pairs = many(len(self), "pair")
        kinds = ", ".join(f"{number} {kind}" for kind, number in self.counts.items())
        across = sum(pair.across for pair in self._pairs)
        found = f"{pairs} among {many(self.n_images, 'image')}" + (f": {kinds}" if kinds else "")
        return found + (f"; {across} across classes" if across else "")

    def to_csv(self) -> str:
        """Return all pairs as CSV: a, b, kind, similarity, overlap, across ("yes" or empty)."""
        rows = [(*pair[:-1], "yes" if pair.across else "") for pair in self._pairs]
        return csv_text((*_HEADER, "across"), rows)

    def to_dict(self) -> dict[str, Any]:
        """Return the pairs as plain dicts.

        Returns
        -------
        dict
            ``{"n_images", "counts": {kind: number, ...}, "pairs": [{"a", "b", "kind", "similarity",
            "overlap", "across"}, ...]}``.
        """
        pairs = [pair._asdict() for pair in self._pairs]
        return {"n_images": self.n_images, "counts": self.counts, "pairs": pairs}

    def save_csv(self, path: str | os.PathLike[str]) -> None:
        """Write all pairs as CSV.

        Parameters
        ----------
        path : path
            The file; an existing one is replaced atomically.

        Raises
        ------
        NucrecError
            The file cannot be written.
        """
        write_text(output_file("path", path), self.to_csv())


_HEADER = ("a", "b", "kind", "similarity", "overlap")


class FoundPair(NamedTuple):
    """Like `DuplicatePair`, with positions in place of ids."""

    a: int
    b: int
    kind: str
    similarity: float
    overlap: float

    def named(self, ids: Array, classes: Array) -> DuplicatePair:
        """Return the pair with ids, and whether the images have different classes."""
        a, b = str(ids[self.a]), str(ids[self.b])
        across = bool(classes[self.a] != classes[self.b])
        return DuplicatePair(a, b, self.kind, self.similarity, self.overlap, across)


def sorted_pairs(pairs: Iterable[FoundPair], ids: Array, classes: Array) -> list[DuplicatePair]:
    """Return pairs with ids, those across classes first, otherwise in the same order."""
    return sorted((pair.named(ids, classes) for pair in pairs), key=lambda pair: not pair.across)


def _table(pairs: Sequence[DuplicatePair]) -> str:
    """Return pairs as a table that fits the terminal: where it is too wide, a stands above b."""
    across = any(pair.across for pair in pairs)
    header = (*_HEADER, *(["classes"] if across else []))
    rows = [_cells(pair)[: len(header)] for pair in pairs]
    beside = text_table(header, rows)
    if max(map(len, beside.splitlines())) <= terminal_width():
        return beside
    others = text_table(header[2:], [row[2:] for row in rows]).splitlines()
    width = max(_NARROWEST, terminal_width() - 2 - max(map(len, others)))
    stacked = [line for row in rows for line in _stacked(row, width)]
    return text_table(("images", *header[2:]), stacked)


def _stacked(row: Row, width: int) -> list[Row]:
    """Return the lines of a pair, with all of both names."""
    a, b, *others = row
    names = [part for name in (a, b) for part in in_lines(printable(name), width)]
    empty = [""] * len(others)
    return [(part, *(empty if k else others)) for k, part in enumerate(names)]


def _cells(pair: DuplicatePair) -> Row:
    numbers = f"{pair.similarity:.3f}", f"{pair.overlap:.2f}"
    return pair.a, pair.b, pair.kind, *numbers, "differ" if pair.across else ""
