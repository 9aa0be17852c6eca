"""The specification of the paper's six tables."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["classical", "cnn", "pretrained"]

_ROMAN = ("I", "II", "III", "IV", "V", "VI")
_IN_TITLES = {
    "classical": "classical classifiers",
    "cnn": "CNN",
    "pretrained": "InceptionResNetV2",
}
_IN_FILES = {
    "classical": "machine-learning",
    "cnn": "cnn",
    "pretrained": "inception-resnet-v2",
}


@dataclass(frozen=True)
class TableSpec:
    """The specification of a table.

    Attributes
    ----------
    number : int
        The number, from 1 to 6.
    kind : {"classical", "cnn", "pretrained"}
        The kind of classifier.
    augmented : bool
        Whether the images are augmented.
    """

    number: int
    kind: Kind
    augmented: bool

    @property
    def title(self) -> str:
        """The title."""
        images = "augmented" if self.augmented else "plain"
        return f"Table {_ROMAN[self.number - 1]}: {_IN_TITLES[self.kind]}, {images} images"

    @property
    def file(self) -> str:
        """The file of the published values, in the folder ``published``."""
        images = "augmented" if self.augmented else "base"
        return f"table-{self.number}-{_IN_FILES[self.kind]}-{images}.csv"

    @property
    def is_network(self) -> bool:
        """Whether its rows are epochs of a training rather than classifiers."""
        return self.kind != "classical"

    @property
    def accuracy(self) -> str:
        """The column of the headline."""
        return "VAL-ACC" if self.is_network else "ACC"

    @property
    def shown(self) -> tuple[str, ...] | None:
        """The columns that fit on a terminal; None for all.

        The paper's PRE and REC of networks are equal to its ACC.
        """
        return ("TR-ACC", "VAL-ACC", "VAL-Loss", "VAL-AUC") if self.is_network else None


TABLES = {
    1: TableSpec(1, "classical", augmented=False),
    2: TableSpec(2, "classical", augmented=True),
    3: TableSpec(3, "cnn", augmented=False),
    4: TableSpec(4, "cnn", augmented=True),
    5: TableSpec(5, "pretrained", augmented=False),
    6: TableSpec(6, "pretrained", augmented=True),
}
