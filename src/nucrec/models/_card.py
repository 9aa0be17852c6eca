"""The card of a classifier."""

from dataclasses import dataclass, replace
from typing import ClassVar

from nucrec._card import Card
from nucrec._text import many

_OF_CALIBRATION = "calibration error"
"""The column of the figures that another calibration makes obsolete."""


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

    def recalibrated(self, n: int) -> "ModelCard":
        """Return the card of the classifier after it was calibrated anew.

        The column "calibration error" of the figures is left out, since it describes the former
        probabilities. The other figures rest on the order of the probabilities or on the predicted
        classes, which `ImageClassifier.calibrate` does not change.

        Parameters
        ----------
        n : int
            The number of calibration images.

        Returns
        -------
        ModelCard
            The card, with the number of images among its training settings.

        Examples
        --------
        >>> from nucrec.models import ModelCard
        >>> row = {"left out": "slide 3", "MCC": "0.71", "calibration error": "0.04"}
        >>> print(ModelCard("ours", figures=(row,)).recalibrated(150))
        Classifier ours
        Training: recalibrated with 150 images
        left out   MCC
        slide 3   0.71
        """
        kept = tuple(
            {name: value for name, value in row.items() if name != _OF_CALIBRATION}
            for row in self.figures
        )
        told = {"recalibrated": f"with {many(n, 'image')}"}
        return replace(self, figures=kept, training={**self.training, **told})

    @property
    def rates(self) -> str:
        """The rates with intervals of the first row of figures, in one line; empty if there is none."""
        if not self.figures:
            return ""
        (column, first), *others = self.figures[0].items()
        told = ", ".join(f"{name} {value}" for name, value in others if "(" in str(value))
        return f"with {first} {column}: {told}"
