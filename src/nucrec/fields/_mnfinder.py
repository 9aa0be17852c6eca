"""The annotated fields of the mnfinder distribution."""

from collections import defaultdict
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import numpy as np

from nucrec._paths import checked_path
from nucrec._reading.roots import Archive, Folder, open_root
from nucrec._reading.stack import read_header
from nucrec._reading.table import Table, parse_table
from nucrec.errors import DatasetError
from nucrec.fields._annotated import AnnotatedFields
from nucrec.fields._field import Field
from nucrec.fields._field_set import FieldSet
from nucrec.fields._mnfinder_wheel import (
    ColouredMask,
    WheelField,
    find_wheel_fields,
    parents_of,
)
from nucrec.fields._pixels import FileMask, FilePixels

_METADATA = ("experiment", "cell_line", "microscope", "objective", "dna_stain")


def load_mnfinder_fields(path: str | Path) -> AnnotatedFields:
    """Load the annotated fields of the mnfinder 1.2.3 distribution.

    The data set has 33 fields of 4 cell lines (RPE-1, U2OS, HeLa, MCC13) and 2 microscopes, with
    2626 nuclei and 2164 micronuclei outlined by annotators. These are the training and validation
    parts of the distribution; its test part is never read.

    Parameters
    ----------
    path : str or Path
        The wheel of mnfinder 1.2.3 (``pip download mnfinder==1.2.3 --no-deps``), read in place, or
        the folder of its installed package; or a zip archive or folder with ``fields.csv``,
        ``micronuclei.csv`` and the folders ``fields``, ``nuclei`` and ``micronuclei``.

    Returns
    -------
    AnnotatedFields
        The fields with their annotation. The metadata are ``experiment``, ``cell_line``,
        ``microscope``, ``objective`` and ``dna_stain`` (str).

    Raises
    ------
    DatasetNotFoundError
        There is nothing at `path`.
    DatasetError
        `path` holds something else.
    ImageError
        A mask of the distribution is damaged.
    InvalidParameterError
        `path` is not a path.

    Notes
    -----
    Owner: Lucian DiPeso; licence MIT, copyright 2023 Lucian DiPeso.

    References
    ----------
    - L. DiPeso, mnfinder 1.2.3, a Python package, 2023

    Examples
    --------
    >>> from nucrec.fields import load_mnfinder_fields
    >>> load_mnfinder_fields("no such file")
    Traceback (most recent call last):
    ...
    nucrec.errors.DatasetNotFoundError: no such file: there is no such folder or file
    """
    where = checked_path("path", path)
    root = open_root(where)
    listing = root.listing()
    if "fields.csv" in listing.other_files:
        return read_annotated(root)
    found = find_wheel_fields([*listing.images, *listing.masks])
    if not found:
        raise DatasetError(
            f"{where}: expected the wheel of mnfinder 1.2.3, or an archive with fields.csv and the "
            f"folders fields, nuclei and micronuclei{listing.instead}"
        )
    return _of_wheel(root, found)


def _of_wheel(root: Folder | Archive, found: Sequence[WheelField]) -> AnnotatedFields:
    nuclei = [ColouredMask(root, one.nuclei) for one in found]
    micronuclei = [ColouredMask(root, one.micronuclei) for one in found]
    return AnnotatedFields(
        FieldSet(_field(root, one.name, one.file) for one in found),
        nuclei,
        micronuclei,
        list(map(parents_of, nuclei, micronuclei)),
        {name: np.array([one.metadata[name] for one in found]) for name in _METADATA},
    )


def read_annotated(root: Folder | Archive) -> AnnotatedFields:
    """Return the annotated fields in a folder or archive with nucrec's layout."""
    table = _table(root, "fields.csv", ("field", *_METADATA))
    names = table.columns["field"]
    return AnnotatedFields(
        FieldSet(_field(root, name, f"fields/{name}.tif") for name in names),
        [FileMask(root, f"nuclei/{name}.png") for name in names],
        [FileMask(root, f"micronuclei/{name}.png") for name in names],
        _parents(_table(root, "micronuclei.csv", ("field", "micronucleus", "nucleus")), names),
        {name: np.array(table.columns[name]) for name in _METADATA},
    )


def _field(root: Folder | Archive, name: str, file: str) -> Field:
    header = read_header(root.view(file), file)
    pixels = FilePixels(root, (file,), header.size)
    return Field(name=name, file=file, pixel_size=header.pixel_size, _pixels=pixels)


def sample_fields() -> AnnotatedFields:
    """Load three small annotated fields that ship with nucrec.

    They are cut-outs of 480 and 512 pixels from fields of the mnfinder 1.2.3 distribution: RPE-1
    cells in a wide-field microscope at 20x (16 bits), and HeLa cells at 40x and MCC13 cells at 20x
    in a confocal one (8 bits). They are meant for examples and tests; a detector that was trained
    on them cannot be evaluated on them.

    Returns
    -------
    AnnotatedFields
        The fields with their annotation and metadata, as from `load_mnfinder_fields`. Micronuclei
        whose nucleus lies outside the cut-out are not linked.

    Raises
    ------
    DatasetError
        The shipped archive is damaged.

    Notes
    -----
    Owner: Lucian DiPeso; licence MIT, copyright 2023 Lucian DiPeso. The licence text is in the
    archive.

    References
    ----------
    - L. DiPeso, mnfinder 1.2.3, a Python package, 2023

    Examples
    --------
    >>> from nucrec.fields import sample_fields
    >>> sample = sample_fields()
    >>> sample.fields.names
    ('rpe1-widefield-20x', 'hela-confocal-40x', 'mcc13-confocal-20x')
    >>> sample.fields[0].read().dtype, sample.fields[0].shape
    (dtype('uint16'), (480, 480))
    >>> sample.parents(1)
    {1: 2, 2: 4, 3: 8}
    """
    with resources.as_file(resources.files("nucrec.fields") / "data/sample-fields.zip") as path:
        return read_annotated(Archive(path))


def _table(root: Folder | Archive, name: str, needed: tuple[str, ...]) -> Table:
    return parse_table(root.read(name).decode(), needed, f"{root.path}: {name}")


def _parents(links: Table, names: list[str]) -> list[dict[int, int]]:
    found: dict[str, dict[int, int]] = defaultdict(dict)
    columns = (links.columns[name] for name in ("field", "micronucleus", "nucleus"))
    for field, micronucleus, nucleus in zip(*columns, strict=True):
        if nucleus:
            found[field][int(micronucleus)] = int(nucleus)
    return [found[name] for name in names]
