"""Endings of the names of files, and the name of the classifier that ships."""

IMAGES = (
    ".png", ".jpg", ".jpeg", ".jfif", ".jpe", ".tif", ".tiff", ".bmp", ".gif", ".webp",
    ".tf2", ".tf8", ".btf",
)  # fmt: skip
TABLES = (".csv", ".tsv", ".tab", ".txt")

MODELS = {".keras": "network", ".skops": "classical"}
"""The kind of model in a file, by the ending of its name."""

PRETRAINED = "pretrained"
"""The classifier that ships. No model file can have this name, because model files have an ending."""
