"""Fields of view: from images of many cells to a table of cells."""

from nucrec.fields._evaluation import evaluate_fields
from nucrec.fields._field_counts import FieldCounts
from nucrec.fields._field_report import FieldReport
from nucrec.fields._field_summary import FieldSummary
from nucrec.fields._rates_plot import RatesDisplay

__all__ = ["FieldCounts", "FieldReport", "FieldSummary", "RatesDisplay", "evaluate_fields"]
