"""Augment a training set reproducibly."""

from nucrec.augment._geometry import Flip, Rotate, Shear, Shift, Zoom
from nucrec.augment._intensity import Blur, Brightness, Contrast, Gamma, Noise
from nucrec.augment._operation import Geometric, Intensity, Operation
from nucrec.augment._pipeline import Pipeline, paper_pipeline
from nucrec.augment._plots import AugmentationDisplay

__all__ = [
    "AugmentationDisplay",
    "Blur",
    "Brightness",
    "Contrast",
    "Flip",
    "Gamma",
    "Geometric",
    "Intensity",
    "Noise",
    "Operation",
    "Pipeline",
    "Rotate",
    "Shear",
    "Shift",
    "Zoom",
    "paper_pipeline",
]
