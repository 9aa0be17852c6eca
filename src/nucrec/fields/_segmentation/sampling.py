"""Sampling of training tiles from annotated fields."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from nucrec.fields._objects import Objects
from nucrec.fields._segmentation.contrast import measure_contrast, network_input, normalised
from nucrec.fields._segmentation.scale import DIAMETER, at_scale, labels_at
from nucrec.fields._segmentation.synthesis import disturb
from nucrec.fields._segmentation.tiles import BORDER, MICRONUCLEUS, NUCLEUS

Array = npt.NDArray[Any]

TILE = 192
"""Side of a tile, in pixels."""

_ON_MICRONUCLEUS, _ON_NUCLEUS = 0.5, 0.35  # shares of the tiles; the rest are placed anywhere
_JITTER = 60.0  # pixels
_SCALES = (0.65, 1.55)
_STRETCH = (0.88, 1.14)
_TOUCHING = 7  # in pixels: nuclei closer to each other than this have a border between them


@dataclass(frozen=True)
class Sample:
    """An annotated field at the scale and contrast of the network.

    Attributes
    ----------
    image : ndarray of shape (H, W)
        float32, 0 for the background and 1 for a nucleus.
    smooth : ndarray of shape (H, W)
        The blurred image, for tiles that are shrunk.
    nuclei, micronuclei : ndarray of shape (H, W)
        Label images, int32.
    on_nuclei, on_micronuclei : ndarray of shape (n, 2)
        The centres (y, x) of nuclei and micronuclei, in pixels.
    diameter : float
        The median diameter of the nuclei, in pixels of the field itself.
    signal_to_noise : float
        The signal-to-noise ratio of the field, as in `Contrast`.
    """

    image: Array
    smooth: Array
    nuclei: Array
    micronuclei: Array
    on_nuclei: Array
    on_micronuclei: Array
    diameter: float
    signal_to_noise: float


def make_sample(pixels: Array, nuclei: Array, micronuclei: Array) -> Sample:
    """Return the sample of an annotated field, given as arrays of shape (H, W)."""
    given, contrast = Objects.of(nuclei), measure_contrast(pixels)
    image = at_scale(normalised(pixels, contrast), DIAMETER / given.median_diameter)
    numbered = (given.image, Objects.of(micronuclei).image)
    nuclei, micronuclei = (labels_at(each, image.shape) for each in numbered)
    smooth = ndimage.gaussian_filter(image, 0.6)
    return Sample(
        image,
        smooth,
        nuclei,
        micronuclei,
        _centres(nuclei),
        _centres(micronuclei),
        given.median_diameter,
        contrast.signal_to_noise,
    )


def _centres(labels: Array) -> Array:
    present = np.flatnonzero(np.bincount(labels.ravel()))
    present = present[present > 0]
    return np.array(ndimage.center_of_mass(labels > 0, labels, present)).reshape(-1, 2)


def draw_batch(
    samples: Sequence[Sample], weights: Array, size: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Draw tiles as network input, with the classes of their pixels.

    Parameters
    ----------
    samples : sequence of Sample
        The fields to draw from.
    weights : ndarray of shape (len(samples),)
        The probability of drawing each; sums to 1.
    size : int
        Number of tiles.
    rng : numpy.random.Generator
        The random generator.

    Returns
    -------
    inputs : ndarray of shape (size, TILE, TILE, 3), float32
    classes : ndarray of shape (size, TILE, TILE), uint8
    """
    inputs = np.empty((size, TILE, TILE, 3), np.float32)
    classes = np.empty((size, TILE, TILE), np.uint8)
    for i in range(size):
        image, nuclei, micronuclei = _cut(samples[rng.choice(len(samples), p=weights)], rng)
        inputs[i] = network_input(disturb(image, nuclei, rng))
        classes[i] = classes_of(nuclei, micronuclei)
    return inputs, classes


def _cut(sample: Sample, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Return image, nuclei and micronuclei of a tile, rotated, mirrored, stretched and scaled."""
    scale = np.exp(rng.uniform(*np.log(_SCALES)))
    angle, stretch = rng.uniform(0, 2 * np.pi), rng.uniform(*_STRETCH)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    mirror = 1 if rng.random() < 0.5 else -1
    matrix = turn @ np.diag([stretch, mirror / stretch]) / scale
    centre = _place(sample, rng) + rng.uniform(-_JITTER, _JITTER, 2)
    start = centre - matrix @ np.full(2, TILE / 2)
    image = sample.smooth if scale < 0.85 else sample.image
    parts = ((image, 1), (sample.nuclei, 0), (sample.micronuclei, 0))
    tile, nuclei, micronuclei = (
        ndimage.affine_transform(
            part, matrix, start, output_shape=(TILE, TILE), order=order, mode="mirror"
        )
        for part, order in parts
    )
    return tile, nuclei, micronuclei


def _place(sample: Sample, rng: np.random.Generator) -> Array:
    kind = rng.random()
    places = sample.on_nuclei
    if kind < _ON_MICRONUCLEUS and len(sample.on_micronuclei):
        places = sample.on_micronuclei
    if kind < _ON_MICRONUCLEUS + _ON_NUCLEUS and len(places):
        return np.asarray(places[rng.integers(len(places))])
    return rng.uniform(0, 1, 2) * sample.image.shape


def classes_of(nuclei: Array, micronuclei: Array) -> Array:
    """Return the class of each pixel in two label images, uint8, numbered as in `tiles`.

    Borders are drawn after all scaling, so that their width does not depend on it.
    """
    classes = np.where(nuclei > 0, NUCLEUS, 0).astype(np.uint8)
    classes[_between(nuclei, _TOUCHING)] = BORDER
    classes[micronuclei > 0] = MICRONUCLEUS
    classes[_between(micronuclei, 3)] = BORDER
    return classes


def _between(labels: Array, reach: int) -> Array:
    """Return the pixels with two labels within a square of `reach` pixels."""
    last = int(labels.max()) + 1
    highest = ndimage.maximum_filter(labels, reach)
    lowest = ndimage.minimum_filter(np.where(labels > 0, labels, last), reach)
    return np.asarray((highest > 0) & (lowest < last) & (highest != lowest))
