"""Class folders, and CSV files of labels."""

import csv
import io
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple

from nucrec._class_names import (
    check_class_names,
    looks_micronuclear,
    looks_nuclear,
    order_classes,
)
from nucrec._validation import check_choice, invalid
from nucrec.datasets._dataset import ImageDataset
from nucrec.datasets._load import Entry, OnError, load_entries
from nucrec.datasets._reading.channels import Channel, check_channel
from nucrec.datasets._reading.kinds import SUFFIXES
from nucrec.datasets._roots import Listing, Quarantined, Root, open_root
from nucrec.errors import DatasetError, DatasetNotFoundError, DataWarning

GroupBy = Literal["image", "folder"]

_LABEL_COLUMNS = ("file", "label")


def load_folder(
    path: str | Path,
    *,
    class_names: Sequence[str] | None = None,
    group_by: GroupBy = "image",
    channel: Channel | None = None,
    on_error: OnError = "quarantine",
) -> ImageDataset:
    """Load images from one sub-folder for each class, or as a CSV file lists them.

    Parameters
    ----------
    path : str or Path
        One of

        - a folder, or a zip archive (read in place), with one sub-folder for each class; images may lie
          deeper inside it. Folders that only hold one other folder are passed through.
        - a CSV file with the columns ``file`` (relative to the CSV file's folder), ``label`` and, if
          images are not independent, ``group``; in upper or lower case.

        PNG, JPEG, TIFF, BMP, GIF and WebP are read; hidden files and other endings are passed over.
        Of a TIFF with several pages the first is read, with a warning; of an animation the first
        frame.
    class_names : sequence of str, optional
        The classes to load, in the order of their labels, so that the second is the positive one. By
        default all, sorted, but a class whose name starts with "micronucl" comes last.
    group_by : {"image", "folder"}, default="image"
        "folder" makes one group of all images in the same folder inside their class folders, say
        "nucleus/slide 3" and "micronucleus/slide 3". Images directly in a class folder stay groups of
        their own. A CSV file has its ``group`` column instead.
    channel : int or str, optional
        The channel to read, of images that have several: its number from 0, or its name, such as
        "DAPI" where the file names its channels (OME-TIFF), or "blue" of a colour image.
    on_error : {"quarantine", "raise"}, default="quarantine"
        A file that cannot be read, is larger than ``PIL.Image.MAX_IMAGE_PIXELS`` or leads out of
        the folder is listed in ``dataset.quarantined`` with one warning, or stops the load.

    Returns
    -------
    ImageDataset
        In the order of the file names (CSV: of its rows); ``ids`` are the names. Unless `group_by` or
        a ``group`` column says otherwise, each image is a group of its own.

    Raises
    ------
    DatasetNotFoundError
        There is nothing at `path`.
    DatasetError
        No class folders, a class without images, a CSV file without the columns, a broken archive.
    ImageError
        With ``on_error="raise"``, the first file that cannot be read.
    InvalidParameterError
        A parameter is none of these, or a CSV file is to be grouped by folder.

    Warns
    -----
    DataWarning
        Files were left out, or hold several pages; or what looks like a class folder was passed
        through.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from nucrec.datasets import load_folder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("normal", "micronucleated"):
    ...         (Path(folder) / name).mkdir()
    ...         Image.new("L", (40, 30)).save(Path(folder) / name / "cell 1.png")
    ...     dataset = load_folder(folder)
    >>> dataset.class_names
    ('normal', 'micronucleated')
    >>> dataset.ids.tolist()
    ['micronucleated/cell 1.png', 'normal/cell 1.png']
    """
    if not isinstance(path, str | Path):
        raise invalid("path", "a path", path)
    check_choice("group_by", group_by, ("image", "folder"))
    check_channel(channel)
    where = Path(path).expanduser()
    is_csv = where.suffix.lower() == ".csv" and not where.is_dir()
    if is_csv and group_by == "folder":
        raise invalid("group_by", "'image' for a CSV file: its column group says it", group_by)
    found = _in_csv(where) if is_csv else _in_class_folders(where, group_by)
    chosen = found.class_names if class_names is None else list(check_class_names(class_names))
    return load_entries(
        found.root,
        [entry for entry in found.entries if entry.class_name in chosen],
        chosen,
        on_error=on_error,
        channel=channel,
        quarantined=found.quarantined,
    )


class _Found(NamedTuple):
    """The files of a data set, not yet read."""

    root: Root
    entries: list[Entry]
    class_names: list[str]
    quarantined: list[Quarantined]


