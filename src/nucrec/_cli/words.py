"""Messages of the library in the words of the command line: options instead of parameters."""

import re
from collections.abc import Callable

OptionOf = Callable[[str], str | None]

PARAMETERS = {
    "X": "data",
    "by": "group_by",
    "checkpoint_dir": "checkpoint",
    "class_names": "classes",
    "dataset": "data",
    "diameter_ratio": "humn",
    "folder": "out",
    "images": "data",
    "n_jobs": "jobs",
    "n_repeats": "repeats",
    "random_state": "seed",
    "record": "from_record",
    "y": "data",
}
"""Parameters whose option has another name, in commands without an option of their name."""

SENTENCES = {
    " All are in dataset.quarantined.": "",
    " (nucrec.datasets.find_contradictions)": "",
    " fields.quarantined lists all": " report.html lists all",
    "the table `fields` lists them": "fields.csv lists them",
    "contain no recognisable well: pass well_pattern, or a layout with a column 'file'": (
        "contain no recognisable well: give the layout a column 'file' instead"
    ),
    "If these are not channels, pass well_pattern.": (
        "If these are not channels, rename the files, or call load_fields(well_pattern=...) in Python."
    ),
    "expected None, unless path is a table of files and labels": (
        "expected only beside a CSV file of files and labels"
    ),
    "load unlabelled images with load_images": "use `nucrec predict` for unlabelled images",
    "a table: load_folder reads tables; here, give the folder of the images": (
        "a table: give the folder of the images"
    ),
    "Call calibrate() with labelled images that it was not trained on.": (
        "nucrec train calibrates it, unless --test-size is 0."
    ),
    "load it yourself and pass the arrays to ImageDataset": "save it as TIFF or PNG",
    ", or table numbers such as '1,2' or [1, 2]": ", or numbers of tables such as 1,2",
    "Pass the file as the masks of load_fields": "Pass the file as --masks",
    "PIL.Image.MAX_IMAGE_PIXELS": "Pillow opens",
    "transfer(backbone='efficientnet-lite0')": "--backbone efficientnet-lite0",
}
"""Phrases for users of Python, and those that replace them on the command line."""

_VALUE = r"\[[^\[\]]*\]|'[^']*'|\"[^\"]*\"|\.\.\.|True\b|False\b|None\b|\d+(?:\.\d+)?\b"


def in_options(message: object, option_of: OptionOf) -> str:
    """Return a message of the library in terms of the options of a command.

    Parameters
    ----------
    message : object
        An error or a warning, or its text.
    option_of : callable
        Returns the option for a parameter, or None if the command has no such option.
    """
    text = str(message)
    for theirs, ours in SENTENCES.items():
        text = text.replace(theirs, ours)
    text = re.sub(rf"\b([A-Za-z_]+)=({_VALUE})", lambda found: _assigned(found, option_of), text)
    text = re.sub(r"^([A-Za-z_]+)(?=: )", lambda found: _named(found[1], option_of), text)
    # an underscore tells parameters from words
    pattern = r"(?<![\w/\\.'-])[a-z]+(?:_[a-z]+)+(?![\w/\\'=(-]|\.\w)"
    return re.sub(pattern, lambda found: _named(found[0], option_of), text)


def _named(parameter: str, option_of: OptionOf) -> str:
    option = option_of(parameter) or option_of(PARAMETERS.get(parameter, ""))
    return option or parameter


def _assigned(found: re.Match[str], option_of: OptionOf) -> str:
    """Return such as "--group-by top" for "group_by='top'"."""
    option = _named(found[1], option_of)
    if not option.startswith("--") or found[2] in ("False", "None"):
        return found[0]
    if found[2] == "True":
        return option
    names = re.findall(r"'([^']*)'|\"([^\"]*)\"", found[2])
    value = ",".join(first or second for first, second in names) or found[2].strip("[]").replace(
        " ", ""
    )
    value += ",..." if names and found[2].endswith("...]") else ""
    return f'{option} "{value}"' if " " in value else f"{option} {value}"
