"""The analysis of a field: contrast, scale, network output, and unusual properties."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from nucrec._pixels.resample import resize
from nucrec.fields._arrays import LARGE_NUCLEUS
from nucrec.fields._objects import Objects
from nucrec.fields._segmentation.card import Seen
from nucrec.fields._segmentation.contrast import (
    Contrast,
    measure_contrast,
    normalised,
    without_hot_pixels,
)
from nucrec.fields._segmentation.objects import find_nuclei
from nucrec.fields._segmentation.scale import (
    TYPICAL,
    at_scale,
    estimate_diameter,
    labels_at,
)
from nucrec.fields._segmentation.strips import filtered
from nucrec.fields._segmentation.tiles import Maps, predict_maps

Array = npt.NDArray[Any]
Network = Callable[[Array], Array]
Check = tuple[bool, str]
"""Whether a field is unusual in some way, and the remark on that."""

_NEAR_ENOUGH = 1.35  # relative to the scale of the network
_LOOKS = 3
_LARGEST = 4.0  # maximum factor by which a field is enlarged
_TOO_SMALL = 12.0  # nuclear diameter in pixels; a micronucleus of a fifth is then 2.4 pixels
_MOSTLY_BRIGHT = 0.6
_NAMED = 5  # maximum number of labels in a remark
_NUCLEI = (3.0, 60.0)  # diameter in um
_DEEP, _FINE = 6, 2.1  # in pixels at the network's scale: inside of a nucleus; blur of a gradient
_LEAST_RELIEF = 2.0
_DIMMER, _SOFTER = 0.5, 0.75  # relative to the worst training field


@dataclass(frozen=True, eq=False)
class Look:
    """The network's output for a field, and the field's properties.

    Attributes
    ----------
    maps : Maps
        The probabilities, at the field's own scale.
    diameter : float
        The nuclear diameter, in pixels of the field; NaN if nothing is bright.
    contrast : Contrast
        The intensities of the field.
    sharpness : float
        The steepness of nuclear edges; NaN without nuclei.
    relief : float
        The ratio of gradients at the edges of nuclei to those inside; NaN without nuclei.
    hot : int
        Number of hot pixels of the camera, which were removed.
    pixel_size : float or None
        The given pixel size in um.
    """

    maps: Maps
    diameter: float
    contrast: Contrast
    sharpness: float
    relief: float = float("nan")
    hot: int = 0
    pixel_size: float | None = None


def look_at(
    pixels: Array,
    network: Network,
    *,
    scale: float,
    diameter: float | None,
    pixel_size: float | None,
) -> Look:
    """Analyse a field with the network.

    Parameters
    ----------
    pixels : ndarray of shape (H, W)
        The field.
    network : callable
        The network, as for `predict_maps`.
    scale : float
        The nuclear diameter, in pixels, that the network was trained at.
    diameter : float or None
        The nuclear diameter in pixels, if it is known; the scale is then not estimated.
    pixel_size : float or None
        Pixel size in um, from which the scale is estimated if the field has no bright round
        objects.
    """
    contrast = measure_contrast(pixels)
    field, hot = without_hot_pixels(normalised(pixels, contrast))
    glance = functools.partial(_glance, field, network, scale)
    if diameter is not None:
        found = glance(diameter)
    else:
        guess = estimate_diameter(field)
        if np.isnan(guess) and pixel_size:
            guess = TYPICAL / pixel_size
        if not guess > 0:
            return _nothing_seen(field, contrast, hot, pixel_size)
        found = _at_scale_found(glance, guess)
    sharpness, relief = _measured(found)
    return Look(found.maps, found.diameter, contrast, sharpness, relief, hot, pixel_size)


@dataclass(frozen=True, eq=False)
class _Glance:
    """The network's output at one scale: the maps and nuclei of the field, and what the network saw."""

    maps: Maps
    nuclei: Array
    diameter: float
    scaled: Array


def _glance(field: Array, network: Network, scale: float, diameter: float) -> _Glance:
    scaled = at_scale(field, min(scale / diameter, _LARGEST))
    size = field.shape[0], field.shape[1]
    maps = Maps(*(resize(each, size) for each in predict_maps(network, scaled)))
    nuclei = find_nuclei(maps, diameter)
    return _Glance(maps, nuclei, Objects.of(nuclei).median_diameter, scaled)


def _at_scale_found(glance: Callable[[float], _Glance], guess: float) -> _Glance:
    """Repeat the analysis at the scale of the nuclei found, until both agree."""
    for _ in range(_LOOKS):
        found = glance(guess)
        ratio = found.diameter / guess
        if not (ratio > _NEAR_ENOUGH or ratio < 1 / _NEAR_ENOUGH):  # or NaN: no nuclei
            break
        guess = found.diameter
    return found


def _nothing_seen(field: Array, contrast: Contrast, hot: int, pixel_size: float | None) -> Look:
    nothing = Maps(*np.zeros((3, *field.shape), np.uint8))
    nan = float("nan")
    return Look(nothing, nan, contrast, nan, nan, hot, pixel_size)


def _measured(found: _Glance) -> tuple[float, float]:
    """Return the sharpness and the relief of the nuclei, at the scale of the network."""
    inside = labels_at(found.nuclei, found.scaled.shape) > 0
    edges = edges_of(inside)
    return (
        measure_sharpness(found.scaled, inside, edges),
        measure_relief(found.scaled, inside, edges),
    )


def edges_of(inside: Array) -> Array:
    """Return the pixels on both sides of the edge of a mask, as a mask of the same shape."""
    return filtered(_rim, inside, reach=2, dtype=bool)


