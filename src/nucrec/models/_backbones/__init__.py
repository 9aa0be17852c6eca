"""Networks that were trained on ImageNet: what they are, and where their weights come from."""

from nucrec.models._backbones._registry import BACKBONES, Backbone
from nucrec.models._backbones._weights import find_weights, load_weights

__all__ = ["BACKBONES", "Backbone", "find_weights", "load_weights"]
