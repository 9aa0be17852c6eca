"""Composition of a field from cells cut out of another one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._validation import invalid
from nucrec.fields._cut_outs import CutOut, CutOuts

Array = npt.NDArray[Any]

_IRREGULAR = 0.1  # share of the cells without micronuclei
_GAIN = 0.15  # standard deviation of the logarithm of a cell's brightness
_APART = 3  # minimum gap between two cells, in pixels
_SHADING = 0.02  # drop of the background from the centre to a corner
_TRIES = 1000


@dataclass(frozen=True, eq=False)
class Composed:
    """A composed field with its labels.

    Attributes
    ----------
    image : ndarray of shape (side, side), uint16
        The field.
    nuclei, micronuclei : ndarray of shape (side, side), int32
        Label images with labels from 1; 0 is background.
    parents : dict of int to int
        The nucleus of each micronucleus.
    """

    image: Array
    nuclei: Array
    micronuclei: Array
    parents: dict[int, int]


def compose(
    material: CutOuts, n_cells: int, n_micronucleated: int, side: int, rng: np.random.Generator
) -> Composed:
    """Return a field of cells at random places that touch neither each other nor the edge."""
    drawn = list(_drawn(material, n_cells, n_micronucleated, rng))
    light = rng.normal(0, material.noise, (side, side))
    taken = np.zeros((side, side), bool)
    nuclei, micronuclei = np.zeros((2, side, side), np.int32)
    parents: dict[int, int] = {}
    n_nuclei = 0
    for cell in drawn:
        where = _free_place(taken, cell, rng)
        gain = np.exp(rng.normal(0, _GAIN))
        light[where] += cell.weight * (gain * cell.light - light[where])
        spots = np.where(cell.micronuclei > 0, cell.micronuclei + len(parents), 0)
        parents |= {int(spot): n_nuclei + 1 for spot in np.unique(spots[spots > 0])}
        micronuclei[where] += spots
        nuclei[where] += np.where(cell.nuclei > 0, cell.nuclei + n_nuclei, 0)
        taken[where] |= (cell.nuclei > 0) | (cell.micronuclei > 0)
        n_nuclei += cell.n_nuclei
    image = np.rint(light + _background(material.background, side)).clip(0, 65535)
    return Composed(image.astype(np.uint16), nuclei, micronuclei, parents)


def _drawn(
    material: CutOuts, n_cells: int, n_micronucleated: int, rng: np.random.Generator
) -> Iterator[CutOut]:
    """Yield cut-outs of a number of cells, each in a random orientation."""
    for _ in range(n_micronucleated):
        yield _one_of(material.micronucleated, rng)
    left = n_cells - n_micronucleated
    while left > 0:
        of = material.irregular if rng.random() < _IRREGULAR else material.regular
        cell = _one_of(of, rng)
        if cell.n_nuclei <= left:
            left -= cell.n_nuclei
            yield cell


def _one_of(cells: Sequence[CutOut], rng: np.random.Generator) -> CutOut:
    return cells[int(rng.integers(len(cells)))].turned(int(rng.integers(8)))


def _free_place(taken: Array, cell: CutOut, rng: np.random.Generator) -> tuple[slice, slice]:
    from scipy import ndimage

    around = ndimage.binary_dilation((cell.nuclei > 0) | (cell.micronuclei > 0), iterations=_APART)
    height, width = around.shape
    for _ in range(_TRIES):
        row, column = rng.integers(taken.shape[0] - height), rng.integers(taken.shape[1] - width)
        where = slice(row, row + height), slice(column, column + width)
        if not (taken[where] & around).any():
            return where
    raise invalid("cells", "no more cells than fit into a field", "more")


def _background(level: float, side: int) -> Array:
    """Return a background that is slightly darker in the corners."""
    place = np.linspace(-1, 1, side)
    away = (place[:, None] ** 2 + place**2) / 2
    return level * (1 - _SHADING * away)
