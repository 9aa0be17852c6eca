"""The card of a detector, and the properties of its training fields."""

from dataclasses import dataclass
from typing import ClassVar

from nucrec._card import Card

Range = tuple[float, float]


@dataclass(frozen=True)
class Seen:
    """The range of properties of the training fields.

    Attributes
    ----------
    diameter : tuple of float
        Smallest and largest nuclear diameter, in pixels.
    signal_to_noise : float
        Smallest contrast of nuclei to background, in units of the noise.
    sharpness : float
        Smallest steepness of nuclear edges, in units of nuclear brightness per pixel at the
        network's scale.
    """

    diameter: Range
    signal_to_noise: float
    sharpness: float


@dataclass(frozen=True)
class DetectorCard(Card):
    """The card of a detector, which describes its data, its use and its performance.

    Attributes
    ----------
    name : str
        The name of the detector.
    data : str
        The training data and their source.
    licence : str
        The licence of the data, and therefore of the weights.
    can, cannot : tuple of str
        The uses that the detector is meant for, and those it is not meant for.
    figures : tuple of dict
        The performance on held-out fields, one entry per table row.
    training : dict
        Settings, versions and date of the training.

    Examples
    --------
    >>> from nucrec.fields import DetectorCard
    >>> card = DetectorCard(name="HepG2, 40x", data="12 fields of our laboratory", licence="MIT")
    >>> print(card)
    Detector HepG2, 40x
    Data: 12 fields of our laboratory
    Licence: MIT
    """

    kind: ClassVar[str] = "Detector"
