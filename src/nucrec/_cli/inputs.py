"""Check that inputs exist and are of the expected kind."""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path, PureWindowsPath

from nucrec._endings import IMAGES, MODELS, PRETRAINED, TABLES
from nucrec._spelling import did_you_mean
from nucrec.errors import DatasetNotFoundError, InvalidParameterError

_SHOWN = 200  # characters of a path in a message
_KINDS = {
    "a model": tuple(MODELS),
    "a table": (*TABLES, ".xlsx", ".xls", ".ods"),
    "an image": IMAGES,
    "a zip archive": (".zip",),
    "a page": (".html", ".htm"),
}
_EXPECTED = {
    "model": f"a file that nucrec saved, with a name ending in {' or '.join(MODELS)}",
    "images": "a folder of images, or a zip archive of one",
    "folder": "a folder of images",
    "fields": "a folder of fields of view, or a zip archive of one",
    "labelled": "a folder with one sub-folder for each class, a zip archive of it, or a CSV file",
    "detector": "a file that FieldDetector.save wrote",
    "record": "a run.json that nucrec reproduce wrote",
    "masks": "a folder of masks, or a zip archive or a file of outlines",
    "table": "a CSV file",
}
_REFUSED = {
    "model": ("a folder", "a table", "an image", "a zip archive", "a page"),
    "images": ("a model", "a table", "an image", "a page"),
    "folder": ("a model", "a table", "an image", "a zip archive", "a page", "a file"),
    "fields": ("a model", "a table", "an image", "a page"),
    "labelled": ("a model", "an image", "a page"),
    "detector": ("a folder", "a model", "a table", "an image", "a page"),
    "record": ("a folder", "a model", "a table", "an image", "a zip archive", "a page"),
    "masks": ("a model", "a table", "an image", "a page"),
    "table": ("a folder", "a model", "an image", "a zip archive", "a page"),
}

_IN_FOLDERS = {"model": tuple(MODELS), "table": TABLES}
_HINTS = {
    (
        "a table",
        "images",
    ): "Give the folder of the images; nucrec evaluate and nucrec train read tables.",
    ("a table", "folder"): "Give the folder of the images; the table comes first.",
    ("a zip archive", "folder"): "Unpack it, and give the folder.",
    ("a table", "fields"): "Give the folder of the fields; nucrec assay reads tables.",
    ("an image", "labelled"): "Give the folder that holds the folders of the classes.",
    ("a model", "detector"): "This is a classifier of single cells: use it with nucrec predict.",
    ("a model", "labelled"): "nucrec evaluate takes a model and then labelled images.",
}


def check_input(option: str, name: str | None, wanted: str) -> None:
    """Raise if there is nothing of this name, or something of another kind.

    Parameters
    ----------
    option : str
        The option or place on the command line, such as "--layout" or "FOLDER".
    name : str or None
        What was typed, None for nothing.
    wanted : {"model", "images", "folder", "fields", "labelled", "masks", "detector", "record", "table"}
        What it should be.

    Raises
    ------
    DatasetNotFoundError
        Nothing of that name exists. The message suggests a name.
    InvalidParameterError
        It is of another kind. The message says what to give instead.
    """
    if name is None or (wanted == "model" and name == PRETRAINED):
        return
    if not name or "\0" in name:
        raise InvalidParameterError(f"{option}: expected {_EXPECTED[wanted]}, received {name!r}")
    path = _expanded(option, name)
    if not os.path.lexists(path):  # the library says more of a link that leads nowhere
        short = name if len(name) <= _SHOWN else f"{name[:_SHOWN]}..."
        told = f"{option}: {short}: there is no such file or folder"
        raise DatasetNotFoundError(f"{told}. {_meant(name, path, wanted)}".strip())
    kind = _kind(path)
    if kind in _REFUSED[wanted]:
        raise InvalidParameterError(
            f"{option}: expected {_EXPECTED[wanted]}, but {name} is {kind}. "
            f"{_instead(path, kind, wanted)}".strip()
        )


def _expanded(option: str, name: str) -> Path:
    try:
        return Path(name).expanduser()
    except RuntimeError as error:
        raise InvalidParameterError(
            f"{option}: expected a path, received {name!r}. There is no user of that name. For a file "
            f"of that name, write ./{name}."
        ) from error


def check_order(command: str, model: str, data: str) -> None:
    """Raise if the model and the images were swapped."""
    is_model = data == PRETRAINED or (_kind(Path(data)) == "a model" and Path(data).is_file())
    if is_model and model != PRETRAINED and _kind(Path(model)) != "a model":
        line = shlex.join(["nucrec", command, data, model])
        raise InvalidParameterError(f"give the model first, and then the images: {line} ...")


def _kind(path: Path) -> str:
    if path.is_dir():
        return "a folder"
    ending = path.suffix.lower()
    return next((kind for kind, endings in _KINDS.items() if ending in endings), "a file")


def _meant(name: str, path: Path, wanted: str) -> str:
    """Return advice on the name of something that does not exist."""
    if name.strip("\"'") != name:
        return (
            "The quotes are part of the name: remove them. On Windows, a backslash before the closing "
            "quote makes it part of the name."
        )
    if any(sign in name for sign in "*?["):
        what = "file" if "a folder" in _REFUSED[wanted] else "folder"
        return f"Nothing matches the pattern. Give the {what} by its name, without * or ?."
    if PureWindowsPath(name).drive and not path.drive:
        drive, *parts = PureWindowsPath(name).parts
        here = "/".join([f"/mnt/{drive[0].lower()}", *parts])
        return f"This is a path of Windows. In WSL, it is {here}."
    folder = path.parent
    if not folder.is_dir():
        return f"There is no folder {folder} either."
    models = [PRETRAINED] if wanted == "model" else []
    return did_you_mean(path.name, [*models, *(each.name for each in folder.iterdir())])


def _instead(path: Path, kind: str, wanted: str) -> str:
    """Return advice on what to give instead of something of another kind."""
    if kind == "a folder" and wanted in _IN_FOLDERS:
        return _of_folder(path, _IN_FOLDERS[wanted])
    if kind == "an image" and wanted in ("images", "folder", "fields"):
        return f"Give the folder that holds it: {path.parent}"
    return _HINTS.get((kind, wanted), "")


def _of_folder(path: Path, endings: Sequence[str]) -> str:
    """Return which file in a folder may be meant."""
    found = sorted(each for each in path.iterdir() if each.suffix.lower() in endings)
    if not found:
        return f"It holds no file ending in {' or '.join(endings)}."
    best = next((each for each in found if each.name == "cells.csv"), found[0])
    return f"Give a file in it, such as {best}"
