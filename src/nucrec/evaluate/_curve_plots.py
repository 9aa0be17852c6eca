"""Display ROC and precision-recall curves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from nucrec._plotting import GREY, OneAxesDisplay, label, style
from nucrec._text import images, percent
from nucrec.evaluate._curves import PRECISION_RECALL, ROC, Curve, Kind, find_curves


@dataclass(eq=False, repr=False)
class _CurveDisplay(OneAxesDisplay):
    """The curves of one kind, each with its band."""

    _size = (5.2, 5.2)
    _kind: ClassVar[Kind]
    _title: ClassVar[str]
    _labels: ClassVar[tuple[str, str]]
    _area: ClassVar[str]
    _drawstyle: ClassVar[str]
    _step: ClassVar[str | None]
    _legend: ClassVar[str]

    curves: tuple[Curve, ...]
    confidence: float
    n: int
    n_groups: int | None = None

    @classmethod
    def _find(cls, *inputs: Any) -> Self:
        """Return the display for the arguments of `find_curves` after the kind."""
        curves, sample = find_curves(cls._kind, *inputs)
        return cls(curves, float(inputs[4]), len(sample.true), sample.design.n_groups)

    def _draw(self, ax: Any) -> None:
        self._draw_chance(ax)
        for k, curve in enumerate(self.curves):
            colour, line, _ = style(k)
            ax.fill_between(
                curve.grid,
                curve.low,
                curve.high,
                step=self._step,
                color=colour,
                alpha=0.18,
                linewidth=0,
            )
            ax.plot(
                np.r_[0, curve.x],  # as precise before the first threshold as at it
                np.r_[curve.y[0], curve.y],
                color=colour,
                linestyle=line,
                drawstyle=self._drawstyle,
                label=f"{label(curve.name)}: {self._area} {curve.area}",
            )
        title = f"{self._title} of {images(self.n, self.n_groups)}"
        band = f"bands: {percent(self.confidence)}, point by point"
        ax.set_title(f"{title}\n{band}", fontsize="medium")
        ax.set_xlabel(self._labels[0])
        ax.set_ylabel(self._labels[1])
        ax.set_xlim(-0.01, 1.01)
        ax.set_ylim(-0.01, 1.01)
        ax.set_aspect("equal")
        ax.legend(loc=self._legend, fontsize="small")

    def _draw_chance(self, ax: Any) -> None:
        """Draw the curve of uninformative scores."""
        raise NotImplementedError


@dataclass(eq=False, repr=False)
class RocCurveDisplay(_CurveDisplay):
    """ROC curves with confidence bands: true against false positive rate.

    Attributes
    ----------
    curves : tuple of Curve
        For two classes, the curve of the second, positive one; for more, each against the rest.
    confidence : float
        The confidence of the bands and of the intervals of the areas.
    n : int
        Number of images.
    n_groups : int or None
        Number of groups, if any two images share one.
    ax_, figure_ : matplotlib Axes and Figure
        Set by `plot`.

    Notes
    -----
    The band is the interval of the true positive rate at 101 fixed false positive rates (vertical
    averaging, Fawcett 2006). It is the central range of the Bayesian bootstrap over images (Rubin
    1981), or of the bootstrap over groups, and at least as wide as Wilson's interval for the number of
    positive images, or their effective number, so that its width is positive even without mistakes.
    The band is pointwise, not simultaneous for the whole curve. The interval of the area is that of
    `report`.

    References
    ----------
    - T. Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27, 2006, pp. 861-874.
    - D. B. Rubin, "The Bayesian bootstrap", The Annals of Statistics 9, 1981, pp. 130-134.

    Examples
    --------
    >>> from nucrec.evaluate import RocCurveDisplay
    >>> truth, scores = [0, 0, 1, 1] * 5, [0.1, 0.6, 0.4, 0.8] * 5
    >>> display = RocCurveDisplay.from_predictions(truth, scores).plot()
    >>> display.curves[0].area.value
    0.75
    """

    _kind = ROC
    _title = "ROC curve"
    _labels = ("false positive rate", "true positive rate")
    _area = "AUC"
    _drawstyle = "default"
    _step = None
    _legend = "lower right"

    @classmethod
    def from_predictions(
        cls,
        y_true: npt.ArrayLike,
        y_score: npt.ArrayLike,
        class_names: Sequence[str] | None = None,
        groups: npt.ArrayLike | None = None,
        confidence: float = 0.95,
        *,
        n_resamples: int = 2000,
        random_state: int = 0,
    ) -> Self:
        """Compute the curves, their areas and their bands.

        Parameters
        ----------
        y_true : array_like of int or str, shape (n,)
            True classes; each class must occur.
        y_score : array_like of float, shape (n,) or (n, n_classes)
            Higher for the class at index 1 (of two), or one column for each class.
        class_names, groups, confidence, n_resamples, random_state : optional
            As in `report`.

        Returns
        -------
        RocCurveDisplay
            The display, not drawn yet.

        Raises
        ------
        InvalidParameterError
            A class does not occur, or a parameter is invalid as in `report`.
        """
        return cls._find(
            y_true, y_score, class_names, groups, confidence, n_resamples, random_state
        )

    def _draw_chance(self, ax: Any) -> None:
        ax.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, label="chance")


@dataclass(eq=False, repr=False)
class PrecisionRecallDisplay(_CurveDisplay):
    """Precision-recall curves with confidence bands.

    Attributes
    ----------
    curves : tuple of Curve
        For two classes, the curve of the second, positive one; for more, each against the rest.
    confidence : float
        The confidence of the bands and of the intervals of the average precisions.
    n : int
        Number of images.
    n_groups : int or None
        Number of groups, if any two images share one.
    ax_, figure_ : matplotlib Axes and Figure
        Set by `plot`.

    Notes
    -----
    The band is the interval of the precision at 100 fixed recalls, computed as in `RocCurveDisplay`.
    The interval of the average precision is Wilson's, for a share of the positives (Boyd and others
    2013). Between two thresholds, the precision is that of the lower one, which reaches the recall;
    linear interpolation would be too optimistic (Davis and Goadrich 2006). The grey lines show the
    share of each class, which is the precision of uninformative scores.

    References
    ----------
    - T. Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27, 2006, pp. 861-874.
    - K. Boyd, K. H. Eng, C. D. Page, "Area under the precision-recall curve: point estimates and
      confidence intervals", European Conference on Machine Learning, 2013.
    - J. Davis, M. Goadrich, "The relationship between precision-recall and ROC curves",
      International Conference on Machine Learning, 2006.

    Examples
    --------
    >>> from nucrec.evaluate import PrecisionRecallDisplay
    >>> truth, scores = [0, 0, 1, 1] * 5, [0.1, 0.6, 0.4, 0.8] * 5
    >>> display = PrecisionRecallDisplay.from_predictions(truth, scores).plot()
    >>> round(display.curves[0].area.value, 3)
    0.833
    """

    _kind = PRECISION_RECALL
    _title = "Precision and recall"
    _labels = ("recall", "precision")
    _area = "average precision"
    _drawstyle = "steps-pre"
    _step = "pre"
    _legend = "lower left"

    @classmethod
    def from_predictions(
        cls,
        y_true: npt.ArrayLike,
        y_score: npt.ArrayLike,
        class_names: Sequence[str] | None = None,
        groups: npt.ArrayLike | None = None,
        confidence: float = 0.95,
        *,
        n_resamples: int = 2000,
        random_state: int = 0,
    ) -> Self:
        """Compute the curves, their average precisions and their bands.

        Parameters
        ----------
        y_true : array_like of int or str, shape (n,)
            True classes; each class must occur.
        y_score : array_like of float, shape (n,) or (n, n_classes)
            Higher for the class at index 1 (of two), or one column for each class.
        class_names, groups, confidence, n_resamples, random_state : optional
            As in `report`.

        Returns
        -------
        PrecisionRecallDisplay
            The display, not drawn yet.

        Raises
        ------
        InvalidParameterError
            A class does not occur, or a parameter is invalid as in `report`.
        """
        return cls._find(
            y_true, y_score, class_names, groups, confidence, n_resamples, random_state
        )

    def _draw_chance(self, ax: Any) -> None:
        for k, curve in enumerate(self.curves):
            share = curve.n_positive / self.n
            ax.axhline(share, color=GREY, linewidth=0.8, label="chance" if k == 0 else None)
