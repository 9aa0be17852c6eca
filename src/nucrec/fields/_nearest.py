"""The nucleus whose edge is nearest to each micronucleus."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def nearest_nuclei(nuclei: Array, micronuclei: Array) -> tuple[Array, Array]:
    """Return the labels of the micronuclei, and of the nucleus nearest to each; 0 without nuclei.

    The distance is that between the closest pixels of both, and 0 where they overlap.
    """
    from scipy import ndimage

    labels = np.unique(micronuclei[micronuclei > 0])
    if not labels.size or not nuclei.any():
        return labels, np.zeros(len(labels), np.int64)
    distances, (rows, columns) = ndimage.distance_transform_edt(nuclei == 0, return_indices=True)
    inside = micronuclei > 0
    number = np.searchsorted(labels, micronuclei[inside])
    order = np.lexsort((distances[inside], number))
    first = np.searchsorted(number[order], np.arange(len(labels)))
    parents = nuclei[rows[inside], columns[inside]][order][first]
    return labels, parents.astype(np.int64)
