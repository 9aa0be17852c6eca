"""Heat maps of misclassified images: of the first ones, and within a time."""

import time
from typing import Any

import numpy.typing as npt

from nucrec.datasets import ImageDataset

Array = npt.NDArray[Any]

MOST_EXPLAINED = 24
"""Misclassified images that have a heat map at most."""
_SECONDS = 60.0
"""After this time, no further images are explained; the first few always are."""
_AT_A_TIME = 8


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
