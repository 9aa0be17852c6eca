"""How good a classifier is, and how sure one can be of that."""

from nucrec.evaluate._report import Metric, Report, report

__all__ = ["Metric", "Report", "report"]
