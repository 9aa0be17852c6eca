"""Recognizes the images that a network was trained on, by their pixels, and their groups."""

from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._pixels.image import digest_image
from nucrec._warnings import warn
from nucrec.datasets import ImageDataset
from nucrec.errors import DataWarning, LeakageWarning

Array = npt.NDArray[Any]

TRAINED_ON = "the model was trained on {}, so its metrics are too good"
"""The remark, to be completed by which images."""

_LENGTH = 16  # hexadecimal digits: of a million images, no two have the same by chance
_MOST = 200_000  # images whose marks go into a file


def marks_of(images: ImageDataset) -> tuple[str, ...]:
    """Return what identifies each image: the beginning of a hash of its pixels, shape and dtype."""
    return tuple(digest_image(source).hex()[:_LENGTH] for source in images.images.sources)


def kept_marks(images: ImageDataset) -> tuple[str, ...]:
    """Return the marks of training images, or none if there are too many to store."""
    return marks_of(images) if len(images) <= _MOST else ()


def shared_groups(dataset: ImageDataset) -> Array | None:
    """Return the number of each image's group, from 0; None if no two images share one."""
    names, numbers = np.unique(dataset.groups, return_inverse=True)
    return None if len(names) == len(dataset) else numbers


def warn_of_calibration(images: ImageDataset, known: Collection[str]) -> None:
    """Warn if calibration images lack a class, or are training images with the marks `known`."""
    present = set(images.labels.tolist())
    lacking = [name for k, name in enumerate(images.class_names) if k not in present]
    if lacking:
        warn(
            f"no calibration image is of class {', '.join(map(repr, lacking))}: probabilities and "
            "conformal sets are not reliable. Calibrate with images of all classes.",
            DataWarning,
        )
    training = set(known)
    n = sum(mark in training for mark in marks_of(images)) if training else 0
    if n:
        warn(
            f"the model was trained on {n} of {len(images)} calibration images, so its probabilities "
            "are too confident. Calibrate with images that it was not trained on.",
            LeakageWarning,
        )


def remarks_on_training(images: ImageDataset, known: Collection[str]) -> tuple[str, ...]:
    """Return the remark that some images are training images, if they are.

    Parameters
    ----------
    images : ImageDataset
        What a model is evaluated on.
    known : collection of str
        The marks of its training images.
    """
    if not known:
        return ()
    training = set(known)
    n = sum(mark in training for mark in marks_of(images))
    if not n:
        return ()
    some = "these images" if n == len(images) else f"{n} of these {len(images)} images"
    return (TRAINED_ON.format(some),)
