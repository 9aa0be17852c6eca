"""The label images of what was found, from files where they are, else from the detector again."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._reading.decode import decode
from nucrec.errors import ImageError, NucrecError
from nucrec.fields._detection import Detector
from nucrec.fields._field import Field
from nucrec.fields._label_files import write_labels
from nucrec.fields._plate import file_name

Array = npt.NDArray[Any]

FOLDER = "labels"
_KINDS = ("nuclei", "micronuclei")


class FoundLabels:
    """Gives the label images of fields, as `detect` writes them.

    Parameters
    ----------
    out : Path
        The folder of the results.
    detector : Detector or None
        What is asked where a file is missing.
    masks : bool
        Whether the masks of fields were used.
    """

    def __init__(self, out: Path, detector: Detector | None, *, masks: bool) -> None:
        self._folder = out / FOLDER
        self._detector = detector
        self._masks = masks

    def of(self, field: Field) -> tuple[Array, Array]:
        """Return the nuclei and micronuclei of a field."""
        try:
            nuclei, micronuclei = map(_read, self.files(field))
        except (OSError, ImageError):
            return self._find(field)
        return nuclei, micronuclei

    def files(self, field: Field) -> tuple[Path, Path]:
        """Return the files of the nuclei and micronuclei of a field."""
        nuclei, micronuclei = (self._folder / f"{file_name(field.name)}_{k}.tif" for k in _KINDS)
        return nuclei, micronuclei

    def _find(self, field: Field) -> tuple[Array, Array]:
        if self._detector is None:
            raise NucrecError(
                f"{self._folder}: no label images of {field.name}. Pass the detector, or write them by "
                "detect(..., write_labels=True)."
            )
        found = self._detector.predict(field, nuclei=field.labels() if self._masks else None)
        self._folder.mkdir(parents=True, exist_ok=True)
        for path, labels in zip(self.files(field), (found.nuclei, found.micronuclei), strict=True):
            write_labels(path, labels)
        return found.nuclei, found.micronuclei


def _read(path: Path) -> Array:
    return decode(path.read_bytes(), path.name, None).array.astype(np.int32)
