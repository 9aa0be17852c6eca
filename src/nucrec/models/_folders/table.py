"""Predictions as a CSV table: the only place where they are text."""

import csv
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nucrec._files import ANY_NAME
from nucrec._text import csv_lines
from nucrec.errors import NucrecError
from nucrec.models._folders.prediction import ImagePrediction

DAMAGED = (OSError, ValueError, csv.Error)
"""What `TableForm.read` may raise."""
_YES = "yes"
_BETWEEN = "; "


@dataclass(frozen=True)
class TableForm:
    """The columns of a table: one per class, and which optional ones are present."""

    class_names: tuple[str, ...]
    with_review: bool
    with_unusual: bool

    def write(self, path: Path, predictions: Iterable[ImagePrediction]) -> None:
        """Write a table to a new file."""
        with path.open("x", encoding="utf-8", errors=ANY_NAME, newline="") as file:
            file.writelines(csv_lines([self._header]))
            file.writelines(csv_lines(map(self._cells, predictions)))

    def read(self, path: Path) -> Iterator[ImagePrediction]:
        """Yield the predictions of a table.

        Raises
        ------
        OSError, ValueError, csv.Error
            The file is not a complete table written by `write`.
        """
        with path.open(encoding="utf-8", errors=ANY_NAME, newline="") as file:
            reader = csv.reader(file)
            header = self._header
            if next(reader, None) != header:
                raise ValueError("it does not begin with the names of the columns")
            for cells in reader:
                if len(cells) != len(header):
                    raise ValueError(f"line {reader.line_num} does not have {len(header)} columns")
                yield self._prediction(cells)

    @property
    def _header(self) -> list[str]:
        probabilities = (f"probability_{name}" for name in self.class_names)
        review = ["needs_review"] if self.with_review else []
        unusual = ["unusual"] if self.with_unusual else []
        return ["file", "predicted", *probabilities, *review, *unusual, "error"]

    def _cells(self, prediction: ImagePrediction) -> list[str]:
        if prediction.predicted is None:
            empty = [""] * (len(self._header) - 2)
            return [prediction.file, *empty, prediction.error or ""]
        probabilities = (f"{value:.6f}" for value in prediction.probabilities)
        review = [_YES if prediction.needs_review else ""] if self.with_review else []
        unusual = [_BETWEEN.join(prediction.unusual)] if self.with_unusual else []
        return [prediction.file, prediction.predicted, *probabilities, *review, *unusual, ""]

    def _prediction(self, cells: list[str]) -> ImagePrediction:
        file, predicted, *values, error = cells
        if error:
            return ImagePrediction(file, None, error=error)
        told = values.pop() if self.with_unusual else ""
        review = self.with_review and values.pop() == _YES
        unusual = tuple(told.split(_BETWEEN)) if told else ()
        return ImagePrediction(file, predicted, tuple(map(float, values)), review, unusual)


@dataclass(frozen=True)
class StoredPredictions(Collection[ImagePrediction]):
    """The predictions in tables, read from the files in each iteration; their number is known."""

    paths: tuple[Path, ...]
    form: TableForm
    n_rows: int

    def __len__(self) -> int:
        return self.n_rows

    def __contains__(self, prediction: object) -> bool:
        return any(row == prediction for row in self)

    def __iter__(self) -> Iterator[ImagePrediction]:
        for path in self.paths:
            try:
                yield from self.form.read(path)
            except DAMAGED as error:
                raise NucrecError(
                    f"{path} no longer exists, or has changed since it was written ({error})"
                ) from error
