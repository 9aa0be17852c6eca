"""The card of a trained network: its data, its purpose and limits, and its performance."""

import dataclasses
from collections.abc import Callable, Sequence
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
        Licence of the data, and therefore of the weights.
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
            It has entries that a card does not have, or entries of another kind.
        """
        _check_entries(values, [entry.name for entry in dataclasses.fields(cls)])
        lists = {key: tuple(values.get(key, ())) for key in ("can", "cannot", "figures")}
        return cls(**{**values, **lists})

    def __str__(self) -> str:
        parts = [f"{self.kind} {printable(self.name)}"]
        parts += [f"{title}: {printable(text)}" for title, text in self._texts() if text]
        if self.figures:
            parts.append(text_table(*figures_table(self.figures)))
        return "\n".join(parts)

    def _repr_html_(self) -> str:
        texts = [(title, text) for title, text in self._texts() if text]
        header, rows = figures_table(self.figures)
        figures = show.table(header, rows) if rows else ""
        return show.fragment(show.heading(f"{self.kind} {self.name}"), show.facts(texts), figures)

    def _texts(self) -> list[tuple[str, str]]:
        training = ", ".join(f"{key} {value}" for key, value in self.training.items())
        return [
            ("Data", self.data),
            ("Licence", self.licence),
            ("For", "; ".join(self.can)),
            ("Not for", "; ".join(self.cannot)),
            ("Training", training),
        ]


def figures_table(figures: Sequence[dict[str, Any]]) -> tuple[Row, list[Row]]:
    """Return the header and the rows of a card's figures, as text."""
    header = tuple(figures[0]) if figures else ()
    return header, [[str(row.get(name, "")) for name in header] for row in figures]


def _check_entries(values: object, known: Sequence[str]) -> None:
    if not isinstance(values, dict):
        raise invalid("values", f"a dict with entries of {known}", values)
    unknown = sorted(set(values) - set(known), key=str)
    if unknown:
        raise invalid("values", f"entries of {known}", unknown)
    for name, value in values.items():
        expected, is_kind = _KINDS[name]
        if not is_kind(value):
            raise invalid(f"values[{name!r}]", expected, value)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _are_texts(value: object) -> bool:
    return isinstance(value, list | tuple) and all(map(_is_text, value))


def _are_rows(value: object) -> bool:
    if not isinstance(value, list | tuple):
        return False
    return all(isinstance(row, dict) and row for row in value)


def _is_dict(value: object) -> bool:
    return isinstance(value, dict)


_TEXT = ("a text", _is_text)
_TEXTS = ("a list of texts", _are_texts)
_KINDS: dict[str, tuple[str, Callable[[object], bool]]] = {
    **dict.fromkeys(("name", "data", "licence"), _TEXT),
    **dict.fromkeys(("can", "cannot"), _TEXTS),
    "figures": ("a list of rows, each a dict with at least one entry", _are_rows),
    "training": ("a dict", _is_dict),
}
