"""Compute ROC and precision-recall curves, with bands from resampling."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._notebook import Facts
from nucrec._plotting import frozen
from nucrec._shares import wilson
from nucrec._validation import invalid
from nucrec.evaluate import _area
from nucrec.evaluate._area import Area
from nucrec.evaluate._design import Design
from nucrec.evaluate._inputs import check_resampling
from nucrec.evaluate._metric import Metric
from nucrec.evaluate._metrics import RankedScores
from nucrec.evaluate._resampling import bootstrap, percentile_interval, weigh
from nucrec.evaluate._sample import Sample

Array = npt.NDArray[Any]

_GRID = np.linspace(0, 1, 101)
_RECALLS = _GRID[1:]  # nothing is found at a recall of 0
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Curve(Facts):
    """The curve of one class against the rest, with its band.

    Attributes
    ----------
    name : str
        The class.
    x, y : ndarray of float, shape (n_points,)
        False and true positive rate, or recall and precision, at each distinct score.
    grid : ndarray of float, shape (n_grid,)
        The values of x at which the band is computed.
    low, value, high : ndarray of float, shape (n_grid,)
        The lower end of the band, the curve, and the upper end at the grid.
    area : Metric
        Area under the ROC curve, or average precision, with its interval.
    n_positive : int
        Number of images of the class.

    Examples
    --------
    >>> from nucrec.evaluate import RocCurveDisplay
    >>> truth, scores = [0, 0, 1, 1] * 5, [0.1, 0.6, 0.4, 0.8] * 5
    >>> curve = RocCurveDisplay.from_predictions(truth, scores).curves[0]
    >>> curve.area.value, curve.n_positive, curve.grid.shape
    (0.75, 10, (101,))
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
    """The differences between ROC and precision-recall curves.

    Attributes
    ----------
    grid : ndarray of float
        The values of x of the band.
    points : callable
        Maps ranked scores and weights (k, n) to x and y, both of shape (k, points).
    at : callable
        Maps x and y of one curve to y at the grid.
    sizes : callable
        Maps the number of positives and y at the grid to the denominator of the share y.
    area : callable
        Maps the area under the ROC curve, x and y of one curve, the design effect and the reach to
        the area of this kind and the ends of its interval.
    method : str
        The name of the interval.
    """

    grid: Array
    points: Callable[[RankedScores, Array], tuple[Array, Array]]
    at: Callable[[Array, Array], Array]
    sizes: Callable[[int, Array], Array]
    area: Callable[[Area, Array, Array, float, float], tuple[float, float, float]]
    method: str


def _area_under_roc(
    roc: Area, _x: Array, _y: Array, effect: float, reach: float
) -> tuple[float, float, float]:
    return roc.value, *roc.interval(effect, reach)


def _average_precision(
    roc: Area, recall: Array, precision: Array, effect: float, reach: float
) -> tuple[float, float, float]:
    """Return the average precision, weighted by the steps of recall, and its interval.

    That of a share of the positives, as recommended, but for Wilson's, by K. Boyd, K. H. Eng, C. D.
    Page, "Area under the precision-recall curve", European Conference on Machine Learning, 2013.
    """
    value = float((np.diff(recall, prepend=0.0) * precision).sum())
    n = roc.n_positive / effect
    return value, *wilson(value * n, n, reach)


def _precision_at_grid(recall: Array, precision: Array) -> Array:
    """Return the precision of the highest threshold that reaches each recall."""
    return np.asarray(precision[np.searchsorted(recall, _RECALLS - _ROUNDING)])


ROC = Kind(
    _GRID,
    RankedScores.roc_curve,
    lambda x, y: np.interp(_GRID, x, y),
    lambda n_positive, rate: np.full_like(rate, n_positive),
    _area_under_roc,
    _area.METHOD,
)
PRECISION_RECALL = Kind(
    _RECALLS,
    RankedScores.precision_recall_curve,
    _precision_at_grid,
    lambda n_positive, precision: np.maximum(1.0, n_positive * _RECALLS) / precision,
    _average_precision,
    "Wilson",
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
    """Validate the input, and return the curve of each class (for two classes, of the second)."""
    check_resampling(confidence, n_resamples, random_state)
    sample = Sample.of(y_true, y_true, y_score, class_names, groups)
    counts = dict(zip(sample.names, sample.confusion.sum(1).tolist(), strict=True))
    if len(counts) < 2 or 0 in counts.values():
        raise invalid("y_true", "images of each class, of two or more", counts)
    scores = sample.scores
    if scores is None:
        raise invalid("y_score", "a score, or one for each class, of each image", None)

    shown = range(1, 2) if len(sample.names) == 2 else range(len(sample.names))
    resampling = confidence, n_resamples, random_state
    found = [_find(kind, sample.names[k], sample, scores[:, k], k, *resampling) for k in shown]
    return tuple(found), sample


def _find(
    kind: Kind,
    name: str,
    sample: Sample,
    scores: Array,
    k: int,
    confidence: float,
    n_resamples: int,
    random_state: int,
) -> Curve:
    """Return the curve of one class against the rest."""
    positive, design = sample.true == k, sample.design
    ranked, roc = RankedScores(positive, scores), Area.of(positive, scores)
    x, y = (values[0] for values in kind.points(ranked, np.ones((1, design.n))))
    value = kind.at(x, y)
    effect = design.effect(roc.influences, roc.misplaced)
    reach = design.reach(confidence)
    drawn = _resampled(kind, ranked, positive, design, n_resamples, random_state)
    resampled = [percentile_interval(column, confidence, design.n_units) for column in drawn.T]
    # where no resample makes a mistake: at least the interval of a share of so many images
    sizes = kind.sizes(roc.n_positive, value) / effect
    shares = [wilson(v * n, n, reach) for v, n in zip(value, sizes, strict=True)]
    ends = np.array([resampled, shares])
    area, low, high = kind.area(roc, x, y, effect, reach)
    return Curve(
        name,
        frozen(x),
        frozen(y),
        frozen(kind.grid),
        frozen(np.minimum(ends[..., 0].min(axis=0), value)),
        frozen(value),
        frozen(np.maximum(ends[..., 1].max(axis=0), value)),
        Metric(area, min(low, area), max(high, area), kind.method + design.method),
        roc.n_positive,
    )


def _resampled(
    kind: Kind,
    ranked: RankedScores,
    positive: Array,
    design: Design,
    n_resamples: int,
    random_state: int,
) -> Array:
    """Return the curve at the grid for each resample; NaN if a class was not drawn."""
    members = np.column_stack([positive, ~positive]).astype(float)

    def statistic(weights: Array) -> Array:
        values = np.full((len(weights), len(kind.grid)), np.nan)
        x, y = kind.points(ranked, weights)
        for i in np.flatnonzero((weights @ members > 0).all(axis=1)):
            values[i] = kind.at(x[i], y[i])
        return values

    if design.groups is not None:
        return bootstrap(statistic, design.groups, n_resamples, random_state)
    rng = np.random.default_rng(random_state)
    return weigh(statistic, len(positive), n_resamples, random_state, rng)
