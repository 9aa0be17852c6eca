"""Results of a classifier by group of images: field of view, slide or patient."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._notebook import Facts
from nucrec._text import Row, csv_text, interval, many, number, text_table
from nucrec.datasets import ImageDataset
from nucrec.evaluate import proportion_interval

Array = npt.NDArray[Any]

_MOST = 10  # groups that are printed


@dataclass(frozen=True)
class GroupResult(Facts):
    """A classifier's predictions on one group of images.

    Attributes
    ----------
    group : str
        The name of the group.
    n, n_correct : int
        Number of images, and of those that were classified correctly.
    low, high : float
        The interval of the share of correct ones: Wilson's, as if the images of the group were
        independent.
    by_class : dict of str to (int, int)
        For each class, the correctly classified images and all images.

    Examples
    --------
    >>> from nucrec.models import GroupResult
    >>> found = GroupResult("slide 3", 20, 15, 0.53, 0.89, {"nucleus": (12, 14), "MN": (3, 6)})
    >>> found.share
    0.75
    """

    group: str
    n: int
    n_correct: int
    low: float
    high: float
    by_class: dict[str, tuple[int, int]]

    @property
    def share(self) -> float:
        """The share of images that were classified correctly, from 0 to 1."""
        return self.n_correct / self.n

    def to_dict(self) -> dict[str, Any]:
        """Return the attributes as plain dicts, lists and numbers."""
        return asdict(self)


def group_results(
    images: ImageDataset, predicted: Array, confidence: float
) -> tuple[GroupResult, ...]:
    """Return the results by group, the largest share of wrong images first; none without groups."""
    names, members = np.unique(images.groups, return_inverse=True)
    if len(names) == len(images):
        return ()
    right = predicted == images.labels
    found = []
    for k, name in enumerate(names.tolist()):
        own = members == k
        n, n_correct = int(own.sum()), int(right[own].sum())
        by_class = {
            class_name: (int(right[chosen].sum()), int(chosen.sum()))
            for label, class_name in enumerate(images.class_names)
            for chosen in [own & (images.labels == label)]
        }
        low, high = proportion_interval(n_correct, n, confidence)
        found.append(GroupResult(str(name), n, n_correct, low, high, by_class))
    return tuple(sorted(found, key=lambda group: (group.share, -group.n, group.group)))


def groups_table(groups: Sequence[GroupResult]) -> tuple[Row, list[Row]]:
    """Return the header and the rows of a table of groups."""
    classes = list(groups[0].by_class)
    rows: list[Row] = [
        (
            group.group,
            str(group.n),
            str(group.n - group.n_correct),
            number(group.share),
            interval(group.low, group.high),
            *(f"{n - right} of {n}" for right, n in group.by_class.values()),
        )
        for group in groups
    ]
    return (
        "group",
        "images",
        "wrong",
        "accuracy",
        "interval",
        *(f"{c} wrong" for c in classes),
    ), rows


def groups_csv(groups: Sequence[GroupResult]) -> str:
    """Return unrounded CSV text with one row per group."""
    ends = ("n_correct", "n")
    classes = [f"{name}_{end}" for name in groups[0].by_class for end in ends]
    rows = [
        (
            *(group.group, group.n, group.n_correct, group.share, group.low, group.high),
            *(count for pair in group.by_class.values() for count in pair),
        )
        for group in groups
    ]
    return csv_text(("group", "n", "n_correct", "accuracy", "low", "high", *classes), rows)


def groups_in_words(groups: Sequence[GroupResult]) -> str:
    """Return the groups as a table of text, of many only those with the most wrong images."""
    shown = [group for group in groups if group.n_correct < group.n][:_MOST]
    if not shown:
        return f"All images of all {many(len(groups), 'group')} are classified correctly"
    wrong = sum(group.n_correct < group.n for group in groups)
    head = f"{wrong} of {many(len(groups), 'group')} with misclassified images, "
    head += "the least accurate first"
    if wrong > len(shown):
        head += f"; {len(shown)} are shown"
    return f"{head}\n\n{text_table(*groups_table(shown))}"
