"""Cells cut out of an annotated field with the light around them, for composing other fields."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nucrec.fields._annotated import AnnotatedFields
from nucrec.fields._measure import solidities
from nucrec.fields._objects import Objects

Array = npt.NDArray[Any]

_TOUCHING = 3  # maximum gap in pixels between two cells that are cut out together
_CLEAR = 3  # minimum gap in pixels between a nucleus and a micronucleus that can be removed
_MARGIN = 6  # distance in pixels at which the light of a cell has faded
_MOST_MICRONUCLEI = 5  # cells with more are not scored
_MOST_TOGETHER = 2
_REGULAR = 0.944  # solidity
_SMOOTHING = 30  # in pixels: standard deviation of the background filter


@dataclass(frozen=True, eq=False)
class CutOut:
    """One cell, or two that touch.

    Attributes
    ----------
    light : ndarray of shape (h, w), float64
        Its intensity above the background, with the noise.
    weight : ndarray of shape (h, w), float64
        1 on the cell, falling to 0 a few pixels around it.
    nuclei, micronuclei : ndarray of shape (h, w), int64
        Label images with labels from 1; 0 is background.
    """

    light: Array
    weight: Array
    nuclei: Array
    micronuclei: Array

    @property
    def n_nuclei(self) -> int:
        """The number of cells."""
        return int(self.nuclei.max())

    def turned(self, turn: int) -> "CutOut":
        """Return it in one of the eight orientations, 0 to 7, that need no interpolation."""
        every = (self.light, self.weight, self.nuclei, self.micronuclei)
        quarter = [np.rot90(each, turn % 4) for each in every]
        return CutOut(*(each.T if turn > 3 else each for each in quarter))


class CutOuts(NamedTuple):
    """The cut-outs that a field can be composed of.

    Attributes
    ----------
    micronucleated : list of CutOut
        Single cells with one to five micronuclei.
    regular, irregular : list of CutOut
        Cells without micronuclei, with almost convex or irregular nuclei.
    background, noise : float
        The mean of the background, and the standard deviation of its pixels.
    """

    micronucleated: list[CutOut]
    regular: list[CutOut]
    irregular: list[CutOut]
    background: float
    noise: float


def cut_outs(annotated: AnnotatedFields, i: int) -> CutOuts:
    """Return the cells of a field that can be cut out.

    These are the cells that touch no edge and at most one other cell. If all micronuclei of a cell
    lie clear of its nucleus, the nucleus alone is also used as a cell without micronuclei.
    """
    sheet = _Sheet.of(annotated, i)
    micronucleated, without = [], []
    for cells in sheet.groups():
        n = sum(sheet.counts[cell] for cell in cells)
        if n == 0:
            without.append((cells, sheet.cut(cells)))
        elif len(cells) == 1 and n <= _MOST_MICRONUCLEI:
            micronucleated.append(sheet.cut(cells))
            if sheet.stands_clear(cells[0]):
                without.append((cells, sheet.cut(cells, with_micronuclei=False)))
    is_regular = [min(sheet.solidity[cell] for cell in cells) >= _REGULAR for cells, _ in without]
    pairs = list(zip(is_regular, (cut for _, cut in without), strict=True))
    return CutOuts(
        micronucleated,
        [cut for regular, cut in pairs if regular],
        [cut for regular, cut in pairs if not regular],
        sheet.background,
        sheet.noise,
    )


@dataclass(frozen=True, eq=False)
class _Sheet:
    """A field, with the pixels of each cell: a nucleus with its micronuclei."""

    light: Array
    cell: Array
    nuclei: Array
    micronuclei: Array
    counts: dict[int, int]
    solidity: dict[int, float]
    background: float
    noise: float

    @classmethod
    def of(cls, annotated: AnnotatedFields, i: int) -> "_Sheet":
        image = annotated.fields[i].read().astype(np.float64)
        nuclei, micronuclei = annotated.nuclei(i), annotated.micronuclei(i)
        parents = annotated.parents(i)
        parent = np.zeros(int(micronuclei.max(initial=0)) + 1, np.int64)
        parent[list(parents)] = list(parents.values())
        cell = np.where(micronuclei > 0, parent[micronuclei], nuclei)
        found = Objects.of(nuclei)
        own = list(parents.values())
        light, mean, noise = _without_background(image, (nuclei > 0) | (micronuclei > 0))
        return cls(
            light,
            cell,
            nuclei,
            micronuclei,
            {int(label): own.count(label) for label in found.labels},
            dict(zip(found.labels.tolist(), solidities(found).tolist(), strict=True)),
            mean,
            noise,
        )

    def groups(self) -> Iterator[list[int]]:
        """Yield single cells that touch no other cell and no edge, and pairs that touch each other."""
        from scipy import ndimage

        near = {
            label: {
                *np.unique(
                    self.cell[ndimage.binary_dilation(self.cell == label, iterations=_TOUCHING)]
                )
            }
            - {0}
            for label in self.counts
        }
        sides = (self.cell[0], self.cell[-1], self.cell[:, 0], self.cell[:, -1])
        at_edge = {int(label) for side in sides for label in side}
        for label, others in near.items():
            together = sorted(map(int, others))
            closed = all(near.get(other) == others for other in others)
            if (
                closed
                and len(together) <= _MOST_TOGETHER
                and not at_edge & others
                and label == together[0]
            ):
                yield together

    def stands_clear(self, label: int) -> bool:
        """Return whether all micronuclei of a cell lie some pixels away from its nucleus."""
        from scipy import ndimage

        near = ndimage.binary_dilation(self.nuclei == label, iterations=_CLEAR)
        return not ((self.cell == label) & (self.micronuclei > 0) & near).any()

    def cut(self, cells: Sequence[int], *, with_micronuclei: bool = True) -> CutOut:
        """Return cells as a cut-out, without other cells."""
        from scipy import ndimage

        own = np.isin(self.cell, cells)
        other = (self.cell > 0) & ~own
        if not with_micronuclei:
            other |= own & (self.nuclei == 0)
            own &= self.nuclei > 0
        rows, columns = Objects.of(own.astype(np.int32)).wider(0, _MARGIN)
        own, other = own[rows, columns], other[rows, columns]
        weight = np.clip((_MARGIN - ndimage.distance_transform_edt(~own)) / (_MARGIN - 1.5), 0, 1)
        if other.any():
            away = (ndimage.distance_transform_edt(~other) - 1) / 2
            weight = np.where(own, 1, np.minimum(weight, away.clip(0, 1)))
        return CutOut(
            self.light[rows, columns],
            weight,
            _numbered(np.where(own, self.nuclei[rows, columns], 0)),
            _numbered(np.where(own, self.micronuclei[rows, columns], 0)),
        )


def _numbered(labels: Array) -> Array:
    """Return labels renumbered as 1, 2, ... in their order; 0 stays."""
    return np.searchsorted(np.unique(labels[labels > 0]), labels, side="right")


def _without_background(image: Array, objects: Array) -> tuple[Array, float, float]:
    """Return the intensity above a smooth background, and the background's mean and noise."""
    from scipy import ndimage

    clear = ~ndimage.binary_dilation(objects, iterations=10)
    share = ndimage.gaussian_filter(clear.astype(np.float64), _SMOOTHING)
    smooth = ndimage.gaussian_filter(np.where(clear, image, 0.0), _SMOOTHING) / share
    light = image - smooth
    return light, float(image[clear].mean()), float(light[clear].std())
