"""Load images from class folders, or as listed in a table of labels."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy.typing as npt

from nucrec._class_names import (
    check_class_names,
    look_alike_key,
    merged_names,
    order_classes,
    warn_if_positive_is_not_told,
)
from nucrec._paths import checked_path
from nucrec._reading.channels import Channel, check_channel
from nucrec._reading.listing import Quarantined
from nucrec._reading.roots import Folder, Root, open_root
from nucrec._reading.table import is_frame, looks_like_table, read_table, table_of_frame
from nucrec._spelling import did_you_mean
from nucrec._validation import check_choice, invalid
from nucrec.datasets._class_folders import entries_of_folders
from nucrec.datasets._dataset import ImageDataset
from nucrec.datasets._labelled_table import NEEDED, entries_of_table, root_of_paths
from nucrec.datasets._load import Entry, OnError, load_entries
from nucrec.errors import InvalidParameterError


def load_folder(
    path: Any,
    *,
    class_names: Sequence[str] | None = None,
    group_by: str = "image",
    channel: Channel | None = None,
    images: str | Path | None = None,
    on_error: OnError = "quarantine",
    allow_absent: bool = False,
) -> ImageDataset:
    """Load images from class folders, or as listed in a table.

    Parameters
    ----------
    path : str, Path or data frame
        One of

        - a folder, or a zip archive (read in place), with one sub-folder for each class; images may lie
          deeper inside. Folders that contain only one other folder are passed through.
        - a CSV, TSV or tab-separated text file with the columns ``file`` (relative to the folder of the
          table), ``label`` and, if images are not independent, ``group``, in upper or lower case.
          Further columns become ``metadata``.
        - a pandas or polars data frame with the same columns; paths are absolute or relative to the
          working directory.

        PNG, JPEG, TIFF, BMP, GIF and WebP are read. Hidden files, system files and other file types
        are skipped; vendor files and masks of images are skipped with a warning. Only the first
        page of a TIFF (with a warning) and the first frame of an animation are read.
    class_names : sequence of str, optional
        The classes to load, in the order of their labels; the second is the positive one. By default
        all classes are loaded in alphabetical order, except that names such as "micronucleus",
        "abnormal" or "with" come last and, of two classes, names such as "normal" or "without" first.
        If the names of two classes reveal nothing, a warning says which one is positive.
    group_by : {"image", "folder", "top"} or str, default="image"
        With "folder", all images in folders of the same name inside the class folders form a group,
        such as "nucleus/slide 3" and "micronucleus/slide 3"; images directly in a class folder remain
        groups of their own. With "top", the outer folders are groups and the folders inside them are
        classes, such as "slide 3/nucleus" and "slide 3/micronucleus". If the names suggest that other
        folders are the classes, loading is refused unless `class_names` names the intended ones. For a
        table, the name of a column, in upper or lower case; by default ``group``, if it exists.
    channel : int or str, optional
        The channel to read from multichannel images: its number from 0, or its name, such as "DAPI" if
        the file names its channels (OME-TIFF), or "blue" for a colour image.
    images : str or Path, optional
        For a table, the folder that its paths are relative to; by default the folder of the CSV file,
        or the working directory for a data frame. The labels that a person gave on the page of
        `nucrec.models.predict_folder` are loaded with the folder that was predicted.
    on_error : {"quarantine", "raise"}, default="quarantine"
        What to do with a file that cannot be read, is larger than ``PIL.Image.MAX_IMAGE_PIXELS`` or
        leads out of the folder: list it in ``dataset.quarantined`` with one warning, or raise.
    allow_absent : bool, default=False
        If True, some of `class_names` may be absent, as in a set of one class for an evaluation; the
        data set has the others. By default, each of them must be there.

    Returns
    -------
    ImageDataset
        The images in the order of the file names (for tables, of the rows); ``ids`` are the names.
        Unless `group_by` or a ``group`` column says otherwise, each image is its own group. Classes and
        groups whose names look the same, such as "Slide 1" and "slide 1", are merged with a warning.

    Raises
    ------
    DatasetNotFoundError
        There is nothing at `path`.
    DatasetError
        There are no class folders, or several levels of folders could be the classes; a class has no
        images, a table lacks the columns, or an archive is broken.
    ImageError
        With ``on_error="raise"``, the first file that cannot be read.
    InvalidParameterError
        A parameter has an invalid value, there is no class of a name in `class_names`, or a table has
        no such column to group by.

    Warns
    -----
    DataWarning
        Files were left out or skipped, or contain several pages; a folder that looks like a class
        folder was passed through; a column of a table may be the groups; names look the same, or like
        those of slides, wells or parts of a data set; no name reveals the positive class; identical
        images have different labels.

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
    check_channel(channel)
    found = _find(path, group_by, class_names, images)
    spelled = merged_names(found.class_names, "classes")
    groups = merged_names((e.group for e in found.entries if e.group is not None), "groups")
    classes = _choose_classes(list(spelled.values()), class_names, allow_absent=allow_absent)
    chosen = [spelled[entry.class_name] in classes for entry in found.entries]
    return load_entries(
        found.root,
        [
            Entry(name, classes[spelled[label]], None if group is None else groups[group])
            for name, label, group in itertools.compress(found.entries, chosen)
        ],
        list(classes.values()),
        on_error=on_error,
        channel=channel,
        quarantined=found.quarantined,
        metadata={name: column[chosen] for name, column in found.metadata.items()},
        missing=found.missing,
    )


