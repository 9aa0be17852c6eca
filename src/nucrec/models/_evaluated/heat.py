"""Heat maps of misclassified images: of the first ones, and within a time."""

import time
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from nucrec._validation import invalid
from nucrec.datasets import ImageDataset

Array = npt.NDArray[Any]

MOST_EXPLAINED = 24
"""Misclassified images that have a heat map at most."""
_SECONDS = 60.0
"""After this time, no further images are explained; the first few always are."""
_AT_A_TIME = 8
_TIED = 0.01
"""Probabilities that differ by less may be ordered otherwise in another batch."""


class Predicted(Protocol):
    """The parts of an `Evaluation` that tell a model from others."""

    @property
    def images(self) -> ImageDataset: ...
    @property
    def predicted(self) -> Array: ...
    @property
    def wrong(self) -> Array: ...


def check_evaluated(model: Any, evaluation: Predicted) -> None:
    """Raise if a model that is to draw heat maps is not the one that was evaluated.

    Raises
    ------
    InvalidParameterError
        `model` is no classifier, or predicts other classes for the images that it is to explain.
    sklearn.exceptions.NotFittedError
        The model is not fitted.
    """
    if model is None:
        return
    expected = "the model that was evaluated, or None for no heat maps"
    if isinstance(model, type) or not (hasattr(model, "fit") and hasattr(model, "predict")):
        raise invalid("model", expected, model)
    check_is_fitted(model)
    first = evaluation.wrong[:MOST_EXPLAINED]
    if not hasattr(model, "explain") or not len(first):
        return
    found, predicted = model.predict_proba(evaluation.images[first]), evaluation.predicted[first]
    is_same = found.shape[1] == len(evaluation.images.class_names)
    if not is_same or (found.max(axis=1) - found[np.arange(len(first)), predicted] > _TIED).any():
        raise invalid("model", expected, "a model with other predictions")


def heat_overlays(model: Any, images: ImageDataset) -> list[Array]:
    """Return the first images with their heat maps on them, as many as the time suffices for.

    Parameters
    ----------
    model : classifier or None
        The model; there are no heat maps of one that has no method `explain`.
    images : ImageDataset
        The images; heat maps are those of the predicted classes.

    Returns
    -------
    list of ndarray of uint8, shape (H, W, 3)
        An overlay for each of the first images, at most `MOST_EXPLAINED`.
    """
    if not hasattr(model, "explain"):
        return []
    found: list[Array] = []
    started = time.monotonic()
    for start in range(0, min(len(images), MOST_EXPLAINED), _AT_A_TIME):
        if start and time.monotonic() - started > _SECONDS:
            break
        found += list(model.explain(images[start : start + _AT_A_TIME]).overlay())
    return found
