"""Counts of a comparison between detected and annotated objects in one field."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nucrec._notebook import Facts
from nucrec.fields._matching import areas_of, match

Array = npt.NDArray[Any]

NUCLEI_IOU = 0.5
MICRONUCLEI_IOU = 0.1


class LinkedObjects(NamedTuple):
    """The nuclei and micronuclei of a field.

    Attributes
    ----------
    nuclei, micronuclei : ndarray of int, shape (H, W)
        Label images.
    labels : ndarray of int, shape (n_micronuclei,)
        The labels of the micronuclei, ascending.
    parents : ndarray of int, shape (n_micronuclei,)
        The label of the nucleus of each micronucleus; 0 for none.
    """

    nuclei: Array
    micronuclei: Array
    labels: Array
    parents: Array


@dataclass(frozen=True)
class FieldCounts(Facts):
    """The counts of detected, annotated and matching objects in one field.

    Attributes
    ----------
    field : str
        The name of the field.
    nuclei_found, nuclei_annotated, nuclei_matched : int
        Numbers of nuclei; matched ones have an intersection over union of at least 0.5.
    micronuclei_found, micronuclei_annotated, micronuclei_matched : int
        Numbers of micronuclei, matched one to one with an intersection over union of at least 0.1.
    parents_known, parents_right : int
        Number of matched micronuclei with an annotated nucleus, and of those assigned to the detected
        nucleus that matches it.
    positive_found, positive_annotated : int
        Micronucleated cells: nuclei with at least one micronucleus.
    with_micronucleus, called_with : int
        Number of detected annotated nuclei with a micronucleus, and of those called micronucleated.
    without_micronucleus, called_without : int
        Number of detected annotated nuclei without a micronucleus, and of those called not
        micronucleated.
    false_by_artefact : int
        Number of the remaining, false-positive nuclei with at least one micronucleus that matches no
        annotated one. The others were assigned the micronucleus of a neighbour.

    Examples
    --------
    >>> import numpy as np
    >>> from nucrec.fields import evaluate_fields
    >>> nuclei, micronuclei = np.zeros((2, 40, 40), int)
    >>> nuclei[5:20, 5:20], micronuclei[21:24, 10:13] = 1, 1
    >>> report = evaluate_fields([(nuclei, 0 * micronuclei)], [(nuclei, micronuclei)])
    >>> counts = report.fields[0]
    >>> counts.nuclei_matched, counts.micronuclei_found, counts.micronuclei_annotated
    (1, 0, 1)
    >>> counts.rate_found, counts.rate_annotated
    (0.0, 1000.0)
    """

    field: str
    nuclei_found: int
    nuclei_annotated: int
    nuclei_matched: int
    micronuclei_found: int
    micronuclei_annotated: int
    micronuclei_matched: int
    parents_known: int
    parents_right: int
    positive_found: int
    positive_annotated: int
    with_micronucleus: int
    called_with: int
    without_micronucleus: int
    called_without: int
    false_by_artefact: int

    @property
    def rate_found(self) -> float:
        """Micronucleated cells found per 1000 nuclei found; NaN without nuclei."""
        return _per_1000(self.positive_found, self.nuclei_found)

    @property
    def rate_annotated(self) -> float:
        """Micronucleated cells annotated per 1000 nuclei annotated; NaN without nuclei."""
        return _per_1000(self.positive_annotated, self.nuclei_annotated)


def count_field(name: str, found: LinkedObjects, truth: LinkedObjects) -> FieldCounts:
    """Compare the objects found in a field with its annotation."""
    nuclei = match(found.nuclei, truth.nuclei, NUCLEI_IOU)
    micronuclei = match(found.micronuclei, truth.micronuclei, MICRONUCLEI_IOU)
    n_found, n_annotated = (len(areas_of(each.nuclei)[0]) for each in (found, truth))
    called, positive = (_positive(each) for each in (found, truth))
    is_called, is_positive = np.isin(nuclei[0], called), np.isin(nuclei[1], positive)
    by_artefact = found.parents[~np.isin(found.labels, micronuclei[0])]
    known, right = _parents(found, truth, nuclei, micronuclei)
    return FieldCounts(
        field=name,
        nuclei_found=n_found,
        nuclei_annotated=n_annotated,
        nuclei_matched=len(nuclei[0]),
        micronuclei_found=len(found.labels),
        micronuclei_annotated=len(truth.labels),
        micronuclei_matched=len(micronuclei[0]),
        parents_known=known,
        parents_right=right,
        positive_found=len(called),
        positive_annotated=len(positive),
        with_micronucleus=int(is_positive.sum()),
        called_with=int((is_positive & is_called).sum()),
        without_micronucleus=int((~is_positive).sum()),
        called_without=int((~is_positive & ~is_called).sum()),
        false_by_artefact=int((~is_positive & np.isin(nuclei[0], by_artefact)).sum()),
    )


def _positive(objects: LinkedObjects) -> Array:
    """Return the labels of the nuclei with a micronucleus."""
    return np.unique(objects.parents[objects.parents > 0])


def _parents(
    found: LinkedObjects,
    truth: LinkedObjects,
    nuclei: tuple[Array, Array],
    micronuclei: tuple[Array, Array],
) -> tuple[int, int]:
    """Return how many matched micronuclei have an annotated parent, and how many the correct one."""
    annotated = _look_up(truth.labels, truth.parents, micronuclei[1])
    given = _look_up(found.labels, found.parents, micronuclei[0])
    known = annotated > 0
    right = known & (_look_up(*nuclei, given) == annotated)
    return int(known.sum()), int(right.sum())


def _look_up(keys: Array, values: Array, wanted: Array) -> Array:
    """Return the values of the wanted keys, which are sorted; 0 for missing keys."""
    if not len(keys):
        return np.zeros(len(wanted), np.int64)
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, values[at], 0)


def _per_1000(part: int, whole: int) -> float:
    return 1000 * part / whole if whole else float("nan")
