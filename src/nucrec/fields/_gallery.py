"""Pictures of single cells for the page."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec.fields._objects import Objects
from nucrec.fields._outlines import as_colour, enlarge
from nucrec.fields._overlay import paint
from nucrec.fields._windows import window_around

Array = npt.NDArray[Any]

_SIDE = 256  # approximate size of a picture in pixels: twice its size on the page


def random_cells(columns: Mapping[str, Array], most: int, random_state: int) -> Array:
    """Return the rows of a random sample of scored cells without a micronucleus."""
    is_scored = np.asarray(columns["scored"], bool)
    rows = np.flatnonzero(is_scored & (np.asarray(columns["n_micronuclei"]) == 0))
    rng = np.random.default_rng(random_state)
    return np.sort(rng.choice(rows, min(most, len(rows)), replace=False))


def cell_pictures(
    grey: Array,
    nuclei: Array,
    micronuclei: Array,
    label: int,
    *,
    positive: Collection[int],
    excluded: Collection[int],
) -> tuple[Array, Array]:
    """Return pictures of a nucleus with its surroundings, without and with outlines.

    Parameters
    ----------
    grey : ndarray of uint8, shape (H, W)
        The field, with stretched contrast.
    nuclei, micronuclei : ndarray of int, shape (H, W)
        Label images.
    label : int
        The label of the nucleus.
    positive, excluded : collection of int
        The labels of micronucleated nuclei and of nuclei that are not scored.
    """
    (box,) = Objects.of(np.where(nuclei == label, nuclei, 0)).windows
    window = window_around(box, nuclei.shape, scale=2.0, margin=16)
    pixels = grey[window]
    zoom = max(1, round(_SIDE / max(pixels.shape)))
    large, (cells, small) = enlarge(pixels, [nuclei[window], micronuclei[window]], zoom)
    plain = as_colour(np.rint(large).astype(np.uint8))
    outlined = plain.copy()
    paint(outlined, cells, small, positive=positive, excluded=excluded, width=2)
    return plain, outlined
