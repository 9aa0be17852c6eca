"""What a detector says of itself, and what fields it knows."""

from dataclasses import dataclass
from typing import ClassVar

from nucrec._card import Card

Range = tuple[float, float]


@dataclass(frozen=True)
class Seen:
    """What the fields of a training were like.

    Attributes
    ----------
    diameter : tuple of float
        Smallest and largest nuclear diameter, in pixels.
    signal_to_noise : float
        The smallest: how many times the noise the nuclei rise above the background.
    sharpness : float
        The smallest: how steep the edges of nuclei are, in their brightness per pixel at the scale
        of the network.
    """

    diameter: Range
    signal_to_noise: float
    sharpness: float


@dataclass(frozen=True)
class DetectorCard(Card):
    """The card of a detector.

    Attributes
    ----------
    name : str
        What it is called.
    data : str
        What it was trained on, and where that comes from.
    licence : str
        Of the data and so of the weights.
    can, cannot : tuple of str
        What it is for, and what it is not for.
    figures : tuple of dict
        How well it did on fields left out: one entry for each row.
    training : dict
        Settings, versions and date.
    """

    kind: ClassVar[str] = "Detector"
