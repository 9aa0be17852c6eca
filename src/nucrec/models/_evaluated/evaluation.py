"""Evaluation of a classifier on labelled images."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from nucrec._files import make_folder, remove_file, write_text
from nucrec._html import SavedAsPage, check_page, page
from nucrec._paths import checked_path
from nucrec._text import csv_text, many
from nucrec._validation import invalid
from nucrec._written import EVALUATION, GROUPS, METRICS, PAGE, PREDICTIONS, check_not_replaced
from nucrec.datasets import ImageDataset
from nucrec.evaluate import CalibrationError, Report, calibration_error
from nucrec.models._classifier import ImageClassifier
from nucrec.models._evaluated.classes import in_classes_of
from nucrec.models._evaluated.groups import (
    GroupResult,
    group_results,
    groups_csv,
    groups_in_words,
)
from nucrec.models._evaluated.heat import check_evaluated
from nucrec.models._evaluated.sections import evaluation_sections
from nucrec.models._evaluated.shown import evaluation_html
from nucrec.models._evaluation import Expected, scores_of

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Evaluation(SavedAsPage):
    """The evaluation of a classifier on labelled images: the report, and every prediction.

    Attributes
    ----------
    report : Report
        Seven metrics with confidence intervals; the remarks name images that the model was trained
        on.
    images : ImageDataset
        The images, with the classes of the model.
    predicted : ndarray of int, shape (n,)
        The predicted class of each image, as a position in ``images.class_names``.
    probabilities : ndarray of float, shape (n, n_classes), or None
        The probability of each class; None for a model without probabilities.
    calibration_error : CalibrationError or None
        How well calibrated the probabilities are.

    Examples
    --------
    >>> from nucrec.datasets import load_mnfinder_crops, split
    >>> from nucrec.models import Evaluation, classical_zoo
    >>> train, test = split(load_mnfinder_crops(), random_state=0)
    >>> model = classical_zoo(random_state=0)["LR"].fit(train, train.labels)
    >>> found = Evaluation.of(model, test)
    >>> found.report.n == len(test), len(found.wrong) < len(test)
    (True, True)
    >>> found.to_csv().splitlines()[0]
    'file,group,true,predicted,wrong,probability_nucleus,probability_micronucleus'
    """

    report: Report
    images: ImageDataset
    predicted: Array
    probabilities: Array | None
    calibration_error: CalibrationError | None

    @classmethod
    def of(
        cls,
        model: Any,
        images: ImageDataset,
        *,
        classes: Sequence[str] | None = None,
        confidence: float = 0.95,
    ) -> Self:
        """Predict labelled images, and compare the predictions with the labels.

        Parameters
        ----------
        model : ImageClassifier or scikit-learn classifier
            A model that is fitted or loaded from a file.
        images : ImageDataset
            Images that the model was not trained on. Images that share a group are treated as
            dependent.
        classes : sequence of str, optional
            The names of the model's classes in `images`, in the model's order. By default, classes
            are matched by name, ignoring spelling, and the positive one of two classes is
            recognised by its name, such as "MN" beside "normal". Names that mean the opposite of the
            model's classes are refused.
        confidence : float, default=0.95
            Confidence level of the intervals, strictly between 0 and 1.

        Returns
        -------
        Evaluation
            The report and the predictions.

        Raises
        ------
        InvalidParameterError
            `images` is not a data set or is empty, or its classes cannot be matched with those of
            the model.
        ImageError
            An image looks like a whole field of view, and the model was trained on crops of cells.
        sklearn.exceptions.NotFittedError
            The model is not fitted.
        """
        if not isinstance(images, ImageDataset) or not len(images):
            raise invalid("images", "a data set with at least one labelled image", images)
        check_is_fitted(model)
        names, are_known = _names_of(model, images, classes), _knows_names(model)
        renamed, remark = in_classes_of(images, names, classes, own_are_known=are_known)
        expected = Expected.of(model, renamed, None, None)
        scores = scores_of(model, renamed)
        if isinstance(model, ImageClassifier) and scores is not None:
            answers = model.classes_[scores.argmax(axis=1)]  # the network runs only once
        else:
            answers = np.asarray(model.predict(renamed))
        report = expected.report(answers, scores, confidence)
        if remark is not None:
            report = replace(report, data_remarks=(*report.data_remarks, remark))
        probabilities = expected.aligned(scores) if hasattr(model, "predict_proba") else None
        error = None
        if probabilities is not None:
            given = renamed.labels, probabilities, renamed.class_names, renamed.groups, confidence
            error = calibration_error(*given)
        return cls(report, renamed, expected.positions(answers), probabilities, error)

    @property
    def wrong(self) -> Array:
        """The positions of misclassified images, those with the highest wrong probability first."""
        found = np.flatnonzero(self.predicted != self.images.labels)
        if self.probabilities is None:
            return found
        confidence = self.probabilities[found, self.predicted[found]]
        return np.asarray(found[np.argsort(-confidence, kind="stable")])

    @property
    def groups(self) -> tuple[GroupResult, ...]:
        """The results by group, the largest share of wrong images first; none without groups."""
        return group_results(self.images, self.predicted, self.report.confidence)

    def __str__(self) -> str:
        parts = [str(self.report)]
        if self.calibration_error is not None:
            parts.append(f"Calibration error {self.calibration_error}")
        if self.groups:
            parts.append(groups_in_words(self.groups))
        return "\n\n".join(parts)

    def __repr__(self) -> str:
        return f"Evaluation({many(self.report.n, 'image')}, {len(self.wrong)} misclassified)"

    def _repr_html_(self) -> str:
        return evaluation_html(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the report, the calibration error and the groups as plain dicts.

        Returns
        -------
        dict
            ``{"report": {...}, "calibration_error": {...} or None, "groups": [{"group", "n",
            "n_correct", "low", "high", "by_class"}, ...], "wrong": [file, ...]}``.
        """
        error = self.calibration_error
        return {
            "report": self.report.to_dict(),
            "calibration_error": None if error is None else asdict(error),
            "groups": [group.to_dict() for group in self.groups],
            "wrong": self.images.ids[self.wrong].tolist(),
        }

    def to_csv(self) -> str:
        """Return the predictions as CSV text, with one row per image.

        Returns
        -------
        str
            CSV text with the columns file, group (if images share one), true, predicted, wrong
            ("yes" or empty), and the probability of each class.
        """
        names, images = self.images.class_names, self.images
        columns = {
            "file": images.ids.tolist(),
            "group": images.groups.tolist(),
            "true": [names[k] for k in images.labels.tolist()],
            "predicted": [names[k] for k in self.predicted.tolist()],
            "wrong": ["yes" if each else "" for each in self.predicted != images.labels],
        }
        if not self.groups:
            del columns["group"]
        if self.probabilities is not None:
            for name, of_class in zip(names, self.probabilities.T, strict=True):
                columns[f"probability_{name}"] = [f"{value:.6f}" for value in of_class]
        return csv_text(list(columns), list(zip(*columns.values(), strict=True)))

    def save_html(self, path: str | Path, title: str | None = None, *, model: Any = None) -> Path:
        """Write the report, curves, groups and the misclassified images to one HTML file.

        Parameters
        ----------
        path : str or Path
            The file, ending in ".html"; an existing one is replaced atomically.
        title : str, optional
            The heading of the page; by default "Evaluation".
        model : ImageClassifier, optional
            The network that was evaluated. It draws heat maps (`ImageClassifier.explain`) beside the
            first 24 misclassified images, or as many as take a minute. Other models draw none.

        Returns
        -------
        pathlib.Path
            The path of the file, which is self-contained and works offline.

        Raises
        ------
        InvalidParameterError
            The name does not end in ".html", or `model` is not the one that was evaluated.
        MissingExtraError
            matplotlib is not installed.
        NucrecError
            The file cannot be written.
        """
        where = check_page("path", path)
        check_evaluated(model, self)
        write_text(where, page(title or "Evaluation", evaluation_sections(self, model)))
        return where

    def save(
        self, folder: str | Path, title: str = "Evaluation", *, model: Any = None
    ) -> tuple[Path, ...]:
        """Write the page and the tables to a folder.

        Parameters
        ----------
        folder : str or Path
            The output folder, which is created if necessary. Existing files of the same names are
            replaced; a groups.csv of an earlier call is removed if no images share a group now.
        title : str, default="Evaluation"
            The heading of the page.
        model : ImageClassifier, optional
            As in `save_html`.

        Returns
        -------
        tuple of pathlib.Path
            report.html; metrics.csv, with the metrics; predictions.csv, with a row for each image;
            and groups.csv, with one for each group, if images share one.

        Raises
        ------
        InvalidParameterError
            `folder` is not a path, or holds the page of another command or files of these names that
            no evaluation wrote; or `model` is not the one that was evaluated.
        MissingExtraError
            matplotlib is not installed.
        NucrecError
            A file cannot be written.
        """
        where = checked_path("folder", folder)
        check_not_replaced("folder", where, EVALUATION, ())
        check_evaluated(model, self)
        make_folder(where)
        tables = {METRICS: self.report.to_csv(), PREDICTIONS: self.to_csv()}
        if self.groups:
            tables[GROUPS] = groups_csv(self.groups)
        else:
            remove_file(where / GROUPS)
        written = [self.save_html(where / PAGE, title, model=model)]
        for name, text in tables.items():
            write_text(where / name, text)
            written.append(where / name)
        return tuple(written)


def _knows_names(model: Any) -> bool:
    """Return whether a model tells its classes' names, rather than only their numbers."""
    return hasattr(model, "class_names_") or np.asarray(model.classes_).dtype.kind in "UO"


def _names_of(model: Any, images: ImageDataset, classes: Sequence[str] | None) -> tuple[str, ...]:
    """Return the names of a model's classes.

    Numbers from 0 have the names that are given, or else those of the images' classes.
    """
    own = getattr(model, "class_names_", None)
    if own is not None:
        return tuple(own)
    values = np.asarray(model.classes_).tolist()
    names = images.class_names if classes is None else tuple(map(str, classes))
    if values == list(range(len(names))) and not isinstance(classes, str):
        return names
    return tuple(map(str, values))
