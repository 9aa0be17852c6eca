"""What a trained network says of itself: its data, what it can and cannot, and how well it did."""

import dataclasses
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Self

from nucrec import _notebook as show
from nucrec._text import Row, printable, text_table
from nucrec._validation import invalid


@dataclass(frozen=True)
class Card:
    """The card of a network; subclasses say of which kind.

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
        How well it did on images left out: one entry for each row.
    training : dict
        Settings, versions and date.
    """

    kind: ClassVar[str] = "Network"

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
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Return the card of `to_dict`, or of a JSON file.

        Raises
        ------
        InvalidParameterError
            It has entries that a card does not have.
        """
        unknown = sorted(set(values) - {entry.name for entry in dataclasses.fields(cls)})
        if unknown:
            known = [entry.name for entry in dataclasses.fields(cls)]
            raise invalid("values", f"entries of {known}", unknown)
        lists = {key: tuple(values.get(key, ())) for key in ("can", "cannot", "figures")}
        return cls(**{**values, **lists})

    def __str__(self) -> str:
        parts = [f"{self.kind} {printable(self.name)}"]
        parts += [f"{title}: {printable(text)}" for title, text in self._texts() if text]
        if self.figures:
            parts.append(text_table(*self._table()))
        return "\n".join(parts)

    def _repr_html_(self) -> str:
        texts = [(title, text) for title, text in self._texts() if text]
        header, rows = self._table()
        figures = show.table(header, rows) if rows else ""
        return show.fragment(show.heading(f"{self.kind} {self.name}"), show.facts(texts), figures)

    def _table(self) -> tuple[Row, list[Row]]:
        """Return the figures as text."""
        header = tuple(self.figures[0]) if self.figures else ()
        return header, [[str(row.get(name, "")) for name in header] for row in self.figures]

    def _texts(self) -> list[tuple[str, str]]:
        training = ", ".join(f"{key} {value}" for key, value in self.training.items())
        return [
            ("Data", self.data),
            ("Licence", self.licence),
            ("Can", "; ".join(self.can)),
            ("Cannot", "; ".join(self.cannot)),
            ("Training", training),
        ]
