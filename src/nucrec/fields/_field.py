"""A single field of view."""

from dataclasses import dataclass
from dataclasses import field as column
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec.fields._pixels import Mask, Pixels
from nucrec.fields._shown import field_html

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Field:
    """A field of view with its metadata. Its pixels are read on access.

    `load_fields` and `FieldSet.from_arrays` create it.

    Attributes
    ----------
    name : str
        The name of the field, unique within its set.
    file : str
        The file from which it is read.
    pixel_size : float or None
        Pixel size in um, if it is known.
    well : str or None
        The well, such as "B03".
    condition : str or None
        The treatment of the cells.
    dose : float or None
        The dose of the treatment.
    replicate : str or None
        The replicate of the experiment.

    Examples
    --------
    >>> import numpy as np
    >>> from nucrec.fields import FieldSet
    >>> field = FieldSet.from_arrays([np.zeros((300, 400), np.uint16)], pixel_size=0.65)[0]
    >>> field.name, field.pixel_size, field.has_mask
    ('1', 0.65, False)
    >>> field.read().shape
    (300, 400)
    """

    name: str
    file: str
    pixel_size: float | None = None
    well: str | None = None
    condition: str | None = None
    dose: float | None = None
    replicate: str | None = None
    _pixels: Pixels = column(repr=False)
    _mask: Mask | None = column(default=None, repr=False)

    def _repr_html_(self) -> str:
        return field_html(self)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self._pixels.shape

    @property
    def has_mask(self) -> bool:
        """Whether the field has a mask of its nuclei."""
        return self._mask is not None

    def read(self) -> Array:
        """Return the pixels of the field.

        Returns
        -------
        ndarray of shape (H, W), uint8, uint16 or float32
            The stored intensities, not rescaled; bright means much stain.

        Raises
        ------
        ImageError
            The file cannot be read. The message names the file and the reason.
        """
        return self._pixels.read()

    def labels(self) -> npt.NDArray[np.int32] | None:
        """Return the mask of the nuclei.

        Returns
        -------
        ndarray of shape (H, W), int32, or None
            The label image: 0 for the background, and the stored label of each nucleus. None if
            there is no mask.

        Raises
        ------
        ImageError
            The mask cannot be used. The message names the file and the reason.
        """
        return None if self._mask is None else self._mask.read(self.shape)

    def stamp(self) -> str:
        """Return a stamp that changes with pixels, mask and pixel size, without reading the pixels.

        Returns
        -------
        str
            Size and modification time of a file, or a checksum of an array.
        """
        mask = "" if self._mask is None else self._mask.stamp()
        return f"{self._pixels.stamp()} | {mask} | {self.pixel_size}"
