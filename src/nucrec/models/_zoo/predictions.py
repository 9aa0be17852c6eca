"""What a cross-validated classifier said of each image, in the fold in which it was new."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec.evaluate import Report
from nucrec.models._zoo.row import ZooRow
from nucrec.models._zoo.truth import Truth

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class FoldPredictions:
    """What a cross-validated classifier said of each image, in the fold in which it was new.

    The arrays go straight into the Displays of `nucrec.evaluate`.

    Attributes
    ----------
    y_true, y_pred : ndarray of shape (n,)
        The true class of each image, and the one that was predicted.
    y_score : ndarray of shape (n, n_classes), or None
        Scores, such as probabilities, if the classifier gives any.
    fold : ndarray of int, shape (n,)
        The position in `CrossValidation.folds` of the fold that tested on the image.
    ids : ndarray of str, shape (n,)
        The name of each image.
    class_names : tuple of str
        The names of the classes.
    groups : ndarray of shape (n,), or None
        The group of each image.
    confidence : float
        Of the intervals in `report`.
    remarks : tuple of str
        What the report says of the images themselves: properties of the files that tell the classes.

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

    def report(self) -> Report:
        """Return the report of all folds together, as if one classifier had predicted all images."""
        truth = Truth(self.y_true, self.class_names, self.groups, self.ids, self.remarks)
        return truth.report(self.y_pred, self.y_score, self.confidence)


def join_folds(
    truth: Truth, folds: Sequence[tuple[Truth, ZooRow]], first: int, confidence: float
) -> FoldPredictions:
    """Return what one classifier said in the folds of one repeat, in the order of the data set.

    Parameters
    ----------
    truth : Truth
        That of the data set.
    folds : sequence of pair (Truth, ZooRow)
        The test set of each fold, and the classifier's predictions for it.
    first : int
        The position of the first of these folds among all.
    confidence : float
        Of the intervals.
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
