"""Prediction of a folder with any number of images, with a table and a summary by sub-folder."""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from nucrec._deprecation import renamed_parameter
from nucrec._files import replacing, write_text
from nucrec._html import check_page
from nucrec._paths import check_not_read, output_file
from nucrec._progress import Progress, progress_function
from nucrec._validation import check_int, check_real, invalid
from nucrec.datasets import ImageFiles
from nucrec.models._folders.error_counts import ErrorCounts
from nucrec.models._folders.facts import ModelFile
from nucrec.models._folders.page import MOST_IMAGES, PageParts, Predicted, prediction_page
from nucrec.models._folders.prediction import FolderClassifier, ImagePrediction
from nucrec.models._folders.result import FolderCounts, FolderPredictions, warn_of
from nucrec.models._folders.table import StoredPredictions, TableForm


def predict_folder(
    model: Any,
    path: str | Path,
    out: str | Path | None = None,
    *,
    channel: int | str | None = None,
    class_names: Sequence[str] | None = None,
    confidence: float = 0.95,
    error_rate: float | None = None,
    html: str | Path | None = None,
    html_images: int = 120,
    progress: Progress | bool = False,
    ask_below: float | None = None,
) -> FolderPredictions:
    """Predict all images in a folder, and write the predictions to a table or return them as rows.

    At most a few hundred images are in memory at a time.

    Parameters
    ----------
    model : ImageClassifier, scikit-learn classifier with ``predict_proba``, str or Path
        A fitted model, such as the result of `load`, or the path of a file that nucrec saved, or
        "pretrained". For a file, the page shows its name, date and hash.
    path : str or Path
        A folder with images at any depth, or a zip archive of one, which is read in place.
    out : str or Path, optional
        The CSV file to write, replaced completely or not at all. Its columns are ``file``,
        ``predicted``, one ``probability_NAME`` per class, ``unusual`` for images that are unlike
        the training images (`TrainingDomain`), and ``error`` for files that cannot be read or are
        whole fields of view. Without `out`, the rows are kept in memory, about 300 bytes per image.
    channel : int or str, optional
        The channel to read from multi-channel images, as in `nucrec.datasets.load_images`. Choose
        the one that the model was trained on.
    class_names : sequence of str, optional
        Class names, in the order of ``model.classes_``; by default the model's own.
        Names that mean other classes than those of their places are refused.
    confidence : float, default=0.95
        Confidence level of the intervals, strictly between 0 and 1.
    error_rate : float, optional
        Add a column ``needs_review``, with "yes" for images that need manual review so that the
        true class is excluded for at most this share of the images of each class. Requires a
        network that was calibrated on similar images (`ImageClassifier.calibrate`).
    html : str or Path, optional
        A self-contained HTML page to write as well, readable without JavaScript: the model and its
        test report, the summary, a map of each plate if file names tell the wells ("B03", "r02c03"),
        the distribution of the probabilities, and images; for a network, each with its heat map
        (`ImageClassifier.explain`). The images can be sorted, filtered, enlarged and labelled, and the
        labels saved as a table that `nucrec.datasets.load_folder` and ``nucrec train`` take. Its name
        must end in ".html".
    html_images : int, default=120
        Maximum number of images on the page, from 0 to 2000: a third are the most confident calls of
        each class, the others those closest to the decision boundary. Each takes about 10 KB, so the
        size of the page is bounded for any number of images.
    progress : bool or callable, default=False
        True shows progress on standard error. A callable receives (images done, total images,
        message).
    ask_below : float, optional
        The former name of `error_rate`; it works in this release only.

    Returns
    -------
    FolderPredictions
        Number and share of positive images in each folder, with intervals; for a calibrated network
        also the share corrected for its errors. Its ``rows`` are the predictions of all files.

    Raises
    ------
    DatasetNotFoundError, DatasetError
        There is nothing at `path`, or none of its files is a readable crop.
    InvalidParameterError
        A parameter is out of range, or the model has no probabilities or is not calibrated.
    MissingExtraError
        `html` was given, and matplotlib is not installed.
    ModelFileError
        `model` is a path, and the file is missing, damaged, or not a model that nucrec saved.
    NucrecError
        `out` or `html` cannot be written.

    Warns
    -----
    DataWarning
        Files have no prediction, or significantly more than 5 % of the images (by the lower bound
        of the interval) are unlike the training images.

    References
    ----------
    - E. B. Wilson, Journal of the American Statistical Association 22, 1927, pp. 209-212.
    - W. J. Rogan, B. Gladen, American Journal of Epidemiology 107, 1978, pp. 71-76.
    - Z. Lang, J. Reiczigel, Preventive Veterinary Medicine 113, 2014, pp. 13-22.

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
    ...     rows = [row.file for row in found.rows]
    >>> found.total.n, found.positive_class, rows
    (1, 'micronucleus', ['cell 1.png'])
    """
    check_real("confidence", confidence, low=0, high=1, open_ends=True)
    check_int("html_images", html_images, low=0, high=MOST_IMAGES)
    error_rate = renamed_parameter("ask_below", ask_below, "error_rate", error_rate)
    page = None if html is None else check_page("html", html)
    table = None if out is None else output_file("out", out)
    model, file = _opened(model)
    classifier = FolderClassifier.of(model, class_names, error_rate)
    files = ImageFiles(path, channel=channel)
    _check_outputs(table, page, files)
    counts = FolderCounts(classifier.class_names)
    positive = classifier.class_names.index(counts.positive_class)
    shown = PageParts(files.names, classifier.class_names, positive, html_images) if page else None
    predictions = classifier.predict(files, files.quarantined, progress_function(progress))
    form = TableForm(classifier.class_names, error_rate is not None, classifier.domain is not None)
    kept = predictions if shown is None else shown.seen(predictions)
    rows = _rows(counts, kept, table, form, path)
    groups = getattr(model, "calibration_groups_", None)
    errors = ErrorCounts.of(getattr(model, "calibration_", None), positive, groups)
    card = getattr(model, "card_", None)
    found = counts.result(table, rows, confidence, error_rate, errors, card)
    warn_of(found, len(files))
    if page is not None and shown is not None:
        wells = shown.wells(confidence, error_rate, errors)
        about = Predicted(files, found, wells, shown.chosen, classifier, file, shown.places)
        write_text(page, prediction_page(about))
    return found


def _opened(model: Any) -> tuple[Any, ModelFile | None]:
    """Return a model, and what is known of its file if it was given as one."""
    if isinstance(model, str | Path):
        return ModelFile.opened(model)
    return model, None


def _check_outputs(table: Path | None, page: Path | None, files: ImageFiles) -> None:
    """Raise if an output would replace an input file or the other output."""
    for name, written in (("out", table), ("html", page)):
        if written is not None:
            check_not_read(name, written, files.path, files.names)
    if table is not None and table == page:
        raise invalid("html", "another file than out", str(page))


def _rows(
    counts: FolderCounts,
    predictions: Iterable[ImagePrediction],
    table: Path | None,
    form: TableForm,
    path: str | Path,
) -> Collection[ImagePrediction]:
    """Count the predictions while they are written to the table or, without one, kept in memory."""
    counted = counts.counted(predictions)
    if table is None:
        kept = tuple(counted)
        counts.check_any_image(path)
        return kept
    with replacing(table) as temporary:
        form.write(temporary, counted)
        counts.check_any_image(path)
    return StoredPredictions((table.absolute(),), form, counts.n_files)
