"""Checks of output files: they can be written, and replace neither an input nor each other."""

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from nucrec._written import check_result_stays, is_same_file, real_place
from nucrec.errors import InvalidParameterError

_NO_IMAGES = (".csv", ".html", ".htm", ".keras")
_WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".ods", ".numbers")
_FILES = (*_WORKBOOKS, ".csv", ".tsv", ".html", ".htm", ".zip", ".json", ".txt")


def file_to_write(ending: str = "") -> Callable[[str], str]:
    """Return a check of the name of an output file, to be made before any work."""
    wanted = f"a name that ends in {ending}" if ending else "the name of a file"

    def check(name: str) -> str:
        path = Path(os.path.expanduser(name))  # noqa: PTH111 - leaves the "~" of nobody as it is
        problem = None
        if not name or not name.lower().endswith(ending):
            problem = f"expected {wanted}, received {name!r}"
        elif not path.parent.is_dir():
            problem = f"there is no folder {path.parent}"
        elif not os.access(path.parent, os.W_OK) or (path.exists() and not path.is_file()):
            problem = f"cannot write a file {path}"
        if problem:
            raise argparse.ArgumentTypeError(problem)
        return name if ending else table_to_write(name)

    return check


def page_to_write(name: str) -> str:
    """Check the name of a page; `check_page` checks its folder, which may be made by the command."""
    if not name.lower().endswith(".html"):
        raise argparse.ArgumentTypeError(f"expected a name that ends in .html, received {name!r}")
    return name


def check_page(option: str, page: str | None, made: str | None) -> None:
    """Raise if a page cannot be written, unless its folder is one that the command makes."""
    if page is None or (made is not None and real_place(page).parent == real_place(made)):
        return
    try:
        file_to_write(".html")(page)
    except argparse.ArgumentTypeError as error:
        raise InvalidParameterError(f"{option}: {error}") from error


def table_to_write(name: str) -> str:
    """Check the name of a table, which is CSV: a workbook is refused."""
    path = Path(name)
    if path.suffix.lower() in _WORKBOOKS:
        raise argparse.ArgumentTypeError(
            f"tables are written as CSV, which Excel opens: name it {path.with_suffix('.csv').name}"
        )
    return name


def folder_to_write(name: str) -> str:
    """Check the name of a folder for several files: what looks like one file is refused."""
    path = Path(name)
    if path.suffix.lower() in _FILES and not path.is_dir():
        raise argparse.ArgumentTypeError(
            f"expected a folder for several files (tables are CSV, which Excel opens), received "
            f"{name!r}: name it {path.stem}"
        )
    return name


def check_outputs(command: str, reads: Sequence[str], writes: Mapping[str, str | None]) -> None:
    """Raise, before any work, if an output would destroy an input, another output or a result.

    Parameters
    ----------
    command : str
        The command, which may replace its own results.
    reads : sequence of str
        Files, archives and folders of images that the command reads.
    writes : mapping of str to str or None
        The file that each option names.
    """
    sources = [real_place(name) for name in reads]
    others: list[Path] = []
    for option, name in writes.items():
        if name is None:
            continue
        place = real_place(name)
        if any(is_same_file(place, source) or _is_image_in(source, place) for source in sources):
            raise InvalidParameterError(f"{option}: {name} is an input: choose another name")
        if place in others:
            raise InvalidParameterError(
                f"{option}: {name} is written by another option: choose another name"
            )
        check_result_stays(option, name, command)
        others.append(place)


def _is_image_in(folder: Path, place: Path) -> bool:
    inside = place.is_relative_to(folder) and place.is_file()
    return inside and place.suffix.lower() not in _NO_IMAGES
