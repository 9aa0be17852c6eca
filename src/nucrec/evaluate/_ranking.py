"""Ranking classifiers that answered for the same images."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._holm import holm
from nucrec._metric_names import NAMES, check_metric, title
from nucrec._notebook import Facts, fragment, paragraphs, table
from nucrec._text import interval, markdown_table, number, percent, text_table
from nucrec._validation import invalid
from nucrec.evaluate._compare import paired_samples
from nucrec.evaluate._inputs import check_resampling
from nucrec.evaluate._metric import Metric
from nucrec.evaluate._metrics import FROM_CONFUSION
from nucrec.evaluate._paired import Pair
from nucrec.evaluate._permutation import least_p_value, limit, n_apart, name_of_test, p_value


@dataclass(frozen=True)
class Ranked(Facts):
    """One classifier in a `Ranking`.

    Attributes
    ----------
    name : str
        The name of the classifier.
    value : float
        The value of its metric.
    behind : Metric
        How far it is behind the best, with its interval.
    p_value : float
        Against the best, corrected for all pairs; 1 for the best.
    least_p_value : float
        The smallest corrected p-value that so few images, or groups, can give: those for which the
        answers of both differ. The p-values of the other pairs are as found.

    Examples
    --------
    >>> from nucrec.evaluate import compare_many
    >>> truth = [0, 1] * 10
    >>> ranking = compare_many(truth, {"a": truth, "b": [0] * 20}, metric="accuracy")
    >>> ranking.rows[0].name, ranking.rows[0].value, ranking.rows[1].value
    ('a', 1.0, 0.5)
    """

    name: str
    value: float
    behind: Metric
    p_value: float
    least_p_value: float = 0.0


@dataclass(frozen=True)
class Ranking:
    """The result of `compare_many`.

    Attributes
    ----------
    metric : str
        The standard name of the metric that they are ranked by, such as "mcc".
    rows : tuple of Ranked
        The best first.
    test : str
        "paired permutation"; of accuracies "exact McNemar" or, with groups, "exact sign flips".
    confidence : float
        The confidence of the intervals.

    Examples
    --------
    >>> from nucrec.evaluate import compare_many
    >>> truth = [0, 1] * 10
    >>> ranking = compare_many(truth, {"a": truth, "b": [0] * 20}, metric="accuracy")
    >>> [row.name for row in ranking.rows], ranking.best_is_better
    (['a', 'b'], True)
    """

    metric: str
    rows: tuple[Ranked, ...]
    test: str
    confidence: float

    @property
    def best_is_better(self) -> bool:
        """Whether the best is significantly better than the second.

        Its corrected p-value is below 1 - `confidence`, and the interval of the difference is
        above 0.
        """
        second = self.rows[1]
        return second.p_value < 1 - self.confidence and second.behind.low > 0

    @property
    def verdict(self) -> str:
        """One sentence on whether the best is significantly better than the second."""
        best, second = self.rows[:2]
        is_better = (
            "is better than" if self.best_is_better else "does not differ significantly from"
        )
        found = interval(second.behind.low, second.behind.high)
        limited = limit(second.least_p_value, self.confidence, self.test)
        return (
            f"{best.name} {is_better} {second.name}: {title(self.metric)} {number(best.value)} against "
            f"{number(second.value)}, difference {found}, p = {second.p_value:.2g}{limited}"
        )

    def __str__(self) -> str:
        return f"{text_table(*self._table())}\n\n{self.verdict}"

    def _repr_html_(self) -> str:
        return fragment(table(*self._table()), paragraphs(self.verdict))

    def to_markdown(self) -> str:
        """Return the table and the verdict as Markdown."""
        return f"{markdown_table(*self._table())}\n\n{self.verdict}\n"

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain dicts and numbers.

        Returns
        -------
        dict
            ``{"metric", "test", "confidence", "best_is_better", "verdict", "rows": [{"name",
            "value", "behind", "p_value", "least_p_value"}, ...]}``.
        """
        return {
            "metric": self.metric,
            "test": self.test,
            "confidence": self.confidence,
            "best_is_better": self.best_is_better,
            "verdict": self.verdict,
            "rows": [asdict(row) for row in self.rows],
        }

    def _table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        rows: list[tuple[str, ...]] = [(self.rows[0].name, number(self.rows[0].value), "", "", "")]
        for row in self.rows[1:]:
            span = interval(row.behind.low, row.behind.high)
            found = (number(row.behind.value), span, f"{row.p_value:.2g}")
            rows.append((row.name, number(row.value), *found))
        header = ("", title(self.metric), "behind", f"interval ({percent(self.confidence)})", "p")
        return header, rows


