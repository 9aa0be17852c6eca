"""The names of files and folders that are written to an output folder.

What writes them and what checks that no input would be replaced take the names from here.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nucrec.errors import InvalidParameterError

PAGE = "report.html"


@dataclass(frozen=True)
class Written:
    """Everything that a function may write, replace or delete in its output folder.

    Attributes
    ----------
    command : str
        The command that writes it, such as "detect".
    mark : str
        The file by which such a folder is recognized.
    files : tuple of str
        The names of the files.
    folders : tuple of str
        The names of folders that are replaced with all their contents.
    """

    command: str
    mark: str
    files: tuple[str, ...]
    folders: tuple[str, ...] = ()


CELL_TABLES = ("micronuclei", "cells", "fields")
SUMMARY, CONDITIONS = "summary.csv", "conditions.csv"
REVIEW, SETTINGS = "review.html", "detect.json"
PARTS, LABELS, OVERLAYS = "parts", "labels", "overlays"
DETECTION = Written(
    "detect",
    SETTINGS,
    (PAGE, REVIEW, SETTINGS, CONDITIONS, SUMMARY, *(f"{name}.csv" for name in CELL_TABLES)),
    (PARTS, LABELS, OVERLAYS),
)

ASSAY_FOLDER = "report"
"""The folder of the assay's report in that of the detection."""
MARKDOWN, LATEX = "tables.md", "tables.tex"
PICTURES = ("dose-response", "plate")
ASSAY = Written(
    "assay",
    MARKDOWN,
    (
        *(PAGE, MARKDOWN, LATEX),
        *(CONDITIONS, "exclusions.csv", "micronuclei-per-cell.csv", "against-control.csv"),
        *("trend.csv", "smallest-increase.csv", "decision.csv", "corrected.csv", "detector.csv"),
        *("cytotoxicity.csv", "units.csv"),
        *(f"{name}.png" for name in PICTURES),
    ),
)

PREDICTIONS, METRICS, GROUPS = "predictions.csv", "metrics.csv", "groups.csv"
EVALUATION = Written("evaluate", METRICS, (PAGE, PREDICTIONS, METRICS, GROUPS))

FIGURE, CARD, RECORD, CHECKPOINTS = "figure-4.png", "card.md", "run.json", "checkpoints"


def table_files(number: int) -> tuple[str, ...]:
    """Return the names of the files of one of the paper's tables."""
    return f"table-{number}.csv", f"table-{number}.md"


REPRODUCTION = Written(
    "reproduce",
    RECORD,
    (*(name for number in range(1, 7) for name in table_files(number)), FIGURE, CARD, RECORD),
    (CHECKPOINTS,),
)


def check_not_replaced(
    option: str, folder: str | Path, written: Written, reads: Iterable[str | Path | None]
) -> None:
    """Raise if writing to a folder would replace an input, or files of somebody else.

    Parameters
    ----------
    option : str
        What the user calls the folder, such as "out" or "--out".
    folder : str or Path
        The output folder.
    written : Written
        What is written there.
    reads : iterable of str, Path or None
        The files and folders that are read; None for inputs that were not given.

    Raises
    ------
    InvalidParameterError
        An input, the page of another command, or, by an evaluation, files that no evaluation wrote
        would be replaced.
    """
    other = _other_in(Path(folder), written)
    if other is not None:
        raise InvalidParameterError(
            f"{option}: {folder} holds the {PAGE} of nucrec {other}, which would be replaced: choose "
            "another folder"
        )
    for name in (each for each in reads if each):
        source = real_place(name)
        for file in (Path(folder, each) for each in written.files):
            if is_same_file(real_place(file), source):
                raise InvalidParameterError(
                    f"{option}: {file} is an input, and would be replaced: choose another folder"
                )
        for part in (Path(folder, each) for each in written.folders):
            if source.is_relative_to(real_place(part)):
                raise InvalidParameterError(
                    f"{option}: {name} is an input, and {part} would be replaced: choose another "
                    "folder"
                )
    if written is EVALUATION and not _is_page(Path(folder, PAGE)):
        _check_absent(option, Path(folder), written)


def check_result_stays(option: str, file: str | Path, command: str) -> None:
    """Raise if a file belongs to the results of another command in its folder."""
    place = Path(file)
    for each in (DETECTION, ASSAY, EVALUATION):
        is_one = place.name in each.files and place.exists() and each.command != command
        if is_one and (place.parent / each.mark).exists() and _is_page(place.parent / PAGE):
            raise InvalidParameterError(
                f"{option}: {file} was written by nucrec {each.command}, and would be replaced: choose "
                "another name"
            )


def _check_absent(option: str, folder: Path, written: Written) -> None:
    """Raise if files are there that would be replaced or deleted."""
    there = [name for name in written.files if os.path.lexists(folder / name)]
    if there:
        raise InvalidParameterError(
            f"{option}: {folder} holds {', '.join(there)}, but no {PAGE} of nucrec {written.command}, "
            "so files of another origin would be replaced: choose another folder"
        )


def _is_page(file: Path) -> bool:
    """Return whether a file is a page that nucrec wrote."""
    try:
        return b"<footer>nucrec " in file.read_bytes()
    except OSError:
        return False


def _other_in(folder: Path, written: Written) -> str | None:
    """Return the command, another one, whose page is in the folder and would be replaced."""
    if PAGE not in written.files or not (folder / PAGE).exists():
        return None
    if (folder / written.mark).exists():
        return None
    others = (each for each in (DETECTION, ASSAY, EVALUATION) if each is not written)
    return next((each.command for each in others if (folder / each.mark).exists()), None)


def is_same_file(place: Path, source: Path) -> bool:
    """Return whether two paths are one file, also where upper and lower case are the same."""
    try:
        return place == source or place.samefile(source)
    except (OSError, ValueError):  # one of them does not exist
        return False


def real_place(name: str | Path) -> Path:
    """Return where a path leads, through links."""
    try:
        return Path(name).expanduser().resolve()
    except (RuntimeError, ValueError):  # "~" and an unknown user name, or a null character
        return Path(name)


_BESIDE = {
    "Rates by condition, tests and decision": f"{ASSAY_FOLDER}/{PAGE}",
    "Review cells, to correct the rates": REVIEW,
}


def pages_beside(folder: str | Path, upcoming: Iterable[str] = ()) -> dict[str, str]:
    """Return the links of a detection's page: description to page, relative to the folder.

    Parameters
    ----------
    folder : str or Path
        The folder of the detection.
    upcoming : iterable of str
        Pages that are linked to although they are not written yet.
    """
    known = set(upcoming)
    return {
        words: page
        for words, page in _BESIDE.items()
        if page in known or Path(folder, page).is_file()
    }
