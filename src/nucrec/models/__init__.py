"""The classifiers, and what compares them."""

from nucrec.models._classical import classical_zoo
from nucrec.models._features import PixelFeatures
from nucrec.models._zoo import run_zoo
from nucrec.models._zoo_result import ZooResult, ZooRow

__all__ = ["PixelFeatures", "ZooResult", "ZooRow", "classical_zoo", "run_zoo"]
