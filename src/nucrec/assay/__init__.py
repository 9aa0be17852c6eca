"""Statistics of the micronucleus assay: from a table of cells to rates, tests and a decision."""

from nucrec.assay._assay import Assay
from nucrec.assay._contrast import Contrast
from nucrec.assay._correction import CorrectedRate, Correction
from nucrec.assay._cytotoxicity import Cytotoxicity
from nucrec.assay._decision import Criterion, Decision
from nucrec.assay._detectable import SmallestIncrease
from nucrec.assay._dose_plot import DoseResponseDisplay
from nucrec.assay._historical import HistoricalControls
from nucrec.assay._plan import Plan, plan
from nucrec.assay._plate_plot import PlateDisplay
from nucrec.assay._review_summary import ReviewSummary
from nucrec.assay._save_report import save_report
from nucrec.assay._saved_report import SavedReport
from nucrec.assay._summaries import ConditionSummary, UnitSummary
from nucrec.assay._summarize import summarize
from nucrec.assay._test_result import TestResult
from nucrec.assay._trend import Trend

__all__ = [
    "Assay",
    "ConditionSummary",
    "Contrast",
    "CorrectedRate",
    "Correction",
    "Criterion",
    "Cytotoxicity",
    "Decision",
    "DoseResponseDisplay",
    "HistoricalControls",
    "Plan",
    "PlateDisplay",
    "ReviewSummary",
    "SavedReport",
    "SmallestIncrease",
    "TestResult",
    "Trend",
    "UnitSummary",
    "plan",
    "save_report",
    "summarize",
]
