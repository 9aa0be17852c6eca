"""Predicting a folder of images of any length, with a table and a summary of each sub-folder."""

import csv
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy.typing as npt

from nucrec import _text as fmt
from nucrec._class_names import check_class_names, looks_micronuclear
from nucrec._files import replacing
from nucrec._progress import Progress, progress_function
from nucrec._validation import check_real, invalid
from nucrec.datasets import Quarantined
from nucrec.datasets._unlabelled import find_images, images_in_parts
from nucrec.errors import DatasetError, DataWarning
from nucrec.evaluate import ConformalRule
from nucrec.evaluate._intervals import wilson
from nucrec.models._classifier import ImageClassifier

Array = npt.NDArray[Any]

_IMAGES_AT_A_TIME = 256


@dataclass(frozen=True)
class FolderSummary:
    """How many images of a folder were called positive.

    Attributes
    ----------
    folder : str
        Relative to what was predicted; "." for that itself.
    n : int
        Images in it, those in its sub-folders not counted.
    positive : int
        How many of them were called positive.
    ask : int
        How many a person should look at, if that was asked for.
    share : float
        ``positive / n``.
    low, high : float
        Wilson's interval of the share: what drawing `n` images by chance leaves open. Errors of the
        model come on top.
    """

    folder: str
    n: int
    positive: int
    share: float
    low: float
    high: float
    ask: int = 0


