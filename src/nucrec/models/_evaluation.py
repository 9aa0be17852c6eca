"""The shared path from a fitted classifier to a report, which aligns classes, scores and groups."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from nucrec._class_names import order_classes
from nucrec._validation import invalid
from nucrec.datasets import ImageDataset, find_shortcuts
from nucrec.evaluate import Report, report
from nucrec.models._inputs import named_classes, spelled_as
from nucrec.models._training_images import TRAINED_ON, remarks_on_training

Array = npt.NDArray[Any]


def evaluate(
    model: Any,
    X: ImageDataset | npt.ArrayLike,
    y: npt.ArrayLike | None = None,
    *,
    groups: npt.ArrayLike | None = None,
    confidence: float = 0.95,
) -> Report:
    """Evaluate a fitted classifier on images that it was not trained on.

    For a network, `ImageClassifier.evaluate` does the same.

    Parameters
    ----------
    model : scikit-learn classifier
        A fitted classifier, such as one from `classical_zoo` or a loaded model. The AUC uses its
        ``predict_proba`` or, if it has none, its ``decision_function``.
    X : ImageDataset, or any input of the model's ``predict``
        The images to predict.
    y : array_like of shape (n,), optional
        The true classes, as values of ``model.classes_``; by default the labels of the data set.
    groups : array_like of shape (n,), optional
        Group of each sample; samples that are not independent share a group. By default the groups of
        the data set.
    confidence : float, default=0.95
        Confidence level of the intervals, strictly between 0 and 1.

    Returns
    -------
    Report
        Seven metrics with confidence intervals, as computed by `nucrec.evaluate.report`.

    Raises
    ------
    InvalidParameterError
        There are no labels, or they are not classes of the model.
    ImageError
        An image looks like a whole field of view, and the model was trained on crops of cells.
    sklearn.exceptions.NotFittedError
        The model is not fitted.

    Examples
    --------
    >>> from nucrec.datasets import load_mnfinder_crops, split
    >>> from nucrec.models import classical_zoo, evaluate
    >>> train, test = split(load_mnfinder_crops(), random_state=0)
    >>> model = classical_zoo(random_state=0)["LR"].fit(train, train.labels)
    >>> found = evaluate(model, test)
    >>> found.n == len(test), found.class_names
    (True, ('nucleus', 'micronucleus'))
    """
    own = getattr(model, "evaluate", None)
    if own is not None:  # this runs the network once for both classes and scores
        found: Report = own(X, y, groups=groups, confidence=confidence)
        return found
    check_is_fitted(model)
    expected = Expected.of(model, X, y, groups)
    return expected.report(np.asarray(model.predict(X)), scores_of(model, X), confidence)


@dataclass(frozen=True)
class Expected:
    """The truth that a classifier's predictions are compared with.

    Attributes
    ----------
    own : list
        The classifier's classes, in the order of its scores.
    names : tuple of str
        The names of the classes, in the order of the report.
    values : list
        The value that the classifier predicts for each of them.
    labels : ndarray of int, shape (n,)
        The true class of each image, as a position in `names`.
    groups : array_like of shape (n,), or None
        The group of each image.
    remarks : tuple of str
        Remarks of the report on the images themselves: file properties that predict the class, and
        training images of the model.
    """

    own: list[Any]
    names: tuple[str, ...]
    values: list[Any]
    labels: Array
    groups: npt.ArrayLike | None
    remarks: tuple[str, ...] = ()

    @classmethod
    def of(cls, model: Any, X: Any, y: npt.ArrayLike | None, groups: npt.ArrayLike | None) -> Self:
        """Return the truth about these images; parameters as in `evaluate`."""
        images = X if isinstance(X, ImageDataset) else None
        own = np.asarray(model.classes_).tolist()
        names, values = _classes(own, getattr(model, "class_names_", None), images)
        if y is not None:
            known = np.asarray(values)
            labels = _positions("y", spelled_as(named_classes("y", y, values), known), values)
        elif images is not None:
            labels = images.labels
        else:
            raise invalid("y", "the true classes, or a data set in X", None)
        if groups is None and images is not None:
            groups = images.groups
        remarks = () if images is None else _seen_by(model, images)
        if images is not None and y is None:
            remarks += remarks_on(images)
        return cls(own, names, values, labels, groups, remarks)

    def report(self, predicted: Array, scores: Array | None, confidence: float) -> Report:
        """Return the report on the classifier's predictions and scores."""
        if len(self.labels) != len(predicted):
            n = len(predicted)
            raise invalid("y", f"one class for each of the {n} images", f"{len(self.labels)}")
        answers, aligned = self.positions(predicted), self.aligned(scores)
        found = report(self.labels, answers, aligned, self.names, self.groups, confidence)
        return replace(found, data_remarks=self.remarks)

    def positions(self, predicted: Array) -> Array:
        """Return the classifier's answers as positions in `names`."""
        return _positions("model", predicted, self.values)

    def aligned(self, scores: Array | None) -> Array | None:
        """Return the classifier's scores with a column for each of `names`, None without any."""
        return aligned_scores(scores, self.own, self.values)


