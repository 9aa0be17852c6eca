"""Conversion of the objects found in one field to rows of the tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec.fields import _quality as quality
from nucrec.fields._assign import Parents, assign
from nucrec.fields._cells import Cells
from nucrec.fields._columns import FIELDS
from nucrec.fields._counts import BETWEEN
from nucrec.fields._detection import Detection
from nucrec.fields._field import Field
from nucrec.fields._measure import mean_intensities, shapes, solidities
from nucrec.fields._objects import Objects

Array = npt.NDArray[Any]

HUMN = (1 / 16, 1 / 3)
"""The diameter of a micronucleus over that of its nucleus, by the criteria of the HUMN project."""
_TINY = 1e-9  # rounding error of sqrt


@dataclass(frozen=True)
class Rules:
    """The rules for counting micronuclei and scoring cells."""

    max_distance: float
    diameter_ratio: tuple[float, float] | None
    exclude: tuple[str, ...]


def analyse(field: Field, image: Array, found: Detection, rules: Rules) -> Cells:
    """Return the cells of a field."""
    nuclei, micronuclei = Objects.of(found.nuclei), Objects.of(found.micronuclei)
    diameter = _median_diameter(nuclei, found)
    parents = assign(
        nuclei,
        micronuclei,
        diameter,
        max_distance=rules.max_distance,
    )
    spots = _micronuclei(field, nuclei, micronuclei, parents, found.probability, rules)
    cells = _cells(field, image, nuclei, diameter, _per_cell(nuclei, parents, spots), rules)
    row = {
        **of_field(field, 1),
        "height": [image.shape[0]],
        "width": [image.shape[1]],
        "pixel_size": [field.pixel_size or np.nan],
        "diameter": [diameter],
        "mask": [field.has_mask],
        "n_cells": [len(nuclei)],
        "n_scored": [int(cells["scored"].sum())],
        "n_micronuclei": [len(micronuclei)],
        "remarks": [BETWEEN.join(found.remarks)],
        "error": [""],
    }
    return Cells(cells, spots, row)


def failure(field: Field, reason: str) -> Cells:
    """Return the row of a field that was not analysed."""
    empty: dict[str, Any] = {
        name: [{str: "", float: np.nan}.get(kind, 0)] for name, kind in FIELDS.items()
    }
    none = Cells.concatenate([])
    known = {**of_field(field, 1), "pixel_size": [field.pixel_size or np.nan], "error": [reason]}
    return Cells(none.cells, none.micronuclei, {**empty, **known})


def of_field(field: Field, n: int) -> dict[str, Any]:
    """Return the columns that identify the field of n rows."""
    return {
        "file": [field.file] * n,
        "field": [field.name] * n,
        "well": [field.well or ""] * n,
        "condition": [field.condition or ""] * n,
        "dose": [np.nan if field.dose is None else field.dose] * n,
        "replicate": [field.replicate or ""] * n,
    }


def _median_diameter(nuclei: Objects, found: Detection) -> float:
    if np.isfinite(found.diameter) and found.diameter > 0:
        return float(found.diameter)
    return nuclei.median_diameter


def _place(objects: Objects, field: Field) -> dict[str, Array]:
    found = shapes(objects)
    scale = field.pixel_size or np.nan
    return {
        **found,
        "x_um": found["x"] * scale,
        "y_um": found["y"] * scale,
        "area": objects.areas,
        "area_um2": objects.areas * scale**2,
    }


def _micronuclei(
    field: Field,
    nuclei: Objects,
    micronuclei: Objects,
    parents: Parents,
    probability: Array,
    rules: Rules,
) -> dict[str, Any]:
    there = parents.number >= 0
    cell_id, ratio = np.zeros(len(there), np.int64), np.full(len(there), np.nan)
    cell_id[there] = nuclei.labels[parents.number[there]]
    ratio[there] = micronuclei.diameters[there] / nuclei.diameters[parents.number[there]]
    distance = np.where(there, parents.distance, np.nan)
    excluded = _reasons(
        {
            f"no nucleus within {rules.max_distance:g} diameters": ~there,
            **_of_ratio(ratio, there, rules),
        }
    )
    return {
        **of_field(field, len(micronuclei)),
        "micronucleus_id": micronuclei.labels,
        "cell_id": cell_id,
        **_place(micronuclei, field),
        "diameter_ratio": ratio,
        "distance": distance,
        "distance_um": distance * (field.pixel_size or np.nan),
        "probability": probability,
        "ambiguous": parents.ambiguous,
        "humn": _within(ratio, HUMN),
        "counted": excluded == "",
        "excluded": excluded,
    }


def _within(values: Array, bounds: tuple[float, float]) -> Array:
    return np.asarray((values > bounds[0] - _TINY) & (values < bounds[1] + _TINY))


def _of_ratio(ratio: Array, there: Array, rules: Rules) -> dict[str, Array]:
    if rules.diameter_ratio is None:
        return {}
    low, high = rules.diameter_ratio
    words = f"diameter not {low:.3g} to {high:.3g} of its nucleus"
    return {words: there & ~_within(ratio, rules.diameter_ratio)}


def _per_cell(nuclei: Objects, parents: Parents, spots: Mapping[str, Any]) -> tuple[Array, Array]:
    """Return the number of counted micronuclei in each cell, and their largest probability."""
    numbers, most = np.zeros(len(nuclei), np.int64), np.zeros(len(nuclei))
    counted = spots["counted"]
    np.add.at(numbers, parents.number[counted], 1)
    np.maximum.at(most, parents.number[counted], np.asarray(spots["probability"])[counted])
    return numbers, most


def _cells(
    field: Field,
    image: Array,
    nuclei: Objects,
    diameter: float,
    micronuclei: tuple[Array, Array],
    rules: Rules,
) -> dict[str, Any]:
    n_micronuclei, probability = micronuclei
    focus = quality.sharpness(nuclei, image, diameter)
    flags = _flags(nuclei, image, diameter, focus)
    flags["apoptotic"] = n_micronuclei > quality.MOST_MICRONUCLEI
    words = {name.replace("_", " "): flags[name] for name in quality.FLAGS if name in rules.exclude}
    excluded = _reasons(words) if words else np.full(len(nuclei), "")
    return {
        **of_field(field, len(nuclei)),
        "cell_id": nuclei.labels,
        **_place(nuclei, field),
        "solidity": solidities(nuclei),
        "mean_intensity": mean_intensities(nuclei, image),
        "n_micronuclei": n_micronuclei,
        "probability": probability,
        "focus": focus,
        **flags,
        "scored": excluded == "",
        "excluded": excluded,
    }


def _flags(nuclei: Objects, image: Array, diameter: float, focus: Array) -> dict[str, Array]:
    edge = quality.touches_edge(nuclei)
    small = quality.is_small(nuclei, diameter)
    usual = ~edge & ~small if (~edge & ~small).any() else ~small
    return {
        "edge": edge,
        "small": small,
        "out_of_focus": quality.is_blurred(focus, usual),
        "saturated": quality.is_saturated(nuclei, image),
        "crowded": quality.is_crowded(nuclei),
        "condensed": quality.is_condensed(nuclei, image, usual),
    }


def _reasons(flags: Mapping[str, Array]) -> Array:
    """Return the names of the flags set for each object, as one string."""
    names = list(flags)
    rows = np.stack(list(flags.values()), axis=1)
    return np.array(
        [BETWEEN.join(n for n, holds in zip(names, row, strict=True) if holds) for row in rows],
        np.str_,
    )
