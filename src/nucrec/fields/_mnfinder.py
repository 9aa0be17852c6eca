"""The annotated fields of the mnfinder distribution."""

from collections import defaultdict
from pathlib import Path

import numpy as np

from nucrec._paths import checked_path
from nucrec._reading.roots import Archive, Folder, open_root
from nucrec._reading.stack import read_header
from nucrec._reading.table import Table, parse_table
from nucrec.fields._annotated import AnnotatedFields
from nucrec.fields._field import Field
from nucrec.fields._field_set import FieldSet
from nucrec.fields._pixels import FileMask, FilePixels

_METADATA = ("experiment", "cell_line", "microscope", "objective", "dna_stain")


def load_mnfinder_fields(path: str | Path) -> AnnotatedFields:
    """Load the annotated fields of the mnfinder 1.2.3 distribution.

    33 fields of 4 cell lines (RPE-1, U2OS, HeLa, MCC13) and 2 microscopes, with 2626 nuclei and 2164
    micronuclei that people have outlined. They are the training and validation parts of the
    distribution; its test part is never read.

    Parameters
    ----------
    path : str or Path
        A zip archive or a folder with ``fields.csv``, ``micronuclei.csv`` and the folders
        ``fields``, ``nuclei`` and ``micronuclei``.

    Returns
    -------
    AnnotatedFields
        Metadata: ``experiment``, ``cell_line``, ``microscope``, ``objective`` and ``dna_stain``
        (str).

    Raises
    ------
    DatasetNotFoundError
        There is nothing at `path`.
    DatasetError
        It holds something else.
    InvalidParameterError
        `path` is no path.

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
    return read_annotated(open_root(checked_path("path", path)))


def read_annotated(root: Folder | Archive) -> AnnotatedFields:
    """Return the annotated fields that a folder or an archive of our layout holds."""
    table = _table(root, "fields.csv", ("field", *_METADATA))
    names = table.columns["field"]
    return AnnotatedFields(
        FieldSet(_field(root, name) for name in names),
        [FileMask(root, f"nuclei/{name}.png") for name in names],
        [FileMask(root, f"micronuclei/{name}.png") for name in names],
        _parents(_table(root, "micronuclei.csv", ("field", "micronucleus", "nucleus")), names),
        {name: np.array(table.columns[name]) for name in _METADATA},
    )


def _field(root: Folder | Archive, name: str) -> Field:
    file = f"fields/{name}.tif"
    header = read_header(root.view(file), file)
    pixels = FilePixels(root, (file,), header.size)
    return Field(name=name, file=file, pixel_size=header.pixel_size, _pixels=pixels)


def _table(root: Folder | Archive, name: str, needed: tuple[str, ...]) -> Table:
    return parse_table(root.read(name).decode(), needed, f"{root.path}: {name}")


def _parents(links: Table, names: list[str]) -> list[dict[int, int]]:
    found: dict[str, dict[int, int]] = defaultdict(dict)
    columns = (links.columns[name] for name in ("field", "micronucleus", "nucleus"))
    for field, micronucleus, nucleus in zip(*columns, strict=True):
        if nucleus:
            found[field][int(micronucleus)] = int(nucleus)
    return [found[name] for name in names]
