"""Find training images that recur in a test set."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec import _notebook as show
from nucrec._progress import Progress
from nucrec._text import Row, number, text_table
from nucrec._validation import invalid
from nucrec.audit._duplicates import MIN_OVERLAP, SIMILARITY, check_dataset, find_pairs
from nucrec.audit._pairs import DuplicatePairs, sorted_pairs
from nucrec.datasets import ImageDataset, find_leaks

Array = npt.NDArray[Any]


_HEADER = ("test images with", "n", "share")


@dataclass(frozen=True)
class LeakageReport:
    """The result of `leakage`.

    Attributes
    ----------
    n_train, n_test : int
        Number of training and test images.
    twins : int
        Number of test images that duplicate or overlap a training image.
    shared_parents : int
        Number of test images that come from the same original as a training image.
    shared_groups : int
        Number of test images that share a group with a training image.
    leaked : int
        Number of test images to which at least one of the three applies.
    pairs : DuplicatePairs
        The twins: `a` is the id of a training image, `b` that of a test image.

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
        if not self.leaked:
            return f"{self._parts}: no leak was found"
        return f"{self._parts}\n\n" + text_table(_HEADER, self._rows)

    def _repr_html_(self) -> str:
        if not self.leaked:
            return show.fragment(show.paragraphs(f"{self._parts}: no leak was found"))
        twins = self.pairs._repr_html_() if self.pairs else ""
        return show.fragment(show.paragraphs(self._parts), show.table(_HEADER, self._rows), twins)

    @property
    def _parts(self) -> str:
        return f"{self.n_test} test images, {self.n_train} training images"

    @property
    def _rows(self) -> list[Row]:
        return [
            (what, str(count), number(count / self.n_test))
            for what, count in (
                ("a twin in training", self.twins),
                ("the same original in training", self.shared_parents),
                ("the same group in training", self.shared_groups),
                ("any of these", self.leaked),
            )
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the counts, the share, and the pairs as plain dicts.

        Returns
        -------
        dict
            ``{"n_train", "n_test", "twins", "shared_parents", "shared_groups", "leaked", "share",
            "pairs": [{"a", "b", "kind", "similarity", "overlap", "across"}, ...]}``.
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
    """Count the test images that were seen in training.

    Parameters
    ----------
    train, test : ImageDataset
        The two parts of a split.
    similarity, min_overlap, progress : optional
        As in `duplicates`.

    Returns
    -------
    LeakageReport
        The numbers of test images with a twin, an original or a group in the training set.

    Raises
    ------
    InvalidParameterError
        A parameter is out of range, or the test set is empty.
    ImageError
        A file can no longer be read.

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
    classes = np.concatenate([np.array(part.class_names)[part.labels] for part in (train, test)])
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
        pairs=DuplicatePairs(sorted_pairs(across, names, classes), len(sources))._with_pictures(
            train, test
        ),
    )