def _in_class_folders(where: Path, group_by: GroupBy) -> _Found:
    root = open_root(where)
    listing = root.listing()
    top = _top(listing)
    classes = [path.name for path in map(PurePosixPath, listing.folders) if path.parent == top]
    if not classes or not listing.images:
        raise DatasetError(_no_classes(listing, where))
    _warn_if_passed_through(top, classes)
    entries: list[Entry] = []
    strays: list[Quarantined] = []
    places = _places(listing)
    for name in listing.images:
        parts = places[_parent(name)].parts[len(top.parts) :]
        if parts:
            folder = "/".join(parts[1:]) if group_by == "folder" else ""
            entries.append(Entry(name, parts[0], folder or None))
        else:
            strays.append(Quarantined(name, "lies in no class folder"))
    return _Found(root, entries, order_classes(classes), [*listing.quarantined, *strays])


def _warn_if_passed_through(top: PurePosixPath, classes: list[str]) -> None:
    """Warn if what was passed through looks like a class folder itself."""
    odd = [name for name in top.parts if looks_micronuclear(name) or looks_nuclear(name)]
    if odd:
        warnings.warn(
            f"the only folder is {odd[-1]!r}, so the classes are taken to be the folders inside it: "
            f"{', '.join(classes[:5])}. If it is a class itself, load the folder around both classes.",
            DataWarning,
            stacklevel=4,
        )


def _top(listing: Listing) -> PurePosixPath:
    """Return the folder that holds the class folders: below those that only hold one folder."""
    top = PurePosixPath()
    folders = [PurePosixPath(name) for name in listing.folders]
    with_images = set(_places(listing).values())
    while True:
        inside = [folder for folder in folders if folder.parent == top]
        only_one = len(inside) == 1 and top not in with_images
        if not only_one or not any(folder.parent == inside[0] for folder in folders):
            return top
        top = inside[0]


def _places(listing: Listing) -> dict[str, PurePosixPath]:
    """Return the folders that hold images."""
    return {place: PurePosixPath(place) for place in {_parent(name) for name in listing.images}}


def _parent(name: str) -> str:
    return name.rpartition("/")[0]


def _no_classes(listing: Listing, where: Path) -> str:
    message = f"{where}: expected one sub-folder with images ({', '.join(SUFFIXES)}) for each class"
    if listing.images:
        return f"{message}; found {len(listing.images)} images, but no sub-folders"
    if listing.others:
        found = ", ".join(f"{count} {ending}" for ending, count in listing.others.most_common(5))
        return f"{message}; found no images, but files of other kinds: {found}"
    if listing.quarantined:
        name, reason = listing.quarantined[0]
        return f"{message}; found none, and {name}: {reason}"
    return f"{message}; found nothing"


def _in_csv(path: Path) -> _Found:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise DatasetNotFoundError(f"{path}: there is no such file") from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}: not UTF-8 text. Save it as 'CSV UTF-8'.") from error
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from error
    entries = _csv_entries(read_table(text, _LABEL_COLUMNS, path), path)
    class_names = order_classes([entry.class_name for entry in entries])
    return _Found(open_root(path.parent), entries, class_names, [])


def read_table(text: str, columns: tuple[str, ...], path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file that has at least these columns and one row.

    Names of columns are in lower case, cells are without blanks around them, and the line of each
    row is in its column "line".
    """
    lines = [line for line in text.splitlines() if line.strip()]
    first_line = lines[0] if lines else ""
    delimiter = max(",;\t", key=first_line.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True, skipinitialspace=True)
    rows: list[dict[str, str]] = []
    header: list[str] | None = None
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if header is None:
                header = [cell.casefold() for cell in stripped] if any(stripped) else None
            elif any(stripped):
                rows.append(
                    {**dict(zip(header, stripped, strict=False)), "line": str(reader.line_num)}
                )
    except csv.Error as error:
        raise DatasetError(f"{path}: not a readable CSV file ({error})") from error
    if not rows or header is None or not set(columns) <= set(header):
        raise DatasetError(
            f"{path}: expected a header line with {', '.join(columns)} and at least one row. "
            f"Received: {first_line.strip()[:80]!r}"
        )
    return rows


def _csv_entries(rows: list[dict[str, str]], path: Path) -> list[Entry]:
    has_groups = any(row.get("group") for row in rows)
    needed = (*_LABEL_COLUMNS, "group") if has_groups else _LABEL_COLUMNS
    entries = []
    for row in rows:
        missing = [name for name in needed if not row.get(name)]
        if missing:
            raise DatasetError(f"{path}, line {row['line']}: {missing[0]} must not be empty")
        group = row["group"] if has_groups else None
        entries.append(Entry(PurePosixPath(row["file"]).as_posix(), row["label"], group))
    twice = [name for name, count in Counter(entry.name for entry in entries).items() if count > 1]
    if twice:
        raise DatasetError(f"{path}: {twice[0]!r} is listed more than once")
    return entries
