"""A set of fields of view that belong together."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from nucrec._reading.listing import Quarantined
from nucrec._text import many
from nucrec._validation import check_finite, check_real, check_unmasked, invalid
from nucrec.fields._arrays import described, label_image
from nucrec.fields._field import Field
from nucrec.fields._pixels import ArrayMask, ArrayPixels, native_depth
from nucrec.fields._shown import fields_html

Array = npt.NDArray[Any]

_SHOWN = 3  # files that were left out, in a notebook


class FieldSet(Sequence[Field]):
    """A sequence of fields of view, such as those of a plate, in the order of their names.

    `load_fields` and `FieldSet.from_arrays` create it. A slice is a FieldSet, too.

    Parameters
    ----------
    fields : sequence of Field
        The fields, with unique names.
    quarantined : sequence of Quarantined
        Files that were left out, each with its name and the reason.
    remarks : sequence of str
        Remarks on the set as a whole.

    Attributes
    ----------
    quarantined : tuple of Quarantined
        Files that were left out, each with its name and the reason.
    remarks : tuple of str
        Remarks on the set as a whole.

    Raises
    ------
    InvalidParameterError
        Two fields have the same name.

    Examples
    --------
    >>> import numpy as np
    >>> from nucrec.fields import FieldSet
    >>> fields = FieldSet.from_arrays(np.zeros((3, 200, 300), np.uint8), names=["a", "b", "c"])
    >>> fields[1:].names, fields[0].shape
    (('b', 'c'), (200, 300))
    """

    quarantined: tuple[Quarantined, ...]
    remarks: tuple[str, ...]

    def __init__(
        self,
        fields: Iterable[Field],
        quarantined: Iterable[Quarantined] = (),
        remarks: Iterable[str] = (),
    ) -> None:
        self._fields = tuple(fields)
        self.quarantined = tuple(quarantined)
        self.remarks = tuple(remarks)
        counts = Counter(field.name for field in self._fields)
        twice = [name for name, count in counts.items() if count > 1]
        if twice:
            raise invalid("fields", "fields with unique names", f"{twice[0]!r} more than once")

    @classmethod
    def from_arrays(
        cls,
        images: Sequence[npt.ArrayLike] | Array,
        names: Sequence[str] | None = None,
        masks: Sequence[npt.ArrayLike | None] | Array | None = None,
        pixel_size: float | None = None,
    ) -> "FieldSet":
        """Create a set of fields from pixels in memory.

        Parameters
        ----------
        images : sequence of array_like of shape (H, W), or ndarray of shape (n, H, W)
            Real, finite intensities; bright means much stain.
        names : sequence of str, optional
            Names of the fields; by default "1", "2", ...
        masks : sequence of (array_like of shape (H, W) or None), optional
            Label image of the nuclei of each field: 0 for the background, and one label per
            nucleus.
        pixel_size : float, optional
            Pixel size in um.

        Returns
        -------
        FieldSet
            The fields, in the order of `images`.

        Raises
        ------
        InvalidParameterError
            An image is not a real, finite array of shape (H, W), a mask does not hold whole
            numbers, the numbers of images, names and masks differ, or a name is not a string, is
            empty or occurs twice.
        """
        for parameter, values in (("names", names), ("masks", masks)):
            if values is not None and len(values) != len(images):
                raise invalid(parameter, f"one per image ({len(images)} images)", len(values))
        if pixel_size is not None:
            check_real("pixel_size", pixel_size, low=0, high=1000, open_ends=True)
        called = _called(names, len(images))
        arrays = [_checked_image(f"images[{i}]", image) for i, image in enumerate(images)]
        labels = [None] * len(arrays) if masks is None else list(masks)
        return cls(
            Field(
                name=name,
                file=name,
                pixel_size=pixel_size,
                _pixels=ArrayPixels(array),
                _mask=None if mask is None else ArrayMask(_checked_mask(f"masks[{i}]", mask), name),
            )
            for i, (name, array, mask) in enumerate(zip(called, arrays, labels, strict=True))
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each field."""
        return tuple(field.name for field in self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    @overload
    def __getitem__(self, index: int) -> Field: ...
    @overload
    def __getitem__(self, index: slice) -> "FieldSet": ...
    def __getitem__(self, index: int | slice) -> "Field | FieldSet":
        if isinstance(index, slice):
            return FieldSet(self._fields[index], self.quarantined, self.remarks)
        return self._fields[index]

    def __repr__(self) -> str:
        wells = {field.well for field in self._fields} - {None}
        facts = [many(len(self), "field")]
        facts += [many(len(wells), "well")] if wells else []
        facts += [f"{len(self.quarantined)} left out"] if self.quarantined else []
        return f"FieldSet({', '.join(facts)})"

    def _repr_html_(self) -> str:
        left_out = [f"Left out: {name}: {reason}" for name, reason in self.quarantined[:_SHOWN]]
        return fields_html(repr(self), self._fields, *self.remarks, *left_out)


def _called(names: Sequence[str] | None, n: int) -> list[str]:
    """Return the names of the fields: "1", "2", ... or the given names, checked."""
    if names is None:
        return [str(i + 1) for i in range(n)]
    if isinstance(names, str):
        raise invalid("names", "a list of strings", names)
    for i, name in enumerate(names):
        if not isinstance(name, str) or not name.strip():
            raise invalid(f"names[{i}]", "a non-empty string", name)
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise invalid("unique names", "different names", f"{twice[0]!r} more than once")
    return list(names)


def _checked_image(name: str, image: npt.ArrayLike) -> Array:
    check_unmasked(name, image)
    array = np.asarray(image)
    if array.ndim != 2 or not array.size or array.dtype.kind not in "uif":
        raise invalid(name, "a real array of shape (H, W)", described(array))
    check_finite(name, array)
    array = np.array(native_depth(array))
    array.setflags(write=False)
    return array


def _checked_mask(name: str, mask: npt.ArrayLike) -> npt.NDArray[np.int32]:
    labels = label_image(name, mask).copy()
    labels.setflags(write=False)
    return labels
