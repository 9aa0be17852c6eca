"""The two test protocols: the paper's, and an honest one with new test images."""

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from nucrec import _text as fmt
from nucrec._notebook import Facts
from nucrec.augment import paper_pipeline
from nucrec.datasets import ImageDataset, folds, split
from nucrec.errors import LeakageWarning

ProtocolName = Literal["paper", "honest"]

TEST_SIZE = 0.3
"""Share of the images that the paper tested on."""

N_SPLITS = 3
"""Folds of the honest protocol: about the paper's share is tested on."""

COPIES = 4
"""Changed copies of each image, where there are any."""


@dataclass(frozen=True)
class Division(Facts):
    """A training and a test set, and what they have in common.

    Attributes
    ----------
    protocol : {"paper", "honest"}
        The protocol.
    augmented : bool
        Whether they contain augmented copies.
    train, test : ImageDataset
        The two sets.

    Examples
    --------
    >>> from nucrec.datasets import load_mnfinder_crops, split
    >>> from nucrec.paper import Division
    >>> train, test = split(load_mnfinder_crops(), by="group", random_state=0)
    >>> division = Division("honest", False, train, test)
    >>> division.leaked_families, division.leaked_groups
    (0.0, 0.0)
    """

    protocol: ProtocolName
    augmented: bool
    train: ImageDataset
    test: ImageDataset

    @property
    def leaked_families(self) -> float:
        """The share of test images whose original, or another copy of it, is in the training set."""
        return float(np.isin(self.test.parents, self.train.parents).mean())

    @property
    def leaked_groups(self) -> float:
        """The share of test images whose group has other images in the training set."""
        return float(np.isin(self.test.groups, self.train.groups).mean())

    @property
    def test_originals(self) -> ImageDataset:
        """The test images that are originals."""
        return self.test[self.test.ids == self.test.parents]

    @property
    def has_groups(self) -> bool:
        """Whether any group contains more than one original."""
        return any(
            len(np.unique(part.groups)) < len(np.unique(part.parents))
            for part in (self.train, self.test)
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the split for the run record."""
        return {
            "n_train": len(self.train),
            "n_test": len(self.test),
            "leaked_families": self.leaked_families,
            "leaked_groups": self.leaked_groups,
            "test_ids": self.test.ids.tolist(),
        }


def caption(divisions: Sequence[Division]) -> str:
    """Describe how the sets were made, and how much of the test set the training set reveals."""
    first = divisions[0]
    made = {
        ("paper", False): "images drawn at random",
        ("paper", True): "augmented first, then images drawn at random",
        ("honest", False): _folds_in_words(len(divisions)),
        ("honest", True): f"{_folds_in_words(len(divisions))}, then the training part augmented",
    }[first.protocol, first.augmented]
    if first.protocol == "honest" and not first.has_groups:
        made += " (no groups are known: each image is one)"
    names = first.test.class_names
    share = np.mean(
        [np.bincount(d.test.labels, minlength=len(names)) / len(d.test) for d in divisions], axis=0
    )
    largest = int(share.argmax())
    trained, tested = (
        fmt.counts(len(part) for part in parts)
        for parts in zip(*((d.train, d.test) for d in divisions), strict=True)
    )
    return (
        f"{first.protocol} protocol: {made}. {trained} training and {tested} test images, "
        f"{share[largest]:.0%} of these {names[largest]}. In training are copies of "
        f"{_mean(d.leaked_families for d in divisions):.0%} of the test images, and images of the "
        f"groups of {_mean(d.leaked_groups for d in divisions):.0%}."
    )


def make_divisions(
    dataset: ImageDataset,
    protocol: ProtocolName,
    *,
    augmented: bool,
    seed: int,
    n_repeats: int,
) -> tuple[Division, ...]:
    """Split a data set of originals.

    Parameters
    ----------
    dataset : ImageDataset
        The originals.
    protocol : {"paper", "honest"}
        "paper" augments everything and then draws 30 % of the images once; "honest" draws folds of
        whole groups, and augments only the training sets.
    augmented : bool
        Whether to augment at all.
    seed : int
        Seed of the split and the augmentation.
    n_repeats : int
        The number of times that the honest protocol draws folds.

    Raises
    ------
    SplitError
        The data set cannot be split.
    """
    pipeline = paper_pipeline(seed)
    if protocol == "paper":
        pool = pipeline.expand(dataset, COPIES) if augmented else dataset
        with warnings.catch_warnings():  # that copies are on both sides is what the paper did
            warnings.simplefilter("ignore", LeakageWarning)
            pairs = [split(pool, TEST_SIZE, by="image", random_state=seed)]
    else:
        pairs = [
            (pipeline.expand(train, COPIES) if augmented else train, test)
            for train, test in folds(dataset, N_SPLITS, random_state=seed, n_repeats=n_repeats)
        ]
    return tuple(Division(protocol, augmented, train, test) for train, test in pairs)


def _folds_in_words(n: int) -> str:
    times = n // N_SPLITS
    return f"{N_SPLITS} folds of whole groups" + (f", {times} times" if times > 1 else "")


def _mean(shares: Iterable[float]) -> float:
    return float(np.mean(list(shares)))
