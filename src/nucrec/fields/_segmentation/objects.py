"""Conversion of pixel probabilities to label images of nuclei and micronuclei."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from nucrec.fields._objects import Objects
from nucrec.fields._segmentation.strips import (
    count_pixels,
    filtered,
    largest_values,
)
from nucrec.fields._segmentation.tiles import Maps

Array = npt.NDArray[Any]

_HALF = 127  # of 255
_SURE = 200  # out of 255: within the core of a nucleus
_DEPTH = 0.12  # in diameters: depth of a nuclear core within the certain part of a nucleus
_LEAST_NUCLEUS = 0.3  # share of the nuclear diameter
_GROW = 38  # a micronucleus extends to this probability
_SMOOTH, _APART = 0.03, 0.08  # in diameters: smoothing of the peaks that separate micronuclei
_WITHIN = 0.5  # share of the outline of a nuclear part mistaken for a micronucleus
_SMALL, _COVERED = 0.5, 0.5  # relative to a nucleus: largest diameter, covered area
_EIGHT = np.ones((3, 3))


def find_nuclei(maps: Maps, diameter: float) -> Array:
    """Return the label image of the nuclei.

    Parameters
    ----------
    maps : Maps
        The probabilities of each pixel.
    diameter : float
        The nuclear diameter in pixels; much smaller objects are not nuclei.

    Returns
    -------
    ndarray of shape (H, W)
        The label image, int32: 0 for the background, 1, 2, ... for the nuclei. Touching nuclei are
        separated where the network detects a border; each of their pixels is assigned to the
        nearest core.
    """
    bodies, n_bodies = ndimage.label(_nuclear(maps))
    cores, n_cores = ndimage.label(_deep(maps.nucleus, _DEPTH * diameter))
    body_of = np.zeros(n_cores + 1, np.int64)
    body_of[cores[cores > 0]] = bodies[cores > 0]
    owner = np.zeros(n_bodies + 1, np.int32)
    owner[body_of] = np.arange(n_cores + 1)
    owner[0] = 0
    lone = np.flatnonzero(owner[1:] == 0) + 1  # bodies without a core are nuclei if large enough
    owner[lone] = n_cores + 1 + np.arange(lone.size)
    nuclei = owner[bodies]
    _part(nuclei, bodies, cores, _repeated(body_of[1:]))
    kept = _without_small(nuclei, int(nuclei.max()), _area(_LEAST_NUCLEUS * diameter))
    return Objects.of(kept).image


def _deep(nucleus: Array, depth: float) -> Array:
    """Return the pixels that lie deeper than this distance in pixels within certain nuclei."""

    def deep(part: Array) -> Array:
        return np.asarray(ndimage.distance_transform_edt(part > _SURE) > depth)

    return filtered(deep, nucleus, reach=int(depth) + 2, dtype=bool)


def _nuclear(maps: Maps) -> Array:
    """Return the pixels that belong to a nucleus, including borders between nuclei."""
    return np.asarray(maps.nucleus.astype(np.int16) + maps.border > _HALF)


def _repeated(values: Array) -> Array:
    found, counts = np.unique(values, return_counts=True)
    return found[counts > 1]


def _part(nuclei: Array, bodies: Array, cores: Array, of: Array) -> None:
    """Assign the pixels of bodies with several cores to the nearest core, in place."""
    places = ndimage.find_objects(bodies)
    for body in of:
        place = places[body - 1]
        inside = bodies[place] == body
        local = np.where(inside, cores[place], 0)
        index = ndimage.distance_transform_edt(
            local == 0, return_distances=False, return_indices=True
        )
        nuclei[place][inside] = local[tuple(index)][inside]


class Candidates(NamedTuple):
    """Candidate micronuclei.

    Attributes
    ----------
    labels : ndarray of shape (H, W)
        The label image, int32, with labels 1 to n.
    peak : ndarray of shape (n,)
        The largest pixel probability of each candidate, from 0 to 1.
    """

    labels: Array
    peak: Array

    def chosen(self, kept: Array) -> Array:
        """Return the label image of candidates where `kept`, of shape (n,), is true: 1, 2, ..."""
        number = np.where(np.r_[False, kept], np.cumsum(np.r_[False, kept]), 0)
        return np.asarray(number.astype(np.int32)[self.labels])


def find_candidates(maps: Maps, diameter: float) -> Candidates:
    """Return candidate micronuclei, without objects mostly inside the outline of a nucleus.

    Parameters
    ----------
    maps : Maps
        The probabilities of each pixel.
    diameter : float
        The nuclear diameter, in pixels.
    """
    labels = _peaks(maps.micronucleus, diameter)
    n = int(labels.max())
    peak = largest_values(labels, n, maps.micronucleus)
    areas = count_pixels(labels, n)
    kept = areas >= least_micronucleus(diameter)
    kept &= _share_within(labels, n, _nuclear(maps), diameter) <= _WITHIN
    every = Candidates(labels, peak[1:] / 255)
    return Candidates(every.chosen(kept[1:]), every.peak[kept[1:]])


def _peaks(probability: Array, diameter: float) -> Array:
    """Return the label image of candidate micronuclei, with touching ones separated.

    Each pixel is assigned to the nearest peak of the smoothed probability.
    """
    bodies, n = ndimage.label(probability > _GROW, _EIGHT)
    apart, blur = max(1, round(_APART * diameter)), _SMOOTH * diameter

    def highest(part: Array) -> Array:
        smooth = ndimage.gaussian_filter(part.astype(np.float32), blur)
        around = ndimage.maximum_filter(smooth, footprint=_disc(apart))
        return np.asarray((smooth == around) & (part > _GROW))

    reach = apart + int(4 * blur) + 2
    peaks, n_peaks = ndimage.label(filtered(highest, probability, reach=reach, dtype=bool), _EIGHT)
    owner = np.zeros(n + 1, np.int32)
    body_of = np.zeros(n_peaks + 1, np.int64)
    body_of[peaks[peaks > 0]] = bodies[peaks > 0]
    owner[body_of] = np.arange(n_peaks + 1)
    owner[0] = 0
    labels: Array = owner[bodies]
    _part(labels, bodies, peaks, _repeated(body_of[1:]))
    return labels


def _disc(radius: int) -> Array:
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    return np.asarray(y**2 + x**2 <= radius**2)


def _share_within(labels: Array, n: int, nuclear: Array, diameter: float) -> Array:
    """Return, for labels 0 to n, the share of surrounding pixels that belong to a nucleus.

    A micronucleus may touch a nucleus, but an object inside its outline is part of it (M. Fenech et
    al., Mutation Research 534, 2003, pp. 65-75: micronuclei are not linked to the nucleus).
    """
    width = 2 * max(1, round(diameter / 28)) + 1

    def rim(part: Array) -> Array:
        return np.where(part > 0, 0, ndimage.maximum_filter(part, width))

    around = filtered(rim, labels, reach=width, dtype=np.int32)
    pixels, within = count_pixels(around, n), count_pixels(around, n, nuclear)
    return np.asarray(within / np.maximum(pixels, 1))


def without_micronuclei(nuclei: Array, micronuclei: Array, diameter: float) -> tuple[Array, Array]:
    """Return a given label image of nuclei without micronuclei, and the labels removed.

    Programs that segment nuclei also label large micronuclei. A label is removed if it is less than
    half as wide as a nucleus and a detected micronucleus covers most of it.
    """
    given = Objects.of(nuclei)
    covered = count_pixels(given.image, len(given), micronuclei > 0)[1:]
    is_one = (covered > _COVERED * given.areas) & (given.areas < _area(_SMALL * diameter))
    kept = np.r_[0, np.where(is_one, 0, given.labels)].astype(np.int32)
    return kept[given.image], given.labels[is_one]


def least_micronucleus(diameter: float) -> float:
    """Return the smallest area of a micronucleus in pixels: 1/16 of the nuclear diameter across."""
    return max(2.0, _area(diameter / 16))


def _area(diameter: float) -> float:
    return float(np.pi / 4 * diameter**2)


def _without_small(labels: Array, n: int, area: float) -> Array:
    kept = count_pixels(labels, n) >= area
    kept[0] = False
    return np.where(kept[labels], labels, 0)
