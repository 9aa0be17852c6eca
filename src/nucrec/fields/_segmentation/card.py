"""What a detector says of itself: its data, what it can and cannot, and what fields it knows."""

import html
from dataclasses import asdict, dataclass, field
from typing import Any

from nucrec._text import text_table
from nucrec._validation import invalid

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
class DetectorCard:
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

    name: str = "own"
    data: str = ""
    licence: str = ""
    can: tuple[str, ...] = ()
    cannot: tuple[str, ...] = ()
    figures: tuple[dict[str, Any], ...] = ()
    training: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the card as numbers, texts, lists and dicts, such as JSON holds."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "DetectorCard":
        """Return the card of `to_dict`, or of a JSON file.

        Raises
        ------
        InvalidParameterError
            It has entries that a card does not have.
        """
        unknown = sorted(set(values) - set(cls.__dataclass_fields__))
        if unknown:
            raise invalid("values", f"entries of {list(cls.__dataclass_fields__)}", unknown)
        lists = {key: tuple(values.get(key, ())) for key in ("can", "cannot", "figures")}
        return cls(**{**values, **lists})

    def __str__(self) -> str:
        parts = [f"Detector {self.name}"]
        parts += [f"{title}: {text}" for title, text in self._texts() if text]
        if self.figures:
            header = tuple(self.figures[0])
            parts.append(
                text_table(header, [tuple(map(str, row.values())) for row in self.figures])
            )
        return "\n".join(parts)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"

    def _texts(self) -> list[tuple[str, str]]:
        training = ", ".join(f"{key} {value}" for key, value in self.training.items())
        return [
            ("Data", self.data),
            ("Licence", self.licence),
            ("Can", "; ".join(self.can)),
            ("Cannot", "; ".join(self.cannot)),
            ("Training", training),
        ]
