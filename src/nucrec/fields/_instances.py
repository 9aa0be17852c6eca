"""What tells label images of nuclei from other pictures."""

from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec.errors import ImageError
from nucrec.fields._pieces import Pieces

Array = npt.NDArray[Any]
Labels = npt.NDArray[np.int32]

_CLASSES = 3  # labels; so few may be the classes of a semantic mask
_MANY = 200  # labels; with so many, 255 is the last number that was left
_SCATTERED = 0.1  # of the labels: more than that are no slips
INSTANCES = (
    "Save a label image, in which each nucleus has a number of its own (Fiji: MorphoLibJ > Connected "
    "Components Labeling; Python: scipy.ndimage.label)."
)
"""What to do about a mask of other kinds."""


def check_shape(size: tuple[int, ...], shape: tuple[int, int], name: str) -> None:
    """Raise unless a mask is of the shape of its field."""
    if size == tuple(shape):
        return
    height, width = size
    raise ImageError(
        f"{name}: the mask has {width} x {height} pixels, its field {shape[1]} x {shape[0]}. Make the "
        "mask from the same image, or resize it by the nearest neighbour."
    )


def check_instances(labels: Labels, name: str) -> None:
    """Raise unless each label is one object."""
    areas = np.bincount(labels.ravel()) if labels.max(initial=0) < labels.size else None
    if areas is None:  # numbers far beyond the count: renumber
        labels = np.unique(labels, return_inverse=True)[1].reshape(labels.shape).astype(np.int32)
        labels += 0 if (labels == 0).any() else 1
        areas = np.bincount(labels.ravel())
    if areas[0] == labels.size:
        return
    if not areas[0]:
        raise ImageError(
            f"{name}: the mask has no background: every pixel is labelled. {INSTANCES}"
        )
    n_labels = np.count_nonzero(areas[1:])
    if n_labels >= 4 and _share_of_frayed(labels, areas) > 0.5:
        raise ImageError(
            f"{name}: most of its {n_labels} numbers are thin seams, as blurred or interpolated edges "
            "leave them (anti-aliasing, resizing, a JPEG before). Save the mask from the program that "
            f"made it, without smoothing. {INSTANCES}"
        )
    _check_pieces(labels, name)


def _share_of_frayed(labels: Labels, areas: Array) -> float:
    """Return the share of labels that are nowhere as thick as an object is.

    Of a compact object, most pixels have the same label on their right and below.
    """
    right = labels[:, :-1][labels[:, :-1] == labels[:, 1:]]
    below = labels[:-1][labels[:-1] == labels[1:]]
    n = len(areas)
    alike = np.minimum(np.bincount(right, minlength=n), np.bincount(below, minlength=n))[1:]
    present = areas[1:] > 0
    return float((alike[present] < 0.4 * areas[1:][present]).mean())


def _check_pieces(labels: Labels, name: str) -> None:
    """Raise if labels are classes, or numbers that were used again, rather than nuclei."""
    pieces = Pieces.of(labels)
    n_labels, n_pieces = len(pieces.labels), int(pieces.counts.sum())
    n_scattered = np.count_nonzero(pieces.scattered)
    few = n_labels == 1 and n_pieces > 1
    if not few and n_scattered <= max(_SCATTERED * n_labels, n_labels > _CLASSES):
        return
    which = "one number" if n_labels == 1 else f"{n_labels} numbers"
    told = f"{name}: {which} for {n_pieces} separate objects"
    if n_labels > _MANY and labels.max() == np.iinfo(np.uint8).max:
        raise ImageError(
            f"{told}: after 255, the largest number of 8 bits, numbers begin again. Save the mask with "
            "16 bits"
        )
    raise ImageError(
        f"{told}, so it tells nucleus from background, but not one nucleus from the next. {INSTANCES}"
    )
