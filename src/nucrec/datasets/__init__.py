"""Load, describe and split sets of images."""

from nucrec._pixels.intensity import rescale_intensity
from nucrec._reading.listing import Quarantined
from nucrec.datasets._checks import check_training_data, find_contradictions
from nucrec.datasets._dataset import ImageDataset
from nucrec.datasets._folder import load_folder
from nucrec.datasets._images import LazyImages
from nucrec.datasets._leaks import Leaks, find_leaks
from nucrec.datasets._mnfinder import load_mnfinder_crops
from nucrec.datasets._nucrec import is_nucrec, load_nucrec
from nucrec.datasets._shortcuts import Shortcut, Shortcuts, find_shortcuts
from nucrec.datasets._split import folds, split
from nucrec.datasets._unlabelled import ImageFiles, load_images

__all__ = [
    "ImageDataset",
    "ImageFiles",
    "LazyImages",
    "Leaks",
    "Quarantined",
    "Shortcut",
    "Shortcuts",
    "check_training_data",
    "find_contradictions",
    "find_leaks",
    "find_shortcuts",
    "folds",
    "is_nucrec",
    "load_folder",
    "load_images",
    "load_mnfinder_crops",
    "load_nucrec",
    "rescale_intensity",
    "split",
]
