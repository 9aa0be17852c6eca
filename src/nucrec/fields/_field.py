"""One field of view."""

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
    """One field of view, and what is known of it; its pixels are read when they are asked for.

    Made by `load_fields` and `FieldSet.from_arrays`.

    Attributes
    ----------
    name : str
        What the field is called; no other field of a set has this name.
    file : str
        The file that it is read from.
    pixel_size : float or None
        Side of a pixel in um, if it is known.
    well : str or None
        The well, such as "B03".
    condition : str or None
        What the cells were treated with.
    dose : float or None
        How much of it.
    replicate : str or None
        Which repetition of the experiment.

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
        """Whether a mask of its nuclei was given."""
        return self._mask is not None

    def read(self) -> Array:
        """Return the pixels.

        Returns
        -------
        ndarray of shape (H, W), uint8, uint16 or float32
            The intensities as the file holds them, not rescaled; bright is much stain.

        Raises
        ------
        ImageError
            The file cannot be read. The message names it and says why.
        """
        return self._pixels.read()

    def labels(self) -> npt.NDArray[np.int32] | None:
        """Return the mask of its nuclei.

        Returns
        -------
        ndarray of shape (H, W), int32, or None
            0 for the background, and the number of each nucleus as the file gives it; None if no
            mask was given.

        Raises
        ------
        ImageError
            The mask cannot be used. The message names the file and says why.
        """
        return None if self._mask is None else self._mask.read(self.shape)

    def stamp(self) -> str:
        """Return what tells whether pixels, mask or pixel size have changed, without reading files.

        Returns
        -------
        str
            Of a file its size and the time of its change, of an array a checksum.
        """
        mask = "" if self._mask is None else self._mask.stamp()
        return f"{self._pixels.stamp()} | {mask} | {self.pixel_size}"
