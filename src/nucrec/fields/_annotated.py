"""Fields with manually outlined nuclei and micronuclei."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._text import many
from nucrec._validation import invalid
from nucrec.fields._field_set import FieldSet
from nucrec.fields._pixels import Mask
from nucrec.fields._shown import annotated_html

Array = npt.NDArray[Any]
Labels = npt.NDArray[np.int32]


class AnnotatedFields:
    """Fields of view with annotated nuclei, micronuclei, and the nucleus of each micronucleus.

    `load_mnfinder_fields` and `sample_fields` create it. Pixels and labels are read on access.

    Parameters
    ----------
    fields : FieldSet
        The fields.
    nuclei, micronuclei : sequence of Mask
        The source of the labels of each field.
    parents : sequence of dict of int to int
        For each field, a mapping from the label of each linked micronucleus to the label of its
        nucleus.
    metadata : mapping of str to ndarray of shape (n,)
        Further properties of each field, such as its cell line.

    Attributes
    ----------
    fields : FieldSet
        The fields.
    metadata : dict of str to ndarray of shape (n,)
        Further properties of each field, such as its cell line.

    Examples
    --------
    >>> from nucrec.fields import sample_fields
    >>> annotated = sample_fields()
    >>> len(annotated), annotated.metadata["cell_line"].tolist()
    (3, ['RPE-1', 'HeLa', 'MCC13'])
    >>> annotated.select([1]).fields.names
    ('hela-confocal-40x',)
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
        return f"AnnotatedFields({many(len(self), 'field')})"

    def _repr_html_(self) -> str:
        return annotated_html(self)

    def nuclei(self, i: int) -> Labels:
        """Return the label image of the nuclei of a field.

        Parameters
        ----------
        i : int
            The position of the field, counted from 0.

        Returns
        -------
        ndarray of shape (H, W), int32
            The label image: 0 for the background, and one label per nucleus.
        """
        return self._nuclei[i].read(self.fields[i].shape)

    def micronuclei(self, i: int) -> Labels:
        """Return the label image of the micronuclei of a field.

        Parameters
        ----------
        i : int
            The position of the field, counted from 0.

        Returns
        -------
        ndarray of shape (H, W), int32
            The label image: 0 for the background, and one label per micronucleus.
        """
        return self._micronuclei[i].read(self.fields[i].shape)

    def parents(self, i: int) -> dict[int, int]:
        """Return the nucleus of each micronucleus, as linked by the annotators.

        Parameters
        ----------
        i : int
            The position of the field, counted from 0.

        Returns
        -------
        dict of int to int
            A mapping from the label of each micronucleus to the label of its nucleus; micronuclei
            without a link are missing.
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
            The selected fields, in this order.

        Raises
        ------
        InvalidParameterError
            `which` is not such a sequence.
        """
        index = np.asarray(which)
        if index.ndim != 1 or (index.size and index.dtype.kind not in "bui"):
            raise invalid("which", "field positions, or one True or False per field", which)
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
