"""The rows of a table of predictions: making them, and counting them."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Self

import numpy.typing as npt

from nucrec._class_names import check_class_names, looks_micronuclear
from nucrec._progress import Progress
from nucrec._validation import invalid
from nucrec.datasets import ImageFiles, Quarantined
from nucrec.evaluate import ConformalRule
from nucrec.models._classifier import ImageClassifier

Array = npt.NDArray[Any]
Row = list[str]

IMAGES_AT_A_TIME = 256
_ANY_NAME = "surrogateescape"  # names of files need not be UTF-8


@dataclass(frozen=True)
class Columns:
    """What a table of predictions holds: the classes, and whether a person is asked."""

    class_names: tuple[str, ...]
    with_ask: bool

    @property
    def header(self) -> Row:
        """The names of the columns."""
        probabilities = (f"probability_{name}" for name in self.class_names)
        return ["file", "predicted", *probabilities, *(["ask"] if self.with_ask else []), "error"]

    @property
    def positive_class(self) -> str:
        """The class that is counted: micronucleus, or the last one where none is called so."""
        named = [name for name in self.class_names if looks_micronuclear(name)]
        return named[0] if named else self.class_names[-1]

    def readable(self, file: str, name: str, probabilities: Sequence[float], ask: bool) -> Row:
        """Return the row of an image."""
        asked = [("yes" if ask else "")] if self.with_ask else []
        return [file, name, *(f"{value:.6f}" for value in probabilities), *asked, ""]

    def unreadable(self, entry: Quarantined) -> Row:
        """Return the row of a file that cannot be read."""
        return [entry.name, *[""] * (len(self.header) - 2), entry.reason]


def names_of_classes(
    class_names: Sequence[str] | None, own: Sequence[str], classes: Sequence[Any]
) -> tuple[str, ...]:
    """Return the names to use for a model's classes: those given, or its own."""
    names = check_class_names(own if class_names is None else class_names)
    if len(names) != len(classes):
        raise invalid("class_names", f"names of the classes {list(classes)}", class_names)
    return names


@dataclass(frozen=True)
class Predictor:
    """A model, and what its table looks like."""

    model: Any
    columns: Columns
    rule: ConformalRule | None

    @classmethod
    def of(cls, model: Any, class_names: Sequence[str] | None, ask_below: float | None) -> Self:
        """Check a model and what is asked of it.

        Raises
        ------
        InvalidParameterError
            It gives no probabilities, was not calibrated, or has other classes.
        """
        if not hasattr(model, "predict_proba"):
            raise invalid("model", "a fitted classifier with predict_proba", model)
        own = getattr(model, "class_names_", [str(value) for value in model.classes_])
        names = names_of_classes(class_names, own, model.classes_)
        rule = None if ask_below is None else _rule(model, ask_below)
        return cls(model, Columns(names, rule is not None), rule)

    def rows(
        self, files: ImageFiles, problems: Sequence[Quarantined], show: Progress
    ) -> Iterator[Row]:
        """Yield the row of each problem and of each file, predicting some hundred at a time."""
        yield from map(self.columns.unreadable, problems)
        done = 0
        show(done, len(files), "images")
        for images in files.parts(IMAGES_AT_A_TIME):
            yield from map(self.columns.unreadable, images.quarantined)
            if len(images):
                yield from self._predicted(images.ids.tolist(), self.model.predict_proba(images))
            done += len(images.quarantined) + len(images)
            show(done, len(files), "images")

    def _predicted(self, files: Sequence[str], probabilities: Array) -> Iterator[Row]:
        names = [self.columns.class_names[k] for k in probabilities.argmax(axis=1)]
        asks = (
            [False] * len(files)
            if self.rule is None
            else self.rule.needs_review(probabilities).tolist()
        )
        return map(self.columns.readable, files, names, probabilities.tolist(), asks)


def _rule(model: Any, error_rate: float) -> ConformalRule:
    if not isinstance(model, ImageClassifier):
        raise invalid("ask_below", "None for a classical model, which cannot be calibrated", model)
    return model.conformal(error_rate)


class Tally:
    """Counts the rows of a table, whether they were just made or are read from a file."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.images: Counter[str] = Counter()
        self.positives: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.quarantined: list[Quarantined] = []

    def counted(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield the rows, and count them: by folder."""
        positive, with_ask = self.columns.positive_class, self.columns.with_ask
        for row in rows:
            file, error = row[0], row[-1]
            if error:
                self.quarantined.append(Quarantined(file, error))
            else:
                folder = PurePosixPath(file).parent.as_posix()
                self.images[folder] += 1
                self.positives[folder] += row[1] == positive
                self.asked[folder] += with_ask and row[-2] == "yes"
            yield row


def write_rows(path: Path, columns: Columns, rows: Iterable[Row]) -> None:
    """Write a table to a new file."""
    with path.open("x", encoding="utf-8", errors=_ANY_NAME, newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns.header)
        writer.writerows(rows)


def read_rows(path: Path, columns: Columns) -> Iterator[Row]:
    """Yield the rows of a table.

    Raises
    ------
    ValueError
        It is not one that `write_rows` wrote whole.
    """
    with path.open(encoding="utf-8", errors=_ANY_NAME, newline="") as file:
        reader = csv.reader(file)
        header = columns.header
        if next(reader, None) != header:
            raise ValueError("it does not begin with the names of the columns")
        for row in reader:
            if len(row) != len(header):
                raise ValueError(f"line {reader.line_num} does not have {len(header)} columns")
            yield row
