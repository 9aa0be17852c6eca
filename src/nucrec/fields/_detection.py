"""The result of a detector for one field."""

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
    """The nuclei and micronuclei found in one field.

    Parameters
    ----------
    nuclei : ndarray of shape (H, W), int32
        The label image of the nuclei: 0 for the background, and one label per nucleus. Labels of
        given masks are kept; others are 1 to n.
    micronuclei : ndarray of shape (H, W), int32
        The label image of the micronuclei, labels 1 to m.
    probability : ndarray of shape (m,), float32
        The probability of each micronucleus, in the order of the labels, from 0 to 1.
    diameter : float
        The median diameter of the nuclei, in pixels of the field; NaN if there are none.
    remarks : tuple of str
        Unusual properties of the field, such as a scale, focus or contrast outside the range of the
        detector's training fields.

    Raises
    ------
    InvalidParameterError
        The label images differ in shape or are invalid, the labels of micronuclei have gaps, or the
        number of probabilities differs from that of micronuclei.

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
        if not ((probability >= 0) & (probability <= 1)).all():  # also false for NaN
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
    """The interface of a detector of nuclei and micronuclei.

    `FieldDetector` implements it. If a detector has an attribute ``fingerprint``, a string that differs
    between detectors with different results, `detect` refuses to mix their results in one folder.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import ndimage
    >>> from nucrec.fields import Detection, Detector
    >>> class Threshold:
    ...     def predict(self, field, *, pixel_size=None, nuclei=None):
    ...         labels, _ = ndimage.label(np.asarray(field) > 100)
    ...         return Detection(labels, np.zeros_like(labels), np.zeros(0), diameter=20.0)
    >>> detector: Detector = Threshold()
    >>> image = np.zeros((40, 60))
    >>> image[5:25, 5:25] = image[10:30, 35:55] = 200
    >>> detector.predict(image).n_nuclei
    2
    """

    def predict(
        self, field: Any, *, pixel_size: float | None = None, nuclei: Array | None = None
    ) -> Detection:
        """Return the nuclei and micronuclei found in a field.

        Parameters
        ----------
        field : Field or ndarray of shape (H, W)
            The field, or its pixels.
        pixel_size : float, optional
            Micrometres per pixel, for an array.
        nuclei : ndarray of shape (H, W), int32, optional
            The label image of the nuclei, if it is known; its labels are kept.

        Returns
        -------
        Detection
            The label images and the probability of each micronucleus.
        """
