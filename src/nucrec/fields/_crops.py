"""Crops of single nuclei cut from fields of view."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from nucrec._validation import check_int, check_real
from nucrec.datasets import ImageDataset
from nucrec.errors import DatasetError
from nucrec.fields._answers import Answer, Answers
from nucrec.fields._cell_rows import CellRows
from nucrec.fields._crop_files import CropFolder
from nucrec.fields._field import Field
from nucrec.fields._windows import Crop, WindowRule

Array = npt.NDArray[Any]

_CLASSES = ("nucleus", "micronucleus")
_NOTHING = np.empty((0, 0))


class CellsLike(Protocol):
    """The part of `Cells` that is used."""

    @property
    def cells(self) -> Any: ...


def crops(
    fields: Sequence[Field],
    cells: CellsLike | None = None,
    *,
    reviewed: str | Path | Any = None,
    scale: float = 1.5,
    margin: float = 8.0,
    size: int | None = None,
    territory: bool = False,
    scored_only: bool = True,
    out: str | Path | None = None,
) -> ImageDataset:
    """Cut a square window around each nucleus in fields of view.

    Parameters
    ----------
    fields : FieldSet, or sequence of Field
        Fields with nuclear masks, from `load_fields` with ``masks`` or `FieldSet.from_arrays`.
    cells : Cells, optional
        The result of `detect` for these fields. Cells with a micronucleus form the positive class,
        and the row of each cell becomes its metadata. Without it, the class is "unlabelled".
    reviewed : path or data frame, optional
        The table saved by the page of `review`. Only cells answered with yes or no become crops,
        with the answers as classes; the detector's call is the column ``called`` of the metadata.
    scale, margin : float, default=1.5 and 8
        The side of a window is `scale` times the longer side of the bounding box plus `margin`
        pixels; the defaults are those of the shipped crops. Windows are cut off at the edges of a
        field.
    size : int, optional
        The side of all windows in pixels, instead of `scale` and `margin`.
    territory : bool, default=False
        Whether to keep only the pixels nearer to the window's own nucleus than to any other, and to
        set the rest to the median of the field outside all nuclei. Otherwise, a micronucleus beside
        two nuclei appears in both windows.
    scored_only : bool, default=True
        Whether to omit cells that are not scored, such as those at the edge or out of focus, if
        `cells` is given; the crops are then the cells that rates are based on. With False they are
        included, and the columns ``scored`` and ``excluded`` identify them.
    out : str or Path, optional
        A new or empty folder to save the crops to: ``CLASS/FIELD/CELL.png``, or ``.tif`` for fields
        of floats, and a table ``crops.csv`` with classes, groups and metadata, which
        `nucrec.datasets.load_folder` reads. Only one field at a time is then in memory.

    Returns
    -------
    ImageDataset
        The crops, in the order of fields and labels. Pixels are not rescaled; groups are the names
        of the fields. The metadata are the row of each cell, with its file as ``field_file``;
        without `cells` they are ``cell_id``, ``x``, ``y``, ``area`` (pixels), ``well``,
        ``condition``, ``dose`` and ``replicate``.

    Raises
    ------
    DatasetError
        A field has no mask, there are no nuclei, no cell is scored, or the reviewed cells belong to
        another plate.
    InvalidParameterError
        A parameter is out of range, `cells` lacks a nucleus in a mask, or `out` is not empty.
    NucrecError
        `out` cannot be written.

    Notes
    -----
    With windows of the default size, even a perfect classifier would call 587 instead of 494 cells
    per 1000 micronucleated in the 33 annotated fields, because 31 % of their micronuclei lie in two
    or more windows. Rates are therefore computed by `detect`, which assigns each micronucleus to
    one nucleus; crops are for training and inspection.

    Examples
    --------
    >>> import numpy as np
    >>> from nucrec.fields import FieldSet, crops
    >>> mask = np.zeros((80, 120), int)
    >>> mask[20:40, 20:40], mask[50:70, 70:100] = 1, 2
    >>> fields = FieldSet.from_arrays([100 * (mask > 0).astype(np.uint8)], masks=[mask])
    >>> found = crops(fields)
    >>> found, found.images[0].shape, found.metadata["area"]
    (ImageDataset(2 images: 2 unlabelled; 1 group), (38, 38), array([400, 600]))
    """
    rule = _rule(scale, margin, size, territory)
    rows = None if cells is None else CellRows(cells.cells)
    answers = None if reviewed is None else Answers(reviewed)
    classes = ("unlabelled",) if rows is None and answers is None else _CLASSES
    folder = None if out is None else CropFolder(out)
    images: list[Array] = []
    found: list[_Nucleus] = []
    for each in _nuclei(fields, rule, rows, answers, scored_only):
        name, image = each.name, each.crop.image
        if folder is None:
            images.append(image)
        else:
            name = folder.write(image, classes[each.label], name)
        found.append(each._replace(name=name, crop=each.crop._replace(image=_NOTHING)))
    metadata = _described(found) if rows is None else rows.take([each.row for each in found])
    columns: dict[str, Any] = {
        "labels": [each.label for each in found],
        "ids": [each.name for each in found],
        "groups": [each.field.name for each in found],
        "metadata": metadata | _calls(found),
    }
    if folder is None:
        return ImageDataset(images, class_names=classes, **columns)
    return folder.finish(classes, **columns)


class _Nucleus(NamedTuple):
    """A nucleus and its crop."""

    name: str
    label: int
    row: int | None
    field: Field
    crop: Crop
    answer: Answer | None = None


def _nuclei(
    fields: Sequence[Field],
    rule: WindowRule,
    rows: CellRows | None,
    answers: Answers | None,
    scored_only: bool,
) -> Iterator[_Nucleus]:
    """Yield the nuclei with their crops; with a review, only those with an answer."""
    n_cut = n_left_out = 0
    for field, crop in _cut(fields, rule):
        answer = None if answers is None else answers.of(field.name, crop.label)
        if answers is not None and answer is None:
            continue
        row = None if rows is None else rows.find(field.name, crop.label)
        if rows is not None and row is not None and scored_only and not rows.is_scored(row):
            n_left_out += 1
            continue
        n_cut += 1
        label = 0 if rows is None or row is None else rows.label(row)
        name = f"{field.name}/{crop.label}"
        if answers is not None and answer is not None:
            if row is not None:
                answers.check_called(field.name, crop.label, label == 1)
            label = int(answer.truth)
        yield _Nucleus(name, label, row, field, crop, answer)
    if answers is not None:
        answers.check_all_found()
    if not n_cut:
        raise DatasetError(
            f"cells: none of {n_left_out} is scored. Pass scored_only=False to include all cells."
            if n_left_out
            else "fields: no mask contains a nucleus"
        )


def _rule(scale: float, margin: float, size: int | None, territory: bool) -> WindowRule:
    check_real("scale", scale, low=0, high=100, open_ends=True)
    check_real("margin", margin, low=0, high=10_000)
    if size is not None:
        check_int("size", size, low=8, high=4096)
    return WindowRule(float(scale), float(margin), size, bool(territory))


def _cut(fields: Sequence[Field], rule: WindowRule) -> Iterator[tuple[Field, Crop]]:
    """Yield the crops of all fields, with one field in memory at a time."""
    for field in fields:
        nuclei = field.labels()
        if nuclei is None:
            raise DatasetError(
                f"fields: {field.name} has no mask of its nuclei. Load them with masks: "
                "load_fields(path, masks=...)."
            )
        image = field.read()
        yield from ((field, crop) for crop in rule.cut(image, nuclei))


def _described(found: Sequence[_Nucleus]) -> dict[str, Array]:
    """Return the metadata of each nucleus without a table of cells."""
    metadata = {
        "cell_id": np.array([each.crop.label for each in found]),
        "x": np.array([each.crop.x for each in found]),
        "y": np.array([each.crop.y for each in found]),
        "area": np.array([each.crop.area for each in found]),
        "dose": np.array([_number(each.field.dose) for each in found]),
    }
    for name in ("well", "condition", "replicate"):
        values = [getattr(each.field, name) for each in found]
        metadata[name] = np.array(["" if value is None else str(value) for value in values])
    return metadata


def _calls(found: Sequence[_Nucleus]) -> dict[str, Array]:
    """Return the detector's call of each cell, if cells were reviewed."""
    called = [each.answer.called for each in found if each.answer is not None]
    return {"called": np.where(called, *reversed(_CLASSES))} if called else {}


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
