"""Measurements of the nucleus: shape, brightness, edge and texture."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from nucrec._optional import require
from nucrec.models._measures.scene import Scene, opened

Array = npt.NDArray[Any]

_BUDS = (0.1, 0.2)  # radii of the discs that do not fit into protrusions, in diameters
_INNER = 0.15  # depth from which pixels count as interior, in diameters
_GREYS = 16  # grey levels of the co-occurrence matrix
_WHITE = 1.6  # brightness of the highest level
_STEPS = (1, 2)  # distances of the co-occurrence, in 24ths of the diameter
_STEPS_IN_DIAMETER = 24
_HARALICK = ("contrast", "homogeneity", "energy", "correlation")
_NEIGHBOURS, _REACH = 8, 2  # points of local binary patterns
_QUANTILES = (1, 5, 25, 75, 95, 99)

SHAPE: dict[str, str] = {
    "area": "Area of the nucleus as a share of the picture",
    "at_edge": "Pixels at the edge of the picture, in square roots of the area",
    "eccentricity": "Eccentricity of the ellipse with the same moments, from 0 to 1",
    "solidity": "Area as a share of its convex hull",
    "extent": "Area as a share of its bounding box, of the smaller side to the larger",
    "circularity": "4 pi times area over the square of the perimeter; 1 for a circle",
    "thickness": "Diameter of the largest disc inside, in diameters",
    "mean_depth": "Mean distance of its pixels from its edge, in diameters",
    "off_centre": "Distance of its centre from that of the picture, in diameters",
    **{
        f"{kind}_{radius:g}": text.format(radius)
        for radius in _BUDS
        for kind, text in {
            "buds_area": "Area that discs of {:g} diameters do not fit in, as a share",
            "bud_area": "Area of the largest piece of it, as a share",
            "bud_depth": "Largest distance of its pixels from what such discs fit in, in diameters",
        }.items()
    },
    "neighbours": "Number of other nuclei in the picture, whole or not",
    "neighbours_area": "Their area, in areas of the nucleus",
}
INTENSITY: dict[str, str] = {
    "variation": "Standard deviation of the brightness in the nucleus over its mean",
    "skewness": "Skewness of the brightness in the nucleus",
    "kurtosis": "Kurtosis of the brightness in the nucleus; 3 for a normal distribution",
    **{f"quantile_{q}": f"Percentile {q} of the brightness in the nucleus" for q in _QUANTILES},
    "core": "Mean brightness of the inner nucleus over that of the whole",
    "noise": "Standard deviation of what smoothing takes away outside of nuclei",
    **{
        f"outside_{q}": f"Percentile {q} of the brightness outside of nuclei"
        for q in (25, 50, 75, 90)
    },
}
GRADIENT: dict[str, str] = {
    "edge_sharpness": "Mean gradient at the edge of the nucleus, per diameter",
    "edge_sharpest": "90th percentile of the gradient at the edge",
    "edge_softest": "10th percentile of the gradient at the edge",
    "inner_gradient": "Mean gradient in the inner nucleus",
    "outer_gradient": "Mean gradient outside of nuclei",
}
TEXTURE: dict[str, str] = {
    **{
        f"haralick_{name}_{step}": f"{name.title()} of the co-occurrence matrix (Haralick), pairs of "
        f"pixels {step}/{_STEPS_IN_DIAMETER} of the diameter apart"
        for name in _HARALICK
        for step in _STEPS
    },
    **{
        f"pattern_{k}": f"Share of uniform local binary patterns with {k} of {_NEIGHBOURS} brighter"
        for k in range(_NEIGHBOURS + 1)
    },
    "pattern_other": "Share of local binary patterns that are not uniform",
}
DESCRIPTIONS: dict[str, str] = {**SHAPE, **INTENSITY, **GRADIENT, **TEXTURE}


def measure_nucleus(scene: Scene) -> dict[str, float]:
    """Return shape, brightness, gradients and texture of the nucleus."""
    return {
        **_shape(scene),
        **dict(_buds(scene)),
        **_neighbours(scene),
        **_intensity(scene),
        **_gradient(scene),
        **dict(_haralick(scene)),
        **_patterns(scene),
    }


def _shape(scene: Scene) -> dict[str, float]:
    found = require("skimage.measure", extra="morphology").regionprops(
        scene.nucleus.astype(np.uint8)
    )[0]
    height, width = scene.nucleus.shape
    top, left, bottom, right = found.bbox
    sides = bottom - top, right - left
    mask = scene.nucleus
    at_edge = mask[0].sum() + mask[-1].sum() + mask[:, 0].sum() + mask[:, -1].sum()
    offset = np.hypot(found.centroid[0] - (height - 1) / 2, found.centroid[1] - (width - 1) / 2)
    return {
        "area": scene.area / mask.size,
        "at_edge": float(at_edge / np.sqrt(scene.area)),
        "eccentricity": float(found.eccentricity),
        "solidity": float(found.solidity) if scene.area > 3 else 1.0,
        "extent": float(scene.area / max(sides) ** 2),
        "circularity": float(4 * np.pi * scene.area / max(found.perimeter, 1.0) ** 2),
        "thickness": float(2 * scene.depth.max() / scene.diameter),
        "mean_depth": float(scene.depth[mask].mean() / scene.diameter),
        "off_centre": float(offset / scene.diameter),
    }


def _buds(scene: Scene) -> Iterator[tuple[str, float]]:
    for radius in _BUDS:
        wide = opened(scene.nucleus, radius * scene.diameter)
        thin = scene.nucleus & ~wide
        labels, n = ndimage.label(thin)
        areas = np.bincount(labels.ravel(), minlength=n + 1)[1:]
        reach = ndimage.distance_transform_edt(~wide)[thin] if wide.any() else np.zeros(0)
        yield f"buds_area_{radius:g}", np.count_nonzero(thin) / scene.area
        yield f"bud_area_{radius:g}", float(areas.max(initial=0) / scene.area)
        yield f"bud_depth_{radius:g}", float(reach.max(initial=0) / scene.diameter)


def _neighbours(scene: Scene) -> dict[str, float]:
    others = scene.bodies & ~scene.nucleus
    return {
        "neighbours": float(ndimage.label(opened(others, 1.5))[1]),
        "neighbours_area": np.count_nonzero(others) / scene.area,
    }


def _intensity(scene: Scene) -> dict[str, float]:
    inside, outside = scene.light[scene.nucleus], _outside(scene)
    mean, deviation = float(inside.mean()), float(inside.std())
    standard = (inside - mean) / max(deviation, 1e-6)
    inner = scene.light[_inner(scene)]
    quantiles = np.percentile(inside, _QUANTILES)
    levels = np.percentile(scene.light[outside], (25, 50, 75, 90))
    return {
        "variation": deviation / max(mean, 1e-6),
        "skewness": float((standard**3).mean()),
        "kurtosis": float((standard**4).mean()),
        **{f"quantile_{q}": float(v) for q, v in zip(_QUANTILES, quantiles, strict=True)},
        "core": float(inner.mean()) / max(mean, 1e-6),
        "noise": float((scene.light - scene.smooth)[outside].std()),
        **{f"outside_{q}": float(v) for q, v in zip((25, 50, 75, 90), levels, strict=True)},
    }


def _gradient(scene: Scene) -> dict[str, float]:
    slope = ndimage.gaussian_gradient_magnitude(scene.light, 1.0) * scene.diameter
    edge = slope[scene.nucleus & (scene.depth <= 1.5)]
    softest, sharpest = np.percentile(edge, [10, 90])
    return {
        "edge_sharpness": float(edge.mean()),
        "edge_sharpest": float(sharpest),
        "edge_softest": float(softest),
        "inner_gradient": float(slope[_inner(scene)].mean()),
        "outer_gradient": float(slope[_outside(scene)].mean()),
    }


def _haralick(scene: Scene) -> Iterator[tuple[str, float]]:
    feature = require("skimage.feature", extra="morphology")
    box = ndimage.find_objects(scene.nucleus.astype(np.uint8))[0]
    greys = np.clip(scene.light[box] * (_GREYS / _WHITE), 0, _GREYS - 1).astype(np.uint8) + 1
    greys[~scene.nucleus[box]] = 0  # pairs with this level do not count
    steps = [max(1, round(step * scene.diameter / _STEPS_IN_DIAMETER)) for step in _STEPS]
    angles = np.arange(4) * np.pi / 4
    pairs = feature.graycomatrix(greys, steps, angles, levels=_GREYS + 1, symmetric=True)[1:, 1:]
    together = pairs.sum(axis=3, keepdims=True).astype(np.float64)
    together /= np.maximum(together.sum(axis=(0, 1), keepdims=True), 1)
    for name in _HARALICK:
        values = feature.graycoprops(together, name)[:, 0]
        yield from ((f"haralick_{name}_{s}", float(v)) for s, v in zip(_STEPS, values, strict=True))


def _patterns(scene: Scene) -> dict[str, float]:
    feature = require("skimage.feature", extra="morphology")
    steps = np.rint(scene.light * 1000).astype(np.int32)
    codes = feature.local_binary_pattern(steps, _NEIGHBOURS, _REACH, "uniform")
    counts = np.bincount(codes[scene.nucleus].astype(int), minlength=_NEIGHBOURS + 2)
    names = [*(f"pattern_{k}" for k in range(_NEIGHBOURS + 1)), "pattern_other"]
    return {name: float(n / scene.area) for name, n in zip(names, counts, strict=True)}


def _inner(scene: Scene) -> Array:
    inner: Array = scene.depth > _INNER * scene.diameter
    return inner if inner.any() else scene.nucleus


def _outside(scene: Scene) -> Array:
    return scene.free if scene.free.any() else np.ones_like(scene.free)