class _Found(NamedTuple):
    """The files of a data set, not yet read."""

    root: Root
    entries: list[Entry]
    class_names: list[str]
    metadata: dict[str, npt.NDArray[Any]]
    quarantined: list[Quarantined]
    missing: str = ""
    """What to do about files that a table lists and that are not there."""


def _find(
    path: Any, group_by: str, class_names: Sequence[str] | None, images: str | Path | None
) -> _Found:
    """Return the files in a folder or archive, or listed in a table."""
    if not isinstance(group_by, str):
        raise invalid("group_by", "'image', 'folder', 'top' or the name of a column", group_by)
    if is_frame(path):
        table = table_of_frame(path, NEEDED)
        if images is not None:
            return _of_table(table, _folder_at(images), group_by, class_names)
        root, table.columns["file"][:] = root_of_paths(table.without_gaps("file"))
        return _of_table(table, root, group_by, class_names)
    where = checked_path("path", path, "a path or a data frame")
    if looks_like_table(where):
        table = read_table(where, NEEDED)
        root = Folder(where.parent.resolve()) if images is None else _folder_at(images)
        return _of_table(table, root, group_by, class_names)
    if images is not None:
        hint = "A folder or archive holds its images itself."
        raise invalid("images", "None, unless path is a table of files and labels", images, hint)
    return _of_folders(where, group_by, class_names)


def _of_folders(where: Path, group_by: str, class_names: Sequence[str] | None) -> _Found:
    check_choice("group_by", group_by, ("image", "folder", "top"))
    opened = open_root(where)
    listing = opened.listing()
    entries, classes, strays = entries_of_folders(listing, group_by, str(where), class_names)
    listing.warn()
    return _Found(opened, entries, classes, {}, [*listing.quarantined, *strays])


def _folder_at(images: str | Path) -> Folder:
    """Return the folder that the paths of a table are relative to."""
    where = checked_path("images", images)
    opened = open_root(where)
    if not isinstance(opened, Folder):
        raise invalid("images", "a folder; unpack the archive first", str(images))
    return opened


def _of_table(table: Any, root: Folder, group_by: str, class_names: Sequence[str] | None) -> _Found:
    are_named = class_names is not None
    entries, metadata, missing = entries_of_table(table, root, group_by, are_named=are_named)
    advice = f"Paths are relative to {root.path}; for another folder, pass images='FOLDER'."
    return _Found(
        root, entries, table.columns["label"], metadata, missing, advice if missing else ""
    )


def _choose_classes(
    found: Sequence[str], asked: Sequence[str] | None, *, allow_absent: bool
) -> dict[str, str]:
    """Return the classes to load, each with the name that it receives."""
    if asked is not None:
        by_key = {look_alike_key(name): name for name in found}
        names = check_class_names(asked)
        there = [name for name in names if look_alike_key(name) in by_key]
        names = tuple(there) if allow_absent and there else names
        for name in names:
            if look_alike_key(name) not in by_key:
                hint = did_you_mean(name, found)
                known = ", ".join(found)
                raise InvalidParameterError(
                    f"class_names: there is no class {name!r}, only {known}. {hint}".rstrip()
                )
        return {by_key.get(look_alike_key(name), name): name for name in names}
    classes = order_classes(found)
    warn_if_positive_is_not_told(classes)
    return {name: name for name in classes}
