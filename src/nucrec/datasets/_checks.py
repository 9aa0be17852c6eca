"""Warnings, before a training begins, of whatever would inflate or ruin its result."""

import contextlib

from nucrec._pixels.image import equal_images
from nucrec._validation import invalid
from nucrec._warnings import warn
from nucrec.datasets._dataset import ImageDataset
from nucrec.datasets._leaks import find_leaks
from nucrec.datasets._shortcuts import find_shortcuts
from nucrec.errors import DataWarning, ImageError


def find_contradictions(dataset: ImageDataset) -> list[tuple[str, ...]]:
    """Find images with identical pixels but different labels.

    Parameters
    ----------
    dataset : ImageDataset
        Images with labels.

    Returns
    -------
    list of tuple of str
        The ids of the images in each set of contradicting duplicates.

    Raises
    ------
    InvalidParameterError
        `dataset` is not a data set.
    ImageError
        A file can no longer be read.

    Examples
    --------
    >>> from nucrec.datasets import ImageDataset, find_contradictions, load_mnfinder_crops
    >>> crops = load_mnfinder_crops()[:3]
    >>> twice = ImageDataset([*crops.images, crops.images[0]], [1, 1, 1, 0], ids=["a", "b", "c", "d"])
    >>> find_contradictions(twice)
    [('a', 'd')]
    """
    if not isinstance(dataset, ImageDataset):
        raise invalid("dataset", "an ImageDataset", dataset)
    first = equal_images(dataset.images.sources)
    differs = dataset.labels != dataset.labels[first]
    cases = dict.fromkeys(first[differs].tolist())
    return [tuple(dataset.ids[first == case].tolist()) for case in cases]


def check_training_data(train: ImageDataset, test: ImageDataset | None = None) -> None:
    """Warn of whatever would inflate a test result or make a training pointless.

    Call this in your own training loops; `split`, `run_zoo` and ``fit`` do so themselves.

    Parameters
    ----------
    train : ImageDataset
        The training images.
    test : ImageDataset, optional
        The test images.

    Raises
    ------
    InvalidParameterError
        One of them is not a data set.

    Warns
    -----
    LeakageWarning
        Test images are copies of training images (`find_leaks`), or a property of the files gives
        the class away (`find_shortcuts`).
    DataWarning
        Images with identical pixels have different labels (`find_contradictions`).

    Examples
    --------
    >>> from nucrec.datasets import check_training_data, load_mnfinder_crops, split
    >>> check_training_data(*split(load_mnfinder_crops(), random_state=0))
    """
    if len(train):
        find_shortcuts(train).warn()
    # what trains tells best of a file that cannot be read any more
    with contextlib.suppress(ImageError):
        warn_of_contradictions(train)
        if test is not None:
            find_leaks(train, test).warn()


def warn_of_contradictions(dataset: ImageDataset) -> None:
    """Warn of images with identical pixels but different labels."""
    found = find_contradictions(dataset)
    if found:
        shown = "; ".join(" and ".join(case[:3]) for case in found[:3])
        more = f"; and {len(found) - 3} more" if len(found) > 3 else ""
        warn(
            f"images with the same pixels have different labels: {shown}{more} "
            "(nucrec.datasets.find_contradictions)",
            DataWarning,
        )
