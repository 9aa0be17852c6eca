"""Recognition of the fields that a detector was trained on, and of cut-outs from them."""

import functools
from collections.abc import Sequence
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec.fields._objects import bands
from nucrec.fields._segmentation.card import DetectorCard

Array = npt.NDArray[Any]

FILE = "training-marks.npz"
"""The marks of the training fields of each detector that ships, by its name without its version."""

TRAINED_ON = (
    "the detector was trained on this field, or on one that it was cut from, so its results "
    "here are better than on unseen fields"
)

_LENGTH = 12  # number of pixels in a row per mark
_ONE_OF = 512  # share of the marks that are kept
_LEAST_RANGE = 8  # minimum range of grey values: flat background is the same everywhere
_FEWEST = 4  # minimum number of marks in common
_LEAST_SHARE = 0.25  # minimum share of the marks; 0.004 occurs by chance
_MIX = np.uint32(0x9E3779B1)


def marks_of(image: Array) -> Array:
    """Return marks that identify an image and its cut-outs: hashes of a few stretches of rows.

    The stretches are selected by their own pixels, so a cut-out has the marks that lie within it.
    Rotating, resizing or rescaling the grey values of an image changes its marks.

    Parameters
    ----------
    image : ndarray of int, shape (H, W)
        The pixels. Floating-point images have no marks.

    Returns
    -------
    ndarray of uint32, shape (n,)
        The sorted unique marks.
    """
    if image.dtype.kind not in "ui" or image.shape[1] < _LENGTH:
        return np.empty(0, np.uint32)
    found = [_marks_of_rows(image[rows]) for rows in bands(image)]
    return np.unique(np.concatenate(found))


def _marks_of_rows(image: Array) -> Array:
    """Return the marks of some rows, computed with the Rabin-Karp hash of each stretch."""
    width = image.shape[1] - _LENGTH + 1
    values = image.astype(np.uint32)
    hashes = np.zeros((len(image), width), np.uint32)
    for k in range(_LENGTH):
        hashes *= _MIX
        hashes += values[:, k : k + width]
    hashes ^= hashes >> np.uint32(15)
    hashes *= np.uint32(0x85EBCA6B)
    hashes ^= hashes >> np.uint32(13)
    rows, columns = np.nonzero(hashes % np.uint32(_ONE_OF) == 0)
    stretches = values[rows[:, np.newaxis], columns[:, np.newaxis] + np.arange(_LENGTH)]
    kept = np.ptp(stretches, axis=1) >= _LEAST_RANGE
    found: Array = hashes[rows[kept], columns[kept]]
    return found


def remarks_on_training(image: Array, card: DetectorCard) -> tuple[str, ...]:
    """Return a remark if a field is one of the training fields."""
    known = _marks_of_training(card)
    if not len(known):
        return ()
    marks = marks_of(image)
    shared = int(np.isin(marks, known).sum())
    is_known = shared >= max(_FEWEST, _LEAST_SHARE * len(marks))
    return (TRAINED_ON,) if is_known else ()


def remarks_on_training_fields(remarks: Sequence[str]) -> tuple[str, ...]:
    """Return a remark that counts the training fields, from the remarks on each field."""
    known = sum(TRAINED_ON in each for each in remarks)
    if not known:
        return ()
    return (
        f"{known} of {len(remarks)} fields were used to train the detector, or were cut from such "
        "fields: its results there are better than on unseen fields",
    )


def _marks_of_training(card: DetectorCard) -> Array:
    """Return the marks of the training fields of a detector, including those of its initial weights."""
    shipped = _shipped()
    if card.training.get("start") == "pretrained":
        return np.concatenate([np.empty(0, np.uint32), *shipped.values()])
    own = [marks for name, marks in shipped.items() if card.name.startswith(name)]
    return np.concatenate([np.empty(0, np.uint32), *own])


@functools.cache
def _shipped() -> dict[str, Array]:
    where = resources.files("nucrec.fields") / "data" / FILE
    with where.open("rb") as file, np.load(file, allow_pickle=False) as marks:
        return {name: marks[name] for name in marks.files}
