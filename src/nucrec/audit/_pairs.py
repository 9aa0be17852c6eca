"""Which images of a data set show the same."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, overload

import numpy as np
import numpy.typing as npt

from nucrec._files import write_text
from nucrec._progress import Progress, progress_function
from nucrec._text import csv_text, text_table
from nucrec._validation import check_real, invalid
from nucrec.audit._thumbnails import Thumbnails, grey
from nucrec.audit._whole import match_whole
from nucrec.audit._windows import match_windows
from nucrec.datasets import ImageDataset
from nucrec.datasets._columns import digest_image
from nucrec.datasets._images import ImageSource

Array = npt.NDArray[Any]

SIMILARITY = 0.965
MIN_OVERLAP = 0.5
CLUSTER_OVERLAP = 0.2
_SHOWN = 10
_SAME_LEVEL = 0.02
"""How much mean and standard deviation may differ, of 255, without a change of brightness."""


class DuplicatePair(NamedTuple):
    """Two images that show the same.

    Attributes
    ----------
    a, b : str
        Their ids, in the order of the data set.
    kind : str
        "exact" for equal pixels; "overlap" for windows that share a part of one picture; otherwise
        one or several, joined by "+", of "turned" (or flipped), "resized", "intensity" (another
        brightness or contrast), and "re-encoded" where it is none of these.
    similarity : float
        Correlation, from 0 to 1: of what both share for "overlap", of the fine structure of both
        thumbnails otherwise.
    overlap : float
        What they share, as a share of the smaller image: 1 but for "overlap".
    """

    a: str
    b: str
    kind: str
    similarity: float
    overlap: float


class DuplicatePairs(Sequence[DuplicatePair]):
    """The pairs that `duplicates` found, most similar first.

    Parameters
    ----------
    pairs : sequence of DuplicatePair
        What was found.
    n_images : int
        Number of images that were compared.

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

    __slots__ = ("_pairs", "n_images")

    def __init__(self, pairs: Sequence[DuplicatePair], n_images: int) -> None:
        self._pairs = tuple(pairs)
        self.n_images = n_images

    def __len__(self) -> int:
        return len(self._pairs)

    @overload
    def __getitem__(self, index: int) -> DuplicatePair: ...
    @overload
    def __getitem__(self, index: slice) -> "DuplicatePairs": ...
    def __getitem__(self, index: int | slice) -> "DuplicatePair | DuplicatePairs":
        if isinstance(index, slice):
            return DuplicatePairs(self._pairs[index], self.n_images)
        return self._pairs[index]

    def __iter__(self) -> Iterator[DuplicatePair]:
        return iter(self._pairs)

    def __repr__(self) -> str:
        return f"DuplicatePairs({self.summary})"

    def __str__(self) -> str:
        if not self._pairs:
            return self.summary
        lines = [self.summary, "", text_table(_HEADER, [_cells(p) for p in self._pairs[:_SHOWN]])]
        if len(self) > _SHOWN:
            lines.append(f"and {len(self) - _SHOWN} more")
        return "\n".join(lines)

    @property
    def counts(self) -> dict[str, int]:
        """The number of pairs of each kind, most frequent first."""
        kinds, numbers = np.unique([pair.kind for pair in self._pairs], return_counts=True)
        order = np.argsort(-numbers, kind="stable")
        return {str(kinds[k]): int(numbers[k]) for k in order}

    @property
    def summary(self) -> str:
        """One line that says what was found."""
        pairs = "1 pair" if len(self) == 1 else f"{len(self)} pairs"
        kinds = ", ".join(f"{number} {kind}" for kind, number in self.counts.items())
        return f"{pairs} among {self.n_images} images" + (f": {kinds}" if kinds else "")

    def to_csv(self) -> str:
        """Return all pairs as CSV: a, b, kind, similarity, overlap."""
        return csv_text(_HEADER, self._pairs)

    def to_dict(self) -> dict[str, Any]:
        """Return the pairs as plain dicts.

        Returns
        -------
        dict
            ``{"n_images", "counts": {kind: number, ...}, "pairs": [{"a", "b", "kind", "similarity",
            "overlap"}, ...]}``.
        """
        pairs = [pair._asdict() for pair in self._pairs]
        return {"n_images": self.n_images, "counts": self.counts, "pairs": pairs}

    def save_csv(self, path: str | os.PathLike[str]) -> None:
        """Write all pairs as CSV.

        Parameters
        ----------
        path : path
            An older file is replaced as a whole or not at all.

        Raises
        ------
        NucrecError
            The file cannot be written.
        """
        write_text(Path(path).expanduser(), self.to_csv())


