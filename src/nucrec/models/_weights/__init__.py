"""Networks that were trained on ImageNet: what they are, and where their weights come from."""

from nucrec.models._weights.loading import find_weights, load_weights
from nucrec.models._weights.registry import BACKBONES, Backbone, Body

__all__ = ["BACKBONES", "Backbone", "Body", "find_weights", "load_weights"]
