"""One look at a field: contrast, scale, network, and what is unusual about it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
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

_NEAR_ENOUGH = 1.35  # times the scale of the network
_LOOKS = 3
_LARGEST = 4.0  # times that a field is enlarged at most
_TOO_SMALL = 12.0  # pixels of a nucleus: a micronucleus of a fifth is then 2.4 pixels across
_MOSTLY_BRIGHT = 0.6
_NAMED = 5  # labels in a remark
_NUCLEI = (3.0, 60.0)  # um across
_DEEP, _FINE = 6, 2.1  # pixels at the scale of the network: inside of a nucleus; blur of a gradient
_LEAST_RELIEF = 2.0
_DIMMER, _SOFTER = 0.5, 0.75  # times the worst that was seen


@dataclass(frozen=True, eq=False)
class Look:
    """What was seen in a field.

    Attributes
    ----------
    maps : Maps
        Probabilities, at the field's own scale.
    diameter : float
        The nuclear diameter, in pixels of the field; NaN if nothing is bright.
    contrast : Contrast
        Intensities of the field.
    sharpness : float
        How steep the edges of nuclei are; NaN without nuclei.
    relief : float
        How many times steeper the edges of nuclei are than their insides; NaN without nuclei.
    hot : int
        Pixels that only a faulty camera makes; they were not looked at.
    pixel_size : float or None
        Side of a pixel in um, as it was given.
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
    """Return what the network sees in a field.

    Parameters
    ----------
    pixels : ndarray of shape (H, W)
        The field.
    network : callable
        As `predict_maps` takes it.
    scale : float
        The nuclear diameter, in pixels, that the network was trained at.
    diameter : float or None
        The nuclear diameter, in pixels, where it is known: the scale is then not looked for.
    pixel_size : float or None
        Side of a pixel in um: what the scale is guessed from where nothing bright and round is seen.
    """
    contrast = measure_contrast(pixels)
    field, hot = without_hot_pixels(normalised(pixels, contrast))

    def seen(guess: float) -> Look:
        return _seen(field, network, scale, guess, contrast)

    if diameter is not None:
        look = seen(diameter)
    else:
        guess = estimate_diameter(field)
        if np.isnan(guess) and pixel_size:
            guess = TYPICAL / pixel_size
        look = _with_scale_found(seen, guess) if guess > 0 else _nothing_seen(field, contrast)
    return replace(look, hot=hot, pixel_size=pixel_size)


def _with_scale_found(seen: Callable[[float], Look], guess: float) -> Look:
    """Look again at the scale that the nuclei have, until that is the scale of the look."""
    for _ in range(_LOOKS):
        look = seen(guess)
        ratio = look.diameter / guess
        if not (ratio > _NEAR_ENOUGH or ratio < 1 / _NEAR_ENOUGH):  # or NaN: no nuclei
            break
        guess = look.diameter
    return look


def _nothing_seen(field: Array, contrast: Contrast) -> Look:
    nothing = Maps(*np.zeros((3, *field.shape), np.uint8))
    return Look(nothing, float("nan"), contrast, float("nan"))


def _seen(
    field: Array, network: Network, scale: float, diameter: float, contrast: Contrast
) -> Look:
    factor = min(scale / diameter, _LARGEST)
    scaled = at_scale(field, factor)
    size = field.shape[0], field.shape[1]
    maps = Maps(*(resize(each, size) for each in predict_maps(network, scaled)))
    nuclei = find_nuclei(maps, diameter)
    there = labels_at(nuclei, scaled.shape)
    sharpness, relief = measure_sharpness(scaled, there), measure_relief(scaled, there)
    return Look(maps, Objects.of(nuclei).median_diameter, contrast, sharpness, relief)


def measure_sharpness(field: Array, nuclei: Array) -> float:
    """Return the median steepness of the edges of nuclei.

    Parameters
    ----------
    field : ndarray of shape (H, W)
        float32, 0 for the background and 1 for a nucleus, at the scale of the network.
    nuclei : ndarray of shape (H, W)
        Their label image.

    Returns
    -------
    float
        Brightness of a nucleus per pixel; NaN without nuclei.
    """
    inside = nuclei > 0
    rim = filtered(_rim, inside, reach=2, dtype=bool)
    if not rim.any():
        return float("nan")
    steepness = filtered(_steepness, field, reach=2, dtype=np.float32)[rim]
    level = max(float(np.median(field[inside])), 0.1)
    return float(np.median(steepness)) / level


def _rim(inside: Array) -> Array:
    return np.asarray(ndimage.binary_dilation(inside) & ~ndimage.binary_erosion(inside))


def _steepness(field: Array) -> Array:
    return np.asarray(np.hypot(ndimage.sobel(field, 0), ndimage.sobel(field, 1)) / 8)


