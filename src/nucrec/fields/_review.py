"""Review of a detection: a page on which a person states which cells have micronuclei."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from nucrec._files import make_folder, write_text
from nucrec._notebook import Facts
from nucrec._paths import output_file
from nucrec._progress import Progress, progress_function
from nucrec._text import many
from nucrec._validation import check_int, invalid
from nucrec.errors import DatasetError
from nucrec.fields._cells import Cells
from nucrec.fields._detection import Detector
from nucrec.fields._field import Field
from nucrec.fields._found_labels import FoundLabels
from nucrec.fields._objects import Objects
from nucrec.fields._outlines import grey_levels
from nucrec.fields._review_page import ReviewedCell, pictures_of, review_page
from nucrec.fields._review_sample import Drawn, draw_sample, n_called

Array = npt.NDArray[Any]

FEWEST, MOST = 10, 2000
"""Cells on a page."""


@dataclass(frozen=True)
class ReviewPage(Facts):
    """The page of cells written by `review`.

    Attributes
    ----------
    path : Path
        The page.
    n_positive, n_negative : int
        Number of cells on the page called with, and without, a micronucleus.

    Examples
    --------
    >>> from pathlib import Path
    >>> from nucrec.fields import ReviewPage
    >>> len(ReviewPage(Path("review.html"), 100, 200))
    300
    """

    path: Path
    n_positive: int
    n_negative: int

    def __len__(self) -> int:
        return self.n_positive + self.n_negative

    def __str__(self) -> str:
        return (
            f"{self.path}: {many(len(self), 'cell')} to review, {self.n_positive} of them called "
            "micronucleated. Open it in a browser, answer, save reviewed.csv, and correct the rates "
            f"with it: nucrec assay {self.path.parent / 'cells.csv'} --reviewed reviewed.csv"
        )


def review(
    cells: Cells,
    fields: Sequence[Field],
    path: str | Path,
    *,
    n: int = 400,
    labels: str | Path | None = None,
    detector: Detector | None = None,
    blind: bool = True,
    title: str | None = None,
    random_state: int = 0,
    progress: Progress | bool = False,
) -> ReviewPage:
    """Write a page on which a person states, cell by cell, whether there is a micronucleus.

    The page is a single file that works offline, by keyboard or on a phone. It shows a random
    sample of the scored cells. Answers stay in the browser and are saved as ``reviewed.csv``, for
    `nucrec.assay.Assay.corrected` and `crops`.

    Parameters
    ----------
    cells : Cells
        The result of `detect`.
    fields : FieldSet, or sequence of Field
        The fields of the detection.
    path : str or Path
        The page to write, which must end in ".html".
    n : int, default=400
        Number of cells to review, from 10 to 2000; all scored cells if there are fewer. A third of
        them are cells called micronucleated, if there are enough. A page of 400 cells has about 4
        MB and takes a person 10 to 20 minutes.
    labels : str or Path, optional
        The folder of the label images written by ``detect(..., out=FOLDER, write_labels=True)``. By
        default, the masks of the fields are used or, if there are none, the detector runs again.
    detector : Detector, optional
        The detector to use if there are neither label images nor masks; by default
        ``FieldDetector.pretrained()``.
    blind : bool, default=True
        Whether to hide the detector's calls, the wells and the conditions. With False, its
        micronuclei are outlined, and the call and the well are shown.
    title : str, optional
        The heading of the page.
    random_state : int, default=0
        Seed of the sample. The same cells and seed give the same page, for which the browser keeps
        the answers.
    progress : bool or callable, default=False
        True shows progress on standard error. A callable receives (fields done, total fields,
        message).

    Returns
    -------
    ReviewPage
        The page, with its numbers of cells.

    Raises
    ------
    InvalidParameterError
        A parameter is out of range.
    DatasetError
        No cell is scored, or a cell is missing from the fields or label images.
    NucrecError
        The page cannot be written, or a field can no longer be read.

    Notes
    -----
    A reviewer who knows the call agrees with it more often, which biases precision and recall
    upwards. Calls and treatments are therefore hidden, and the order is random. Cells called
    negative are reviewed as well, because missed cells cannot be estimated without them.

    Strata are the two calls within each condition and dose, if these are known. Each stratum
    contributes cells in proportion to the square root of its size; within a stratum, cells are
    drawn systematically over wells and fields. For each cell, the table gives the size of its
    stratum, ``stratum_cells``, and the number of cells that it represents, ``weight``.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from nucrec.fields import Detection, FieldSet, detect, review
    >>> class Known:
    ...     def predict(self, field, *, pixel_size=None, nuclei=None):
    ...         none = np.zeros_like(nuclei)
    ...         return Detection(nuclei, none, np.zeros(0), diameter=20.0)
    >>> mask = np.zeros((100, 150), int)
    >>> mask[30:50, 30:50], mask[60:80, 90:110] = 1, 2
    >>> fields = FieldSet.from_arrays([200 * (mask > 0).astype(np.uint8)], masks=[mask])
    >>> cells = detect(fields, Known())
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     len(review(cells, fields, Path(folder) / "review.html"))
    2
    """
    check_int("n", n, low=FEWEST, high=MOST)
    check_int("random_state", random_state, low=0)
    where = output_file("path", path)
    if where.suffix.lower() not in (".html", ".htm"):
        raise invalid("path", "a name that ends in .html", str(path))
    drawn = draw_sample(cells.cells, n, random_state)
    key = _key(cells, drawn, blind)
    lines = drawn.lines(cells.cells, key)
    found = _Labels(labels, detector)
    pictures = _pictures(cells, fields, drawn.rows, found, blind, progress_function(progress))
    shown = [
        ReviewedCell(line, *pictures[row], "" if blind else _about(cells, row))
        for line, row in zip(lines, drawn.rows.tolist(), strict=True)
    ]
    make_folder(where.parent)
    write_text(where, review_page(title or "Micronuclei: review", key, shown, blind=blind))
    return ReviewPage(where, *n_called(drawn))


def _key(cells: Cells, drawn: Drawn, blind: bool) -> str:
    """Return a key that distinguishes this review from others."""
    names = [cells.cells[name][drawn.rows].tolist() for name in ("field", "cell_id", "x", "y")]
    kind = [] if blind else ["open"]  # answers to an open page are not answers to a blind one
    content = repr([*zip(*names, strict=True), drawn.called.tolist(), *kind])
    digest = hashlib.sha256(content.encode("utf-8", "surrogateescape")).hexdigest()
    return f"review-{digest[:10]}"


class _Labels:
    """Provide the nuclei and micronuclei of fields, from whichever source is available."""

    def __init__(self, folder: str | Path | None, detector: Detector | None) -> None:
        self._files = None if folder is None else FoundLabels(Path(folder), detector, masks=True)
        self._detector = detector

    def of(self, field: Field, *, blind: bool) -> tuple[Array, Array | None]:
        """Return the nuclei, and the micronuclei unless they are hidden."""
        if self._files is not None:
            nuclei, micronuclei = self._files.of(field)
            return nuclei, None if blind else micronuclei
        given = field.labels()
        if blind and given is not None:
            return given, None
        found = self._found(field, given)
        return found.nuclei, None if blind else found.micronuclei

    def _found(self, field: Field, given: Array | None) -> Any:
        if self._detector is None:
            from nucrec.fields._detector import FieldDetector

            self._detector = FieldDetector.pretrained()
        return self._detector.predict(field, nuclei=given)


def _pictures(
    cells: Cells,
    fields: Sequence[Field],
    rows: Array,
    labels: _Labels,
    blind: bool,
    show: Progress,
) -> dict[int, tuple[str, str]]:
    """Return the picture and the outlines of each row, with one field in memory at a time."""
    names, numbers = (cells.cells[name] for name in ("field", "cell_id"))
    wanted = set(names[rows].tolist())
    chosen = [field for field in fields if field.name in wanted]
    missing = wanted - {field.name for field in chosen}
    if missing:
        raise DatasetError(f"fields: {min(missing)}, which occurs in cells, is missing")
    found: dict[int, tuple[str, str]] = {}
    for done, field in enumerate(chosen, 1):
        grey, (nuclei, small) = grey_levels(field.read()), labels.of(field, blind=blind)
        objects = Objects.of(nuclei)
        for row in rows[names[rows] == field.name].tolist():
            found[row] = pictures_of(grey, objects, small, int(numbers[row]), field.name)
        show(done, len(chosen), f"cells of {field.name}")
    return found


def _about(cells: Cells, row: int) -> str:
    table = cells.cells
    where = [table[name][row] for name in ("condition", "well", "field")]
    n = int(table["n_micronuclei"][row])
    told = f"{n} found" if n else "none found"
    return ", ".join([*map(str, filter(None, where)), f"cell {table['cell_id'][row]}: {told}"])
