"""The report of one classifier on one test set."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

import numpy.typing as npt

from nucrec import _notebook as show
from nucrec._html import SavedAsPage, paragraph, plot, section, table
from nucrec._metric_names import NAMES, title
from nucrec._text import (
    Row,
    csv_text,
    images,
    interval,
    latex_table,
    markdown_table,
    number,
    percent,
    text_table,
)
from nucrec.evaluate import _remarks
from nucrec.evaluate._estimate import estimate
from nucrec.evaluate._inputs import check_resampling
from nucrec.evaluate._metric import Metric
from nucrec.evaluate._metrics import BY_CLASS
from nucrec.evaluate._plots import ConfusionMatrixDisplay, MetricsDisplay
from nucrec.evaluate._sample import Sample

Array = npt.NDArray[Any]

_CONFUSION = "Confusion matrix (true classes in rows, predicted in columns)"


@dataclass(frozen=True)
class Report(SavedAsPage):
    """The metrics of one classifier on one test set, and their tables in several formats.

    Attributes
    ----------
    n : int
        Number of images.
    metrics : mapping of str to Metric
        ACC, PRE, REC, F1, MC, KS and, if there were scores, AUC, in this order: the labels of the
        paper's tables. Each is an attribute, too, by its standard name: `accuracy`, `precision`,
        `recall`, `f1`, `mcc`, `kappa`, `auc`.
    per_class : mapping of str to (mapping of str to Metric)
        For each class PRE, REC and F1.
    support : mapping of str to int
        The number of images of each class.
    confusion_matrix : tuple of tuple of int
        True classes in rows, predicted classes in columns.
    class_names : tuple of str
        The classes, in the order of the confusion matrix.
    confidence : float
        The confidence of all intervals.
    n_groups : int or None
        Number of groups, if any two images share one.
    n_wrong_groups : int or None
        Number of groups with a misclassified image.
    data_remarks : tuple of str
        Remarks on the images themselves, added by the caller; the last of `remarks`.

    Examples
    --------
    >>> from nucrec.evaluate import report
    >>> result = report([0, 0, 1, 1], [0, 1, 1, 1])
    >>> result.accuracy.value
    0.75
    >>> print(result.to_csv().splitlines()[0])
    metric,value,low,high,method
    """

    n: int
    metrics: Mapping[str, Metric]
    per_class: Mapping[str, Mapping[str, Metric]]
    support: Mapping[str, int]
    confusion_matrix: tuple[tuple[int, ...], ...]
    class_names: tuple[str, ...]
    confidence: float
    n_groups: int | None = None
    n_wrong_groups: int | None = None
    data_remarks: tuple[str, ...] = ()

    @property
    def accuracy(self) -> Metric:
        """The share of images that are classified correctly."""
        return self.metrics["ACC"]

    @property
    def precision(self) -> Metric:
        """The precision, averaged over the classes."""
        return self.metrics["PRE"]

    @property
    def recall(self) -> Metric:
        """The recall, averaged over the classes."""
        return self.metrics["REC"]

    @property
    def f1(self) -> Metric:
        """The harmonic mean of precision and recall, averaged over the classes."""
        return self.metrics["F1"]

    @property
    def mcc(self) -> Metric:
        """The Matthews correlation coefficient, from -1 to 1; 0 for constant or random predictions."""
        return self.metrics["MC"]

    @property
    def kappa(self) -> Metric:
        """Cohen's kappa: agreement beyond chance, at most 1."""
        return self.metrics["KS"]

    @property
    def auc(self) -> Metric:
        """The area under the ROC curve; raises AttributeError if there were no scores."""
        if "AUC" not in self.metrics:
            raise AttributeError("auc needs scores: report(y_true, y_pred, y_score)")
        return self.metrics["AUC"]

    def __post_init__(self) -> None:
        per_class = {name: MappingProxyType(dict(v)) for name, v in self.per_class.items()}
        for name, mapping in (
            ("metrics", self.metrics),
            ("per_class", per_class),
            ("support", self.support),
        ):
            object.__setattr__(self, name, MappingProxyType(dict(mapping)))

    def __str__(self) -> str:
        metrics, classes, confusion = (text_table(*each) for each in self._tables)
        return "\n\n".join([self._summary, metrics, classes, f"{_CONFUSION}\n{confusion}"])

    def _repr_html_(self) -> str:
        metrics, classes, confusion = (show.table(*each) for each in self._tables)
        caption = show.paragraphs(f"{_CONFUSION}:")
        summary = show.paragraphs(*self._summary.splitlines())
        return show.fragment(summary, metrics, classes, caption, confusion)

    def __reduce__(self) -> tuple[Any, ...]:
        # mapping proxies cannot be pickled: hand over plain dicts
        per_class = {name: dict(values) for name, values in self.per_class.items()}
        mappings = (dict(self.metrics), per_class, dict(self.support))
        rest = (self.confusion_matrix, self.class_names, self.confidence)
        groups = (self.n_groups, self.n_wrong_groups)
        return Report, (self.n, *mappings, *rest, *groups, self.data_remarks)

    @property
    def remarks(self) -> tuple[str, ...]:
        """Remarks on the limitations of the numbers; empty if there are none."""
        return (
            *_remarks.on_classes(self.support, self.confusion_matrix),
            *_remarks.on_groups(self.n_groups, self.n_wrong_groups),
            *_remarks.on_chance(self.mcc.low),
            *self.data_remarks,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain dicts, lists and numbers.

        Returns
        -------
        dict
            ``{"n", "metrics": {"ACC": {"value", "low", "high", "method"}, ...}, "per_class":
            {name: {"n", "PRE": {...}, ...}}, "confusion_matrix", "class_names", "confidence",
            "n_groups", "n_wrong_groups", "remarks"}``.
        """
        per_class = {
            name: {"n": self.support[name], **{key: asdict(m) for key, m in values.items()}}
            for name, values in self.per_class.items()
        }
        return {
            "n": self.n,
            "metrics": {name: asdict(metric) for name, metric in self.metrics.items()},
            "per_class": per_class,
            "confusion_matrix": [list(row) for row in self.confusion_matrix],
            "class_names": list(self.class_names),
            "confidence": self.confidence,
            "n_groups": self.n_groups,
            "n_wrong_groups": self.n_wrong_groups,
            "remarks": list(self.remarks),
        }

    def to_markdown(self) -> str:
        """Return the metrics, the classes and the confusion matrix as Markdown tables."""
        return (
            "\n\n".join([self._summary, *(markdown_table(*each) for each in self._tables)]) + "\n"
        )

    def to_latex(self) -> str:
        """Return the metrics as a LaTeX ``tabular``."""
        return latex_table(*self._tables[0])

    def to_csv(self) -> str:
        """Return the metrics as CSV: metric, value, low, high, method; unrounded."""
        header = ("metric", "value", "low", "high", "method")
        rows = [(NAMES[key], m.value, m.low, m.high, m.method) for key, m in self.metrics.items()]
        return csv_text(header, rows)

    def _page_parts(self) -> list[str]:
        return [self.to_html()]

    def to_html(self) -> str:
        """Return the numbers, the confusion matrix and the intervals as part of an HTML page.

        Returns
        -------
        str
            Paragraphs and sections, with two plots as embedded images.

        Raises
        ------
        MissingExtraError
            matplotlib is not installed.
        """
        alt = "Confusion matrix, with the numbers of the table above it"
        confusion = plot(lambda: ConfusionMatrixDisplay.from_report(self).plot().figure_, alt)
        alt = "Metrics as points with their intervals, as in the table above"
        metrics = plot(lambda: MetricsDisplay.from_report(self).plot().figure_, alt)
        by_metric, by_class, counts = (table(*each) for each in self._tables)
        caption = paragraph("True classes in rows, predicted classes in columns.")
        parts = [
            *map(paragraph, self._summary.splitlines()),
            section("Metrics", by_metric, metrics),
            section("Classes", by_class),
            section("Confusion matrix", caption, counts, confusion),
        ]
        return "\n".join(parts)

    @property
    def _summary(self) -> str:
        remarks = "".join(f"\nNote: {remark}" for remark in self.remarks)
        return f"{images(self.n, self.n_groups)}; intervals: {percent(self.confidence)}{remarks}"

    @property
    def _tables(self) -> tuple[tuple[Row, list[Row]], ...]:
        """The header and the rows of the metrics, the classes and the confusion matrix."""
        metrics: list[Row] = [
            (title(key), number(m.value), interval(m.low, m.high), m.method)
            for key, m in self.metrics.items()
        ]
        classes: list[Row] = [
            (name, str(self.support[name]), *map(str, found.values()))
            for name, found in self.per_class.items()
        ]
        confusion: list[Row] = [
            (name, *map(str, row))
            for name, row in zip(self.class_names, self.confusion_matrix, strict=True)
        ]
        return (
            (("metric", "value", "interval", "method"), metrics),
            (("class", "n", *map(title, BY_CLASS)), classes),
            (("", *self.class_names), confusion),
        )


def report(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    y_score: npt.ArrayLike | None = None,
    class_names: Sequence[str] | None = None,
    groups: npt.ArrayLike | None = None,
    confidence: float = 0.95,
    *,
    n_resamples: int = 2000,
    random_state: int = 0,
) -> Report:
    """Compare predictions with true classes, by seven metrics with intervals.

    Parameters
    ----------
    y_true, y_pred : array_like of int or str, shape (n,)
        True and predicted classes: names, or integers from 0 if `class_names` is given.
    y_score : array_like of float, shape (n,) or (n, n_classes), optional
        Scores that are higher for the class at index 1 (of two classes), or one column for each class:
        probabilities or any other finite scores. Required for AUC.
    class_names : sequence of str, optional
        The classes, in the order of the columns of `y_score`; by default those that occur, in the
        order of `nucrec.datasets.load_folder`. Of two classes, the second is the positive one.
    groups : array_like, shape (n,), optional
        Images that are not independent share a group. If all groups differ, they are ignored.
    confidence : float, default=0.95
        The confidence of the intervals, strictly between 0 and 1.
    n_resamples : int, default=2000
        Number of draws from the posterior distribution, at least 1.
    random_state : int, default=0
        Seed of the draws.

    Returns
    -------
    Report
        Accuracy; precision, recall and F1, means over the classes; Matthews's correlation
        coefficient; Cohen's kappa; the area under the ROC curve (several classes: the mean of one
        against the rest).

    Raises
    ------
    InvalidParameterError
        Lengths differ, a class is unknown, a value is not finite or out of range, or the columns of
        `y_score` are in another order than the classes, as `y_pred` shows.

    Warns
    -----
    DataWarning
        Names of groups look the same, or no name reveals the positive class of scores in one column.

    Notes
    -----
    Accuracy, and precision and recall of a class, are shares of images and have Wilson's interval.
    Means over classes, F1, MCC and kappa have an interval from the posterior distribution of the
    confusion matrix with Jeffreys' prior (Caelen 2017), drawn `n_resamples` times and expanded for
    small samples as in Hesterberg (2015). The area under the ROC curve has Newcombe's interval,
    method 5. All intervals have a positive width even without mistakes.

    With groups, the effective number of images is smaller. The variance of each metric between groups
    is compared with that between images, and the number of images is divided by the ratio, the design
    effect (Kish 1965), which is at least 1. A few mistakes in a few groups say little about this
    ratio, so it is moderated by an assumed correlation of 0.2 within groups with the weight of two
    groups (as in Smyth 2004), and the quantile is Student's t. An interval with groups contains the
    one without. With a single group, intervals are NaN.

    In a simulation of 30, 92 and 300 images, independent or in 5 to 33 groups whose accuracies differ,
    with a prevalence of 0.5 or 0.1 and an accuracy of 0.7 to 0.97, 95 % intervals contained the true
    value in 92 to 99 % of cases in 990 of 1050 combinations, and in at least 90 % in all; the page "Why
    intervals" of the documentation has the table.

    The means exclude a class that neither occurs nor is predicted. A precision or recall with a zero
    denominator otherwise counts as 0, as in scikit-learn.

    References
    ----------
    - E. B. Wilson, Journal of the American Statistical Association 22, 1927, pp. 209-212.
    - O. Caelen, Annals of Mathematics and Artificial Intelligence 81, 2017, pp. 429-450.
    - T. C. Hesterberg, The American Statistician 69, 2015, pp. 371-386.
    - R. G. Newcombe, Statistics in Medicine 25, 2006, pp. 559-573 (method 5).
    - L. Kish, "Survey Sampling", 1965.
    - N. Dean, M. Pagano, Journal of Survey Statistics and Methodology 3, 2015, pp. 484-503
      (Wilson's interval of an effective number of images).
    - N. A. Obuchowski, Biometrics 53, 1997, pp. 567-578 (AUC in groups).
    - G. K. Smyth, Statistical Applications in Genetics and Molecular Biology 3, 2004, article 3.
    - J. Gorodkin, Computational Biology and Chemistry 28, 2004, pp. 367-374 (MCC of several classes).
    - J. Cohen, Educational and Psychological Measurement 20, 1960, pp. 37-46 (kappa).
    - J. A. Hanley, B. J. McNeil, Radiology 143, 1982, pp. 29-36 (AUC).

    Examples
    --------
    >>> from nucrec.evaluate import report
    >>> truth = ["nucleus", "nucleus", "micronucleus", "micronucleus"] * 5
    >>> found = ["nucleus", "micronucleus", "micronucleus", "micronucleus"] * 5
    >>> result = report(truth, found, class_names=["nucleus", "micronucleus"])
    >>> print(result.accuracy, result.accuracy.method)
    0.75 (0.53 to 0.89) Wilson
    >>> result.confusion_matrix
    ((5, 5), (0, 10))
    """
    check_resampling(confidence, n_resamples, random_state)
    sample = Sample.of(y_true, y_pred, y_score, class_names, groups)
    by_name = estimate(sample, confidence, n_resamples, random_state)
    per_class = {name: {key: by_name[key, name] for key in BY_CLASS} for name in sample.names}
    return Report(
        n=len(sample.true),
        metrics={key: metric for (key, name), metric in by_name.items() if not name},
        per_class=per_class,
        support=dict(zip(sample.names, sample.confusion.sum(1).tolist(), strict=True)),
        confusion_matrix=tuple(tuple(row) for row in sample.confusion.tolist()),
        class_names=sample.names,
        confidence=float(confidence),
        n_groups=sample.design.n_groups,
        n_wrong_groups=sample.design.n_groups_with(sample.wrong),
    )
