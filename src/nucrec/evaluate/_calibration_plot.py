"""Draw reliability diagrams."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from nucrec._plotting import GREY, STYLES, OneAxesDisplay, frozen
from nucrec._text import images, percent
from nucrec.evaluate._calibration import (
    CalibrationError,
    calibration_error,
    check_probabilities,
    in_bins,
)
from nucrec.evaluate._design import Design, share_interval
from nucrec.evaluate._inputs import number_groups

Array = npt.NDArray[Any]


@dataclass(eq=False, repr=False)
class CalibrationDisplay(OneAxesDisplay):
    """A reliability diagram: accuracy against confidence.

    Attributes
    ----------
    predicted, observed : ndarray of float, shape (n_filled,)
        For each bin that contains images: the mean probability of the predicted class, and the share
        of correct predictions.
    low, high : ndarray of float, shape (n_filled,)
        The interval of that share.
    counts : ndarray of int, shape (n_filled,)
        Number of images in each of these bins.
    error : CalibrationError
        The expected calibration error, as returned by `calibration_error`.
    lowest : float
        The lowest possible confidence: 1 / n_classes.
    confidence : float
        The confidence of the intervals.
    n_groups : int or None
        Number of groups, if any two images share one.
    ax_, figure_ : matplotlib Axes and Figure
        Set by `plot`.

    Notes
    -----
    Bins have equal width (Guo and others 2017). The intervals of shares are Wilson's, with groups for
    the effective number of images, as in `proportion_interval`. There is no interval if all images of a
    bin belong to one group.

    References
    ----------
    - C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern neural networks",
      International Conference on Machine Learning, 2017.

    Examples
    --------
    >>> from nucrec.evaluate import CalibrationDisplay
    >>> truth, scores = [1] * 9 + [0], [[0.15, 0.85]] * 10
    >>> display = CalibrationDisplay.from_predictions(truth, scores).plot()
    >>> display.predicted.round(2), display.observed, display.counts
    (array([0.85]), array([0.9]), array([10]))
    """

    _size = (5.2, 5.2)

    predicted: Array
    observed: Array
    low: Array
    high: Array
    counts: Array
    error: CalibrationError
    lowest: float
    confidence: float
    n_groups: int | None = None

    @classmethod
    def from_predictions(
        cls,
        y_true: npt.ArrayLike,
        y_score: npt.ArrayLike,
        class_names: Sequence[str] | None = None,
        groups: npt.ArrayLike | None = None,
        confidence: float = 0.95,
        *,
        n_bins: int = 10,
        n_resamples: int = 2000,
        random_state: int = 0,
    ) -> Self:
        """Compute the share of correct predictions in each bin.

        Parameters
        ----------
        y_true : array_like of int or str, shape (n,)
            True classes: names, or numbers from 0.
        y_score : array_like of float, shape (n, n_classes)
            Probabilities.
        class_names, groups, confidence, n_bins, n_resamples, random_state : optional
            As in `calibration_error`.

        Returns
        -------
        CalibrationDisplay
            The display, not drawn yet.

        Raises
        ------
        InvalidParameterError
            The rows are not probabilities, or another parameter is out of range.
        """
        error = calibration_error(
            y_true,
            y_score,
            class_names,
            groups,
            confidence,
            n_bins=n_bins,
            n_resamples=n_resamples,
            random_state=random_state,
        )
        true, scores = check_probabilities(y_true, y_score, class_names)
        top, right, members = in_bins(true, scores, n_bins)
        members = members[:, members.any(axis=0)]
        counts = members.sum(axis=0)
        hits = right @ members
        design = Design(len(true), number_groups(groups, len(true)))
        spans = [
            share_interval(right[bin_ > 0].astype(float), design.part(bin_ > 0), confidence)
            for bin_ in members.T
        ]
        low, high = np.array(spans).T
        observed = hits / counts
        return cls(
            frozen(top @ members / counts),
            frozen(observed),
            frozen(low),
            frozen(high),
            frozen(counts.astype(int)),
            error,
            1 / scores.shape[1],
            float(confidence),
            design.n_groups,
        )

    def _draw(self, ax: Any) -> None:
        colour, _, marker = STYLES[0]
        ax.plot([0, 1], [0, 1], color=GREY, linewidth=0.8)
        ax.vlines(self.predicted, self.low, self.high, color=colour, linewidth=2)
        ax.plot(self.predicted, self.observed, marker, color=colour)
        below = ax.get_xaxis_transform()
        for x, count in zip(self.predicted, self.counts, strict=True):
            ax.text(x, 0.02, str(count), ha="center", fontsize="small", transform=below)
        ax.set_xlim(self.lowest - 0.03, 1.03)
        ax.set_ylim(-0.12, 1.03)
        ax.set_yticks(np.linspace(0, 1, 6))
        ax.set_xlabel("mean probability of the predicted class\n(numbers: images in each bin)")
        ax.set_ylabel(f"share that is right, with its {percent(self.confidence)} interval")
        found = images(int(self.counts.sum()), self.n_groups)
        ax.set_title(f"Calibration of {found}\ncalibration error {self.error}", fontsize="medium")
