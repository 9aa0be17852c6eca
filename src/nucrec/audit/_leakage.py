"""What of a training part is in a test part."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._progress import Progress
from nucrec._text import number, text_table
from nucrec._validation import invalid
from nucrec.audit._duplicates import MIN_OVERLAP, SIMILARITY, check_dataset, find_pairs
from nucrec.audit._pairs import DuplicatePairs
from nucrec.datasets import ImageDataset, find_leaks

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class LeakageReport:
    """What `leakage` found.

    Attributes
    ----------
    n_train, n_test : int
        Number of images of both parts.
    twins : int
        Test images that show the same as some training image, or overlap with it.
    shared_parents : int
        Test images that come from the same original as some training image.
    shared_groups : int
        Test images that share a group with some training image.
    leaked : int
        Test images of which any of the three is true.
    pairs : DuplicatePairs
        The twins: `a` is an id of the training part, `b` one of the test part.

    Examples
    --------
    >>> from nucrec.audit import leakage
    >>> from nucrec.datasets import load_mnfinder_crops, split
    >>> print(leakage(*split(load_mnfinder_crops(), by="group", random_state=0)))
    91 test images, 215 training images: no leak was found
    """

    n_train: int
    n_test: int
    twins: int
    shared_parents: int
    shared_groups: int
    leaked: int
    pairs: DuplicatePairs

    @property
    def share(self) -> float:
        """The share of test images that leaked, from 0 to 1."""
        return self.leaked / self.n_test

    def __str__(self) -> str:
        parts = f"{self.n_test} test images, {self.n_train} training images"
        if not self.leaked:
            return f"{parts}: no leak was found"
        rows = [
            (what, str(count), number(count / self.n_test))
            for what, count in (
                ("a twin in training", self.twins),
                ("the same original in training", self.shared_parents),
                ("the same group in training", self.shared_groups),
                ("any of these", self.leaked),
            )
        ]
        return f"{parts}\n\n" + text_table(("test images with", "n", "share"), rows)

    def to_dict(self) -> dict[str, Any]:
        """Return the counts, the share, and the pairs as plain dicts.

        Returns
        -------
        dict
            ``{"n_train", "n_test", "twins", "shared_parents", "shared_groups", "leaked", "share",
            "pairs": [{"a", "b", "kind", "similarity", "overlap"}, ...]}``.
        """
        counts = {key: value for key, value in asdict(self).items() if key != "pairs"}
        pairs = [pair._asdict() for pair in self.pairs]
        return {**counts, "share": self.share, "pairs": pairs}


def leakage(
    train: ImageDataset,
    test: ImageDataset,
    similarity: float = SIMILARITY,
    min_overlap: float = MIN_OVERLAP,
    *,
    progress: Progress | bool = False,
) -> LeakageReport:
    """Find out how much of a test part was seen in training.

    Parameters
    ----------
    train, test : ImageDataset
        Both parts of a split.
    similarity, min_overlap, progress : optional
        As in `duplicates`.

    Returns
    -------
    LeakageReport
        Counts of test images with a twin, an original or a group in the training part.

    Raises
    ------
    InvalidParameterError
        A parameter is out of range, or the test part is empty.
    ImageError
        A file cannot be read any more.

    Examples
    --------
    >>> from nucrec.audit import leakage
    >>> from nucrec.datasets import load_mnfinder_crops
    >>> crops = load_mnfinder_crops()
    >>> found = leakage(crops[:100], crops[95:120])
    >>> found.twins, found.pairs[0].kind
    (5, 'exact')
    """
    check_dataset("train", train)
    check_dataset("test", test)
    if not len(test):
        raise invalid("test", "at least one image", test)
    sources = [*train.images.sources, *test.images.sources]
    n_train = len(train)
    found = find_pairs(sources, similarity, min_overlap, progress)
    across = [pair for pair in found if pair.a < n_train <= pair.b]
    names = np.concatenate([train.ids, test.ids])
    twin = np.zeros(len(test), bool)
    twin[[pair.b - n_train for pair in across]] = True
    parent, group, _ = find_leaks(train, test)
    return LeakageReport(
        n_train=n_train,
        n_test=len(test),
        twins=int(twin.sum()),
        shared_parents=int(parent.sum()),
        shared_groups=int(group.sum()),
        leaked=int((twin | parent | group).sum()),
        pairs=DuplicatePairs([pair.named(names) for pair in across], len(sources)),
    )
