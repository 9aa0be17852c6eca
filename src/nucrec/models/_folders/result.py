"""The result of predicting a folder: counts, shares with intervals, and the predictions."""

import warnings
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from nucrec import _notebook as show
from nucrec import _text as fmt
from nucrec._class_names import positive_class
from nucrec._deprecation import warn_renamed
from nucrec._notebook import Facts
from nucrec._text import many
from nucrec.datasets import Quarantined
from nucrec.errors import DatasetError, DataWarning
from nucrec.evaluate import Metric, corrected_proportion, proportion_interval
from nucrec.models._card import ModelCard
from nucrec.models._domain import ONE_CHANNEL, TOO_TIGHT
from nucrec.models._folders.error_counts import ErrorCounts
from nucrec.models._folders.prediction import ImagePrediction

_MANY_UNUSUAL = 0.05  # share of the images above which to warn
_HINTS = {
    "extent": f"{TOO_TIGHT}: cut it as nucrec.fields.crops does",
    "colour": f"their channels are mixed to grey: {ONE_CHANNEL}",
}
"""What to do about images that are unlike the training images in a property."""


@dataclass(frozen=True)
class FolderSummary(Facts):
    """The number and share of the images in a folder that were called positive.

    Attributes
    ----------
    folder : str
        The folder, relative to the predicted one; "." for that folder itself.
    n : int
        Number of images in it, without those in its sub-folders.
    positive : int
        Number of images called positive.
    needs_review : int
        Number of images that need manual review; 0 if no error rate was given.
    unusual : int
        Number of images that are unlike the training images.
    share : float
        The raw share, ``positive / n``.
    low, high : float
        The interval of the raw share, by `nucrec.evaluate.proportion_interval`. It covers sampling
        error only, not classification error.
    corrected : Metric or None
        The share corrected for the errors that the model made on its calibration images, by
        `nucrec.evaluate.corrected_proportion`; its interval covers both kinds of error. None without
        calibration.

    Examples
    --------
    >>> from nucrec.models import FolderSummary
    >>> well = FolderSummary("B03", n=200, positive=8, share=0.04, low=0.0204, high=0.0769)
    >>> f"{well.folder}: {well.positive} of {well.n}, {well.share:.1%}"
    'B03: 8 of 200, 4.0%'
    """

    folder: str
    n: int
    positive: int
    share: float
    low: float
    high: float
    needs_review: int = 0
    unusual: int = 0
    corrected: Metric | None = None

    @property
    def ask(self) -> int:
        """The former name of `needs_review`."""
        warn_renamed("ask", "needs_review")
        return self.needs_review


@dataclass(frozen=True)
class FolderPredictions:
    """The result of `predict_folder` or `predict_shards`.

    Attributes
    ----------
    path : Path or None
        The table, with the predicted class and the probabilities of each file; the folder of the tables
        if there are several; None if no file was written.
    positive_class : str
        The class that is counted.
    folders : tuple of FolderSummary
        One summary per folder with images.
    total : FolderSummary
        The summary of all images. Its intervals take the images of one folder as dependent: several
        folders count as groups.
    confidence : float
        Confidence level of the intervals.
    quarantined : tuple of Quarantined
        The files without a prediction: they cannot be read, or are whole fields of view.
    error_rate : float or None
        The error rate that selects images for manual review.
    unusual : dict of str to int
        Number of images that are unlike the training images in their "size", "brightness",
        "background", "sharpness", "extent", "depth" or "colour"; see `TrainingDomain`.
    sensitivity, specificity : (int, int) or None
        Number of positive (or negative) calibration images that the model classified correctly, and
        their total number.
    card : ModelCard or None
        The card of the model, if it has one.
    rows : collection of ImagePrediction
        The prediction of each file, in the order of the table: a tuple in memory if no file was
        written, about 300 bytes per image; otherwise read from the table row by row in each iteration.

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
    ...     for name in ("cell 1.png", "cell 2.png"):
    ...         Image.fromarray(crops.images[0]).save(Path(folder, name))
    ...     found = predict_folder(model, folder, class_names=crops.class_names)
    >>> found.total.n, found.positive_class, [row.file for row in found.rows]
    (2, 'micronucleus', ['cell 1.png', 'cell 2.png'])
    """

    path: Path | None
    positive_class: str
    folders: tuple[FolderSummary, ...]
    total: FolderSummary
    confidence: float
    quarantined: tuple[Quarantined, ...]
    error_rate: float | None = None
    unusual: dict[str, int] = field(default_factory=dict)
    sensitivity: tuple[int, int] | None = None
    specificity: tuple[int, int] | None = None
    card: ModelCard | None = field(default=None, repr=False)
    rows: Collection[ImagePrediction] = field(default=(), repr=False)

    def __str__(self) -> str:
        return "\n".join([fmt.text_table(*summary_table(self)), *notes(self)])

    def _repr_html_(self) -> str:
        told = [*notes(self), *([f"Table: {self.path}"] if self.path else [])]
        summary = f"{fmt.many(len(self.quarantined), 'file')} without a prediction"
        left_out = show.table(("file", "reason"), self.quarantined)
        return show.fragment(
            show.table(*summary_table(self)),
            show.paragraphs(*told),
            show.folded(summary, left_out) if self.quarantined else "",
        )

    @property
    def ask_below(self) -> float | None:
        """The former name of `error_rate`."""
        warn_renamed("ask_below", "error_rate")
        return self.error_rate

    def to_dict(self) -> dict[str, Any]:
        """Return everything except the rows as plain dicts, lists and numbers."""
        return {
            "path": None if self.path is None else str(self.path),
            "positive_class": self.positive_class,
            "confidence": self.confidence,
            "error_rate": self.error_rate,
            "folders": [asdict(summary) for summary in self.folders],
            "total": asdict(self.total),
            "unusual": self.unusual,
            "sensitivity": self.sensitivity and list(self.sensitivity),
            "specificity": self.specificity and list(self.specificity),
            "card": self.card and self.card.to_dict(),
            "quarantined": [entry._asdict() for entry in self.quarantined],
        }