def compare_many(
    y_true: npt.ArrayLike,
    predictions: Mapping[str, npt.ArrayLike],
    scores: Mapping[str, npt.ArrayLike] | None = None,
    metric: str = "mcc",
    *,
    class_names: Sequence[str] | None = None,
    groups: npt.ArrayLike | None = None,
    confidence: float = 0.95,
    n_resamples: int = 2000,
    random_state: int = 0,
) -> Ranking:
    """Rank classifiers that answered for the same images, and test the best against the others.

    Parameters
    ----------
    y_true : array_like of int or str, shape (n,)
        True classes.
    predictions : mapping of str to array_like, at least two
        For each classifier the classes that it predicted.
    scores : mapping of str to array_like, optional
        For each classifier its scores; needed for ``metric="auc"``.
    metric : {"accuracy", "precision", "recall", "f1", "mcc", "kappa", "auc"}, default="mcc"
        What to rank by; the labels of the paper's tables ("ACC", "MC", ...) are understood, too.
    class_names, groups, confidence, n_resamples, random_state : optional
        As in `report`.

    Returns
    -------
    Ranking
        The best first; the others with their distance from it and the p-value of that distance.

    Raises
    ------
    InvalidParameterError
        As in `report`; or fewer than two classifiers.

    Notes
    -----
    What is ranked is tested: if two classifiers were equally good by this metric, they could as well
    have swapped their answers for any images. The p-value is the share of all ways to swap with at
    least as large a difference, to either side; where there are too many, of `n_resamples` random
    ones. With groups, whole groups are swapped; for the AUC, the ranks of the scores (Venkatraman and
    Begg 1996). For the accuracy this is McNemar's exact test. Intervals are those of `compare`.

    The best was chosen by the same images, so its p-values are corrected for all pairs of
    classifiers, not for its own alone, by Holm's method.

    References
    ----------
    - P. Good, "Permutation, Parametric and Bootstrap Tests of Hypotheses", 2005, chapter 3.
    - E. S. Venkatraman, C. B. Begg, Biometrika 83, 1996, pp. 835-848.
    - S. Holm, Scandinavian Journal of Statistics 6, 1979, pp. 65-70.

    Examples
    --------
    >>> from nucrec.evaluate import compare_many
    >>> truth = [0, 1] * 20
    >>> found = compare_many(truth, {"poor": truth[:24] + [1, 0] * 8, "good": truth[:36] + [1, 0] * 2})
    >>> print(found)
           MCC  behind  interval (95%)        p
    good  0.80
    poor  0.20    0.60    0.30 to 0.88  0.00049
    <BLANKLINE>
    good is better than poor: MCC 0.80 against 0.20, difference 0.30 to 0.88, p = 0.00049
    """
    check_resampling(confidence, n_resamples, random_state)
    names = list(predictions)
    if len(names) < 2:
        raise invalid("predictions", "those of at least two classifiers", names)
    if scores is not None and set(scores) != set(names):
        raise invalid("scores", f"one for each of {names}", sorted(scores))
    every = paired_samples(
        y_true,
        {f"predictions[{name!r}]": predictions[name] for name in names},
        [None if scores is None else scores[name] for name in names],
        class_names,
        groups,
    )
    overall = [*FROM_CONFUSION, *([] if scores is None else ["AUC"])]
    column = check_metric("metric", metric, overall), ""
    values = [sample.value(column) for sample in every]
    order = sorted(range(len(names)), key=lambda k: (-np.nan_to_num(values[k], nan=-9), k))
    pairs = [Pair(every[i], every[j]) for i, j in itertools.combinations(order, 2)]
    alone = [p_value(pair, column, n_resamples, random_state) for pair in pairs]
    p_values = holm(alone)
    rows = [Ranked(str(names[order[0]]), values[order[0]], Metric(0.0, 0.0, 0.0, "none"), 1.0)]
    for place, k in enumerate(order[1:]):
        pair, corrected = pairs[place], p_values[place]
        behind = pair.difference(column, confidence, n_resamples, random_state)
        possible = [*alone[:place], least_p_value(n_apart(pair, column)), *alone[place + 1 :]]
        least = holm(possible)[place]
        rows.append(Ranked(str(names[k]), values[k], behind, corrected, least))
    test = name_of_test(pairs[0], column)
    return Ranking(NAMES[column[0]], tuple(rows), test, float(confidence))
