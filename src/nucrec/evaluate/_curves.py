"""ROC and precision-recall curves, with bands from resamples: numbers only."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._plotting import frozen
from nucrec._validation import invalid
from nucrec.evaluate._inputs import check_resampling
from nucrec.evaluate._intervals import bootstrap, percentile_interval, weigh
from nucrec.evaluate._metric import Metric
from nucrec.evaluate._metrics import RankedScores
from nucrec.evaluate._sample import Sample

Array = npt.NDArray[Any]

_GRID = np.linspace(0, 1, 101)
_RECALLS = _GRID[1:]  # nothing is found at a recall of 0
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Curve:
    """The curve of one class against the rest, with its band.

    Attributes
    ----------
    name : str
        The class.
    x, y : ndarray of float, shape (n_points,)
        False and true positive rate, or recall and precision, at each different score.
    grid : ndarray of float, shape (n_grid,)
        Where the band is known: values of x.
    low, value, high : ndarray of float, shape (n_grid,)
        The curve at the grid, and the band around it.
    area : Metric
        Area under the ROC curve, or average precision, with its interval.
    n_positive : int
        Number of images of the class.
    """

    name: str
    x: Array
    y: Array
    grid: Array
    low: Array
    value: Array
    high: Array
    area: Metric
    n_positive: int


@dataclass(frozen=True)
class Kind:
    """What tells ROC from precision-recall curves.

    Attributes
    ----------
    grid : ndarray of float
        Values of x of the band.
    points : callable
        From ranked scores and weights (k, n) to x and y, both of shape (k, points).
    at : callable
        From x and y of one curve to y at the grid.
    area : callable
        From ranked scores and weights (k, n) to areas (k,).
    """

    grid: Array
    points: Callable[[RankedScores, Array], tuple[Array, Array]]
    at: Callable[[Array, Array], Array]
    area: Callable[[RankedScores, Array], Array]


def _average_precision(ranked: RankedScores, weights: Array) -> Array:
    """Return precision, averaged with the steps of recall as weights."""
    recall, precision = ranked.precision_recall_curve(weights)
    return np.asarray((np.diff(recall, axis=-1, prepend=0.0) * precision).sum(axis=-1))


def _precision_at_grid(recall: Array, precision: Array) -> Array:
    """Return the precision of the highest threshold that reaches each recall."""
    return np.asarray(precision[np.searchsorted(recall, _RECALLS - _ROUNDING)])


ROC = Kind(
    _GRID,
    RankedScores.roc_curve,
    lambda x, y: np.interp(_GRID, x, y),
    RankedScores.area,
)
PRECISION_RECALL = Kind(
    _RECALLS,
    RankedScores.precision_recall_curve,
    _precision_at_grid,
    _average_precision,
)


def find_curves(
    kind: Kind,
    y_true: npt.ArrayLike,
    y_score: npt.ArrayLike,
    class_names: Sequence[str] | None,
    groups: npt.ArrayLike | None,
    confidence: float,
    n_resamples: int,
    random_state: int,
) -> tuple[tuple[Curve, ...], Sample]:
    """Check what users pass, and return the curve of each class (of two: the second)."""
    check_resampling(confidence, n_resamples, random_state)
    sample = Sample.of(y_true, y_true, y_score, class_names, groups)
    counts = dict(zip(sample.names, sample.confusion.sum(1).tolist(), strict=True))
    if len(counts) < 2 or 0 in counts.values():
        raise invalid("y_true", "images of each class, of two or more", counts)
    scores = sample.scores
    if scores is None:
        raise invalid("y_score", "a score, or one for each class, of each image", None)

    method = "Bayesian bootstrap" if sample.groups is None else "group bootstrap"

    def find(k: int) -> Curve:
        positive = sample.true == k
        ranked = RankedScores(positive, scores[:, k])
        drawn = _resampled(kind, ranked, positive, sample, n_resamples, random_state)
        ones = np.ones((1, len(positive)))
        x, y = (values[0] for values in kind.points(ranked, ones))
        value = kind.at(x, y)
        spans = [percentile_interval(column, confidence, sample.n_units) for column in drawn.T]
        *band, (low, high) = spans
        area = float(kind.area(ranked, ones)[0])
        return Curve(
            sample.names[k],
            frozen(x),
            frozen(y),
            frozen(kind.grid),
            frozen(np.minimum([low for low, _ in band], value)),
            frozen(value),
            frozen(np.maximum([high for _, high in band], value)),
            Metric(area, min(low, area), max(high, area), method),
            int(positive.sum()),
        )

    shown = range(1, 2) if len(sample.names) == 2 else range(len(sample.names))
    return tuple(find(k) for k in shown), sample


def _resampled(
    kind: Kind,
    ranked: RankedScores,
    positive: Array,
    sample: Sample,
    n_resamples: int,
    random_state: int,
) -> Array:
    """Return the curve at the grid, then its area, for each resample; not numbers without a class."""
    members = np.column_stack([positive, ~positive]).astype(float)

    def statistic(weights: Array) -> Array:
        values = np.full((len(weights), len(kind.grid) + 1), np.nan)
        defined = (weights @ members > 0).all(axis=1)
        x, y = kind.points(ranked, weights)
        for i in np.flatnonzero(defined):
            values[i, :-1] = kind.at(x[i], y[i])
        values[defined, -1] = kind.area(ranked, weights[defined])
        return values

    if sample.groups is not None:
        return bootstrap(statistic, sample.groups, n_resamples, random_state)
    rng = np.random.default_rng(random_state)
    return weigh(statistic, len(positive), n_resamples, random_state, rng)