def summary_table(found: FolderPredictions) -> tuple[fmt.Row, list[fmt.Row]]:
    """Return the header and the rows of the summary, as text."""
    reviewed, corrected = found.error_rate is not None, found.sensitivity is not None

    def cells(summary: FolderSummary, name: str) -> list[str]:
        counts = [name, str(summary.n), str(summary.positive), fmt.number(summary.share)]
        review = [str(summary.needs_review)] if reviewed else []
        if summary.corrected is None:
            return [*counts, fmt.interval(summary.low, summary.high), *review]
        share, low, high = (getattr(summary.corrected, key) for key in ("value", "low", "high"))
        return [*counts, fmt.number(share), fmt.interval(low, high), *review]

    header = ["folder", "images", found.positive_class, "raw share"]
    header += ["corrected share"] if corrected else []
    header += ["interval", *(["needs review"] if reviewed else [])]
    rows: list[fmt.Row] = [cells(summary, summary.folder) for summary in found.folders]
    rows += [cells(found.total, "all")] if len(found.folders) > 1 else []
    return header, rows


def notes(found: FolderPredictions) -> list[str]:
    """Return notes on the shares and on images unlike the training images."""
    told = [_of_shares(found)]
    if found.card is not None:
        told.append(_of_model(found.card))
    if len(found.folders) > 1:
        told.append("In the interval of all images, folders count as groups.")
    if found.total.unusual:
        told.append(f"{_unlike_training(found)}; see the column unusual.")
    return told


def _of_shares(found: FolderPredictions) -> str:
    confidence = fmt.percent(found.confidence)
    if found.sensitivity is None or found.specificity is None:
        return (
            f"Raw shares are not corrected for errors of the model. Intervals: {confidence}, Wilson; "
            "they cover sampling error only."
        )
    sensitivity, specificity = (
        f"{right} of {n}" for right, n in (found.sensitivity, found.specificity)
    )
    return (
        f"Corrected for the errors on the calibration images: sensitivity {sensitivity}, specificity "
        f"{specificity}. Intervals: {confidence}, of the corrected share, with the uncertainty of "
        "both rates (Lang and Reiczigel)."
    )


def _of_model(card: ModelCard) -> str:
    if not card.rates:
        return f"Model {card.name}: how often it errs on images that it never saw is not known."
    return (
        f"Model {card.name}, {card.rates}. On other microscopes and stains it may err more often."
    )


def _unlike_training(found: FolderPredictions) -> str:
    total = found.total
    kinds = ", ".join(f"{name} {n}" for name, n in sorted(found.unusual.items()))
    are = "is" if total.unusual == 1 else "are"
    n = many(total.n, "image")
    told = f"{total.unusual} of {n} {are} unlike the training images: {kinds}"
    hints = [hint for name, hint in _HINTS.items() if name in found.unusual]
    return f"{told} ({'; '.join(hints)})" if hints else told


