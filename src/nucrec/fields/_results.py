"""The output of `nucrec detect` besides the tables of single fields."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._files import make_folder, replacing, write_text
from nucrec._paths import checked_path
from nucrec._progress import Progress, progress_function
from nucrec._text import many
from nucrec._threads import available_cores, ordered_map
from nucrec._validation import check_int, check_real
from nucrec._warnings import warn
from nucrec._written import (
    CONDITIONS,
    DETECTION,
    LABELS,
    OVERLAYS,
    PAGE,
    SUMMARY,
    check_not_replaced,
    pages_beside,
)
from nucrec.errors import DataWarning
from nucrec.fields._cells import Cells
from nucrec.fields._detection import Detector
from nucrec.fields._field import Field
from nucrec.fields._find_rates import find_rates
from nucrec.fields._found_labels import FoundLabels
from nucrec.fields._page import PageContent, detection_page
from nucrec.fields._page_quality import find_quality
from nucrec.fields._plate import file_name
from nucrec.fields._saved import SavedResults
from nucrec.fields._training_marks import remarks_on_training_fields
from nucrec.fields._views import View, Views

Array = npt.NDArray[Any]


def save_results(
    cells: Cells,
    fields: Sequence[Field],
    out: str | Path,
    *,
    detector: Detector | None = None,
    masks: bool = True,
    title: str | None = None,
    labels: bool = True,
    links: Mapping[str, str] | None = None,
    n_cells: int = 48,
    n_fields: int = 16,
    confidence: float = 0.95,
    random_state: int = 0,
    n_jobs: int | None = None,
    progress: Progress | bool = False,
) -> SavedResults:
    """Write the tables, pictures of all fields, and a page with the results of a detection.

    Parameters
    ----------
    cells : Cells
        The result of `detect`.
    fields : FieldSet, or sequence of Field
        The fields of the detection.
    out : str or Path
        The output folder, which is created if necessary. Label images that `detect` wrote there are
        used; if one is missing, the detector runs again.
    detector : Detector, optional
        As in `detect`; not needed if all label images exist.
    masks : bool, default=True
        As in `detect`.
    title : str, optional
        The heading of the page.
    labels : bool, default=True
        Whether to keep the label images of nuclei and micronuclei in the folder ``labels``, as TIFF
        for Fiji, napari, Cellpose, and for `load_fields` with ``masks="labels/nuclei"``. Without
        them, `detect` must start again the next time.
    links : mapping of str to str, optional
        Links to other pages, relative to the folder, by description. By default those of a review
        and of an assay, if they are in the folder.
    n_cells : int, default=48
        Maximum number of micronucleated cells on the page, the least probable first. Half as many
        cells without a micronucleus are drawn at random.
    n_fields : int, default=16
        Maximum number of fields on the page: those with remarks first, then evenly chosen ones.
    confidence : float, default=0.95
        Confidence level of the intervals, strictly between 0 and 1.
    random_state : int, default=0
        Seed of the random choice of cells.
    n_jobs : int, optional
        Number of drawing threads; by default one per core.
    progress : bool or callable, default=False
        True shows progress on standard error. A callable receives (fields done, total fields,
        message).

    Returns
    -------
    SavedResults
        The rates, and the files written.

    Raises
    ------
    InvalidParameterError
        A parameter is out of range, or the folder holds the page of another command.
    NucrecError
        The folder or a file cannot be written.
    ImageError
        A field can no longer be read.

    Warns
    -----
    DataWarning
        The folder holds pictures of other fields.

    Notes
    -----
    For a single well or field, the interval is Wilson's for independent cells. For the wells of a
    condition, it includes the variation between them, as in `nucrec.assay.summarize`. There is no
    interval with fewer than three wells, nor for all cells if there are several conditions.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from nucrec.fields import Detection, FieldSet, detect, save_results
    >>> class Known:
    ...     def predict(self, field, *, pixel_size=None, nuclei=None):
    ...         none = np.zeros_like(nuclei)
    ...         return Detection(nuclei, none, np.zeros(0), diameter=20.0)
    >>> mask = np.zeros((100, 150), int)
    >>> mask[30:50, 30:50], mask[60:80, 90:110] = 1, 2
    >>> fields = FieldSet.from_arrays([200 * (mask > 0).astype(np.uint8)], masks=[mask])
    >>> cells = detect(fields, Known())
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     saved = save_results(cells, fields, folder, detector=Known())
    ...     sorted(path.name for path in Path(folder).iterdir())
    ['cells.csv', 'fields.csv', 'labels', 'micronuclei.csv', 'overlays', 'report.html', 'summary.csv']
    >>> saved.rates.total.scored, saved.rates.total.positive
    (2, 0)
    """
    check_real("confidence", confidence, low=0, high=1, open_ends=True)
    check_int("n_cells", n_cells, low=0, high=1000)
    check_int("n_fields", n_fields, low=0, high=200)
    jobs = available_cores() if n_jobs is None else check_int("n_jobs", n_jobs, low=1)
    folder = checked_path("out", out)
    check_not_replaced("out", folder, DETECTION, ())
    make_folder(folder / OVERLAYS)
    rates = find_rates(cells.cells, [field.name for field in fields], confidence)
    views = Views(cells, n_cells, n_fields, random_state)
    found = FoundLabels(folder, detector, masks=masks)
    left_out = [*getattr(fields, "quarantined", ()), *cells.failed.items()]
    good = [field for field in fields if field.name not in cells.failed]
    _draw_all(good, views, found, folder / OVERLAYS, jobs, progress_function(progress))
    told = remarks_on_training_fields(cells.fields["remarks"][cells.fields["error"] == ""].tolist())
    content = PageContent(
        title=title or "Micronuclei",
        rates=rates,
        quality=find_quality(cells.cells, cells.micronuclei),
        n_positive=rates.total.positive,
        n_fields=len(good),
        left_out=[(str(name), str(reason)) for name, reason in left_out],
        remarks=_remarks(fields, cells),
        settings=_settings(detector, cells),
        doubtful=views.doubtful,
        others=views.others,
        fields=views.fields,
        links=pages_beside(folder) if links is None else dict(links),
        notes=told,
    )
    cells.to_csv(folder)
    write_text(folder / SUMMARY, rates.to_csv())
    if rates.conditions:
        write_text(folder / CONDITIONS, rates.conditions_to_csv())
    else:
        (folder / CONDITIONS).unlink(missing_ok=True)  # left by an earlier call with a layout
    write_text(folder / PAGE, detection_page(content))
    if not labels:
        shutil.rmtree(folder / LABELS, ignore_errors=True)
    _tell_of_others(folder / OVERLAYS, good)
    failed = {str(name): str(reason) for name, reason in left_out}
    return SavedResults(folder, rates, failed, labels, told)


def _tell_of_others(overlays: Path, fields: Sequence[Field]) -> None:
    """Warn about pictures of fields left by an earlier call, such as those of another plate."""
    own = {f"{file_name(field.name)}.png" for field in fields}
    others = sorted({path.name for path in overlays.glob("*.png")} - own)
    if others:
        warn(
            f"{overlays.parent}: contains pictures of {many(len(others), 'field')} not part "
            f"of this call, such as {others[0]}. Tables and page do not include them; choose "
            "another folder for another plate",
            DataWarning,
        )


def _draw_all(
    fields: Sequence[Field],
    views: Views,
    found: FoundLabels,
    folder: Path,
    n_jobs: int,
    show: Progress,
) -> None:
    """Write the overlay of each field, a few at a time, and keep the pictures for the page."""

    def draw(field: Field) -> View:
        view = views.draw(field, field.read(), *found.of(field))
        _write_picture(folder / f"{file_name(field.name)}.png", view.overlay)
        return view

    drawn, k = ordered_map(draw, fields, n_jobs), 0
    try:
        for k, (field, view) in enumerate(zip(fields, drawn, strict=True), 1):
            views.keep(field.name, view)
            show(k, len(fields), f"picture of {field.name}")
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"after {k} of {len(fields)} pictures") from None


def _write_picture(path: Path, pixels: Array) -> None:
    from PIL import Image

    with replacing(path) as temporary:
        Image.fromarray(pixels).save(temporary, "PNG", compress_level=3)


def _remarks(fields: Sequence[Field], cells: Cells) -> list[tuple[str, str]]:
    """Return the remarks on the fields as a whole, and on each."""
    names, remarks = (cells.fields[key].tolist() for key in ("field", "remarks"))
    whole = [("all", remark) for remark in getattr(fields, "remarks", ())]
    return whole + [pair for pair in zip(names, remarks, strict=True) if pair[1]]


def _settings(detector: Detector | None, cells: Cells) -> dict[str, str]:
    table = cells.fields
    good = table["error"] == ""
    sizes = np.unique(table["pixel_size"][good & ~np.isnan(table["pixel_size"])])
    given = int(table["mask"][good].sum())
    nuclei = (
        "found by the detector" if not given else f"given in {given} fields, found in the others"
    )
    return {
        "detector": "unknown" if detector is None else _name_of(detector),
        **_errors_of(detector),
        "nuclei": nuclei if given < good.sum() else "given as masks",
        "pixel size": ", ".join(f"{size:g} um" for size in sizes) or "unknown",
    }


def _errors_of(detector: Detector | None) -> dict[str, str]:
    """Return the errors stated in the card of a detector, over all held-out fields."""
    figures = getattr(getattr(detector, "card_", None), "figures", ())
    if not figures:
        return {}
    words = [f"{key} {value}" for key, value in list(figures[0].items())[1:] if value]
    return {"on held-out fields": "; ".join(words)}


def _name_of(detector: Detector) -> str:
    fingerprint = getattr(detector, "fingerprint", "")
    return f"{type(detector).__name__} {str(fingerprint)[:12]}".strip()
