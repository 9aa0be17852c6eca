"""Label images of a detection, from files or, if there are none, from the detector again."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._files import make_folder
from nucrec._reading.decode import decode
from nucrec.errors import ImageError, NucrecError
from nucrec.fields._detection import Detector
from nucrec.fields._field import Field
from nucrec.fields._label_files import write_labels
from nucrec.fields._plate import label_files

Array = npt.NDArray[Any]


class FoundLabels:
    """Provide the label images of fields, as `detect` writes them.

    Parameters
    ----------
    out : Path
        The folder of the results.
    detector : Detector or None
        The detector to use if a file is missing.
    masks : bool
        Whether the masks of fields were used.
    """

    def __init__(self, out: Path, detector: Detector | None, *, masks: bool) -> None:
        self._out = out
        self._detector = detector
        self._masks = masks

    def of(self, field: Field) -> tuple[Array, Array]:
        """Return the nuclei and micronuclei of a field."""
        try:
            nuclei, micronuclei = map(_read, label_files(self._out, field).values())
        except (OSError, ImageError):
            return self._find(field)
        return nuclei, micronuclei

    def _find(self, field: Field) -> tuple[Array, Array]:
        if self._detector is None:
            raise NucrecError(
                f"{self._out}: no label images of {field.name}. Pass the detector, or write "
                "them with detect(..., write_labels=True)."
            )
        found = self._detector.predict(field, nuclei=field.labels() if self._masks else None)
        for kind, path in label_files(self._out, field).items():
            make_folder(path.parent)
            write_labels(path, getattr(found, kind))
        return found.nuclei, found.micronuclei


def _read(path: Path) -> Array:
    return decode(path.read_bytes(), path.name, None).array.astype(np.int32)
