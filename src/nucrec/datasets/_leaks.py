"""Find what a test set has in common with a training set: originals, groups and pixels."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nucrec import _notebook as show
from nucrec._pixels.image import equal_images
from nucrec._validation import invalid
from nucrec._warnings import warn
from nucrec.datasets._dataset import ImageDataset
from nucrec.errors import LeakageWarning

Array = npt.NDArray[Any]


class Leaks(NamedTuple):
    """Test images that share an original, a group or all pixels with training images.

    Attributes
    ----------
    same_original : ndarray of bool, shape (n_test,)
        True for test images that come from the same original as a training image.
    same_group : ndarray of bool, shape (n_test,)
        True for test images that share a group with a training image.
    same_pixels : ndarray of bool, shape (n_test,)
        True for test images with the same pixels as a training image.

    Examples
    --------
    >>> from nucrec.datasets import find_leaks, load_mnfinder_crops
    >>> crops = load_mnfinder_crops()
    >>> leaks = find_leaks(crops[:200], crops[199:])
    >>> int(leaks.same_pixels.sum()), len(leaks.same_group)
    (1, 107)
    """

    same_original: Array
    same_group: Array
    same_pixels: Array

    def _repr_html_(self) -> str:
        n = len(self.same_original)
        rows = [
            (name.replace("_", " "), f"{int(mask.sum())} of {n}")
            for name, mask in self._asdict().items()
        ]
        header = ("test images with a training image of the", "")
        return show.fragment(show.table(header, rows))

    def warn(self) -> None:
        """Emit a `LeakageWarning` if test images are copies of training images.

        Copies come from the same original or have the same pixels. A group in both training and test
        set causes no warning, because its meaning depends on the data.
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

    Compares ``parents``, ``groups`` and ``ids``, and searches for identical pixels.
    `nucrec.audit.leakage` also finds near-duplicates.

    Parameters
    ----------
    train, test : ImageDataset
        The two parts of a split.

    Returns
    -------
    Leaks
        A mask over the test images for each kind of leak.

    Raises
    ------
    InvalidParameterError
        One of them is not a data set.
    ImageError
        A file can no longer be read.

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
    """Return which test images share a value with a training image.

    A shared default value, which is the image's own id, does not count: two data sets may simply be
    numbered alike, and truly identical images are found by their pixels.
    """
    stated = np.isin(test, train[train != train_default])
    return np.asarray(stated | (np.isin(test, train) & (test != test_default)))
