"""The report of one classifier on one test set."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any

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
from nucrec._validation import invalid
from nucrec.evaluate import _remarks
from nucrec.evaluate._metric import Metric
from nucrec.evaluate._metrics import BY_CLASS
from nucrec.evaluate._plots import ConfusionMatrixDisplay, MetricsDisplay
from nucrec.evaluate._predictive import PredictiveValues

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
    n_alike_groups : float or None
        Number of groups of one size that say as much about how groups differ: fewer than `n_groups`
        if a few groups contain most of the images.
    n_groups_of_class : mapping of str to int
        Number of groups with images of each class; empty without groups.
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
    n_alike_groups: float | None = field(default=None, repr=False)
    n_groups_of_class: Mapping[str, int] = field(default_factory=dict, repr=False)

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
            ("n_groups_of_class", self.n_groups_of_class),
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
        groups = (self.n_groups, self.n_wrong_groups, self.data_remarks)
        of_groups = (self.n_alike_groups, dict(self.n_groups_of_class))
        return Report, (self.n, *mappings, *rest, *groups, *of_groups)

    @property
    def remarks(self) -> tuple[str, ...]:
        """Remarks on the limitations of the numbers; empty if there are none."""
        return (
            *_remarks.on_classes(self.support, self.confusion_matrix),
            *_remarks.on_groups(self.n_groups, self.n_wrong_groups, self.n_alike_groups),
            *_remarks.on_groups_of_classes(self.n_groups, self.n_groups_of_class),
            *_remarks.on_scores(self.mcc, self.metrics.get("AUC")),
            *_remarks.on_chance(self.mcc.low),
            *self.data_remarks,
        )

    def at_prevalence(self, prevalence: float) -> PredictiveValues:
        """Return what a prediction is worth where the positive class is as frequent as stated.

        Parameters
        ----------
        prevalence : float
            The share of the positive class, strictly between 0 and 1: 0.01 in a screening in which 1 %
            of the cells have a micronucleus.

        Returns
        -------
        PredictiveValues
            Sensitivity, specificity, likelihood ratios and predictive values, with intervals.

        Raises
        ------
        InvalidParameterError
            There are not two classes that both occur, or the prevalence is out of range.

        Notes
        -----
        The intervals of the ratios follow from those of sensitivity and specificity by MOVER (Donner
        and Zou 2012), as if the two did not depend on each other, and predictive values from the ratios
        by Bayes' theorem. The prevalence is taken as known, and the images as like those of the test
        set. In simulations of 30 to 200 positive and 30 to 2000 negative independent images, 95 %
        intervals contained the true value in 93 to 97 % of cases.

        References
        ----------
        - A. Donner, G. Y. Zou, Statistical Methods in Medical Research 21, 2012, pp. 347-359.
        - D. G. Altman, J. M. Bland, British Medical Journal 309, 1994, p. 102 (predictive values).

        Examples
        --------
        >>> from nucrec.evaluate import report
        >>> found = report([0, 1] * 100, [0, 1] * 90 + [1, 0] * 10)
        >>> print(found.at_prevalence(0.01).positive_predictive_value)
        0.08 (0.05 to 0.14)
        """
        if len(self.support) != 2 or not all(self.support.values()):
            raise invalid("report", "two classes that both occur", dict(self.support))
        specificity, sensitivity = (self.per_class[name]["REC"] for name in self.class_names)
        return PredictiveValues.of(self.class_names[1], prevalence, sensitivity, specificity)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain dicts, lists and numbers.

        Returns
        -------
        dict
            ``{"n", "metrics": {"ACC": {"value", "low", "high", "method"}, ...}, "per_class":
            {name: {"n", "PRE": {...}, ...}}, "confusion_matrix", "class_names", "confidence",
            "n_groups", "n_wrong_groups", "n_alike_groups", "n_groups_of_class", "remarks"}``.
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
            "n_alike_groups": self.n_alike_groups,
            "n_groups_of_class": dict(self.n_groups_of_class),
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
