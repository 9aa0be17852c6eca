"""Fields whose nuclei and micronuclei people have outlined."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._validation import invalid
from nucrec.fields._field_set import FieldSet
from nucrec.fields._pixels import Mask
from nucrec.fields._shown import annotated_html

Array = npt.NDArray[Any]
Labels = npt.NDArray[np.int32]


class AnnotatedFields:
    """Fields of view with nuclei, micronuclei, and which micronucleus belongs to which nucleus.

    Made by `load_mnfinder_fields` and `sample_fields`; pixels and labels are read when asked for.

    Parameters
    ----------
    fields : FieldSet
        The fields.
    nuclei, micronuclei : sequence of Mask
        Where the labels of each field come from.
    parents : sequence of dict of int to int
        For each field, the label of the nucleus of each micronucleus whose nucleus is known.
    metadata : mapping of str to ndarray of shape (n,)
        What else is known of each field, such as its cell line.

    Attributes
    ----------
    fields : FieldSet
        The fields.
    metadata : dict of str to ndarray of shape (n,)
        What else is known of each field.
    """

    def __init__(
        self,
        fields: FieldSet,
        nuclei: Sequence[Mask],
        micronuclei: Sequence[Mask],
        parents: Sequence[Mapping[int, int]],
        metadata: Mapping[str, Array],
    ) -> None:
        self.fields = fields
        self.metadata = dict(metadata)
        self._nuclei = tuple(nuclei)
        self._micronuclei = tuple(micronuclei)
        self._parents = tuple(dict(each) for each in parents)

    def __len__(self) -> int:
        return len(self.fields)

    def __repr__(self) -> str:
        return f"AnnotatedFields({len(self)} fields)"

    def _repr_html_(self) -> str:
        return annotated_html(self)

    def nuclei(self, i: int) -> Labels:
        """Return the nuclei of a field.

        Parameters
        ----------
        i : int
            Which field, from 0.

        Returns
        -------
        ndarray of shape (H, W), int32
            0 for the background, and one number for each nucleus.
        """
        return self._nuclei[i].read(self.fields[i].shape)

    def micronuclei(self, i: int) -> Labels:
        """Return the micronuclei of a field.

        Parameters
        ----------
        i : int
            Which field, from 0.

        Returns
        -------
        ndarray of shape (H, W), int32
            0 for the background, and one number for each micronucleus.
        """
        return self._micronuclei[i].read(self.fields[i].shape)

    def parents(self, i: int) -> dict[int, int]:
        """Return which micronucleus belongs to which nucleus, as the annotators linked them.

        Parameters
        ----------
        i : int
            Which field, from 0.

        Returns
        -------
        dict of int to int
            For the label of a micronucleus the label of its nucleus; those that are not linked are
            missing.
        """
        return dict(self._parents[i])

    def select(self, which: Sequence[int] | Sequence[bool] | Array) -> "AnnotatedFields":
        """Return some of the fields, such as all but those of one cell line.

        Parameters
        ----------
        which : sequence of int, or of bool for each field
            The fields to keep.

        Returns
        -------
        AnnotatedFields
            Those fields, in this order.

        Raises
        ------
        InvalidParameterError
            `which` is neither.
        """
        index = np.asarray(which)
        if index.ndim != 1 or (index.size and index.dtype.kind not in "bui"):
            raise invalid("which", "numbers of fields, or True or False for each", which)
        kept = np.arange(len(self))[index if index.size else index.astype(int)].tolist()
        return AnnotatedFields(
            FieldSet([self.fields[i] for i in kept]),
            [self._nuclei[i] for i in kept],
            [self._micronuclei[i] for i in kept],
            [self._parents[i] for i in kept],
            {name: values[kept] for name, values in self.metadata.items()},
        )

    def __iter__(self) -> Iterator[tuple[Array, Labels, Labels]]:
        for i, field in enumerate(self.fields):
            yield field.read(), self.nuclei(i), self.micronuclei(i)
