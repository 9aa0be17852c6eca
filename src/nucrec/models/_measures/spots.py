"""Small bright objects beside a nucleus: candidate micronuclei."""

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from nucrec.models._measures.scene import Scene

Array = npt.NDArray[Any]

_SCALES = (0.03, 0.045, 0.0675, 0.101, 0.152)
"""Standard deviations of the Gaussians, in diameters of the nucleus; each is 1.5 times the last."""
_BLOBS = (0.03, 0.1)  # minimum difference of Gaussians of a blob
_LEVELS = (0.12, 0.2, 0.35, 0.6)  # shares of the nucleus' brightness
_SMALL = 0.15  # an object is small below this share of the nucleus' area
_DISC = 0.17  # radius of the disc of the top-hat, in diameters
_FAINTEST = 0.02  # minimum height of a spot, in units of the nucleus' brightness
_SPOTS = 3
_RINGS = ((0.0, 0.06), (0.06, 0.14), (0.14, 0.25), (0.25, 0.45))  # diameters from the nucleus

_OF_SPOT = {
    "height": "Brightness above what is left without small objects (top-hat)",
    "brightness": "Brightness at the brightest pixel",
    "contrast": "Brightness above the median of a ring around it",
    "size": "Diameter of a circle of its area at half its height, in diameters of the nucleus",
    "distance": "Distance from the nucleus, in diameters of the nucleus",
    "roundness": "Ratio of its axes, from 0 to 1",
    "fullness": "Its area as a share of the ellipse with the same moments",
    "margin": "Distance from the edge of the picture, in diameters of the nucleus",
}

DESCRIPTIONS: dict[str, str] = {
    **{
        f"spot{n}_{name}": f"{text}; of the {which} spot"
        for n, which in enumerate(("highest", "second", "third"), 1)
        for name, text in _OF_SPOT.items()
    },
    "spots_mass": "Sum of the top-hat outside of nuclei, as a share of the nucleus' area",
    **{
        f"spots_above_{level:g}": f"Number of spots whose top-hat is above {level:g}"
        for level in (0.1, 0.25)
    },
    **{
        f"{kind}_{scale:g}": text.format(scale)
        for scale in _SCALES[:-1]
        for kind, text in {
            "blob1": "Largest difference of Gaussians outside of nuclei, at {:g} diameters",
            "blob2": "Second largest one, at another place, at {:g} diameters",
            "blobs_faint": f"Number of blobs of at least {_BLOBS[0]:g}, at {{:g}} diameters",
            "blobs": f"Number of blobs of at least {_BLOBS[1]:g}, at {{:g}} diameters",
            "blob_inside": "Largest difference of Gaussians in the nucleus, at {:g} diameters",
        }.items()
    },
    **{
        f"{kind}_{level:g}": text.format(level)
        for level in _LEVELS
        for kind, text in {
            "parts": "Number of small objects apart from others, above {:g}",
            "part_size": "Diameter of the largest of them in diameters of the nucleus, above {:g}",
        }.items()
    },
    **{
        f"{kind}_{low:g}": text.format(low, high)
        for low, high in _RINGS
        for kind, text in {
            "ring_median": "Median brightness from {:g} to {:g} diameters from the nucleus",
            "ring_high": "95th percentile of the brightness from {:g} to {:g} diameters",
            "ring_spot": "Largest top-hat from {:g} to {:g} diameters",
        }.items()
    },
}


def measure_spots(scene: Scene) -> dict[str, float]:
    """Return the measurements of small bright objects beside the nucleus."""
    heights = _heights(scene)
    return {
        **_highest(scene, heights),
        **_together(scene, heights),
        **_blobs(scene),
        **_parts(scene),
        **_rings(scene, heights),
    }


def _heights(scene: Scene) -> Array:
    """Return the white top-hat, the brightness minus its opening by a disc; 0 in nuclei."""
    radius = _DISC * scene.diameter
    reach = int(np.ceil(radius))
    y, x = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    wide = np.pad(scene.smooth, 2 * reach, mode="edge")
    low = ndimage.grey_opening(wide, footprint=x * x + y * y <= radius * radius + 0.3)
    inside = slice(2 * reach, -2 * reach)
    return np.where(scene.free, scene.smooth - low[inside, inside], 0.0)


def _highest(scene: Scene, heights: Array) -> dict[str, float]:
    left = heights.copy()
    measured: dict[str, float] = {}
    for n in range(1, _SPOTS + 1):
        spot = _spot(scene, heights, left)
        measured |= {f"spot{n}_{name}": value for name, value in spot.items()}
    return measured


