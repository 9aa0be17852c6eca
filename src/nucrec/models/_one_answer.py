"""The warning about a network that assigns all images to one class."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._warnings import warn
from nucrec.errors import TrainingWarning


def warn_of_one_answer(probabilities: npt.NDArray[Any], class_names: Sequence[str]) -> None:
    """Warn if training images of all classes are assigned to one class.

    Parameters
    ----------
    probabilities : ndarray of shape (n, n_classes)
        What the network says of training images of all classes.
    class_names : sequence of str
        The classes.
    """
    answers = np.unique(probabilities.argmax(axis=1))
    if len(answers) == 1:
        warn(
            f"the network classifies all of {len(probabilities)} training images, of all classes, as "
            f"{class_names[answers[0]]}: it has not learnt to tell the classes apart. Train it for "
            "more epochs, with another learning rate, or on more images.",
            TrainingWarning,
        )