def measure_sharpness(field: Array, inside: Array, edges: Array) -> float:
    """Return the median steepness of the edges of nuclei.

    Parameters
    ----------
    field : ndarray of shape (H, W)
        float32, 0 for the background and 1 for a nucleus, at the scale of the network.
    inside, edges : ndarray of bool, shape (H, W)
        The pixels of nuclei, and those of their edges.

    Returns
    -------
    float
        The steepness in units of nuclear brightness per pixel; NaN without nuclei.
    """
    if not edges.any():
        return float("nan")
    steepness = filtered(_steepness, field, reach=2, dtype=np.float32)[edges]
    level = max(float(np.median(field[inside])), 0.1)
    return float(np.median(steepness)) / level


def _rim(inside: Array) -> Array:
    return np.asarray(ndimage.binary_dilation(inside) & ~ndimage.binary_erosion(inside))


def _steepness(field: Array) -> Array:
    return np.asarray(np.hypot(ndimage.sobel(field, 0), ndimage.sobel(field, 1)) / 8)


def measure_relief(field: Array, inside: Array, edges: Array) -> float:
    """Return the ratio of gradients at the edges of nuclei to those inside.

    A nucleus is a plateau with steep edges; a smooth texture is as steep inside bright regions as
    around them.

    Parameters
    ----------
    field : ndarray of shape (H, W)
        float32, 0 for the background and 1 for a nucleus, at the scale of the network.
    inside, edges : ndarray of bool, shape (H, W)
        The pixels of nuclei, and those of their edges.

    Returns
    -------
    float
        The ratio of the median gradients; NaN if no nucleus is large enough to have an inside.
    """
    deep = ndimage.binary_erosion(inside, iterations=_DEEP)
    if not deep.any():
        return float("nan")

    def steepness(part: Array) -> Array:
        clipped = np.clip(part, -0.5, 4.0)
        return np.asarray(ndimage.gaussian_gradient_magnitude(clipped, _FINE, truncate=3.0))

    gradient = filtered(steepness, field, reach=int(3 * _FINE) + 1, dtype=np.float32)
    return float(np.median(gradient[edges]) / max(np.median(gradient[deep]), 1e-6))


def remarks_on(look: Look, seen: Seen, n_given: int | None = None) -> tuple[str, ...]:
    """Return remarks on properties outside the range of the training fields, as sentences.

    Parameters
    ----------
    look : Look
        The analysis of the field.
    seen : Seen
        The range of properties of the training fields.
    n_given : int, optional
        The number of nuclei in the mask, if there is one.
    """
    return tuple(text for unusual, text in _checks(look, seen, n_given) if unusual)


def remarks_on_labels(taken: Array) -> tuple[str, ...]:
    """Return remarks on labels in a mask that are micronuclei, as sentences."""
    if not taken.size:
        return ()
    named = ", ".join(map(str, taken[:_NAMED].tolist())) + (", ..." if taken.size > _NAMED else "")
    return (f"labels in the mask that are micronuclei, and are counted as such: {named}",)


def _checks(look: Look, seen: Seen, n_given: int | None) -> Iterator[Check]:
    yield from _on_kind(look)
    yield from _on_camera(look)
    yield np.isnan(look.diameter), _no_nuclei(n_given)
    yield (
        look.relief < _LEAST_RELIEF,
        "this does not look like nuclei, which have even insides and steep edges: the edges of "
        f"the objects found are {look.relief:.1f} times as steep as their insides, compared with "
        "about three times or more for nuclei. Is it a texture, or another stain?",
    )
    yield (
        look.diameter < _TOO_SMALL,
        f"nuclei are {look.diameter:.0f} pixels across: micronuclei are too small to detect. "
        "Use a higher magnification, or less binning",
    )
    yield from _on_quality(look, seen)


def _on_kind(look: Look) -> Iterator[Check]:
    """Check that the field shows bright nuclei on a dark background."""
    bright = look.contrast.bright_share
    yield (
        bright > _MOSTLY_BRIGHT,
        f"{bright:.0%} of the field is bright: nuclei must be bright on a dark background. Invert the "
        "field if they are dark",
    )
    yield (
        look.diameter > LARGE_NUCLEUS * min(look.maps.nucleus.shape),
        f"nuclei would be {look.diameter:.0f} pixels across, most of the field: this is a crop, or "
        "its background is brighter than its nuclei",
    )


def _on_camera(look: Look) -> Iterator[Check]:
    """Check for camera faults and other camera settings."""
    yield (
        look.hot > 0,
        f"pixels far brighter than all their neighbours, as from a defective camera: {look.hot}. "
        "They were ignored",
    )
    across = look.diameter * (look.pixel_size or np.nan)
    yield (
        across < _NUCLEI[0] or across > _NUCLEI[1],
        f"nuclei would be {across:.3g} um across: the pixel size of {look.pixel_size} um is wrong, "
        "or these are not nuclei",
    )


def _on_quality(look: Look, seen: Seen) -> Iterator[Check]:
    """Check for lower quality than in all training fields."""
    signal = look.contrast.signal_to_noise
    yield (
        signal < _DIMMER * seen.signal_to_noise,
        f"the contrast is low: nuclei exceed the background by {signal:.1f} times the noise, compared "
        f"with {seen.signal_to_noise:.0f} times or more in the training fields",
    )
    yield (
        look.sharpness < _SOFTER * seen.sharpness,
        "the field is out of focus or blurred: at nuclear edges, intensity rises by "
        f"{look.sharpness:.3f} of the nuclear brightness per pixel, compared with "
        f"{seen.sharpness:.3f} or more in the training fields",
    )


def _no_nuclei(n_given: int | None) -> str:
    if not n_given:
        return "no nuclei were found"
    return (
        f"the detector finds no nucleus in this field, but the mask has {n_given}: "
        "micronuclei may be missed as well"
    )
