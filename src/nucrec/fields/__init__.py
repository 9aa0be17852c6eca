"""Detection of nuclei and micronuclei in fields of view, as tables of cells."""

import importlib
from typing import TYPE_CHECKING, Any

from nucrec.fields._annotated import AnnotatedFields
from nucrec.fields._cells import Cells
from nucrec.fields._crops import crops
from nucrec.fields._detect import detect
from nucrec.fields._detection import Detection, Detector
from nucrec.fields._evaluation import evaluate_fields
from nucrec.fields._field import Field
from nucrec.fields._field_counts import FieldCounts
from nucrec.fields._field_report import FieldReport
from nucrec.fields._field_set import FieldSet
from nucrec.fields._field_summary import FieldSummary
from nucrec.fields._labels import read_labels
from nucrec.fields._load import load_fields
from nucrec.fields._make_plate import make_plate
from nucrec.fields._mnfinder import load_mnfinder_fields, sample_fields
from nucrec.fields._overlay import overlay
from nucrec.fields._rates import Rate, Rates
from nucrec.fields._rates_plot import RatesDisplay
from nucrec.fields._results import save_results
from nucrec.fields._review import ReviewPage, review
from nucrec.fields._saved import SavedResults
from nucrec.fields._segmentation.card import DetectorCard

if TYPE_CHECKING:
    from nucrec.fields._detector import FieldDetector

__all__ = [
    "AnnotatedFields",
    "Cells",
    "Detection",
    "Detector",
    "DetectorCard",
    "Field",
    "FieldCounts",
    "FieldDetector",
    "FieldReport",
    "FieldSet",
    "FieldSummary",
    "Rate",
    "Rates",
    "RatesDisplay",
    "ReviewPage",
    "SavedResults",
    "crops",
    "detect",
    "evaluate_fields",
    "load_fields",
    "load_mnfinder_fields",
    "make_plate",
    "overlay",
    "read_labels",
    "review",
    "sample_fields",
    "save_results",
]


if not TYPE_CHECKING:  # otherwise a type checker would accept any name

    def __getattr__(name: str) -> Any:
        if name == "FieldDetector":  # an estimator: importing scikit-learn takes a second
            return importlib.import_module("nucrec.fields._detector").FieldDetector
        raise AttributeError(f"module 'nucrec.fields' has no attribute {name!r}")
