"""What a classifier says of itself."""

from dataclasses import dataclass
from typing import ClassVar

from nucrec._card import Card


@dataclass(frozen=True)
class ModelCard(Card):
    """The card of a classifier: what it was trained on, and how well it does on what it never saw.

    Attributes
    ----------
    name : str
        The name of the classifier.
    data : str
        What it was trained on, and where that comes from.
    licence : str
        The licence of the data, and therefore of the weights.
    can, cannot : tuple of str
        What it is for, and what it is not for.
    figures : tuple of dict
        How well it did on images left out of the training. Each entry is a row, from the names of the
        columns to texts; the first column says what was left out, the first row is that of all.
    training : dict
        Settings, versions and date.

    Examples
    --------
    >>> from nucrec.models import ModelCard
    >>> row = {"left out": "slide 3", "images": "120", "MCC": "0.71 (0.60 to 0.80)"}
    >>> card = ModelCard("ours", data="slides 1 and 2", licence="CC BY 4.0", figures=(row,))
    >>> print(card)
    Classifier ours
    Data: slides 1 and 2
    Licence: CC BY 4.0
    left out  images                  MCC
    slide 3      120  0.71 (0.60 to 0.80)
    >>> card.rates
    'with slide 3 left out: MCC 0.71 (0.60 to 0.80)'
    """

    kind: ClassVar[str] = "Classifier"

    @property
    def rates(self) -> str:
        """The rates with intervals of the first row of figures, in one line; empty if there is none."""
        if not self.figures:
            return ""
        (column, first), *others = self.figures[0].items()
        told = ", ".join(f"{name} {value}" for name, value in others if "(" in str(value))
        return f"with {first} {column}: {told}"
