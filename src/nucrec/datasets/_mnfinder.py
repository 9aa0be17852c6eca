"""The micrographs that ship with nucrec."""

import hashlib
import itertools
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from nucrec._reading.roots import Archive
from nucrec._reading.table import parse_table
from nucrec._validation import check_choice
from nucrec.datasets._columns import CLASS_NAMES
from nucrec.datasets._dataset import ImageDataset
from nucrec.datasets._load import Entry, load_entries
from nucrec.errors import DatasetError

_SHA256 = "7c351209ba246fe2515fc1c0760d93522a2c29083edc700e3a9a437000c88cb1"
_NOT_METADATA = ("file", "label", "paper_size")
_INTEGERS = ("n_micronuclei", "x", "y", "side")


def load_mnfinder_crops(subset: Literal["paper", "all"] = "paper") -> ImageDataset:
    """Load real, labelled micrographs that ship with nucrec.

    The images are single-nucleus crops, 8-bit greyscale and 32 to 126 pixels square. They were cut
    from 33 annotated fields of four cell lines (RPE-1, U2OS, HeLa, MCC13) in the mnfinder 1.2.3
    distribution. Each crop is 1.5 times the bounding box of the nucleus plus 8 pixels. It is labelled
    "micronucleus" if a complete annotated micronucleus of at least 8 pixels lies in the window, and
    "nucleus" if the window contains no micronucleus pixel. The fields were scaled to 8 bits between
    their 0.5 and 99.9 percentiles.

    Parameters
    ----------
    subset : {"paper", "all"}, default="paper"
        "paper" has 148 nucleus and 158 micronucleus crops, as many as the paper; "all" has 802 and
        1168.

    Returns
    -------
    ImageDataset
        Groups are the fields: crops of one field overlap and share stain, focus and day.
        Metadata: ``field``, ``experiment``, ``cell_line``, ``microscope``, ``objective``,
        ``dna_stain`` (str), ``n_micronuclei``, ``x``, ``y``, ``side`` (int64; the window in its
        field, in pixels) and ``micronuclei_xy`` (object: a tuple of (x, y) centres in the crop,
        in pixels).

    Raises
    ------
    DatasetError
        The shipped archive is damaged.
    InvalidParameterError
        `subset` has another value.

    Notes
    -----
    Owner: Lucian DiPeso; licence MIT, copyright 2023 Lucian DiPeso. The archive contains the licence
    text.

    References
    ----------
    - L. DiPeso, mnfinder 1.2.3, a Python package, 2023

    Examples
    --------
    >>> from nucrec.datasets import load_mnfinder_crops
    >>> crops = load_mnfinder_crops()
    >>> crops
    ImageDataset(306 images: 148 nucleus, 158 micronucleus; 33 groups)
    >>> crops.images[0].shape, crops.images[0].dtype
    ((59, 59), dtype('uint8'))
    >>> crops.metadata["micronuclei_xy"][0]
    ((6.1, 27.6), (4.5, 35.6))
    """
    check_choice("subset", subset, ("paper", "all"))
    with resources.as_file(resources.files("nucrec.datasets") / "data/mnfinder-crops.zip") as path:
        archive = _verified(path)
    table = parse_table(archive.read("metadata.csv").decode(), ("file", "label"), str(path))
    columns = table.columns
    wanted = [subset == "all" or cell == "1" for cell in columns["paper_size"]]
    chosen = {name: list(itertools.compress(cells, wanted)) for name, cells in columns.items()}
    named = zip(chosen["file"], chosen["label"], chosen["field"], strict=True)
    return load_entries(
        archive,
        list(itertools.starmap(Entry, named)),
        CLASS_NAMES,
        on_error="raise",
        metadata={n: _column(n, c) for n, c in chosen.items() if n not in _NOT_METADATA},
    )


def _verified(path: Path) -> Archive:
    if hashlib.sha256(path.read_bytes()).hexdigest() != _SHA256:
        raise DatasetError(f"{path}: damaged; reinstall nucrec")
    return Archive(path)


def _column(name: str, values: list[str]) -> npt.NDArray[Any]:
    if name in _INTEGERS:
        return np.array(values, dtype=np.int64)
    if name != "micronuclei_xy":
        return np.array(values)
    column = np.empty(len(values), dtype=object)
    column[:] = [_points(value) for value in values]
    return column


def _points(text: str) -> tuple[tuple[float, ...], ...]:
    """Parse ``"x:y;x:y"``."""
    return tuple(tuple(map(float, point.split(":"))) for point in text.split(";") if point)