def measure_relief(field: Array, nuclei: Array) -> float:
    """Return how many times steeper the edges of nuclei are than their insides.

    A nucleus is a plateau with steep edges; a smooth texture is as steep in its bright places as
    around them.

    Parameters
    ----------
    field : ndarray of shape (H, W)
        float32, 0 for the background and 1 for a nucleus, at the scale of the network.
    nuclei : ndarray of shape (H, W)
        Their label image.

    Returns
    -------
    float
        The ratio of the median gradients; NaN where no nucleus is large enough to have an inside.
    """
    inside = nuclei > 0
    edge = filtered(_rim, inside, reach=2, dtype=bool)
    deep = ndimage.binary_erosion(inside, iterations=_DEEP)
    if not deep.any():
        return float("nan")

    def steepness(part: Array) -> Array:
        clipped = np.clip(part, -0.5, 4.0)
        return np.asarray(ndimage.gaussian_gradient_magnitude(clipped, _FINE, truncate=3.0))

    gradient = filtered(steepness, field, reach=int(3 * _FINE) + 1, dtype=np.float32)
    return float(np.median(gradient[edge]) / max(np.median(gradient[deep]), 1e-6))


def remarks_on(look: Look, seen: Seen, n_given: int | None = None) -> tuple[str, ...]:
    """Return what is far from all fields that a detector was trained on, as sentences.

    Parameters
    ----------
    look : Look
        What was seen.
    seen : Seen
        What the fields of the training were like.
    n_given : int, optional
        How many nuclei a mask has, where there is one.
    """
    return tuple(text for unusual, text in _checks(look, seen, n_given) if unusual)


def remarks_on_labels(taken: Array) -> tuple[str, ...]:
    """Return what is to be said of labels of a mask that are micronuclei, as sentences."""
    if not taken.size:
        return ()
    named = ", ".join(map(str, taken[:_NAMED].tolist())) + (", ..." if taken.size > _NAMED else "")
    return (f"labels of the mask that are micronuclei, and are counted as such: {named}",)


def _checks(look: Look, seen: Seen, n_given: int | None) -> Iterator[Check]:
    yield from _on_kind(look)
    yield from _on_camera(look)
    yield np.isnan(look.diameter), _no_nuclei(n_given)
    yield (
        look.relief < _LEAST_RELIEF,
        "this does not look like nuclei, which have even insides and steep edges: the edges of "
        f"what was found are {look.relief:.1f} times as steep as the insides, and those of nuclei "
        "about three times or more. Is it a texture, or another stain?",
    )
    yield (
        look.diameter < _TOO_SMALL,
        f"nuclei are {look.diameter:.0f} pixels across: micronuclei are too small to be seen. "
        "Use a higher magnification, or less binning",
    )
    yield from _on_quality(look, seen)


def _on_kind(look: Look) -> Iterator[Check]:
    """Yield what tells that it is no field of bright nuclei on a dark background."""
    bright = look.contrast.bright_share
    yield (
        bright > _MOSTLY_BRIGHT,
        f"{bright:.0%} of the field are bright: nuclei have to be bright on a dark background. Invert "
        "the field if they are dark",
    )
    yield (
        look.diameter > LARGE_NUCLEUS * min(look.maps.nucleus.shape),
        f"nuclei would be {look.diameter:.0f} pixels across, most of the field: it is a crop, or "
        "its background is brighter than its nuclei",
    )


def _on_camera(look: Look) -> Iterator[Check]:
    """Yield what tells of faults or other settings of the camera."""
    yield (
        look.hot > 0,
        f"pixels far brighter than all their neighbours, as faults of a camera are: {look.hot}. "
        "They were not looked at",
    )
    across = look.diameter * (look.pixel_size or np.nan)
    yield (
        across < _NUCLEI[0] or across > _NUCLEI[1],
        f"nuclei would be {across:.3g} um across: the pixel size of {look.pixel_size} um is wrong, "
        "or these are no nuclei",
    )


def _on_quality(look: Look, seen: Seen) -> Iterator[Check]:
    """Yield what is worse than in all fields of the training."""
    signal = look.contrast.signal_to_noise
    yield (
        signal < _DIMMER * seen.signal_to_noise,
        f"the contrast is low: nuclei rise {signal:.1f} times the noise above the background, "
        f"and {seen.signal_to_noise:.0f} times or more in the fields of the training",
    )
    yield (
        look.sharpness < _SOFTER * seen.sharpness,
        f"the field is out of focus, or blurred: edges of nuclei rise by {look.sharpness:.3f} of "
        f"their brightness per pixel, and by {seen.sharpness:.3f} or more in the fields of the "
        "training",
    )


def _no_nuclei(n_given: int | None) -> str:
    if not n_given:
        return "no nuclei were found"
    return (
        f"the detector sees no nucleus in this field, and the mask has {n_given}: micronuclei may be "
        "missed, too"
    )
