"""Display the confusion matrix and the metrics of a report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

from nucrec._metric_names import title
from nucrec._plotting import OneAxesDisplay, draw_intervals, frozen, label
from nucrec._text import images, percent
from nucrec._validation import invalid
from nucrec.evaluate._inputs import encode_classes
from nucrec.evaluate._metric import Metric
from nucrec.evaluate._metrics import confusion_matrix

Array = npt.NDArray[Any]


@runtime_checkable
class ReportLike(Protocol):
    """The parts of a `Report` that are drawn."""

    @property
    def n(self) -> int: ...
    @property
    def metrics(self) -> Mapping[str, Metric]: ...
    @property
    def confusion_matrix(self) -> tuple[tuple[int, ...], ...]: ...
    @property
    def class_names(self) -> tuple[str, ...]: ...
    @property
    def confidence(self) -> float: ...
    @property
    def n_groups(self) -> int | None: ...


@dataclass(eq=False, repr=False)
class ConfusionMatrixDisplay(OneAxesDisplay):
    """A confusion matrix with counts and shares of the true class.

    Attributes
    ----------
    confusion_matrix : ndarray of int, shape (n_classes, n_classes)
        True classes in rows, predicted classes in columns.
    class_names : tuple of str
        The classes, in the same order.
    n_groups : int or None
        Number of groups, if known.
    ax_, figure_ : matplotlib Axes and Figure
        Set by `plot`.

    Examples
    --------
    >>> from nucrec.evaluate import ConfusionMatrixDisplay
    >>> display = ConfusionMatrixDisplay.from_predictions([0, 0, 1, 1], [0, 1, 1, 1]).plot()
    >>> display.row_shares
    array([[0.5, 0.5],
           [0. , 1. ]])
    >>> display.ax_.get_title()
    'Confusion matrix of 4 images'
    """

    confusion_matrix: Array
    class_names: tuple[str, ...]
    n_groups: int | None = None

    @classmethod
    def from_report(cls, report: ReportLike) -> Self:
        """Take the confusion matrix of a report.

        Parameters
        ----------
        report : Report
            What `nucrec.evaluate.report` returned.

        Returns
        -------
        ConfusionMatrixDisplay
            The display, not drawn yet.

        Raises
        ------
        InvalidParameterError
            `report` is not a `Report`.
        """
        _check_report(report)
        return cls(frozen(report.confusion_matrix), report.class_names, report.n_groups)

    @classmethod
    def from_predictions(
        cls,
        y_true: npt.ArrayLike,
        y_pred: npt.ArrayLike,
        class_names: Sequence[str] | None = None,
    ) -> Self:
        """Compute the confusion matrix of predictions.

        Parameters
        ----------
        y_true, y_pred : array_like of int or str, shape (n,)
            True and predicted classes, as in `report`.
        class_names : sequence of str, optional
            The classes, as in `report`.

        Returns
        -------
        ConfusionMatrixDisplay
            The display, not drawn yet.

        Raises
        ------
        InvalidParameterError
            Lengths differ, or a class is unknown.
        """
        names, true, predicted = encode_classes(y_true, y_pred, class_names)
        return cls(frozen(confusion_matrix(true, predicted, len(names))), names)

    @property
    def row_shares(self) -> Array:
        """The matrix as shares of each true class; NaN for a class that does not occur."""
        support = self.confusion_matrix.sum(axis=1, keepdims=True)
        return self.confusion_matrix / np.where(support == 0, np.nan, support)

    @property
    def _size(self) -> tuple[float, float]:
        k = len(self.class_names)
        return 2.4 + 1.1 * k, 1.6 + 1.0 * k

    def _draw(self, ax: Any) -> None:
        shares = self.row_shares
        ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for (row, column), count in np.ndenumerate(self.confusion_matrix):
            share = shares[row, column]
            words = f"{count}" if np.isnan(share) else f"{count}\n{share:.0%}"
            colour = "white" if share > 0.7 else "black"
            ax.text(column, row, words, ha="center", va="center", color=colour)
        support = self.confusion_matrix.sum(axis=1)
        names = [label(name) for name in self.class_names]
        rows = [f"{name}\nn = {n}" for name, n in zip(names, support, strict=True)]
        ax.set_xticks(range(len(rows)), names)
        ax.set_yticks(range(len(rows)), rows)
        ax.set_xlabel("predicted class")
        ax.set_ylabel("true class")
        ax.set_title(f"Confusion matrix of {images(int(support.sum()), self.n_groups)}")


@dataclass(eq=False, repr=False)
class MetricsDisplay(OneAxesDisplay):
    """The metrics of a report as points, with their intervals as bars.

    Attributes
    ----------
    names : tuple of str
        The metrics, in the order of the report.
    values, low, high : ndarray of float, shape (n_metrics,)
        The metrics and their intervals.
    confidence : float
        The confidence of the intervals.
    n : int
        Number of images.
    n_groups : int or None
        Number of groups, if any two images share one.
    ax_, figure_ : matplotlib Axes and Figure
        Set by `plot`.

    Examples
    --------
    >>> from nucrec.evaluate import MetricsDisplay, report
    >>> display = MetricsDisplay.from_report(report([0, 0, 1, 1] * 5, [0, 1, 1, 1] * 5)).plot()
    >>> display.names[0], float(display.values[0])
    ('accuracy', 0.75)
    """

    names: tuple[str, ...]
    values: Array
    low: Array
    high: Array
    confidence: float
    n: int
    n_groups: int | None = None

    @classmethod
    def from_report(cls, report: ReportLike) -> Self:
        """Take the metrics of a report.

        Parameters
        ----------
        report : Report
            What `nucrec.evaluate.report` returned.

        Returns
        -------
        MetricsDisplay
            The display, not drawn yet.

        Raises
        ------
        InvalidParameterError
            `report` is not a `Report`.
        """
        _check_report(report)
        metrics = report.metrics.values()
        return cls(
            tuple(map(title, report.metrics)),
            frozen([metric.value for metric in metrics]),
            frozen([metric.low for metric in metrics]),
            frozen([metric.high for metric in metrics]),
            report.confidence,
            report.n,
            report.n_groups,
        )

    @property
    def _size(self) -> tuple[float, float]:
        return 6.4, 1.2 + 0.32 * len(self.names)

    def _draw(self, ax: Any) -> None:
        draw_intervals(ax, self.names, self.values, self.low, self.high)
        ax.set_xlabel(f"value, with its {percent(self.confidence)} interval")
        ax.set_title(f"Metrics of {images(self.n, self.n_groups)}")


def _check_report(report: object) -> None:
    """Raise unless `report` is one."""
    if not isinstance(report, ReportLike):
        raise invalid("report", "what nucrec.evaluate.report returns", report)