def warn_of(found: FolderPredictions, n_files: int, stacklevel: int = 3) -> None:
    """Warn about files without a prediction, and about many images unlike the training images."""
    told = []
    if found.quarantined:
        first = found.quarantined[0]
        told.append(
            f"{len(found.quarantined)} of {n_files} files were not predicted; the first is "
            f"{first.name}: {first.reason}. All are in the table, with the reason."
        )
    if proportion_interval(found.total.unusual, found.total.n)[0] > _MANY_UNUSUAL:
        told.append(f"{_unlike_training(found)}. Their predictions may be wrong.")
    for message in told:
        warnings.warn(message, DataWarning, stacklevel=stacklevel)


def _folder_of(file: str) -> str:
    return PurePosixPath(file).parent.as_posix()


class FolderCounts:
    """Count predictions by folder as they pass through.

    Parameters
    ----------
    class_names : sequence of str
        The classes.
    place_of : callable
        Returns what a file is counted under, by default its folder; None for files that are not
        counted.
    """

    def __init__(
        self, class_names: Sequence[str], place_of: Callable[[str], str | None] = _folder_of
    ) -> None:
        self.positive_class = positive_class(class_names)
        self._place_of = place_of
        self.quarantined: list[Quarantined] = []
        self._images: Counter[str] = Counter()
        self._positive: Counter[str] = Counter()
        self._for_review: Counter[str] = Counter()
        self._unusual: Counter[str] = Counter()
        self._kinds: Counter[str] = Counter()

    def counted(self, predictions: Iterable[ImagePrediction]) -> Iterator[ImagePrediction]:
        """Yield the predictions, and count them."""
        for prediction in predictions:
            if prediction.error is None:
                self._count(prediction)
            else:
                self.quarantined.append(Quarantined(prediction.file, prediction.error))
            yield prediction

    def _count(self, prediction: ImagePrediction) -> None:
        place = self._place_of(prediction.file)
        if place is None:
            return
        self._images[place] += 1
        self._positive[place] += prediction.predicted == self.positive_class
        self._for_review[place] += prediction.needs_review
        self._unusual[place] += bool(prediction.unusual)
        self._kinds.update(reason.partition(" ")[0] for reason in prediction.unusual)

    @property
    def n_files(self) -> int:
        """The number of files counted, including those without a prediction."""
        return self._images.total() + len(self.quarantined)

    @property
    def has_images(self) -> bool:
        """Whether any image was counted."""
        return bool(self._images)

    def check_any_image(self, path: str | Path) -> None:
        """Raise if no image could be read."""
        if not self.has_images:
            reason = self.quarantined[0].reason
            raise DatasetError(f"{path}: no image that can be predicted: {reason}")

    def result(
        self,
        path: Path | None,
        rows: Collection[ImagePrediction],
        confidence: float,
        error_rate: float | None,
        errors: ErrorCounts | None,
        card: ModelCard | None,
    ) -> FolderPredictions:
        """Return the counts, with shares corrected for the known errors."""
        names = sorted(self._images)
        return FolderPredictions(
            path=path,
            positive_class=self.positive_class,
            folders=tuple(self._summary(name, [name], confidence, errors) for name in names),
            total=self._summary(".", names, confidence, errors),
            confidence=confidence,
            quarantined=tuple(self.quarantined),
            error_rate=error_rate,
            unusual=dict(self._kinds),
            sensitivity=None if errors is None else errors.sensitivity,
            specificity=None if errors is None else errors.specificity,
            card=card,
            rows=rows,
        )

    def _summary(
        self, name: str, folders: Sequence[str], confidence: float, errors: ErrorCounts | None
    ) -> FolderSummary:
        n, positive, for_review, unusual = (
            [counts[folder] for folder in folders]
            for counts in (self._images, self._positive, self._for_review, self._unusual)
        )
        # images of a single folder are taken as independent: there is no other folder to compare
        called, images = (positive, n) if len(folders) > 1 else (positive[0], n[0])
        low, high = proportion_interval(called, images, confidence)
        corrected = None
        if errors is not None:
            corrected = corrected_proportion(called, images, **errors.rates, confidence=confidence)
        return FolderSummary(
            folder=name,
            n=sum(n),
            positive=sum(positive),
            share=sum(positive) / sum(n),
            low=low,
            high=high,
            needs_review=sum(for_review),
            unusual=sum(unusual),
            corrected=corrected,
        )
