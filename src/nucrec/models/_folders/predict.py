"""Predicting a folder of images of any length, with a table and a summary of each sub-folder."""

import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nucrec import _text as fmt
from nucrec._files import replacing, write_text
from nucrec._html import check_page
from nucrec._progress import Progress, progress_function
from nucrec._validation import check_int, check_real
from nucrec.datasets import ImageFiles, Quarantined
from nucrec.errors import DatasetError, DataWarning
from nucrec.evaluate import proportion_interval
from nucrec.models._folders.page import Doubtful, prediction_page
from nucrec.models._folders.records import Predictor, Tally, write_rows


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
    """What `predict_folder` or `predict_shards` found.

    Attributes
    ----------
    path : Path
        The table: file, predicted class, probability of each class; the folder of the tables, where
        there are several.
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
        return fmt.text_table(*self._table()) + "\n" + self._note()

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

    def _table(self) -> tuple[fmt.Row, list[fmt.Row]]:
        """Return the header and the rows of the summary."""
        header = ["folder", "images", self.positive_class, "share", "interval"]
        header += [] if self.ask_below is None else ["to look at"]
        rows: list[fmt.Row] = [self._row(summary, summary.folder) for summary in self.folders]
        rows += [self._row(self.total, "all")] if len(self.folders) > 1 else []
        return header, rows

    def _note(self) -> str:
        confidence = fmt.percent(self.confidence)
        return f"Intervals: {confidence}, Wilson; errors of the model come on top."

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
    html: str | Path | None = None,
    html_images: int = 60,
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
    html : str or Path, optional
        A page to write as well, one file that needs no other: the summary, how the probabilities are
        spread, and the images closest to the decision, each, if the model is a network, with
        the heat of `ImageClassifier.explain`. Its name ends in ".html".
    html_images : int, default=60
        How many images the page shows at most.
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
    MissingExtraError
        A page was asked for, and matplotlib is not installed.
    NucrecError
        `out` or `html` cannot be written.

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
    check_int("html_images", html_images, low=0)
    report = None if html is None else check_page("html", Path(html))
    predictor = Predictor.of(model, class_names, ask_below)
    show = progress_function(progress)
    table = Path(out).expanduser()
    files = ImageFiles(path)
    tally = Tally(predictor.columns)
    with replacing(table) as temporary:
        rows = predictor.rows(files, files.quarantined, show)
        write_rows(temporary, predictor.columns, tally.counted(rows))
        check_any_image(tally, path)
    found = predictions(tally, table, confidence, ask_below, len(files))
    if report is not None:
        _write_page(report, Path(path), found, predictor, html_images)
    return found


def _write_page(
    report: Path,
    path: Path,
    found: FolderPredictions,
    predictor: Predictor,
    limit: int,
) -> None:
    """Write the page of what the table holds."""
    doubtful = Doubtful.of(found.path, predictor.columns, limit)
    html = prediction_page(
        f"Predictions of {path.name or path}",
        found._table(),
        found._note(),
        found.quarantined,
        doubtful,
        predictor.columns,
        predictor.model,
        path,
    )
    write_text(report, html)


def check_any_image(tally: Tally, path: str | Path) -> None:
    """Raise if none of the images could be read."""
    if not tally.images:
        raise DatasetError(f"{path}: no image that can be read: {tally.quarantined[0].reason}")


def predictions(
    tally: Tally, path: Path, confidence: float, ask_below: float | None, n_files: int
) -> FolderPredictions:
    """Return what was counted; warn of files that could not be read."""
    _warn(tally.quarantined, n_files)

    n, positive, ask = tally.images, tally.positives, tally.asked
    return FolderPredictions(
        path=path,
        positive_class=tally.columns.positive_class,
        folders=tuple(_summary(f, n[f], positive[f], ask[f], confidence) for f in sorted(n)),
        total=_summary(".", n.total(), positive.total(), ask.total(), confidence),
        confidence=confidence,
        quarantined=tuple(tally.quarantined),
        ask_below=ask_below,
    )


def _summary(folder: str, n: int, positive: int, ask: int, confidence: float) -> FolderSummary:
    low, high = proportion_interval(positive, n, confidence)
    return FolderSummary(folder, n, positive, positive / n, low, high, ask)


def _warn(problems: Sequence[Quarantined], n: int) -> None:
    if problems:
        first = problems[0]
        warnings.warn(
            f"{len(problems)} of {n} files could not be read; the first is {first.name}: "
            f"{first.reason}. All are in the table, with the reason.",
            DataWarning,
            stacklevel=4,  # the caller of the public predict_*
        )
