"""What a detector finds in one field."""

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as column
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from nucrec._validation import invalid
from nucrec.fields._arrays import label_image
from nucrec.fields._objects import Objects
from nucrec.fields._shown import detection_html

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Detection:
    """Nuclei and micronuclei found in one field.

    Parameters
    ----------
    nuclei : ndarray of shape (H, W), int32
        The label image of the nuclei: 0 is background, each nucleus has a number of its own. Labels
        of given masks are kept; others are 1 to n.
    micronuclei : ndarray of shape (H, W), int32
        The label image of the micronuclei, labels 1 to m.
    probability : ndarray of shape (m,), float32
        The probability of each micronucleus, in the order of the labels, from 0 to 1.
    diameter : float
        The median diameter of the nuclei, in pixels of the field; NaN where there are none.
    remarks : tuple of str
        What is unusual in the field: its scale, focus or contrast is far from all that the detector
        was trained on.

    Raises
    ------
    InvalidParameterError
        The label images differ in shape or are no label images, the labels of micronuclei have gaps,
        or there is not one probability for each micronucleus.

    Examples
    --------
    >>> import numpy as np
    >>> from nucrec.fields import Detection
    >>> nuclei = np.zeros((8, 12), np.int32)
    >>> nuclei[1:7, 1:7] = 1
    >>> micronuclei = np.zeros_like(nuclei)
    >>> micronuclei[3:5, 8:10] = 1
    >>> found = Detection(nuclei, micronuclei, np.array([0.9], np.float32), diameter=6.8)
    >>> found.n_nuclei, found.n_micronuclei
    (1, 1)
    """

    nuclei: Array
    micronuclei: Array
    probability: Array
    diameter: float
    remarks: tuple[str, ...] = ()
    _read: Callable[[], Array] | None = column(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in ("nuclei", "micronuclei"):
            object.__setattr__(self, name, label_image(name, getattr(self, name)))
        if self.nuclei.shape != self.micronuclei.shape:
            raise invalid("micronuclei", f"the shape {self.nuclei.shape}", self.micronuclei.shape)
        n = len(Objects.of(self.micronuclei))
        if n != self.n_micronuclei:
            expected = f"the labels 1 to {n} for {n} micronuclei"
            raise invalid("micronuclei", expected, f"labels up to {self.n_micronuclei}")
        probability = np.asarray(self.probability)
        if probability.shape != (self.n_micronuclei,):
            expected = f"one probability for each of {self.n_micronuclei} micronuclei"
            raise invalid("probability", expected, f"shape {probability.shape}")
        if not ((probability >= 0) & (probability <= 1)).all():  # nor NaN
            raise invalid("probability", "values from 0 to 1", probability)

    def __repr__(self) -> str:
        height, width = self.nuclei.shape
        found = f"{self.n_nuclei} nuclei, {self.n_micronuclei} micronuclei"
        return f"Detection({found}, in {width} x {height} pixels)"

    def _repr_html_(self) -> str:
        return detection_html(self)

    @property
    def n_nuclei(self) -> int:
        """The number of nuclei."""
        return len(Objects.of(self.nuclei))

    @property
    def n_micronuclei(self) -> int:
        """The number of micronuclei."""
        return int(self.micronuclei.max(initial=0))


class Detector(Protocol):
    """Anything that finds nuclei and micronuclei in a field.

    `FieldDetector` is one. A detector with an attribute ``fingerprint``, a text that differs for
    detectors that find different things, lets `detect` refuse to mix their results in a folder.
    """

    def predict(
        self, field: Any, *, pixel_size: float | None = None, nuclei: Array | None = None
    ) -> Detection:
        """Return what is found in a field.

        Parameters
        ----------
        field : Field or ndarray of shape (H, W)
            The field, or its pixels.
        pixel_size : float, optional
            Micrometres per pixel, of an array.
        nuclei : ndarray of shape (H, W), int32, optional
            The label image of the nuclei, where it is known; its labels are kept.
        """
