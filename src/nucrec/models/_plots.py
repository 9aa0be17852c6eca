"""Displays of a training history and of a comparison of classifiers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from nucrec._metric_names import NAMES, check_metric, title
from nucrec._plotting import GREY, Display, OneAxesDisplay, draw_intervals, frozen, new_axes, style
from nucrec._text import images, percent
from nucrec._validation import invalid
from nucrec.models._backbones import name_of
from nucrec.models._classifier import ImageClassifier
from nucrec.models._zoo.cross_validation import CrossValidation
from nucrec.models._zoo.result import ZooResult

Array = npt.NDArray[Any]

_MARKERS = 20  # maximum per curve
_PREFIXES = {"training": "", "validation": "val_"}


@dataclass(eq=False, repr=False)
class TrainingHistoryDisplay(Display):
    """Plot training and validation accuracy and loss by epoch.

    Attributes
    ----------
    accuracy, loss : dict of str to ndarray of float, shape (n_epochs,)
        The curves under "training" and, if there was a validation set, "validation".
    stages : tuple of str, length n_epochs
        The training stage of each epoch, such as "head" or "finetune".
    backbone : str
        The name of the network's backbone.
    n_validation : int or None
        Number of validation images, if there were any; unknown for a network loaded from a file.
    axes_, figure_ : array of two matplotlib Axes, and Figure
        Set by `plot`.

    Notes
    -----
    Training values are measured on augmented images while weights change within the epoch; validation
    values are measured on unchanged images after it. Validation values can therefore be the better of
    the two.

    Examples
    --------
    >>> from nucrec.datasets import load_mnfinder_crops, split
    >>> from nucrec.models import TrainingHistoryDisplay, cnn
    >>> train, test = split(load_mnfinder_crops()[::5], random_state=0)
    >>> classifier = cnn(image_size=32, epochs=1, random_state=0).fit(train, validation=test)
    >>> display = TrainingHistoryDisplay.from_classifier(classifier).plot()
    >>> sorted(display.accuracy), len(display.loss["validation"])
    (['training', 'validation'], 1)
    """

    accuracy: dict[str, Array]
    loss: dict[str, Array]
    stages: tuple[str, ...]
    backbone: str
    n_validation: int | None = None

    @classmethod
    def from_classifier(cls, classifier: ImageClassifier) -> Self:
        """Create the display from the history of a fitted network.

        Parameters
        ----------
        classifier : ImageClassifier
            A classifier that is fitted or loaded from a file.

        Returns
        -------
        TrainingHistoryDisplay
            The display, not yet drawn.

        Raises
        ------
        InvalidParameterError
            `classifier` is not a network.
        sklearn.exceptions.NotFittedError
            The classifier is not fitted.
        """
        if not isinstance(classifier, ImageClassifier):
            raise invalid("classifier", "a fitted ImageClassifier", classifier)
        check_is_fitted(classifier, "history_")
        history = classifier.history_
        n_validation = classifier.validation_proba_.shape[1] or None  # not stored in files
        return cls(
            _of_parts(history, "accuracy"),
            _of_parts(history, "loss"),
            tuple(history["stage"]),
            name_of(classifier.backbone),
            n_validation,
        )

    def plot(self, ax: Sequence[Any] | None = None) -> Self:
        """Draw the accuracy on the left and the loss on the right.

        Parameters
        ----------
        ax : two matplotlib Axes, optional
            The axes to draw on; by default those of a new figure.

        Returns
        -------
        TrainingHistoryDisplay
            The display itself, with ``axes_`` and ``figure_`` set.

        Raises
        ------
        InvalidParameterError
            `ax` does not hold two axes.
        MissingExtraError
            matplotlib is not installed.
        """
        axes = new_axes((8.4, 3.8), columns=2) if ax is None else np.ravel(np.asarray(ax, object))
        if len(axes) != 2:
            raise invalid("ax", "two axes, for accuracy and loss", ax)
        epochs = np.arange(1, len(self.stages) + 1)
        changes = [k for k in epochs[1:] if self.stages[k - 1] != self.stages[k - 2]]
        panels = {"accuracy": self.accuracy, "loss": self.loss}
        for panel, (name, values) in zip(axes, panels.items(), strict=True):
            for k, (part, of_part) in enumerate(values.items()):
                colour, line, marker = style(k)
                n = f" ({images(self.n_validation)})" if k and self.n_validation else ""
                panel.plot(
                    epochs,
                    of_part,
                    color=colour,
                    linestyle=line,
                    marker=marker,
                    markersize=4,
                    markevery=-(-len(epochs) // _MARKERS),
                    label=part + n,
                )
            for k in changes:
                begins = f"{self.stages[k - 1]} begins"
                panel.axvline(k - 0.5, color=GREY, linewidth=0.8, label=begins)
            panel.set_xlabel("epoch")
            panel.set_ylabel(name)
            panel.xaxis.get_major_locator().set_params(integer=True)
        axes[0].set_ylim(top=1.01)
        axes[1].set_ylim(bottom=0)
        axes[0].legend(fontsize="small")
        axes[0].set_title(f"Training of {self.backbone}, {len(epochs)} epochs", loc="left")
        self.axes_, self.figure_ = axes, axes[0].figure
        return self


@dataclass(eq=False, repr=False)
class ZooDisplay(OneAxesDisplay):
    """Plot classifiers ranked by a metric, as points with confidence intervals.

    Attributes
    ----------
    metric : str
        The metric that the classifiers are sorted by.
    names, statuses : tuple of str
        The classifiers, those without a result last, and the status of each, such as "ok".
    values, low, high : ndarray of float, shape (n_classifiers,)
        The metric and its interval; NaN where there is no result.
    confidence : float
        Confidence level of the intervals.
    tested_on : str
        Description of the test set, or of the folds.
    ax_, figure_ : matplotlib Axes and Figure
        Set by `plot`.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from nucrec.models import ZooDisplay, run_zoo
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]
    >>> result = run_zoo({"majority": DummyClassifier()}, (X, y), (X, y))
    >>> ZooDisplay.from_result(result, metric="accuracy").plot().values
    array([0.5])
    """

    metric: str
    names: tuple[str, ...]
    statuses: tuple[str, ...]
    values: Array
    low: Array
    high: Array
    confidence: float
    tested_on: str

    @classmethod
    def from_result(cls, zoo_result: ZooResult | CrossValidation, metric: str = "mcc") -> Self:
        """Create the display from the result of a zoo.

        Parameters
        ----------
        zoo_result : ZooResult or CrossValidation
            The result of `run_zoo` or `cross_validate`.
        metric : str, default="mcc"
            The standard name of the metric, or its label in the paper.

        Returns
        -------
        ZooDisplay
            The display, not yet drawn.

        Raises
        ------
        InvalidParameterError
            `zoo_result` has another type, no classifier has a result, or none has this metric.
        """
        if not isinstance(zoo_result, ZooResult | CrossValidation):
            raise invalid("zoo_result", "a ZooResult or a CrossValidation", zoo_result)
        if not zoo_result.metric_names:
            raise invalid("zoo_result", "a classifier with a result", zoo_result.failures)
        label = check_metric("metric", metric, zoo_result.metric_names)
        found = [zoo_result.metric(name, label) for name in zoo_result.names]
        nan = float("nan")
        spans = np.array([(m.value, m.low, m.high) if m else (nan, nan, nan) for m in found])
        order = np.argsort(-np.nan_to_num(spans[:, 0], nan=-np.inf), kind="stable")
        names = tuple(zoo_result.names[k] for k in order)
        statuses = tuple(zoo_result.status(name) for name in names)
        values, low, high = (frozen(column) for column in spans[order].T)
        return cls(NAMES[label], names, statuses, values, low, high, *_tested_on(zoo_result))

    @property
    def _size(self) -> tuple[float, float]:
        return 6.8, 1.3 + 0.3 * len(self.names)

    def _draw(self, ax: Any) -> None:
        labels = [
            name if status == "ok" else f"{name} ({status})"
            for name, status in zip(self.names, self.statuses, strict=True)
        ]
        draw_intervals(ax, labels, self.values, self.low, self.high)
        ax.set_xlabel(f"{title(self.metric)}, with its {percent(self.confidence)} interval")
        ax.set_title(f"{len(self.names)} classifiers on {self.tested_on}")


def _of_parts(history: dict[str, list[Any]], column: str) -> dict[str, Array]:
    """Return a column of the history for training and, if there was one, validation."""
    keys = {part: prefix + column for part, prefix in _PREFIXES.items()}
    return {part: frozen(history[key]) for part, key in keys.items() if key in history}


def _tested_on(result: ZooResult | CrossValidation) -> tuple[float, str]:
    """Return the confidence level, and a description of the test set."""
    if isinstance(result, ZooResult):
        report = next(row.report for row in result if row.report)
        return report.confidence, images(report.n, report.n_groups)
    first = result.folds[: result.n_splits]
    n = sum(next(row.report.n for row in fold if row.report) for fold in first)
    times = len(result.folds) // result.n_splits
    repeated = "" if times == 1 else f", {times} times"
    return result.confidence, f"{images(n)} in {result.n_splits} folds{repeated}"
