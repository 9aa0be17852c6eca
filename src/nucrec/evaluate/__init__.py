"""Metrics of classifiers with intervals, comparisons, calibration, and displays."""

from nucrec.evaluate._calibration import (
    CalibrationError,
    Temperature,
    calibration_error,
    fit_temperature,
)
from nucrec.evaluate._calibration_plot import CalibrationDisplay
from nucrec.evaluate._compare import Comparison, compare
from nucrec.evaluate._conformal import ConformalRule, fit_conformal
from nucrec.evaluate._consistency import Consistency, consistency
from nucrec.evaluate._curve_plots import PrecisionRecallDisplay, RocCurveDisplay
from nucrec.evaluate._curves import Curve
from nucrec.evaluate._folds import FoldMetric, over_folds, rank_folds
from nucrec.evaluate._make_report import report
from nucrec.evaluate._metric import Metric
from nucrec.evaluate._plots import ConfusionMatrixDisplay, MetricsDisplay
from nucrec.evaluate._predictive import PredictiveValues
from nucrec.evaluate._proportion import (
    corrected_proportion,
    mean_interval,
    proportion_interval,
)
from nucrec.evaluate._ranking import Ranked, Ranking, compare_many
from nucrec.evaluate._report import Report

__all__ = [
    "CalibrationDisplay",
    "CalibrationError",
    "Comparison",
    "ConformalRule",
    "ConfusionMatrixDisplay",
    "Consistency",
    "Curve",
    "FoldMetric",
    "Metric",
    "MetricsDisplay",
    "PrecisionRecallDisplay",
    "PredictiveValues",
    "Ranked",
    "Ranking",
    "Report",
    "RocCurveDisplay",
    "Temperature",
    "calibration_error",
    "compare",
    "compare_many",
    "consistency",
    "corrected_proportion",
    "fit_conformal",
    "fit_temperature",
    "mean_interval",
    "over_folds",
    "proportion_interval",
    "rank_folds",
    "report",
]