@dataclass(frozen=True)
class FolderPredictions:
    """What `predict_folder` found.

    Attributes
    ----------
    path : Path
        The table: file, predicted class, probability of each class.
    positive_class : str
        The class that is counted.
    folders : tuple of FolderSummary
        One for each folder with images.
    total : FolderSummary
        All images together.
    confidence : float
        Of the intervals.
    quarantined : tuple of Quarantined
        The files that could not be read.
    ask_below : float or None
        The error rate at which images are left to a person.
    """

    path: Path
    positive_class: str
    folders: tuple[FolderSummary, ...]
    total: FolderSummary
    confidence: float
    quarantined: tuple[Quarantined, ...]
    ask_below: float | None = None

    def __str__(self) -> str:
        header = ["folder", "images", self.positive_class, "share", "interval"]
        header += [] if self.ask_below is None else ["to look at"]
        several = len(self.folders) > 1
        rows = [self._row(summary, summary.folder) for summary in self.folders]
        rows += [self._row(self.total, "all")] if several else []
        note = (
            f"Intervals: {fmt.percent(self.confidence)}, Wilson; errors of the model come on top."
        )
        return fmt.text_table(header, rows) + "\n" + note

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain dicts, lists and numbers."""
        return {
            "path": str(self.path),
            "positive_class": self.positive_class,
            "confidence": self.confidence,
            "ask_below": self.ask_below,
            "folders": [asdict(summary) for summary in self.folders],
            "total": asdict(self.total),
            "quarantined": [entry._asdict() for entry in self.quarantined],
        }

    def _row(self, summary: FolderSummary, name: str) -> list[str]:
        interval = fmt.interval(summary.low, summary.high)
        counts = [str(summary.n), str(summary.positive)]
        asked = [] if self.ask_below is None else [str(summary.ask)]
        return [name, *counts, fmt.number(summary.share), interval, *asked]


def predict_folder(
    model: Any,
    path: str | Path,
    out: str | Path,
    *,
    class_names: Sequence[str] | None = None,
    confidence: float = 0.95,
    ask_below: float | None = None,
    progress: Progress | bool = False,
) -> FolderPredictions:
    """Predict all images of a folder, and write a table of them.

    A few hundred images are in memory at a time, however many there are.

    Parameters
    ----------
    model : ImageClassifier or scikit-learn classifier with ``predict_proba``
        Fitted; what `load` returned.
    path : str or Path
        A folder, with images at any depth, or a zip archive of one (read in place).
    out : str or Path
        The CSV file to write, replaced as a whole or not at all. Its columns: ``file``, ``predicted``,
        ``probability_`` and the name of each class, ``error`` for a file that cannot be read.
    class_names : sequence of str, optional
        Names of the classes, in the order of ``model.classes_``; by default the model's own.
    confidence : float, default=0.95
        Of the intervals, strictly between 0 and 1.
    ask_below : float, optional
        Adds a column ``ask``: "yes" for the images that the model should not decide alone if at most
        this share of the images of each class may be lost. Needs a network that was calibrated,
        `ImageClassifier.calibrate`, on images like these.
    progress : bool or callable, default=False
        True shows progress on standard error. A callable gets (images done, images in all, what).

    Returns
    -------
    FolderPredictions
        Number and share of positive images in each folder, with intervals.

    Raises
    ------
    DatasetNotFoundError, DatasetError
        There is nothing at `path`, or no image that can be read.
    InvalidParameterError
        A parameter is out of range, the model gives no probabilities, or was not calibrated.
    NucrecError
        `out` cannot be written.

    Warns
    -----
    DataWarning
        Files could not be read.

    References
    ----------
    - E. B. Wilson, Journal of the American Statistical Association 22, 1927, pp. 209-212.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from nucrec.datasets import load_mnfinder_crops
    >>> from nucrec.models import classical_zoo, predict_folder
    >>> crops = load_mnfinder_crops()
    >>> model = classical_zoo(random_state=0)["GNB"].fit(crops, crops.labels)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Image.fromarray(crops.images[0]).save(Path(folder, "cell 1.png"))
    ...     table = Path(folder, "cells.csv")
    ...     found = predict_folder(model, folder, table, class_names=crops.class_names)
    >>> found.total.n, found.positive_class
    (1, 'micronucleus')
    """
    check_real("confidence", confidence, low=0, high=1, open_ends=True)
    if not hasattr(model, "predict_proba"):
        raise invalid("model", "a fitted classifier with predict_proba", model)
    own = getattr(model, "class_names_", [str(value) for value in model.classes_])
    names = check_class_names(own if class_names is None else class_names)
    if len(names) != len(model.classes_):
        raise invalid("class_names", f"names of the classes {list(model.classes_)}", class_names)
    rule = None if ask_below is None else _rule(model, ask_below)
    positive = _positive(names)
    show = progress_function(progress)
    table = Path(out).expanduser()
    root, files, problems = find_images(path)
    tally = _Tally(names, positive, rule, list(problems))
    with replacing(table) as temporary, temporary.open("x", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(tally.header)
        writer.writerows(tally.unreadable_rows(problems))
        done = 0
        show(done, len(files), "images")
        for images, unreadable in images_in_parts(root, files, _IMAGES_AT_A_TIME):
            writer.writerows(tally.unreadable_rows(unreadable))
            if images is not None:
                writer.writerows(tally.rows(images.ids.tolist(), model.predict_proba(images)))
            tally.quarantined += unreadable
            done += len(unreadable) + (0 if images is None else len(images))
            show(done, len(files), "images")
        if not tally.counts:
            raise DatasetError(f"{path}: no image that can be read: {tally.quarantined[0].reason}")
    _warn(tally.quarantined, len(files))
    return FolderPredictions(
        path=table,
        positive_class=names[positive],
        folders=tuple(tally.summary(folder, confidence) for folder in sorted(tally.counts)),
        total=tally.summary(None, confidence),
        confidence=confidence,
        quarantined=tuple(tally.quarantined),
        ask_below=ask_below,
    )


def _rule(model: Any, error_rate: float) -> ConformalRule:
    if not isinstance(model, ImageClassifier):
        raise invalid("ask_below", "None for a classical model, which cannot be calibrated", model)
    return model.conformal(error_rate)


def _positive(names: Sequence[str]) -> int:
    """Return which class is counted: micronucleus, or the last one where none is called so."""
    named = [k for k, name in enumerate(names) if looks_micronuclear(name)]
    return named[0] if named else len(names) - 1


class _Tally:
    """Makes the rows of the table, and counts."""

    def __init__(
        self,
        names: Sequence[str],
        positive: int,
        rule: ConformalRule | None,
        quarantined: list[Quarantined],
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._asked: Counter[str] = Counter()
        self._rule = rule
        self.quarantined = quarantined
        self._positives: Counter[str] = Counter()
        self._names = names
        self._positive = positive

    @property
    def header(self) -> list[str]:
        """The names of the columns."""
        asked = [] if self._rule is None else ["ask"]
        probabilities = (f"probability_{name}" for name in self._names)
        return ["file", "predicted", *probabilities, *asked, "error"]

    def rows(self, files: Sequence[str], probabilities: Array) -> Iterator[list[str]]:
        """Yield the rows of images, and count them."""
        chosen = probabilities.argmax(axis=1).tolist()
        asks = [False] * len(chosen) if self._rule is None else self._rule.ask(probabilities)
        for file, k, row, ask in zip(files, chosen, probabilities.tolist(), asks, strict=True):
            folder = PurePosixPath(file).parent.as_posix()
            self.counts[folder] += 1
            self._positives[folder] += k == self._positive
            self._asked[folder] += bool(ask)
            asked = [] if self._rule is None else ["yes" if ask else ""]
            yield [file, self._names[k], *(f"{value:.6f}" for value in row), *asked, ""]

    def unreadable_rows(self, entries: Sequence[Quarantined]) -> Iterator[list[str]]:
        """Yield the rows of files that cannot be read."""
        for entry in entries:
            yield [entry.name, *[""] * (len(self.header) - 2), entry.reason]

    def summary(self, folder: str | None, confidence: float) -> FolderSummary:
        """Return the counts of a folder, or of all images."""
        n = self.counts.total() if folder is None else self.counts[folder]
        found = self._positives.total() if folder is None else self._positives[folder]
        asked = self._asked.total() if folder is None else self._asked[folder]
        interval = wilson(found, n, confidence)
        return FolderSummary(folder or ".", n, found, found / n, *interval, asked)


def _warn(problems: Sequence[Quarantined], n: int) -> None:
    if problems:
        first = problems[0]
        warnings.warn(
            f"{len(problems)} of {n} files could not be read; the first is {first.name}: "
            f"{first.reason}. All are in the table, with the reason.",
            DataWarning,
            stacklevel=3,
        )
