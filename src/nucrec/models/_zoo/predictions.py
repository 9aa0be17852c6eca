"""The out-of-fold predictions of a cross-validated classifier."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec import _notebook as show
from nucrec._text import many
from nucrec.evaluate import Report
from nucrec.models._zoo.row import ZooRow
from nucrec.models._zoo.truth import Truth

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class FoldPredictions:
    """The out-of-fold predictions of a cross-validated classifier.

    The Displays of `nucrec.evaluate` accept these arrays directly.

    Attributes
    ----------
    y_true, y_pred : ndarray of shape (n,)
        The true and the predicted class of each image.
    y_score : ndarray of shape (n, n_classes), or None
        Scores, such as probabilities, if the classifier has any.
    fold : ndarray of int, shape (n,)
        The position in `CrossValidation.folds` of the fold whose test set holds the image.
    ids : ndarray of str, shape (n,)
        The id of each image.
    class_names : tuple of str
        The names of the classes.
    groups : ndarray of shape (n,), or None
        The group of each image.
    confidence : float
        Confidence level of the intervals in `report`.
    remarks : tuple of str
        Remarks of the report on the images themselves: file properties that predict the class.

    Examples
    --------
    >>> from nucrec.datasets import load_mnfinder_crops
    >>> from nucrec.evaluate import RocCurveDisplay
    >>> from nucrec.models import classical_zoo, cross_validate
    >>> crops = load_mnfinder_crops()
    >>> zoo = {"KNN": classical_zoo()["KNN"]}
    >>> new = cross_validate(zoo, crops, n_splits=3, random_state=0).predictions("KNN")
    >>> bool((new.ids == crops.ids).all()), sorted(set(new.fold.tolist()))
    (True, [0, 1, 2])
    >>> roc = RocCurveDisplay.from_predictions(new.y_true, new.y_score, groups=new.groups)
    """

    y_true: Array
    y_pred: Array
    y_score: Array | None
    fold: Array
    ids: Array
    class_names: tuple[str, ...]
    groups: Array | None
    confidence: float = 0.95
    remarks: tuple[str, ...] = ()

    def __repr__(self) -> str:
        folds = many(len(np.unique(self.fold)), "fold")
        return f"FoldPredictions({many(len(self.ids), 'image')}, {folds})"

    def _repr_html_(self) -> str:
        return show.fragment(show.paragraphs(repr(self)), self.report()._repr_html_())

    def report(self) -> Report:
        """Return the report on all folds together, as if one classifier had predicted all images."""
        truth = Truth(self.y_true, self.class_names, self.groups, self.ids, self.remarks)
        return truth.report(self.y_pred, self.y_score, self.confidence)


def join_folds(
    truth: Truth, folds: Sequence[tuple[Truth, ZooRow]], first: int, confidence: float
) -> FoldPredictions:
    """Return the predictions of one classifier in one repeat, in the order of the data set.

    Parameters
    ----------
    truth : Truth
        The truth about the data set.
    folds : sequence of pair (Truth, ZooRow)
        The test set of each fold, and the classifier's predictions for it.
    first : int
        The position of the first of these folds among all folds.
    confidence : float
        Confidence level of the intervals.
    """
    ids = np.concatenate([test.ids for test, _ in folds])
    position = {name: k for k, name in enumerate(ids.tolist())}
    order = [position[name] for name in np.asarray(truth.ids).tolist()]
    number = np.repeat(np.arange(first, first + len(folds)), [len(t.y_true) for t, _ in folds])
    scores = [row.y_score for _, row in folds if row.y_score is not None]
    return FoldPredictions(
        truth.y_true,
        np.concatenate([row.y_pred for _, row in folds])[order],
        np.concatenate(scores)[order] if len(scores) == len(folds) else None,
        number[order],
        ids[order],
        truth.class_names or (),
        truth.groups,
        confidence,
        truth.remarks,
    )
