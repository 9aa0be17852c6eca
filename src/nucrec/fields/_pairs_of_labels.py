"""Conversion of the user's detected and annotated objects to label images with parents."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._validation import invalid
from nucrec.fields._arrays import label_image
from nucrec.fields._assign import assign
from nucrec.fields._field_counts import LinkedObjects
from nucrec.fields._objects import Objects

Array = npt.NDArray[Any]

_EXPECTED = "label images (nuclei, micronuclei), and optionally the parents of the micronuclei"


def objects_of(name: str, item: Any) -> LinkedObjects:
    """Return the objects of one field.

    Parameters
    ----------
    name : str
        The name of the item in error messages.
    item : Detection, or tuple of 2 or 3 arrays
        The label images of nuclei and micronuclei, and optionally the label of the nucleus of each
        micronucleus, 0 for none, by ascending label or as a mapping. By default, micronuclei are
        assigned to the nucleus whose edge is nearest, as in `detect`.
    """
    if hasattr(item, "nuclei") and hasattr(item, "micronuclei"):
        item = (item.nuclei, item.micronuclei, getattr(item, "parents", None))
    if not isinstance(item, tuple | list) or len(item) not in (2, 3):
        raise invalid(name, _EXPECTED, type(item).__name__)
    nuclei, micronuclei = (
        label_image(f"{name}, {what}", image)
        for what, image in zip(("nuclei", "micronuclei"), item, strict=False)
    )
    if nuclei.shape != micronuclei.shape:
        shapes = f"{nuclei.shape} and {micronuclei.shape}"
        raise invalid(name, "label images of the same shape", shapes)
    given = item[2] if len(item) == 3 else None
    if given is None:
        return LinkedObjects(nuclei, micronuclei, *_nearest(nuclei, micronuclei))
    labels = np.unique(micronuclei[micronuclei > 0])
    return LinkedObjects(nuclei, micronuclei, labels, _parents(name, given, labels, nuclei))


def annotated(truth: Any) -> Iterator[tuple[str, Any]]:
    """Yield the name and the objects of each annotated field, with one in memory at a time."""
    if not hasattr(truth, "fields"):
        yield from ((str(i), item) for i, item in enumerate(truth))
        return
    for i, field in enumerate(truth.fields):
        yield field.name, (truth.nuclei(i), truth.micronuclei(i), truth.parents(i))


def _nearest(nuclei: Array, micronuclei: Array) -> tuple[Array, Array]:
    """Return the labels of the micronuclei, and of the nucleus with the nearest edge, 0 for none."""
    cells, spots = Objects.of(nuclei), Objects.of(micronuclei)
    number = assign(cells, spots, cells.median_diameter).number
    parents = np.zeros(len(spots), np.int64)
    parents[number >= 0] = cells.labels[number[number >= 0]]
    return spots.labels, parents


def _parents(
    name: str, given: Mapping[int, int] | Sequence[int] | Array, labels: Array, nuclei: Array
) -> Array:
    """Return the checked labels of the given parents."""
    if isinstance(given, Mapping):
        given = [given.get(label, 0) for label in labels.tolist()]
    parents = np.asarray(given, dtype=np.int64)
    if parents.shape != labels.shape:
        expected = f"one parent per micronucleus ({len(labels)})"
        raise invalid(f"{name}, parents", expected, f"shape {parents.shape}")
    unknown = np.setdiff1d(parents[parents > 0], nuclei)
    if unknown.size:
        raise invalid(f"{name}, parents", "labels of nuclei", int(unknown[0]))
    return parents
