"""The two ways to test: as the paper must have done, and so that the test images are new."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from nucrec.augment import paper_pipeline
from nucrec.datasets import ImageDataset
from nucrec.datasets._split import divide, split

ProtocolName = Literal["paper", "honest"]

TEST_SIZE = 0.3
COPIES = 4


@dataclass(frozen=True)
class Division:
    """A training and a test part, and what they have in common.

    Attributes
    ----------
    protocol : {"paper", "honest"}
        How they were made.
    augmented : bool
        Whether augmented copies are in them.
    train, test : ImageDataset
        The parts.
    """

    protocol: ProtocolName
    augmented: bool
    train: ImageDataset
    test: ImageDataset

    @property
    def leaked_families(self) -> float:
        """Share of test images of which the original or another copy is in the training part."""
        return float(np.isin(self.test.parents, self.train.parents).mean())

    @property
    def leaked_groups(self) -> float:
        """Share of test images of which the group has other images in the training part."""
        return float(np.isin(self.test.groups, self.train.groups).mean())

    @property
    def _has_groups(self) -> bool:
        """Whether any group holds more than one original."""
        return any(
            len(np.unique(part.groups)) < len(np.unique(part.parents))
            for part in (self.train, self.test)
        )

    @property
    def caption(self) -> str:
        """How the parts were made, and what the training part knows of the test part."""
        made = {
            ("paper", False): "images drawn at random",
            ("paper", True): "augmented first, then images drawn at random",
            ("honest", False): "whole groups drawn",
            ("honest", True): "whole groups drawn, then the training part augmented",
        }[self.protocol, self.augmented]
        if self.protocol == "honest" and not self._has_groups:
            made += " (no groups are known: each image is one)"
        names = self.test.class_names
        share = np.bincount(self.test.labels, minlength=len(names)) / len(self.test)
        largest = int(share.argmax())
        return (
            f"{self.protocol} protocol: {made}. {len(self.train)} training and {len(self.test)} test "
            f"images, {share[largest]:.0%} of these {names[largest]}. In training are copies of "
            f"{self.leaked_families:.0%} of the test images, and images of the groups of "
            f"{self.leaked_groups:.0%}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the division for the run record."""
        return {
            "protocol": self.protocol,
            "augmented": self.augmented,
            "n_train": len(self.train),
            "n_test": len(self.test),
            "leaked_families": self.leaked_families,
            "leaked_groups": self.leaked_groups,
            "test_ids": self.test.ids.tolist(),
        }


def make_division(
    dataset: ImageDataset, protocol: ProtocolName, *, augmented: bool, seed: int
) -> Division:
    """Divide a data set of originals.

    Parameters
    ----------
    dataset : ImageDataset
        Originals.
    protocol : {"paper", "honest"}
        "paper" augments everything and then draws 30 % of the images; "honest" draws whole groups
        with about 30 % of the images, and augments the training part only.
    augmented : bool
        Whether to augment at all.
    seed : int
        Of the drawing and the augmentation.

    Raises
    ------
    SplitError
        The data set cannot be divided.
    """
    pipeline = paper_pipeline(seed)
    if protocol == "paper":
        pool = pipeline.expand(dataset, COPIES) if augmented else dataset
        train, test = divide(pool, TEST_SIZE, "image", seed)
    else:
        train, test = split(dataset, TEST_SIZE, "group", seed)
        train = pipeline.expand(train, COPIES) if augmented else train
    return Division(protocol, augmented, train, test)