_HEADER = ("a", "b", "kind", "similarity", "overlap")


class FoundPair(NamedTuple):
    """Like `DuplicatePair`, with positions in place of ids."""

    a: int
    b: int
    kind: str
    similarity: float
    overlap: float

    def named(self, ids: Array) -> DuplicatePair:
        """Return the pair with ids."""
        a, b = str(ids[self.a]), str(ids[self.b])
        return DuplicatePair(a, b, self.kind, self.similarity, self.overlap)


def _cells(pair: DuplicatePair) -> tuple[str, ...]:
    return pair.a, pair.b, pair.kind, f"{pair.similarity:.3f}", f"{pair.overlap:.2f}"


def duplicates(
    dataset: ImageDataset,
    similarity: float = SIMILARITY,
    min_overlap: float = MIN_OVERLAP,
    *,
    progress: Progress | bool = False,
) -> DuplicatePairs:
    """Find pairs of images that show the same, or almost the same.

    Found are equal images; the same image re-encoded, resized, brighter or darker, with more or less
    contrast, flipped or turned by 90, 180 or 270 degrees, and any of these together; and windows
    that were cut from one picture at the same scale and overlap.

    Parameters
    ----------
    dataset : ImageDataset
        The images, of any sizes and dtypes.
    similarity : float, default=0.965
        Smallest correlation of the fine structure of two whole images. A bit less is enough for
        faint images, in which noise weighs more.
    min_overlap : float, default=0.5
        Smallest share, of the smaller window, that two windows have in common; 1 looks for whole
        images only.
    progress : bool or callable, default=False
        True shows progress on standard error. A callable gets (done, total, what).

    Returns
    -------
    DuplicatePairs
        The most similar pairs first.

    Raises
    ------
    InvalidParameterError
        A parameter is out of range.
    ImageError
        A file cannot be read any more.

    Notes
    -----
    Whole images are compared by thumbnails of 20 x 20 pixels from which a blurred copy is
    subtracted. Candidates come from a search tree over projections that do not change under the
    symmetries of the square, so that no comparison of all pairs is needed; constant images are
    paired only if equal. Windows are found by patches of 9 x 9 pixels around their most distinct
    spots and compared pixel by pixel; those that were resized, turned or rotated as well are not.

    References
    ----------
    - J. L. Bentley, Communications of the ACM 18, 1975, pp. 509-517 (search trees).
    - D. G. Lowe, International Journal of Computer Vision 60, 2004, pp. 91-110 (distinct spots as
      extrema of differences of Gaussians).

    Examples
    --------
    >>> import numpy as np
    >>> from nucrec.audit import duplicates
    >>> from nucrec.datasets import ImageDataset, load_mnfinder_crops
    >>> crops = load_mnfinder_crops("paper")[:20]
    >>> turned = np.rot90(crops.images[3])
    >>> pairs = duplicates(ImageDataset([*crops.images, turned], [*crops.labels, 0]))
    >>> [(pair.a, pair.b, pair.kind) for pair in pairs]
    [('3', '20', 'turned')]
    """
    check_dataset("dataset", dataset)
    found = find_pairs(dataset.images.sources, similarity, min_overlap, progress)
    return DuplicatePairs([pair.named(dataset.ids) for pair in found], len(dataset))


def clusters(
    dataset: ImageDataset,
    similarity: float = SIMILARITY,
    min_overlap: float = CLUSTER_OVERLAP,
    *,
    progress: Progress | bool = False,
) -> Array:
    """Return a group for each image: images that show the same, directly or by way of others.

    For data without groups: ``dataset.with_groups(clusters(dataset))`` makes `split` and `folds` keep
    duplicates on one side. That is less than groups of slides, patients or days, which images can
    share without showing the same.

    Parameters
    ----------
    dataset : ImageDataset
        The images. Augmented copies stay with their parents.
    similarity, progress : optional
        As in `duplicates`.
    min_overlap : float, default=0.2
        As in `duplicates`; smaller here, since a wrong cluster costs less than a leak.

    Returns
    -------
    ndarray of str, shape (n,)
        The id of the first image of each cluster.

    Raises
    ------
    InvalidParameterError
        A parameter is out of range.
    ImageError
        A file cannot be read any more.

    Examples
    --------
    >>> from nucrec.audit import clusters
    >>> from nucrec.datasets import ImageDataset, load_mnfinder_crops
    >>> crops = load_mnfinder_crops("paper")[:20]
    >>> again = ImageDataset([*crops.images, crops.images[3]], [*crops.labels, 0])
    >>> groups = clusters(again)
    >>> groups[3] == groups[20], len(set(groups))
    (True, 20)
    """
    check_dataset("dataset", dataset)
    found = find_pairs(dataset.images.sources, similarity, min_overlap, progress)
    links = [(pair.a, pair.b) for pair in found]
    first_with: dict[str, int] = {}
    for i, parent in enumerate(dataset.parents.tolist()):
        links.append((first_with.setdefault(parent, i), i))
    return np.asarray(dataset.ids[_components(links, len(dataset))])


