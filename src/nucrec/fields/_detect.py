"""Detection of cells and micronuclei in fields of view."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nucrec._paths import checked_path
from nucrec._progress import Progress, progress_function
from nucrec._threads import available_cores
from nucrec._validation import check_choice, check_int, check_real, invalid
from nucrec._warnings import warn
from nucrec.errors import DatasetError, DataWarning
from nucrec.fields._analysis import Rules
from nucrec.fields._assign import MAX_DISTANCE
from nucrec.fields._cells import Cells
from nucrec.fields._detection import Detector
from nucrec.fields._field import Field
from nucrec.fields._plate import Plate
from nucrec.fields._quality import FLAGS, NOT_SCORED
from nucrec.fields._work import Work

_MOST_WARNINGS = 10


def detect(
    fields: Sequence[Field],
    detector: Detector | None = None,
    *,
    masks: bool = True,
    max_distance: float = MAX_DISTANCE,
    diameter_ratio: tuple[float, float] | None = None,
    exclude: Sequence[str] = NOT_SCORED,
    out: str | Path | None = None,
    write_labels: bool = False,
    overwrite: bool = False,
    n_jobs: int | None = None,
    progress: Progress | bool = False,
) -> Cells:
    """Detect cells and their micronuclei in fields of view.

    Nuclei come from the masks of fields that have them, otherwise from the detector. Each detected
    micronucleus is assigned to the nucleus whose edge is nearest. Each cell is measured and
    checked. You choose which quality flags exclude it from scoring; the tables hold all flags.

    Parameters
    ----------
    fields : FieldSet, or sequence of Field
        The fields. Only the present field and the next are in memory.
    detector : Detector, optional
        Anything with a method ``predict(field, *, nuclei)`` that returns a `Detection`; by default
        ``FieldDetector.pretrained()``.
    masks : bool, default=True
        Whether to use the masks of fields that have them.
    max_distance : float, default=1.25
        The largest gap between a micronucleus and its nucleus, in median nuclear diameters of the
        field. A micronucleus farther from every nucleus is listed in the table, but not counted.
    diameter_ratio : (low, high), optional
        Count only micronuclei whose diameter, divided by that of their nucleus, lies in this range.
        The criteria of the HUMN project [1]_ are ``(1/16, 1/3)``; the column ``humn`` always marks
        these. By default, all micronuclei count.
    exclude : sequence of str, default=("edge", "small", "out_of_focus", "condensed", "apoptotic")
        The flags that exclude a cell from scoring: "edge" (it touches the edge of the field), "small"
        (its diameter is less than a third of the median), "out_of_focus" (its outline is blurred over a
        tenth of the diameter, or twice as much as usual in the field), "saturated" (1 % of its pixels
        are at the top of the camera's range), "crowded" (a quarter of its outline touches other
        nuclei), "condensed" (small and bright: mitotic or pyknotic) and "apoptotic" (more than five
        micronuclei).
    out : str or Path, optional
        A folder for the tables of each field. The same call resumes an interrupted one, and fields
        whose files have changed are analysed again.
    write_labels : bool, default=False
        Whether to write label images to ``labels/nuclei`` and ``labels/micronuclei`` in `out`:
        16-bit TIFF, or 32-bit if necessary, for Fiji, napari and Cellpose.
    overwrite : bool, default=False
        Whether to discard results in `out` and start again, whatever settings they were made with.
    n_jobs : int, optional
        With 1, all steps run one after the other. By default, and with larger values, one thread
        reads the next field and another measures the last one while the detector works.
    progress : bool or callable, default=False
        True shows progress on standard error. A callable receives (fields done, total fields,
        message).

    Returns
    -------
    Cells
        The tables, in the order of the fields. The table ``fields`` lists failed fields with the
        reason.

    Raises
    ------
    InvalidParameterError
        A parameter is out of range.
    DatasetError
        There are no fields, or all of them failed.
    NucrecError
        `out` cannot be written, is in use by another call, or holds results of other settings or of
        another detector.

    Warns
    -----
    DataWarning
        Some fields failed.

    References
    ----------
    .. [1] M. Fenech et al., "HUMN project: detailed description of the scoring criteria for the
       cytokinesis-block micronucleus assay using isolated human lymphocyte cultures", Mutation
       Research 534, 65-75, 2003.

    Examples
    --------
    Use a detector that takes bright objects for nuclei, and small ones for micronuclei:

    >>> import numpy as np
    >>> from scipy import ndimage
    >>> from nucrec.fields import Detection, FieldSet, detect
    >>> class Bright:
    ...     def predict(self, field, *, pixel_size=None, nuclei=None):
    ...         parts, n = ndimage.label(field.read() > 100)
    ...         small = np.bincount(parts.ravel()) < 200
    ...         nuclei = ndimage.label((parts > 0) & ~small[parts])[0]
    ...         micronuclei, m = ndimage.label((parts > 0) & small[parts])
    ...         return Detection(nuclei, micronuclei, np.ones(m), diameter=30.0)
    >>> y, x = np.mgrid[:200, :300]
    >>> image = np.zeros((200, 300), np.uint8)
    >>> for row, column, radius in [(60, 60, 15), (60, 84, 4), (120, 200, 15)]:
    ...     image[np.hypot(y - row, x - column) <= radius] = 200
    >>> cells = detect(FieldSet.from_arrays([image]), Bright())
    >>> cells
    Cells(2 cells of 1 field, 2 scored, 1 of them with micronuclei)
    >>> cells.cells["n_micronuclei"].tolist(), cells.micronuclei["distance"].tolist()
    ([1, 0], [4.0])
    """
    rules = _checked_rules(max_distance, diameter_ratio, exclude)
    show = progress_function(progress)
    jobs = available_cores() if n_jobs is None else check_int("n_jobs", n_jobs, low=1)
    if not len(fields):
        raise DatasetError("fields: there are none to analyse")
    if write_labels and out is None:
        raise invalid("write_labels", "False without a folder `out`", write_labels)
    if detector is None:
        from nucrec.fields._detector import FieldDetector

        detector = FieldDetector.pretrained()
    if not callable(getattr(detector, "predict", None)):
        raise invalid("detector", "an object with a method predict", detector)
    with contextlib.ExitStack() as stack:
        plate = None
        if out is not None:
            plate = Plate(checked_path("out", out), write_labels)
            stack.enter_context(plate.held(_settings(detector, rules, masks), overwrite))
        work = Work(detector, rules, masks, plate)
        what = _what(fields, plate)
        cells = Cells.concatenate(_shown(work.done(fields, jobs), len(fields), show, what))
    _report_failures(cells)
    return cells._with_source(fields)


def _checked_rules(
    max_distance: float, diameter_ratio: tuple[float, float] | None, exclude: Sequence[str]
) -> Rules:
    check_real("max_distance", max_distance, low=0, high=100)
    if diameter_ratio is not None:
        if not isinstance(diameter_ratio, tuple | list) or len(diameter_ratio) != 2:
            raise invalid("diameter_ratio", "a pair (low, high)", diameter_ratio)
        low, high = (check_real("diameter_ratio", r, low=0, high=10) for r in diameter_ratio)
        if low >= high:
            raise invalid("diameter_ratio", "low < high", diameter_ratio)
        diameter_ratio = low, high
    if isinstance(exclude, str):
        raise invalid("exclude", "a sequence of names", exclude, f"Write ({exclude!r},).")
    names = [check_choice("exclude", name, tuple(FLAGS)) for name in exclude]
    return Rules(
        float(max_distance), diameter_ratio, tuple(name for name in FLAGS if name in names)
    )


def _settings(detector: Detector, rules: Rules, masks: bool) -> dict[str, Any]:
    kind = f"{type(detector).__module__}.{type(detector).__qualname__}"
    return {
        "detector": str(getattr(detector, "fingerprint", kind)),
        "masks": bool(masks),
        **asdict(rules),
    }


def _what(fields: Sequence[Field], plate: Plate | None) -> str:
    """Return the label of the progress, and the number of fields done before."""
    known = 0 if plate is None else sum(map(plate.has, fields))
    return f"detecting; {known} of {len(fields)} already done" if known else "detecting"


def _shown(parts: Iterator[Cells], total: int, show: Progress, what: str) -> Iterator[Cells]:
    show(0, total, what)
    done = 0
    try:
        for done, part in enumerate(parts, start=1):
            yield part
            show(done, total, what)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"after {done} of {total} fields") from None


def _report_failures(cells: Cells) -> None:
    """Warn about failed fields, or raise if all have failed."""
    table = cells.fields
    rows = zip(table["file"], table["field"], table["error"], strict=True)
    failed = [(file or name, reason) for file, name, reason in rows if reason]
    if not failed:
        return
    n = len(table["field"])
    if len(failed) == n:
        name, reason = failed[0]
        others = f" (the first of {n} fields, all of which failed)" if n > 1 else ""
        raise DatasetError(f"{name}: {reason}{others}")
    for name, reason in failed[:_MOST_WARNINGS]:
        warn(f"{name} was not analysed: {reason}", DataWarning)
    if len(failed) > _MOST_WARNINGS:
        warn(
            f"{len(failed)} of {n} fields were not analysed; the table `fields` lists them "
            "with the reasons",
            DataWarning,
        )
