"""Data with which the page of predictions writes a table of a person's labels."""

import hashlib
import json
import os
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from nucrec._class_names import order_classes
from nucrec._text import csv_lines
from nucrec.models._folders.places import Places
from nucrec.models._folders.prediction import ImagePrediction

TABLE = "corrected.csv"


def labels_data(
    shown: Sequence[ImagePrediction], class_names: Sequence[str], places: Places
) -> str:
    """Return what the script of the page works on, as JSON.

    Images are grouped by their wells where all are known, else by their folders, so that a test of
    what is trained on them does not mix them.
    """
    groups = _groups([prediction.file for prediction in shown], places)
    rows = {f"image-{k}": _row(each, groups) for k, each in enumerate(shown, 1)}
    header = ["file", "label", *(["group"] if groups else []), "predicted", "probability"]
    about = json.dumps([list(rows.values()), list(class_names)])
    return json.dumps(
        {
            "key": hashlib.sha256(about.encode()).hexdigest()[:16],
            "table": TABLE,
            "header": ",".join(header),
            "classes": [{"name": name, "cell": _cells([name])} for name in class_names],
            "images": rows,
        }
    )


def training_command(
    path: Path, channel: int | str | None = None, class_names: Sequence[str] = ()
) -> str:
    """Return the command that trains a network on the table.

    It keeps no test set back: labels of doubtful images that were given in view of the model's calls
    say little about its accuracy.
    """
    words = ["nucrec", "train", TABLE, "--images", str(path), "--test-size", "0"]
    words += ["-o", "corrected.keras"]
    if channel is not None:
        words += ["--channel", str(channel)]
    if _order_is_needed(class_names):
        words += ["--classes", ",".join(class_names)]
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def loading_code(
    path: Path, channel: int | str | None = None, class_names: Sequence[str] = ()
) -> str:
    """Return the line of Python that loads the table."""
    options = [f"images={str(path)!r}"]
    if channel is not None:
        options.append(f"channel={channel!r}")
    if _order_is_needed(class_names):
        options.append(f"class_names={list(class_names)!r}")
    return f"load_folder({TABLE!r}, {', '.join(options)})"


def _order_is_needed(class_names: Sequence[str]) -> bool:
    """Return whether the names alone would give the classes another order."""
    return list(class_names) != order_classes(class_names)


def _groups(files: Sequence[str], places: Places) -> dict[str, str]:
    """Return the group of each file; nothing where all would be of one."""
    wells = {file: places.well_of(file) or "" for file in files}
    folders = {file: PurePosixPath(file).parent.as_posix() for file in files}
    groups = wells if all(wells.values()) else folders
    return groups if len(set(groups.values())) > 1 else {}


def _row(prediction: ImagePrediction, groups: dict[str, str]) -> dict[str, str]:
    """Return the cells of a row before and after the label.

    It is an empty row if the name cannot be written as UTF-8.
    """
    file = prediction.file
    if not _is_text(file):
        return {"file": "", "before": "", "after": ""}
    group = [groups[file]] if groups else []
    probability = f"{max(prediction.probabilities):.6f}"
    after = _cells([*group, str(prediction.predicted), probability])
    return {"file": file, "before": _cells([file]), "after": after}


def _cells(values: Sequence[str]) -> str:
    return next(csv_lines([values])).rstrip("\n")


def _is_text(name: str) -> bool:
    """Return whether a table in UTF-8 can hold a name, and is read with it."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return name == name.strip() and "\r" not in name and "\n" not in name
