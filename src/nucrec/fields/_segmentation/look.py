"""One look at a field: contrast, scale, network, and what is unusual about it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from nucrec._pixels.resample import resize
from nucrec.fields._segmentation.card import Seen
from nucrec.fields._segmentation.contrast import Contrast, measure_contrast, normalised
from nucrec.fields._segmentation.objects import find_nuclei, nuclear_diameter
from nucrec.fields._segmentation.scale import DIAMETER, TYPICAL, at_scale, estimate_diameter
from nucrec.fields._segmentation.tiles import Maps, predict_maps

Array = npt.NDArray[Any]
Network = Callable[[Array], Array]

_NEAR_ENOUGH = 1.35  # times the scale of the network
_LOOKS = 3
_LARGEST = 4.0  # times that a field is enlarged at most
_TOO_SMALL = 12.0  # pixels of a nucleus: a micronucleus of a fifth is then 2.4 pixels across
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
    """

    maps: Maps
    diameter: float
    contrast: Contrast
    sharpness: float


def look_at(
    pixels: Array, network: Network, *, diameter: float | None, pixel_size: float | None
) -> Look:
    """Return what the network sees in a field.

    Parameters
    ----------
    pixels : ndarray of shape (H, W)
        The field.
    network : callable
        As `predict_maps` takes it.
    diameter : float or None
        The nuclear diameter, in pixels, where it is known: the scale is then not looked for.
    pixel_size : float or None
        Side of a pixel in um, from which the first guess of the scale is made.
    """
    contrast = measure_contrast(pixels)
    field = normalised(pixels, contrast)
    if diameter is not None:
        return _seen(field, network, diameter, contrast)
    guess = TYPICAL / pixel_size if pixel_size else estimate_diameter(field)
    if not guess > 0:
        nothing = Maps(*np.zeros((3, *field.shape), np.uint8))
        return Look(nothing, float("nan"), contrast, float("nan"))
    return _with_scale_found(field, network, guess, contrast)


def _with_scale_found(field: Array, network: Network, guess: float, contrast: Contrast) -> Look:
    """Look again at the scale that the nuclei have, until that is the scale of the look."""
    for _ in range(_LOOKS):
        look = _seen(field, network, guess, contrast)
        ratio = look.diameter / guess
        if not (ratio > _NEAR_ENOUGH or ratio < 1 / _NEAR_ENOUGH):  # or NaN: no nuclei
            break
        guess = look.diameter
    return look


def _seen(field: Array, network: Network, diameter: float, contrast: Contrast) -> Look:
    factor = min(DIAMETER / diameter, _LARGEST)
    scaled = at_scale(field, factor)
    maps = predict_maps(network, scaled)
    nuclei = find_nuclei(maps, DIAMETER)
    size = field.shape[0], field.shape[1]
    own = Maps(*(resize(each, size) for each in maps))
    found = nuclear_diameter(nuclei) / factor
    return Look(own, found, contrast, measure_sharpness(scaled, nuclei))


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
    rim = ndimage.binary_dilation(inside) & ~ndimage.binary_erosion(inside)
    if not rim.any():
        return float("nan")
    steepness = np.hypot(ndimage.sobel(field, 0)[rim], ndimage.sobel(field, 1)[rim]) / 8
    level = max(float(np.median(field[inside])), 0.1)
    return float(np.median(steepness)) / level


def remarks_on(look: Look, seen: Seen) -> tuple[str, ...]:
    """Return what is far from all fields that a detector was trained on, as sentences."""
    return tuple(text for unusual, text in _checks(look, seen) if unusual)


def _checks(look: Look, seen: Seen) -> Sequence[tuple[bool, str]]:
    signal = look.contrast.signal_to_noise
    return (
        (np.isnan(look.diameter), "no nuclei were found"),
        (
            look.diameter < _TOO_SMALL,
            f"nuclei are {look.diameter:.0f} pixels across: micronuclei are too small to be seen. "
            "Use a higher magnification, or less binning",
        ),
        (
            signal < _DIMMER * seen.signal_to_noise,
            f"the contrast is low: nuclei rise {signal:.1f} times the noise above the background, "
            f"and {seen.signal_to_noise:.0f} times or more in the fields of the training",
        ),
        (
            look.sharpness < _SOFTER * seen.sharpness,
            f"the field is out of focus, or blurred: edges of nuclei rise by {look.sharpness:.3f} of "
            f"their brightness per pixel, and by {seen.sharpness:.3f} or more in the fields of the "
            "training",
        ),
    )
