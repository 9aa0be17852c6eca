"""The truth about the images of a test set, which predictions are evaluated against."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from nucrec._class_names import order_classes
from nucrec._notebook import Facts
from nucrec.datasets import ImageDataset
from nucrec.evaluate import Ranking, Report, compare_many, report
from nucrec.models._evaluation import remarks_on

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Truth(Facts):
    """The labels of a test set, with the names, groups and ids of its images.

    Attributes
    ----------
    y_true : ndarray of shape (n,)
        The true classes: numbers from 0 for a data set, otherwise the values passed as y.
    class_names : tuple of str or None
        The names of the classes, for a data set.
    groups : ndarray of shape (n,) or None
        The group of each image, for a data set.
    ids : ndarray of str, shape (n,), or None
        The id of each image, for a data set.
    remarks : tuple of str
        Remarks of reports on the images themselves: file properties that predict the class.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from nucrec.models import run_zoo
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]
    >>> run_zoo({"majority": DummyClassifier()}, (X, y), (X, y)).truth.y_true
    array([0, 0, 1, 1])
    """

    y_true: Array
    class_names: tuple[str, ...] | None = None
    groups: Array | None = None
    ids: Array | None = None
    remarks: tuple[str, ...] = ()

    @classmethod
    def of(cls, dataset: ImageDataset) -> Self:
        """Return the truth about a data set.

        Parameters
        ----------
        dataset : ImageDataset
            The test set.
        """
        remarks = remarks_on(dataset)
        return cls(dataset.labels, dataset.class_names, dataset.groups, dataset.ids, remarks)

    @property
    def classes(self) -> list[Any]:
        """The values in `y_true`, in the order of the report's classes."""
        if self.class_names is not None:
            return list(range(len(self.class_names)))
        occurring = np.unique(self.y_true).tolist()
        return order_classes(occurring) if self.y_true.dtype.kind == "U" else occurring

    def report(
        self, y_pred: npt.ArrayLike, y_score: npt.ArrayLike | None = None, confidence: float = 0.95
    ) -> Report:
        """Return the report on predictions.

        Parameters
        ----------
        y_pred, y_score, confidence
            As in `nucrec.evaluate.report`.
        """
        known = (self.class_names, self.groups, confidence)
        return replace(report(self.y_true, y_pred, y_score, *known), data_remarks=self.remarks)

    def rank(self, predictions: Mapping[str, Array], confidence: float = 0.95) -> Ranking:
        """Return the ranking of several sets of predictions.

        Parameters
        ----------
        predictions, confidence
            As in `nucrec.evaluate.compare_many`.
        """
        return compare_many(
            self.y_true,
            predictions,
            class_names=self.class_names,
            groups=self.groups,
            confidence=confidence,
        )
