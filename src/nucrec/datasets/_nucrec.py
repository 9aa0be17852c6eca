"""Find and load the NucRec data set."""

import os
import warnings
from pathlib import Path, PurePosixPath

from nucrec._class_names import looks_micronuclear, looks_nuclear
from nucrec._paths import checked_path
from nucrec._reading.channels import Channel, check_channel
from nucrec._reading.roots import open_root
from nucrec.datasets._columns import CLASS_NAMES
from nucrec.datasets._dataset import ImageDataset
from nucrec.datasets._load import Entry, OnError, load_entries
from nucrec.errors import DatasetError, DatasetNotFoundError, DataWarning

DOI = "10.21227/1f43-t560"
PUBLISHED_FOLDERS = ("Normal Cells", "Micronuclie cells")
_PUBLISHED_COUNTS = (148, 158)
_LAYOUT = (
    "'NucRec/NucReg Dataset/Micronuclie cells/' and '.../Normal Cells/', or any two folders, at any "
    "depth, named like nucle* or normal* and micronucle*"
)


def load_nucrec(
    path: str | Path | None = None,
    *,
    channel: Channel | None = None,
    on_error: OnError = "quarantine",
) -> ImageDataset:
    """Load the paper's data set, NucRec, from your own copy.

    NucRec contains 148 images of normal nuclei and 158 of micronuclei, most of them RGB. It requires
    a login, so nucrec neither ships nor downloads it.

    Parameters
    ----------
    path : str or Path, optional
        The unpacked folder or the zip archive. By default the environment variable
        ``NUCREC_DATA``, then ``~/nucrec_data``. The class of an image is that of the innermost
        enclosing folder whose name starts with "micronucl", or with "nucl" or "normal", in upper or
        lower case.
    channel : int or str, optional
        As in `load_folder`.
    on_error : {"quarantine", "raise"}, default="quarantine"
        As in `load_folder`.

    Returns
    -------
    ImageDataset
        The classes are ("nucleus", "micronucleus"). The data set does not record fields of view, so
        each image is its own group.

    Raises
    ------
    DatasetNotFoundError
        None of these places has such folders.
    DatasetError, ImageError
        As in `load_folder`.

    Warns
    -----
    DataWarning
        Files were left out, the counts are not 148 and 158, or ``NUCREC_DATA`` does not exist.

    References
    ----------
    - NucRec, IEEE DataPort, https://doi.org/10.21227/1f43-t560

    Examples
    --------
    >>> from nucrec.datasets import load_nucrec
    >>> from nucrec.errors import DatasetNotFoundError
    >>> try:
    ...     load_nucrec("no/such/folder")
    ... except DatasetNotFoundError as error:
    ...     print(str(error)[:45])
    NucRec (DOI 10.21227/1f43-t560) was not found
    """
    check_channel(channel)
    places = _places(path)
    found = next((place for place in places if place.exists()), None)
    if found is None:
        raise _not_found(places)
    if found != places[0]:
        warnings.warn(
            f"NUCREC_DATA names {places[0]}, which is not there: loading {found}",
            DataWarning,
            stacklevel=2,
        )
    root = open_root(found)
    listing = root.listing()
    entries = [
        Entry(name, class_name) for name in listing.images if (class_name := _class_of(name))
    ]
    if {entry.class_name for entry in entries} != set(CLASS_NAMES):
        if listing.images:
            listing.warn()
        raise _not_found(places, "" if listing.images else listing.instead)
    listing.warn()
    dataset = load_entries(
        root,
        entries,
        CLASS_NAMES,
        on_error=on_error,
        channel=channel,
        quarantined=listing.quarantined,
    )
    counts = tuple(int((dataset.labels == k).sum()) for k in range(2))
    if counts != _PUBLISHED_COUNTS:
        warnings.warn(
            f"{found}: {counts[0]} nucleus and {counts[1]} micronucleus images, where NucRec has "
            f"{_PUBLISHED_COUNTS[0]} and {_PUBLISHED_COUNTS[1]}: not the complete data set?",
            DataWarning,
            stacklevel=2,
        )
    return dataset


def is_nucrec(path: str | Path) -> bool:
    """Return whether a folder or zip archive has the layout of the published NucRec data set.

    Parameters
    ----------
    path : str or Path
        The folder or the archive.

    Returns
    -------
    bool
        True if it contains, at any depth, folders named as published ("Normal Cells" and "Micronuclie
        cells"); otherwise False, even if `path` does not exist.

    Raises
    ------
    InvalidParameterError
        `path` is not a path.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from nucrec.datasets import is_nucrec
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("Normal Cells", "Micronuclie cells"):
    ...         Path(folder, "NucRec", name).mkdir(parents=True)
    ...     is_nucrec(folder)
    True
    """
    where = checked_path("path", path)
    try:
        folders = open_root(where).listing().folders
    except (DatasetError, DatasetNotFoundError):
        return False
    names = {PurePosixPath(folder).name.casefold() for folder in folders}
    return all(name.casefold() in names for name in PUBLISHED_FOLDERS)


def _places(path: str | Path | None) -> list[Path]:
    if path is not None:
        return [checked_path("path", path)]
    named = os.environ.get("NUCREC_DATA")
    places = [checked_path("NUCREC_DATA", named)] if named else []
    return [*places, Path("~/nucrec_data").expanduser()]


def _class_of(name: str) -> str | None:
    """Return the class named by the innermost enclosing folder that names one."""
    for folder in reversed(PurePosixPath(name).parent.parts):
        if looks_micronuclear(folder):
            return CLASS_NAMES[1]
        if looks_nuclear(folder):
            return CLASS_NAMES[0]
    return None


def _not_found(places: list[Path], instead: str = "") -> DatasetNotFoundError:
    there = instead and f" No images were found{instead}."
    looked = ", ".join(str(place) for place in places)
    return DatasetNotFoundError(
        f"NucRec (DOI {DOI}) was not found. Looked in: {looked}.{there} Accepted there, as a "
        f"folder or a zip archive: {_LAYOUT}. Get it from https://doi.org/{DOI} "
        "(login needed) and pass path= or set NUCREC_DATA; or start without it: "
        "nucrec.datasets.load_mnfinder_crops() ships with nucrec."
    )
