"""Remarks on a nuclear mask: broken labels, and disagreement with its field."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec.fields._mask_fit import Fit
from nucrec.fields._pieces import Pieces

Array = npt.NDArray[Any]

_NAMED = 5  # maximum number of labels in a remark
# in the 33 annotated fields, with all or 30 % of their labels or labels grown to whole cells, the
# correlation is .29 to .98 and largest without a shift, and at least 93 % of the labels are
# brighter
_MOVED = 0.15  # diameters
_SEVERAL = 3  # minimum number of labels; a single one fits any nucleus
_ALIKE, _LESS = 0.35, 0.85
_UNLIKE, _BRIGHT_ENOUGH = 0.25, 0.6


def remarks_on_mask(labels: Array, pixels: Array) -> tuple[str, ...]:
    """Return remarks on a mask and its field, as sentences.

    Parameters
    ----------
    labels : ndarray of shape (H, W), int32
        The mask.
    pixels : ndarray of shape (H, W)
        The field.
    """
    if not labels.any():
        return ("the mask has no labels: this field has no cells",)
    return (*remarks_on_pieces(labels), *_remarks_on_fit(Fit.of(labels, pixels)))


def _remarks_on_fit(fit: Fit) -> tuple[str, ...]:
    """Return a sentence if a mask seems to be shifted or to belong to another field."""
    moved = np.hypot(*fit.shift) > _MOVED * fit.diameter
    if moved and fit.n_labels >= _SEVERAL and fit.best > _ALIKE and fit.as_is < _LESS * fit.best:
        return (
            f"the mask seems to be shifted: moved by {_in_words(fit.shift)} it would match "
            f"the field (correlation {fit.best:.2f} instead of {fit.as_is:.2f})",
        )
    if fit.as_is < _UNLIKE and fit.n_brighter < _BRIGHT_ENOUGH * fit.n_labels:
        return (
            f"the mask seems to belong to another field: {fit.n_labels - fit.n_brighter} of "
            f"{fit.n_labels} labels are no brighter than their surroundings",
        )
    return ()


def _in_words(shift: tuple[int, int]) -> str:
    down, right = shift
    parts = [f"{abs(down)} pixels {'down' if down > 0 else 'up'}"] if down else []
    parts += [f"{abs(right)} pixels to the {'right' if right > 0 else 'left'}"] if right else []
    return " and ".join(parts)


def remarks_on_pieces(labels: Array) -> tuple[str, ...]:
    """Return a sentence that names the labels in several pieces."""
    pieces = Pieces.of(labels)
    broken = pieces.labels[pieces.counts > 1].tolist()
    if not broken:
        return ()
    return (
        f"labels in several pieces, each counted as one nucleus ({len(broken)}): {named(broken)}",
    )


def named(labels: Sequence[int]) -> str:
    """Return the first labels of several."""
    return ", ".join(map(str, labels[:_NAMED])) + (", ..." if len(labels) > _NAMED else "")