def remarks_on(images: ImageDataset) -> tuple[str, ...]:
    """Return the remarks of a report on the files of a data set."""
    if not len(images):
        return ()
    told = find_shortcuts(images).verdict
    return () if told is None else (f"{told}: a classifier may go by that instead of the cells",)


def _seen_by(model: Any, images: ImageDataset) -> tuple[str, ...]:
    """Return what a report has to say if training images are among these.

    Networks know each of their training images, other models only the fingerprint of all.
    """
    marks = getattr(model, "marks_", ())
    if marks:
        return remarks_on_training(images, marks)
    fingerprint = getattr(model, "fingerprint_", None)
    if fingerprint and len(images) and fingerprint == images.fingerprint:
        return (TRAINED_ON.format("these images"),)
    return ()


def scores_of(model: Any, X: Any) -> Array | None:
    """Return probabilities, else decision values, else None."""
    method = getattr(model, "predict_proba", None) or getattr(model, "decision_function", None)
    return None if method is None else np.asarray(method(X))


def aligned_scores(scores: Array | None, own: list[Any], wanted: list[Any]) -> Array | None:
    """Return scores with one column per wanted class; None where the classes differ.

    Parameters
    ----------
    scores : ndarray of shape (n,) or (n, n_classes), or None
        The scores of a classifier.
    own, wanted : list
        The classes in the order of the columns, and in the order wanted.
    """
    if scores is None or set(own) != set(wanted):
        return None
    if scores.ndim == 1 and len(wanted) == 2:
        scores = np.column_stack([-scores, scores])
    if scores.ndim != 2 or scores.shape[1] != len(wanted):
        return None
    return np.asarray(scores[:, [own.index(value) for value in wanted]])


def _classes(
    own: list[Any], own_names: tuple[str, ...] | None, images: ImageDataset | None
) -> tuple[tuple[str, ...], list[Any]]:
    """Return the class names in the report's order, and the model's values for them."""
    if own_names is not None:
        return _named(dict(zip(own_names, own, strict=True)), images)
    if images is None:
        values = order_classes(own) if isinstance(own[0], str) else own
        return tuple(str(value) for value in values), values
    names = images.class_names
    values = list(names) if isinstance(own[0], str) else list(range(len(names)))
    if not set(own) <= set(values):
        raise invalid("X", f"the classes of the model, {own}", names)
    return names, values


def _named(
    values: Mapping[str, Any], images: ImageDataset | None
) -> tuple[tuple[str, ...], list[Any]]:
    """Return names and values for a model that knows its class names, in the data set's order."""
    names = tuple(values) if images is None else images.class_names
    if set(names) != set(values):
        raise invalid("X", f"the classes {tuple(values)}", names)
    return names, [values[name] for name in names]


def _positions(name: str, classes: Array, values: list[Any]) -> Array:
    """Return the position of each class among the values."""
    if classes.ndim != 1:
        raise invalid(name, "a one-dimensional array of classes", f"shape {classes.shape}")
    at = {value: k for k, value in enumerate(values)}
    unknown = [value for value in classes.tolist() if value not in at]
    if unknown:
        raise invalid(name, f"classes among {values}", unknown[0])
    return np.array([at[value] for value in classes.tolist()], dtype=int)
