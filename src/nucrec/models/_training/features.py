"""Embeddings of a frozen backbone that are known before a training begins."""

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Features:
    """The features of the training images from a frozen backbone.

    Attributes
    ----------
    train, held_out : ndarray of float32, shape (n, n_features)
        A row for each training image, and for each image that is held out.
    """

    train: Array
    held_out: Array
