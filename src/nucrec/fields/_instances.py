"""Checks that distinguish label images of nuclei from other images."""

from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec.errors import ImageError
from nucrec.fields._pieces import Pieces

Array = npt.NDArray[Any]
Labels = npt.NDArray[np.int32]

_CLASSES = 3  # so few labels may be the classes of a semantic mask
_MANY = 200  # with so many labels, 255 is the last one available
_SCATTERED = 0.1  # share of the labels above which errors are not accidental
INSTANCES = (
    "Save a label image, in which each nucleus has its own number (Fiji: MorphoLibJ > "
    "Connected Components Labeling; Python: scipy.ndimage.label)."
)
"""What to do about a mask of other kinds."""


def check_shape(size: tuple[int, ...], shape: tuple[int, int], name: str) -> None:
    """Raise unless a mask has the shape of its field."""
    if size == tuple(shape):
        return
    height, width = size
    raise ImageError(
        f"{name}: the mask has {width} x {height} pixels, but its field has {shape[1]} x "
        f"{shape[0]}. Create the mask from the same image, or resize it by nearest-neighbour "
        "interpolation."
    )


def check_instances(labels: Labels, name: str) -> None:
    """Raise unless each label marks one object."""
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
            f"{name}: most of its {n_labels} labels are thin seams, as left by blurred or "
            "interpolated edges (anti-aliasing, resizing, JPEG compression). Save the mask "
            f"again from the program that created it, without smoothing. {INSTANCES}"
        )
    _check_pieces(labels, name)


def _share_of_frayed(labels: Labels, areas: Array) -> float:
    """Return the share of labels that are nowhere as thick as an object.

    In a compact object, most pixels have the same label to their right and below.
    """
    right = labels[:, :-1][labels[:, :-1] == labels[:, 1:]]
    below = labels[:-1][labels[:-1] == labels[1:]]
    n = len(areas)
    alike = np.minimum(np.bincount(right, minlength=n), np.bincount(below, minlength=n))[1:]
    present = areas[1:] > 0
    return float((alike[present] < 0.4 * areas[1:][present]).mean())


def _check_pieces(labels: Labels, name: str) -> None:
    """Raise if labels are classes or reused numbers rather than nuclei."""
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
            f"{told}: numbering restarts after 255, the largest 8-bit number. Save the mask "
            "with 16 bits"
        )
    raise ImageError(
        f"{told}, so it separates nuclei from the background, but not from one another. {INSTANCES}"
    )
