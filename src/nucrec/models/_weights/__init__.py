"""Networks pre-trained on ImageNet: their definitions and the sources of their weights."""

from nucrec.models._weights.loading import find_weights, load_weights
from nucrec.models._weights.registry import BACKBONES, Backbone, Body

__all__ = ["BACKBONES", "Backbone", "Body", "find_weights", "load_weights"]
