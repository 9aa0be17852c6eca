"""How good a classifier is, and how sure one can be of that."""

from nucrec.evaluate._compare import Comparison, Ranked, Ranking, compare, compare_many
from nucrec.evaluate._consistency import Consistency, consistency
from nucrec.evaluate._report import Metric, Report, report

__all__ = [
    "Comparison",
    "Consistency",
    "Metric",
    "Ranked",
    "Ranking",
    "Report",
    "compare",
    "compare_many",
    "consistency",
    "report",
]
