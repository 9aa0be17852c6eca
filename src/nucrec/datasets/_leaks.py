"""What a test part has in common with a training part, by what is stated of the images."""

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec.datasets._dataset import ImageDataset
from nucrec.errors import LeakageWarning

Array = npt.NDArray[Any]


def with_shared_parent(train: ImageDataset, test: ImageDataset) -> Array:
    """Tell which test images come from the same original as some training image."""
    return _shared(train.parents, train.ids, test.parents, test.ids)


def with_shared_group(train: ImageDataset, test: ImageDataset) -> Array:
    """Tell which test images share a group with some training image."""
    return _shared(train.groups, train.parents, test.groups, test.parents)


def warn_of_leaks(train: ImageDataset, test: ImageDataset) -> None:
    """Emit a `LeakageWarning` if test images come from the same originals as training images."""
    copies = int(with_shared_parent(train, test).sum())
    if not copies:
        return
    warnings.warn(
        f"{copies} of {len(test)} images to test on come from the same original as a training "
        "image: the result will be better than on new images. Divide by group "
        "(nucrec.datasets.split), then augment the training part alone.",
        LeakageWarning,
        stacklevel=3,
    )


def _shared(train: Array, train_default: Array, test: Array, test_default: Array) -> Array:
    """Tell which test images share a value with a training image.

    Where both have the default, their own name, it does not count: two data sets may have been
    numbered alike, and where the images are the same they are twins.
    """
    stated = np.isin(test, train[train != train_default])
    return np.asarray(stated | (np.isin(test, train) & (test != test_default)))
