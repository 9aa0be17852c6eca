"""Loading of fields from microscope files."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._reading.channels import Channel, check_channel
from nucrec._reading.listing import Quarantined
from nucrec._reading.well_names import checked_pattern, locate_wells, well_of_match
from nucrec._text import many
from nucrec._validation import check_real, invalid
from nucrec._warnings import warn
from nucrec.errors import DatasetError, DataWarning
from nucrec.fields import _remarks as remark
from nucrec.fields._channels import choose_files
from nucrec.fields._field_set import FieldSet
from nucrec.fields._layout import apply_layout, read_layout
from nucrec.fields._masks import Masks, open_masks
from nucrec.fields._names import FieldFiles, folder_of, group_files, stem_of
from nucrec.fields._reader import FieldReader
from nucrec.fields._sources import Source, open_source

_MOST_WARNINGS = 10


def load_fields(
    path: str | Path | Sequence[str | Path] | Sequence[npt.NDArray[Any]] | npt.NDArray[Any],
    *,
    channel: Channel | None = None,
    pixel_size: float | None = None,
    masks: str | Path | Sequence[npt.ArrayLike | None] | None = None,
    layout: Any = None,
    well_pattern: str | None = None,
) -> FieldSet:
    r"""Load fields of view. Their pixels are read on access, one field at a time.

    Supported formats are TIFF, OME-TIFF, ImageJ hyperstacks, PNG and the other formats of
    `nucrec.datasets`, with 8, 16 or 32 bits. Several z positions, in one file or in separate files,
    are reduced to their maximum projection. If each channel is a separate file (``_w1DAPI``,
    ``_ch00``, ``C1-``), the files of other channels are skipped.

    Parameters
    ----------
    path : str, Path, sequence of paths, or arrays
        A folder with images at any depth; a zip archive of one, which is read in place; one image;
        a list of images; or pixels in memory, as for `FieldSet.from_arrays`.
    channel : int or str, optional
        The channel of the nuclei, if there are several: its name, such as "DAPI" if the file names
        its channels, or "w1" or "DAPI" if the file names do; or its number, counted from 0.
    pixel_size : float, optional
        Pixel size in um. By default that stated in the file, if any.
    masks : str, Path or sequence of array_like, optional
        A folder, zip archive or file with label images of the nuclei, named like their fields,
        optionally with a suffix such as ``_cp_masks`` or ``_labels``; or with outlines that
        `read_labels` reads: ImageJ's ``NAME_RoiSet.zip``, COCO or GeoJSON. For pixels in memory,
        one mask per field.
    layout : str, Path or data frame, optional
        A CSV file with the column ``well`` or ``file``, and any of ``condition``, ``dose`` (a
        number) and ``replicate``; or a CSV file in the shape of the plate, with one block for each
        of these.
    well_pattern : str, optional
        A regular expression with the group ``well``, or the groups ``row`` and ``column``, that is
        searched for in the name of each file, including its folders but not its ending. By default,
        wells are recognised in names of files and folders such as B03, r02c03 and Well B3. Folders of
        sites, such as "site 1", are parts of their wells.

    Returns
    -------
    FieldSet
        The fields, in the order of their names. ``quarantined`` lists the files left out, with
        reasons; ``remarks`` holds remarks on the set as a whole.

    Raises
    ------
    DatasetNotFoundError
        There is nothing at `path`, `masks` or `layout`.
    DatasetError
        No file can be a field, the channel must be chosen, or `masks` or `layout` match no field.
    InvalidParameterError
        A parameter has another type, or is out of range.

    Warns
    -----
    DataWarning
        Files were left out or are identical copies, z positions were projected, or masks or layout
        rows match no field.

    See Also
    --------
    FieldSet.from_arrays : Create fields from pixels in memory.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from PIL import Image
    >>> from nucrec.fields import load_fields
    >>> rng = np.random.default_rng(0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("B02_s1", "B02_s2", "B03_s1"):
    ...         pixels = rng.integers(0, 4096, (300, 400), dtype=np.uint16)
    ...         Image.fromarray(pixels).save(Path(folder) / f"{name}.tif")
    ...     layout = Path(folder) / "layout.csv"
    ...     _ = layout.write_text("well,condition,dose\nB02,control,0\nB03,mitomycin C,0.1\n")
    ...     fields = load_fields(folder, layout=layout, pixel_size=0.65)
    >>> fields
    FieldSet(3 fields, 2 wells)
    >>> fields[2].name, fields[2].well, fields[2].condition, fields[2].dose
    ('B03_s1', 'B03', 'mitomycin C', 0.1)
    """
    check_channel(channel)
    if pixel_size is not None:
        check_real("pixel_size", pixel_size, low=0, high=1000, open_ends=True)
    pattern = checked_pattern(well_pattern)
    if _is_in_memory(path):
        if layout is not None:
            raise invalid("layout", "None for arrays, which have no names", layout)
        images: Any = [path] if isinstance(path, np.ndarray) and path.ndim == 2 else path
        return FieldSet.from_arrays(images, masks=masks, pixel_size=pixel_size)  # type: ignore[arg-type]
    plan = None if layout is None else read_layout(layout)
    source = open_source(path, with_masks=masks is not None)
    found, files = _masks_at(masks, source)
    groups, wells = _grouped(files, pattern)
    label, within = choose_files(groups, channel)
    reader = FieldReader(source.root, within, pixel_size, found)
    reader.read_all(groups, label, wells)
    problems = [*source.quarantined, *reader.problems]
    if not reader.fields:
        why = f": {problems[0].name}: {problems[0].reason}" if problems else ""
        raise DatasetError(f"{path}: no readable field{why}")
    fields, said = (reader.fields, []) if plan is None else apply_layout(reader.fields, plan)
    loud = [*reader.remarks, *said]
    _warn(problems, loud)
    return FieldSet(fields, problems, [*source.remarks, *remark.of_pixel_sizes(fields), *loud])


def _is_in_memory(path: object) -> bool:
    if isinstance(path, np.ndarray):
        return True
    return isinstance(path, list | tuple) and any(isinstance(one, np.ndarray) for one in path)


def _masks_at(masks: object, source: Source) -> tuple[Masks | None, list[str]]:
    """Return the masks, and the files that are fields."""
    if masks is None:
        return None, source.files
    if not isinstance(masks, str | Path):
        raise invalid("masks", "the path of a folder, zip archive or file", masks)
    found, inside = open_masks(masks, source.root, source.files)
    return found, [file for file in source.files if file not in inside]


def _grouped(
    files: Sequence[str], pattern: re.Pattern[str] | None
) -> tuple[list[FieldFiles], list[str | None]]:
    """Return the files grouped by field, and the well of each field."""
    if pattern is None:
        groups = group_files(files, [()] * len(files))
        return groups, locate_wells([group.key for group in groups])[1]
    matches = {file: pattern.search(folder_of(file) + stem_of(file)) for file in files}
    groups = group_files(files, [_spans(matches[file], file) for file in files])
    wells = []
    for group in groups:
        own = (matches[file] for files in group.channels.values() for file in files)
        found = next((match for match in own if match), None)
        wells.append(well_of_match(found) if found else None)
    return groups, wells


def _spans(match: re.Match[str] | None, file: str) -> list[tuple[int, int]]:
    """Return the parts of a file's stem that match a pattern."""
    if match is None:
        return []
    before = len(folder_of(file))
    spans = [match.span(name) for name in match.re.groupindex]
    return [(start - before, end - before) for start, end in spans if end > before]


def _warn(problems: Sequence[Quarantined], remarks: Sequence[str]) -> None:
    """Warn about files left out (the first ones of many), and about the set as a whole."""
    for one in problems[:_MOST_WARNINGS]:
        warn(f"{one.name} was left out: {one.reason}", DataWarning)
    more = len(problems) - _MOST_WARNINGS
    if more > 0:
        warn(f"{many(more, 'more file')} left out; fields.quarantined lists all", DataWarning)
    for text in remarks:
        warn(text, DataWarning)