def check_dataset(name: str, dataset: object) -> None:
    """Raise unless `dataset` is a data set."""
    if not isinstance(dataset, ImageDataset):
        raise invalid(name, "an ImageDataset", dataset)


def find_pairs(
    sources: Sequence[ImageSource],
    similarity: float,
    min_overlap: float,
    progress: Progress | bool,
) -> list[FoundPair]:
    """Return the pairs of images that show the same, the most similar first."""
    check_real("similarity", similarity, low=0.5, high=1)
    check_real("min_overlap", min_overlap, low=0.1, high=1)
    show = progress_function(progress)
    n = len(sources)
    total = 3 * n

    def step(before: int, what: str) -> Callable[[int], None]:
        return lambda done: show(before + done, total, what)

    first_with: dict[bytes, int] = {}
    copies: dict[int, list[int]] = {}
    for i, source in enumerate(sources):
        first = first_with.setdefault(digest_image(source), i)
        copies.setdefault(first, []).append(i)
    different = np.fromiter(copies, int)
    thumbnails = Thumbnails.of(_read([sources[i] for i in different], step(0, "thumbnails")))
    whole = match_whole(thumbnails, similarity, step(n, "looking for the same images"))
    show_windows = step(2 * n, "looking for windows that overlap")
    found = [
        FoundPair(a, b, "exact", 1.0, 1.0)
        for same in copies.values()
        for k, a in enumerate(same)
        for b in same[k + 1 :]
    ]
    known = set()
    for a, b, alike, symmetry in zip(*whole, strict=True):
        first, second = int(different[a]), int(different[b])
        known.add((first, second))
        kind = _kind(sources[first].read(), sources[second].read(), int(symmetry))
        found += _with_copies(copies, first, second, kind, float(alike), 1.0)
    if min_overlap < 1:
        windows = match_windows(
            lambda k: sources[different[k]].read(), len(different), min_overlap, show_windows
        )
        for a, b, alike, share in zip(*windows, strict=True):
            first, second = int(different[a]), int(different[b])
            if (first, second) not in known:
                found += _with_copies(copies, first, second, "overlap", float(alike), float(share))
    show(total, total, "done")
    return sorted(found, key=_most_alike)


def _most_alike(pair: FoundPair) -> tuple[float, float, int, int]:
    return -round(pair.similarity, 3), -pair.overlap, pair.a, pair.b


def _with_copies(
    copies: dict[int, list[int]], first: int, second: int, *rest: Any
) -> Iterator[FoundPair]:
    """Yield the pair, and the same for all that equal one of both."""
    for a in copies[first]:
        for b in copies[second]:
            yield FoundPair(min(a, b), max(a, b), *rest)


def _read(sources: Sequence[ImageSource], step: Callable[[int], None]) -> Iterator[Array]:
    for done, source in enumerate(sources, start=1):
        yield source.read()
        step(done)


def _kind(a: Array, b: Array, symmetry: int) -> str:
    """Say in what two images differ that show the same."""
    kinds = ["turned"] if symmetry else []
    shape = b.shape[1::-1] if symmetry % 2 else b.shape[:2]
    if a.shape[:2] != shape:
        kinds.append("resized")
    first, second = grey(a), grey(b)
    change = max(abs(first.mean() - second.mean()), abs(first.std() - second.std()))
    if change > _SAME_LEVEL * 255:
        kinds.append("intensity")
    return "+".join(kinds) or "re-encoded"


def _components(links: Sequence[tuple[int, int]], n: int) -> Array:
    """Return, for each of n, the first that it is linked to, directly or by way of others."""
    root = list(range(n))

    def top(i: int) -> int:
        while root[i] != i:
            root[i] = root[root[i]]
            i = root[i]
        return i

    for a, b in links:
        low, high = sorted((top(a), top(b)))
        root[high] = low
    return np.array([top(i) for i in range(n)], int)
