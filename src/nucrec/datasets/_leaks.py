"""What a test set has in common with a training set: what is stated of the images, and their pixels."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nucrec._pixels.image import equal_images
from nucrec._validation import invalid
from nucrec._warnings import warn
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
    same_pixels : ndarray of bool, shape (n_test,)
        Which test images have the same pixels as some training image.
    """

    same_original: Array
    same_group: Array
    same_pixels: Array

    def warn(self) -> None:
        """Emit a `LeakageWarning` if test images are copies of training images.

        Copies come from the same original or have the same pixels. Groups on both sides are not
        warned of: what they are to mean is up to the data.
        """
        n = len(self.same_original)
        copies, equal = int(self.same_original.sum()), int(self.same_pixels.sum())
        found = [f"{copies} come from the same original as a training image"] if copies else []
        found += [f"{equal} have the same pixels as a training image"] if equal else []
        if found:
            warn(
                f"of {n} images to test on, {' and '.join(found)}: the result will be better than on "
                "new images. Divide by group (nucrec.datasets.split), then augment the training part "
                "alone.",
                LeakageWarning,
            )


def find_leaks(train: ImageDataset, test: ImageDataset) -> Leaks:
    """Find the test images that share an original, a group or all pixels with training images.

    Compared are ``parents``, ``groups`` and ``ids``, and pixels for being equal. `nucrec.audit.leakage`
    also finds images that are nearly the same.

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
    ImageError
        A file cannot be read any more.

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
    first = equal_images([*train.images.sources, *test.images.sources])
    return Leaks(
        _shared(train.parents, train.ids, test.parents, test.ids),
        _shared(train.groups, train.parents, test.groups, test.parents),
        first[len(train) :] < len(train),
    )


def _shared(train: Array, train_default: Array, test: Array, test_default: Array) -> Array:
    """Tell which test images share a value with a training image.

    Where both have the default, their own name, it does not count: two data sets may have been
    numbered alike, and where the images are the same they have the same pixels.
    """
    stated = np.isin(test, train[train != train_default])
    return np.asarray(stated | (np.isin(test, train) & (test != test_default)))