def _spot(scene: Scene, heights: Array, left: Array) -> dict[str, float]:
    """Measure the highest remaining spot, and remove it."""
    y, x = np.unravel_index(left.argmax(), left.shape)
    height = float(left[y, x])
    if height < _FAINTEST:
        return dict.fromkeys(_OF_SPOT, 0.0) | {"distance": 1.0}
    labels, _ = ndimage.label(heights > height / 2)
    mask = labels == labels[y, x]
    near = ndimage.binary_dilation(mask, iterations=1)
    around = ndimage.binary_dilation(near, iterations=2)
    left[around] = 0
    ring = scene.smooth[around & ~near & scene.free]
    brightness = float(scene.smooth[y, x])
    roundness, fullness = _form(mask)
    margin = min(y, x, mask.shape[0] - 1 - y, mask.shape[1] - 1 - x)
    return {
        "height": height,
        "brightness": brightness,
        "contrast": brightness - float(np.median(ring)) if ring.size else 0.0,
        "size": 2 * float(np.sqrt(np.count_nonzero(mask) / np.pi)) / scene.diameter,
        "distance": float(scene.distance[y, x]),
        "roundness": roundness,
        "fullness": fullness,
        "margin": float(margin) / scene.diameter,
    }


def _form(mask: Array) -> tuple[float, float]:
    """Return an object's axis ratio, and its area divided by that of the ellipse with equal moments."""
    places = np.argwhere(mask)
    spread = np.cov(places.T, ddof=0) if len(places) > 1 else np.zeros((2, 2))
    small, large = np.linalg.eigvalsh(spread + np.eye(2) / 12)  # a pixel is a square
    return float(np.sqrt(small / large)), float(len(places) / (4 * np.pi * np.sqrt(small * large)))


def _together(scene: Scene, heights: Array) -> dict[str, float]:
    return {
        "spots_mass": float(heights.clip(0, 1).sum() / scene.area),
        **{f"spots_above_{v:g}": float(ndimage.label(heights > v)[1]) for v in (0.1, 0.25)},
    }


def _blobs(scene: Scene) -> dict[str, float]:
    smoothed = [ndimage.gaussian_filter(scene.light, s * scene.diameter) for s in _SCALES]
    measured: dict[str, float] = {}
    for scale, (fine, coarse) in zip(_SCALES, pairwise(smoothed), strict=False):
        difference = fine - coarse
        reach = 2 * int(np.ceil(scale * scene.diameter)) + 1
        is_peak = difference == ndimage.maximum_filter(difference, reach)
        peaks = np.sort(difference[is_peak & scene.free])[::-1]
        one, two = (*peaks[:2].tolist(), 0.0, 0.0)[:2]
        measured |= {
            f"blob1_{scale:g}": one,
            f"blob2_{scale:g}": two,
            f"blobs_faint_{scale:g}": float(np.count_nonzero(peaks >= _BLOBS[0])),
            f"blobs_{scale:g}": float(np.count_nonzero(peaks >= _BLOBS[1])),
            f"blob_inside_{scale:g}": float(difference[scene.body].max()),
        }
    return measured


def _parts(scene: Scene) -> dict[str, float]:
    """Count small separate objects that lie completely in the image, at several thresholds."""
    measured: dict[str, float] = {}
    for level in _LEVELS:
        labels, n = ndimage.label(scene.smooth > level)
        areas = np.bincount(labels.ravel(), minlength=n + 1)
        areas[0] = 0
        for line in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
            areas[line] = 0
        least = max(2.0, 0.0015 * scene.area)
        small = areas[(areas >= least) & (areas < _SMALL * scene.area)]
        measured[f"parts_{level:g}"] = float(len(small))
        measured[f"part_size_{level:g}"] = float(np.sqrt(small.max(initial=0) / scene.area))
    return measured


def _rings(scene: Scene, heights: Array) -> dict[str, float]:
    measured: dict[str, float] = {}
    for low, high in _RINGS:
        ring = scene.free & (scene.distance > low) & (scene.distance <= high)
        light = scene.light[ring] if ring.any() else np.zeros(1)
        median, bright = np.percentile(light, [50, 95])
        measured[f"ring_median_{low:g}"] = float(median)
        measured[f"ring_high_{low:g}"] = float(bright)
        measured[f"ring_spot_{low:g}"] = float(heights[ring].max(initial=0))
    return measured
