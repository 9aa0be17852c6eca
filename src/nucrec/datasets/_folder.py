"""Class folders, and tables of labels."""

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy.typing as npt

from nucrec._class_names import (
    check_class_names,
    look_alike_key,
    order_classes,
)
from nucrec._paths import checked_path
from nucrec._reading.channels import Channel, check_channel
from nucrec._reading.listing import Quarantined
from nucrec._reading.roots import Folder, Root, open_root
from nucrec._reading.table import is_frame, looks_like_table, read_table, table_of_frame
from nucrec._validation import check_choice, invalid
from nucrec.datasets._class_folders import entries_of_folders
from nucrec.datasets._columns import merged_names, warn_if_positive_is_not_told
from nucrec.datasets._dataset import ImageDataset
from nucrec.datasets._labelled_table import NEEDED, entries_of_table, root_of_paths
from nucrec.datasets._load import Entry, OnError, load_entries


def load_folder(
    path: Any,
    *,
    class_names: Sequence[str] | None = None,
    group_by: str = "image",
    channel: Channel | None = None,
    on_error: OnError = "quarantine",
) -> ImageDataset:
    """Load images from one sub-folder for each class, or as a table lists them.

    Parameters
    ----------
    path : str, Path or data frame
        One of

        - a folder, or a zip archive (read in place), with one sub-folder for each class; images may lie
          deeper inside it. Folders that only hold one other folder are passed through.
        - a CSV or TSV file with the columns ``file`` (relative to the file's folder), ``label`` and, if
          images are not independent, ``group``, in upper or lower case. Further columns become
          ``metadata``.
        - a data frame, of pandas or polars, with the same columns; paths are relative to the working
          directory, or absolute.

        PNG, JPEG, TIFF, BMP, GIF and WebP are read. Hidden files, what systems make for themselves and
        other endings are passed over, files of microscopes and masks beside images with a warning.
        Of a TIFF with several pages the first is read, with a warning; of an animation the first
        frame.
    class_names : sequence of str, optional
        The classes to load, in the order of their labels, so that the second is the positive one. By
        default all, sorted, but what is called like "micronucleus", "abnormal" or "with" comes last,
        and of two classes what is called like "normal" or "without" first; if the names of two
        classes tell nothing, a warning says which is the positive one.
    group_by : {"image", "folder", "top"} or str, default="image"
        "folder" makes one group of all images in the same folder inside their class folders, say
        "nucleus/slide 3" and "micronucleus/slide 3". Images directly in a class folder stay groups of
        their own. "top" takes the outer folders for groups and those inside them for classes, say
        "slide 3/nucleus" and "slide 3/micronucleus". Where names tell that the classes are other
        folders, the load is refused, unless `class_names` names those that are meant. For a table,
        the name of a column, in upper or lower case; by default ``group``, if there is one.
    channel : int or str, optional
        The channel to read, of images that have several: its number from 0, or its name, such as
        "DAPI" where the file names its channels (OME-TIFF), or "blue" of a colour image.
    on_error : {"quarantine", "raise"}, default="quarantine"
        A file that cannot be read, is larger than ``PIL.Image.MAX_IMAGE_PIXELS`` or leads out of
        the folder is listed in ``dataset.quarantined`` with one warning, or stops the load.

    Returns
    -------
    ImageDataset
        In the order of the file names (tables: of their rows); ``ids`` are the names. Unless `group_by`
        or a ``group`` column says otherwise, each image is a group of its own. Classes and groups whose
        names look the same, such as "Slide 1" and "slide 1", are one, with a warning.

    Raises
    ------
    DatasetNotFoundError
        There is nothing at `path`.
    DatasetError
        No class folders, or several levels of folders that may be the classes; a class without images,
        a table without the columns, a broken archive.
    ImageError
        With ``on_error="raise"``, the first file that cannot be read.
    InvalidParameterError
        A parameter is none of these, or a table has no such column to group by.

    Warns
    -----
    DataWarning
        Files were left out or passed over, or hold several pages; what looks like a class folder was
        passed through; names look the same, or like those of slides, wells or parts of a data set; no
        name says which class is the positive one; equal images have different labels.

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
    found = _find(path, group_by, class_names)
    spelled = merged_names(found.class_names, "classes")
    groups = merged_names((e.group for e in found.entries if e.group is not None), "groups")
    classes = _choose_classes(list(spelled.values()), class_names)
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
    )


class _Found(NamedTuple):
    """The files of a data set, not yet read."""

    root: Root
    entries: list[Entry]
    class_names: list[str]
    metadata: dict[str, npt.NDArray[Any]]
    quarantined: list[Quarantined]


def _find(path: Any, group_by: str, class_names: Sequence[str] | None) -> _Found:
    """Return the files that a folder, an archive or a table holds."""
    if not isinstance(group_by, str):
        raise invalid("group_by", "'image', 'folder', 'top' or the name of a column", group_by)
    if is_frame(path):
        table = table_of_frame(path, NEEDED)
        root, table.columns["file"][:] = root_of_paths(table.without_gaps("file"))
        return _of_table(table, root, group_by)
    where = checked_path("path", path, "a path or a data frame")
    if looks_like_table(where):
        table = read_table(where, NEEDED)
        return _of_table(table, Folder(where.parent.resolve()), group_by)
    check_choice("group_by", group_by, ("image", "folder", "top"))
    opened = open_root(where)
    listing = opened.listing()
    entries, classes, strays = entries_of_folders(listing, group_by, str(where), class_names)
    listing.warn()
    return _Found(opened, entries, classes, {}, [*listing.quarantined, *strays])


def _of_table(table: Any, root: Folder, group_by: str) -> _Found:
    entries, metadata, missing = entries_of_table(table, root, group_by)
    return _Found(root, entries, table.columns["label"], metadata, missing)


def _choose_classes(found: Sequence[str], asked: Sequence[str] | None) -> dict[str, str]:
    """Return the classes to load, as they are found, each with the name that it gets."""
    if asked is not None:
        by_key = {look_alike_key(name): name for name in found}
        names = check_class_names(asked)
        return {by_key.get(look_alike_key(name), name): name for name in names}
    classes = order_classes(found)
    warn_if_positive_is_not_told(classes)
    return {name: name for name in classes}
