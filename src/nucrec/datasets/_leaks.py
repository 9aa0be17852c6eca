"""What a test set has in common with a training set, by what is stated of the images."""

import warnings
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nucrec._validation import invalid
from nucrec.datasets._dataset import ImageDataset
from nucrec.errors import LeakageWarning

Array = npt.NDArray[Any]


class Leaks(NamedTuple):
    """The test images that have something in common with training images.

    Attributes
    ----------
    same_original : ndarray of bool, shape (n_test,)
        Which test images come from the same original as some training image.
    same_group : ndarray of bool, shape (n_test,)
        Which test images share a group with some training image.
    """

    same_original: Array
    same_group: Array

    def warn(self, stacklevel: int = 2) -> None:
        """Emit a `LeakageWarning` if test images come from the same originals as training images.

        Parameters
        ----------
        stacklevel : int, default=2
            As in `warnings.warn`: 2 names the line that calls this method.
        """
        copies = int(self.same_original.sum())
        if copies:
            warnings.warn(
                f"{copies} of {len(self.same_original)} images to test on come from the same "
                "original as a training image: the result will be better than on new images. "
                "Divide by group (nucrec.datasets.split), then augment the training part alone.",
                LeakageWarning,
                stacklevel=stacklevel,
            )


def find_leaks(train: ImageDataset, test: ImageDataset) -> Leaks:
    """Find the test images that share an original or a group with training images.

    What the data sets state is compared: ``parents``, ``groups`` and ``ids``. `nucrec.audit.leakage`
    looks at the pixels as well.

    Parameters
    ----------
    train, test : ImageDataset
        Both parts of a split.

    Returns
    -------
    Leaks
        A mask over the test images for each kind of leak.

    Raises
    ------
    InvalidParameterError
        One of them is no data set.

    Examples
    --------
    >>> from nucrec.augment import paper_pipeline
    >>> from nucrec.datasets import find_leaks, load_mnfinder_crops, split
    >>> crops = load_mnfinder_crops()
    >>> print(find_leaks(*split(crops, random_state=0)).same_group.sum())
    0
    >>> larger = paper_pipeline(0).expand(crops, copies=4)
    >>> print(find_leaks(larger[:306], larger[306:]).same_original.mean())
    1.0
    """
    for name, part in (("train", train), ("test", test)):
        if not isinstance(part, ImageDataset):
            raise invalid(name, "an ImageDataset", part)
    return Leaks(
        _shared(train.parents, train.ids, test.parents, test.ids),
        _shared(train.groups, train.parents, test.groups, test.parents),
    )


def _shared(train: Array, train_default: Array, test: Array, test_default: Array) -> Array:
    """Tell which test images share a value with a training image.

    Where both have the default, their own name, it does not count: two data sets may have been
    numbered alike, and where the images are the same they are twins.
    """
    stated = np.isin(test, train[train != train_default])
    return np.asarray(stated | (np.isin(test, train) & (test != test_default)))
