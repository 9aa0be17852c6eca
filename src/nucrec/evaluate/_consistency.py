"""Find the confusion matrices that are consistent with rounded metrics."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec import _notebook as show
from nucrec._metric_names import NAMES, check_metric
from nucrec._text import many
from nucrec._validation import check_choice, check_int, check_real, invalid
from nucrec.evaluate._metrics import (
    FROM_CONFUSION,
    class_f1,
    class_precision,
    class_recall,
)

Array = npt.NDArray[Any]

_BY_CLASS = {"PRE": class_precision, "REC": class_recall, "F1": class_f1}
_AVERAGES = ("macro", "weighted", "positive")
_ROUNDINGS = ("nearest", "any")
_SLACK = 1e-9
_MOST_IMAGES = 5000
_SHOWN = 10  # matrices in a notebook


@dataclass(frozen=True, eq=False)
class Consistency:
    """The result of `consistency`.

    Attributes
    ----------
    matrices : ndarray of int, shape (k, 2, 2)
        All confusion matrices consistent with the row: true classes in rows, predicted classes in
        columns, and the positive class second.
    tried : tuple of int
        The numbers of images that were tried.

    Examples
    --------
    >>> from nucrec.evaluate import consistency
    >>> found = consistency({"ACC": 0.67, "REC": 0.75}, n=range(2, 5))
    >>> found.matrices.tolist(), found.sizes
    ([[[1, 1], [0, 1]], [[1, 0], [1, 1]]], [3])
    """

    matrices: Array
    tried: tuple[int, ...]

    @property
    def possible(self) -> bool:
        """Whether any confusion matrix is consistent with the row."""
        return len(self.matrices) > 0

    @property
    def sizes(self) -> list[int]:
        """The numbers of images with which the row is possible."""
        return sorted({int(total) for total in self.matrices.sum(axis=(1, 2))})

    def __repr__(self) -> str:
        return f"Consistency({self})"

    def _repr_html_(self) -> str:
        rows = [tuple(str(n) for n in matrix.ravel()) for matrix in self.matrices[:_SHOWN]]
        header = ("true negatives", "false positives", "false negatives", "true positives")
        more = len(self.matrices) - len(rows)
        told = f"and {more} more" if more else ""
        table = show.table(header, rows) if rows else ""
        return show.fragment(show.paragraphs(str(self)), table, show.paragraphs(told))

    def __str__(self) -> str:
        span = f"{self.tried[0]} to {self.tried[-1]} images"
        if len(self.tried) == 1:
            span = many(self.tried[0], "image")
        if not self.possible:
            return f"no confusion matrix of {span} gives this row"
        sizes = f"{len(self.sizes)} of {len(self.tried)} sizes"
        return f"{len(self.matrices)} confusion matrices of {span} give this row, with {sizes}"


def consistency(
    row: Mapping[str, float],
    n: int | Iterable[int],
    *,
    digits: int = 2,
    positives: int | None = None,
    average: str = "macro",
    rounding: str = "nearest",
) -> Consistency:
    """Find all two-class confusion matrices that are consistent with a row of rounded metrics.

    Parameters
    ----------
    row : mapping of str to float
        Published metrics: any of "accuracy", "precision", "recall", "f1", "mcc" and "kappa", or of the
        paper's labels, "ACC", "PRE", "REC", "F1", "MC" and "KS".
    n : int or iterable of int
        Numbers of images to try, each from 1 to 5000.
    digits : int, default=2
        Decimals of the published values.
    positives : int, optional
        Number of images of the positive class, if known.
    average : {"macro", "weighted", "positive"}, default="macro"
        The definition of PRE, REC and F1: means over both classes, means weighted by class size, or
        values of the positive class.
    rounding : {"nearest", "any"}, default="nearest"
        "nearest" allows half a unit of the last digit to either side; "any" allows a whole unit, for
        values that may have been truncated or rounded up.

    Returns
    -------
    Consistency
        The matrices; if there are none, the row is impossible for these numbers of images.

    Raises
    ------
    InvalidParameterError
        A metric is unknown or out of range, or another parameter is.

    Notes
    -----
    All matrices are tried. A possible row is not thereby proved correct. An impossible one may be due
    to a typing error, other definitions, or a mean over several runs.

    References
    ----------
    - N. J. L. Brown, J. A. J. Heathers, Social Psychological and Personality Science 8, 2017,
      pp. 363-369 (the granularity of rounded values, as a test).

    Examples
    --------
    >>> from nucrec.evaluate import consistency
    >>> consistency({"ACC": 0.94}, n=90).possible, consistency({"ACC": 0.94}, n=92).possible
    (True, False)
    """
    if not isinstance(row, Mapping) or not row:
        raise invalid("row", "a mapping of metrics to values", row)
    check_int("digits", digits, low=0, high=6)
    row = {check_metric("row", name, FROM_CONFUSION): value for name, value in row.items()}
    for name, value in row.items():
        check_real(f"row[{NAMES[name]!r}]", value, low=-1 if name in ("MC", "KS") else 0, high=1)
    check_choice("average", average, _AVERAGES)
    check_choice("rounding", rounding, _ROUNDINGS)
    tried = _sizes(n)
    if positives is not None:
        check_int("positives", positives, low=0)
    unit = 10.0**-digits
    reach = (unit / 2 if rounding == "nearest" else unit) + _SLACK
    found = [_matrices(row, size, reach, positives, average) for size in tried]
    return Consistency(np.concatenate(found), tried)


def _sizes(n: int | Iterable[int]) -> tuple[int, ...]:
    if isinstance(n, int | np.integer):
        return (check_int("n", n, low=1, high=_MOST_IMAGES),)
    if not isinstance(n, Iterable):
        raise invalid("n", "a whole number, or several of them", n)
    sizes = tuple(sorted({check_int("n", size, low=1, high=_MOST_IMAGES) for size in n}))
    if not sizes:
        raise invalid("n", "at least one whole number", n)
    return sizes


def _matrices(
    row: Mapping[str, float], n: int, reach: float, positives: int | None, average: str
) -> Array:
    """Return the matrices of n images that are consistent with the row."""
    right = np.arange(n + 1)
    if "ACC" in row:
        right = right[np.abs(right / n - row["ACC"]) <= reach]
    sizes = np.arange(n + 1) if positives is None else np.array([positives])
    metrics = {name: _metric(name, average) for name in row if name != "ACC"}
    found = [np.zeros((0, 2, 2), int)]
    for count in right.tolist():
        hits, size = np.meshgrid(np.arange(count + 1), sizes, indexing="ij")
        true_negatives = count - hits
        fits = (hits <= size) & (true_negatives <= n - size)
        hits, size, true_negatives = hits[fits], size[fits], true_negatives[fits]
        cells = [true_negatives, n - size - true_negatives, size - hits, hits]
        matrices = np.stack(cells, axis=-1).reshape(-1, 2, 2)
        for name, metric in metrics.items():
            matrices = matrices[np.abs(metric(matrices) - row[name]) <= reach]
        found.append(matrices)
    return np.concatenate(found)


def _metric(name: str, average: str) -> Callable[[Array], Array]:
    if name not in _BY_CLASS or average == "macro":
        return FROM_CONFUSION[name]
    by_class = _BY_CLASS[name]
    if average == "positive":
        return lambda confusion: by_class(confusion)[..., 1]
    return lambda confusion: (
        (by_class(confusion) * confusion.sum(-1)).sum(-1) / confusion.sum((-2, -1))
    )
