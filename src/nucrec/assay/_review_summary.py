"""The performance of the detector on one plate, according to a review."""

import math
from dataclasses import dataclass

from nucrec import _notebook as show
from nucrec import _text as fmt
from nucrec._unit_rates import NOT_ESTIMABLE
from nucrec.evaluate import Metric

_MEANINGS = {
    "precision": "of the cells called micronucleated, those that are",
    "recall, or sensitivity": "of the micronucleated cells, those called so",
    "specificity": "of the cells without a micronucleus, those called so",
    "missed per 1000": "micronucleated cells among 1000 that are called without",
}


@dataclass(frozen=True)
class ReviewSummary:
    """The performance of the detector on this plate, from cells that a person reviewed.

    Attributes
    ----------
    precision : Metric
        The share of micronucleated cells among those called so.
    recall : Metric
        The share of micronucleated cells that are called so, also called sensitivity; NaN if no
        reviewed cell has a micronucleus.
    specificity : Metric
        The share of cells without a micronucleus that are called so.
    missed_per_1000 : Metric
        Number of micronucleated cells among 1000 cells called without a micronucleus.
    n_positive, n_negative : int
        Number of answered cells called with, and without, a micronucleus.
    n_unsure : int
        Number of cells that the reviewer was unsure of; they are left out.
    n_unanswered : int
        Number of cells that were not reviewed.
    remarks : tuple of str
        Remarks on the numbers; empty if there are none.

    Examples
    --------
    >>> from nucrec.assay import summarize
    >>> assay = summarize({"well": ["B02", "B03", "B04"], "condition": ["DMSO"] * 3,
    ...                    "scored": [2000] * 3, "micronucleated": [130, 134, 141]})
    >>> reviewed = {"called": [1] * 100 + [0] * 300,
    ...             "reviewed": ["yes"] * 80 + ["no"] * 20 + ["no"] * 299 + ["yes"]}
    >>> review = assay.corrected(reviewed=reviewed).review
    >>> print(review.precision)
    0.80 (0.73 to 0.86)
    >>> review.n_positive, review.n_negative
    (100, 300)
    """

    precision: Metric
    recall: Metric
    specificity: Metric
    missed_per_1000: Metric
    n_positive: int
    n_negative: int
    n_unsure: int = 0
    n_unanswered: int = 0
    remarks: tuple[str, ...] = ()

    @property
    def sensitivity(self) -> Metric:
        """The recall, under its name in diagnostics."""
        return self.recall

    def _repr_html_(self) -> str:
        return show.fragment(show.table(*self.table), show.paragraphs(*self.remarks))

    @property
    def table(self) -> tuple[fmt.Row, list[fmt.Row]]:
        """The header and the rows of a table, as text."""
        values = (self.precision, self.recall, self.specificity, self.missed_per_1000)
        digits = (3, 3, 4, 2)
        rows: list[fmt.Row] = [
            (
                f"{name}: {meaning}",
                NOT_ESTIMABLE if math.isnan(each.value) else fmt.number(each.value, n),
                NOT_ESTIMABLE
                if math.isnan(each.low)
                else f"{fmt.number(each.low, n)} to {fmt.number(each.high, n)}",
            )
            for (name, meaning), each, n in zip(_MEANINGS.items(), values, digits, strict=True)
        ]
        return ("the detector on this plate", "value", "interval"), rows
