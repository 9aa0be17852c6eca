"""One way to a report on a fitted classifier: classes, scores and groups fall into place."""

from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._class_names import order_classes
from nucrec._validation import invalid
from nucrec.datasets import ImageDataset
from nucrec.evaluate import Report, report

Array = npt.NDArray[Any]


def evaluate(
    model: Any,
    X: ImageDataset | npt.ArrayLike,
    y: npt.ArrayLike | None = None,
    *,
    groups: npt.ArrayLike | None = None,
    confidence: float = 0.95,
) -> Report:
    """Compare a fitted classifier with the truth on images that it was not trained on.

    `ImageClassifier.evaluate` does the same for a network.

    Parameters
    ----------
    model : scikit-learn classifier
        Fitted, such as one of `classical_zoo` or what `load` returned. Scores for AUC come from its
        ``predict_proba``, else from its ``decision_function``.
    X : ImageDataset, or anything that the model's ``predict`` takes
        What to predict.
    y : array_like of shape (n,), optional
        The true classes, in the values of ``model.classes_``; by default the labels of the data set.
    groups : array_like of shape (n,), optional
        Samples that are not independent share a group; by default the groups of the data set.
    confidence : float, default=0.95
        Confidence level of the intervals, strictly between 0 and 1.

    Returns
    -------
    Report
        Seven metrics with intervals, as `nucrec.evaluate.report` gives them.

    Raises
    ------
    InvalidParameterError
        There are no labels, or they are not the classes of the model.
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
    predicted = np.asarray(model.predict(X))
    names, values = _classes(model, X if isinstance(X, ImageDataset) else None)
    if y is None:
        if not isinstance(X, ImageDataset):
            raise invalid("y", "the true classes, or a data set in X", None)
        truth = X.labels
    else:
        truth = _positions("y", np.asarray(y), values)
    if groups is None and isinstance(X, ImageDataset):
        groups = X.groups
    scores = aligned_scores(scores_of(model, X), np.asarray(model.classes_).tolist(), values)
    predictions = _positions("model", predicted, values)
    return report(truth, predictions, scores, names, groups, confidence)


def scores_of(model: Any, X: Any) -> Array | None:
    """Return probabilities, else decision values, else None."""
    method = getattr(model, "predict_proba", None) or getattr(model, "decision_function", None)
    return None if method is None else np.asarray(method(X))


def aligned_scores(scores: Array | None, own: list[Any], wanted: list[Any]) -> Array | None:
    """Return scores with a column for each wanted class; None where the classes differ.

    Parameters
    ----------
    scores : ndarray of shape (n,) or (n, n_classes), or None
        Of a classifier.
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


def _classes(model: Any, images: ImageDataset | None) -> tuple[tuple[str, ...], list[Any]]:
    """Return the names of the classes, in the report's order, and the model's values for them."""
    own = np.asarray(model.classes_).tolist()
    is_named = isinstance(own[0], str)
    if hasattr(model, "class_names_"):
        names, values = tuple(model.class_names_), own
    elif images is not None:
        names = images.class_names
        values = list(names) if is_named else list(range(len(names)))
    else:
        values = order_classes(own) if is_named else own
        names = tuple(str(value) for value in values)
    if images is not None and names != images.class_names:
        if sorted(names) != sorted(images.class_names):
            raise invalid("X", f"the classes {names}", images.class_names)
        values = [values[names.index(name)] for name in images.class_names]
        names = images.class_names
    if not set(own) <= set(values):
        raise invalid("X", f"the classes of the model, {own}", names)
    return names, values


def _positions(name: str, classes: Array, values: list[Any]) -> Array:
    """Return the position of each class among the values."""
    at = {value: k for k, value in enumerate(values)}
    unknown = [value for value in classes.tolist() if value not in at]
    if unknown:
        raise invalid(name, f"classes among {values}", unknown[0])
    return np.array([at[value] for value in classes.tolist()], dtype=int)
