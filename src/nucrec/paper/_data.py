"""Load and describe the data behind the tables."""

from pathlib import Path
from typing import Any

import numpy as np

from nucrec._paths import checked_path
from nucrec._validation import invalid
from nucrec.datasets import (
    ImageDataset,
    is_nucrec,
    load_folder,
    load_mnfinder_crops,
    load_nucrec,
)

SHIPPED = "load_mnfinder_crops('paper')"
"""The source of the data that ship with nucrec."""


def load_data(data: str | Path | ImageDataset | None) -> tuple[ImageDataset, str]:
    """Return the data set and its source."""
    if data is None:
        return load_mnfinder_crops("paper"), SHIPPED
    if isinstance(data, ImageDataset):
        return data, "ImageDataset"
    if not isinstance(data, str | Path):
        raise invalid("data", "a path or an ImageDataset", data)
    path = checked_path("data", data)
    if path.exists() and path.suffix.lower() != ".csv" and is_nucrec(path):
        return load_nucrec(path), str(path)
    return load_folder(path), str(path)


def describe_data(dataset: ImageDataset, source: str) -> dict[str, Any]:
    """Describe the data: counts, fingerprint and files left out."""
    counts = np.bincount(dataset.labels, minlength=len(dataset.class_names)).tolist()
    return {
        "source": source,
        "fingerprint": dataset.fingerprint,
        "n": len(dataset),
        "classes": dict(zip(dataset.class_names, counts, strict=True)),
        "n_groups": len(np.unique(dataset.groups)),
        "quarantined": [entry._asdict() for entry in dataset.quarantined],
    }
