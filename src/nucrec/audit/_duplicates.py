"""Find duplicate and near-duplicate images in a data set."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._pixels.image import ImageSource, digest_image
from nucrec._progress import Progress, progress_function
from nucrec._validation import check_real, invalid
from nucrec.audit._pairs import DuplicatePairs, FoundPair, sorted_pairs
from nucrec.audit._thumbnails import Thumbnails, grey
from nucrec.audit._whole import match_whole
from nucrec.audit._windows import match_windows
from nucrec.datasets import ImageDataset

Array = npt.NDArray[Any]

SIMILARITY = 0.965
MIN_OVERLAP = 0.5
CLUSTER_OVERLAP = 0.2
_SAME_LEVEL = 0.02
"""How much mean and standard deviation may differ, of 255, without a change of brightness."""


def duplicates(
    dataset: ImageDataset,
    similarity: float = SIMILARITY,
    min_overlap: float = MIN_OVERLAP,
    *,
    progress: Progress | bool = False,
) -> DuplicatePairs:
    """Find pairs of duplicate and near-duplicate images.

    Finds identical images; the same image re-encoded, resized, brightened or darkened, with higher or
    lower contrast, flipped or rotated by 90, 180 or 270 degrees, and any combination of these; and
    overlapping windows that were cut from one picture at the same scale.

    Parameters
    ----------
    dataset : ImageDataset
        The images, of any size and dtype.
    similarity : float, default=0.965
        The lowest correlation between the fine structures of two whole images. The threshold is
        slightly lower for faint images, in which noise weighs more.
    min_overlap : float, default=0.5
        The smallest overlap of two windows, as a share of the smaller one; 1 searches for whole
        images only.
    progress : bool or callable, default=False
        If True, show progress on standard error. A callable receives (done, total, what).

    Returns
    -------
    DuplicatePairs
        The pairs: those of images of different classes first, then by decreasing similarity.

    Raises
    ------
    InvalidParameterError
        A parameter is out of range.
    ImageError
        A file can no longer be read.

    Notes
    -----
    Whole images are compared by thumbnails of 20 x 20 pixels from which a blurred copy is
    subtracted. Candidate pairs are found by comparing, for all pairs, a descriptor of 64 numbers that
    is invariant under the symmetries of the square. Constant images are paired only if they are equal.
    Overlapping windows are found by patches of 9 x 9 pixels around their most salient spots, which
    are looked up in a search tree and then compared pixel by pixel. Windows that were also resized,
    flipped or rotated are not found.

    References
    ----------
    - J. L. Bentley, Communications of the ACM 18, 1975, pp. 509-517 (search trees).
    - D. G. Lowe, International Journal of Computer Vision 60, 2004, pp. 91-110 (salient spots as
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
    pairs = DuplicatePairs(sorted_pairs(found, dataset.ids, dataset.labels), len(dataset))
    return pairs._with_pictures(dataset)


def clusters(
    dataset: ImageDataset,
    similarity: float = SIMILARITY,
    min_overlap: float = CLUSTER_OVERLAP,
    *,
    progress: Progress | bool = False,
) -> Array:
    """Return a group for each image, so that linked duplicates share a group.

    Use this for data without groups: with ``dataset.with_groups(clusters(dataset))``, `split` and
    `folds` keep duplicates on one side. Known slides, patients or days are better groups, because
    images can share these without being duplicates.

    Parameters
    ----------
    dataset : ImageDataset
        The images. Augmented copies stay with their parents.
    similarity, progress : optional
        As in `duplicates`.
    min_overlap : float, default=0.2
        As in `duplicates`, but lower, since a wrong cluster costs less than a leak.

    Returns
    -------
    ndarray of str, shape (n,)
        The id of the first image of each cluster.

    Raises
    ------
    InvalidParameterError
        A parameter is out of range.
    ImageError
        A file can no longer be read.

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
    """Return the pairs of duplicate images, sorted by decreasing similarity."""
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
            lambda k: sources[different[k]].read(),
            [sources[i].shape for i in different],
            min_overlap,
            show_windows,
        )
        for a, b, alike, share in zip(*windows, strict=True):
            first, second = int(different[a]), int(different[b])
            if (first, second) not in known:
                found += _with_copies(copies, first, second, "overlap", float(alike), float(share))
    show(total, total, "done")
    return sorted(found, key=_most_alike)


def _most_alike(pair: FoundPair) -> tuple[float, float, int, int]:
    return -pair.similarity, -pair.overlap, pair.a, pair.b


def _with_copies(
    copies: dict[int, list[int]], first: int, second: int, *rest: Any
) -> Iterator[FoundPair]:
    """Yield the pair, and a pair for every image that equals one of the two."""
    for a in copies[first]:
        for b in copies[second]:
            yield FoundPair(min(a, b), max(a, b), *rest)


def _read(sources: Sequence[ImageSource], step: Callable[[int], None]) -> Iterator[Array]:
    for done, source in enumerate(sources, start=1):
        yield source.read()
        step(done)


def _kind(a: Array, b: Array, symmetry: int) -> str:
    """Return how the two images of a pair differ."""
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
    """Return, for each of n items, the first item of its connected component."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    a, b = np.array(links, int).reshape(-1, 2).T
    graph = coo_array((np.ones(len(a)), (a, b)), shape=(n, n))
    component = connected_components(graph, directed=False)[1]
    first = np.unique(component, return_index=True)[1]
    return np.asarray(first[component])
