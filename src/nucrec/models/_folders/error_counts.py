"""The errors that a model made on its calibration images."""

from typing import Any, NamedTuple

import numpy as np


class ErrorCounts(NamedTuple):
    """Numbers of positive and negative calibration images, and of those classified correctly.

    Attributes
    ----------
    sensitivity, specificity : (int, int)
        The number classified correctly, and the number of all.
    by_group : dict
        The same, as pairs of arrays with a number for each group of calibration images; empty without
        groups.
    """

    sensitivity: tuple[int, int]
    specificity: tuple[int, int]
    by_group: dict[str, tuple[Any, Any]]

    @property
    def rates(self) -> dict[str, tuple[Any, Any]]:
        """The counts for `corrected_proportion`."""
        return self.by_group or {"sensitivity": self.sensitivity, "specificity": self.specificity}

    @classmethod
    def of(
        cls, calibration: tuple[Any, Any] | None, positive: int, groups: Any = None
    ) -> "ErrorCounts | None":
        """Count, if there are probabilities and labels, and images of both classes."""
        if calibration is None:
            return None
        probabilities, labels = map(np.asarray, calibration)
        called, true = probabilities.argmax(axis=1) == positive, labels == positive
        if true.all() or not true.any():
            return None
        hits, rejections = int((called & true).sum()), int((~called & ~true).sum())
        by_group = {}
        if groups is not None:
            by_group = {
                "sensitivity": (np.bincount(groups, called & true), np.bincount(groups, true)),
                "specificity": (np.bincount(groups, ~called & ~true), np.bincount(groups, ~true)),
            }
        return cls((hits, int(true.sum())), (rejections, int((~true).sum())), by_group)
