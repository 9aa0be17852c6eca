"""Validation of the user's fields and label images, and their preparation for training."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._validation import check_unmasked, invalid
from nucrec.fields._arrays import check_pixels, label_image
from nucrec.fields._field import Field
from nucrec.fields._segmentation.card import Seen
from nucrec.fields._segmentation.look import edges_of, measure_sharpness
from nucrec.fields._segmentation.sampling import Sample, make_sample

Array = npt.NDArray[Any]

_BALANCE = 0.6
"""A group of n fields is drawn n**0.4 times as often as one of a single field."""


def pixels_of(field: Any) -> Array:
    """Return the checked pixels of a field."""
    if isinstance(field, Field):
        name, pixels = field.name, field.read()
    else:
        check_unmasked("field", field)
        name, pixels = "field", np.asarray(field)
    check_pixels(name, pixels)
    return pixels


def samples_of(
    fields: Iterable[Any], nuclei: Iterable[Array], micronuclei: Iterable[Array]
) -> tuple[list[Sample], Seen]:
    """Return the samples of annotated fields, and the range of their properties."""
    samples, diameters, signals, sharpness = [], [], [], []
    triples = zip(fields, nuclei, micronuclei, strict=True)
    for i, (field, each_nuclei, each_micronuclei) in enumerate(triples):
        pixels = pixels_of(field)
        whole = label_image(f"nuclei[{i}]", each_nuclei, pixels.shape)
        small = label_image(f"micronuclei[{i}]", each_micronuclei, pixels.shape)
        if not whole.any():
            raise invalid(f"nuclei[{i}]", "a label image with nuclei", "an empty one")
        sample = make_sample(pixels, whole, small)
        samples.append(sample)
        diameters.append(sample.diameter)
        signals.append(sample.signal_to_noise)
        inside = sample.nuclei > 0
        sharpness.append(measure_sharpness(sample.image, inside, edges_of(inside)))
    if not samples:
        raise invalid("fields", "at least one annotated field", "none")
    seen = Seen((min(diameters), max(diameters)), min(signals), min(sharpness))
    return samples, seen


def drawing_weights(groups: Sequence[Any] | None, n: int) -> Array:
    """Return the sampling weight of each of n fields, which favours small groups; sums to 1."""
    if groups is None:
        return np.full(n, 1 / n)
    if len(groups) != n:
        raise invalid("groups", f"one group per field ({n} fields)", f"{len(groups)}")
    _, group, counts = np.unique(np.asarray(groups, str), return_inverse=True, return_counts=True)
    weights = 1.0 / counts[group] ** _BALANCE
    return np.asarray(weights / weights.sum())
