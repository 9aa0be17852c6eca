"""A plate with a known answer, composed of real cells."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._files import make_folder, write_text
from nucrec._paths import checked_path
from nucrec._reading.decode import decode
from nucrec._text import csv_text
from nucrec._validation import check_int, check_real, check_seed, invalid
from nucrec.errors import DatasetError
from nucrec.fields._annotated import AnnotatedFields
from nucrec.fields._compose import Composed, compose
from nucrec.fields._cut_outs import CutOuts, cut_outs
from nucrec.fields._field_set import FieldSet
from nucrec.fields._label_files import write_labels
from nucrec.fields._load import load_fields
from nucrec.fields._mnfinder import sample_fields

Array = npt.NDArray[Any]

_RATES = {0: 10, 1: 12, 2: 30, 4: 80}
_ROWS = "BCDEFG"
_MOST_WELLS = 10
_AREA = 2600  # pixels per cell
_KINDS = ("nuclei", "micronuclei")


@dataclass(frozen=True)
class _Well:
    """The content of one well."""

    name: str
    condition: str
    dose: float
    replicate: int
    cells: tuple[int, ...]
    micronucleated: tuple[int, ...]

    @property
    def fields(self) -> list[str]:
        return [f"{self.name}_s{i}" for i in range(1, len(self.cells) + 1)]


@dataclass(frozen=True)
class _Truth:
    """Labels in a file, possibly none."""

    path: Path

    def read(self, shape: tuple[int, int]) -> npt.NDArray[np.int32]:
        """Return the labels."""
        return decode(self.path.read_bytes(), self.path.name, None).array.astype(np.int32)

    def stamp(self) -> str:
        """Return the size and modification time of the file."""
        found = self.path.stat()
        return f"{self.path.name} {found.st_size} {found.st_mtime_ns}"


def make_plate(
    folder: str | Path,
    *,
    rates: Mapping[float, float] | None = None,
    wells: int = 4,
    fields: int = 2,
    cells: int = 290,
    variation: float = 0.2,
    random_state: int | None = 0,
) -> AnnotatedFields:
    """Compose a plate of fields from real cells, with known rates of micronucleated cells.

    The cells are those of the first of the `sample_fields` (RPE-1, wide field, 20x). Each is cut
    out with its micronuclei and the light around it, rotated or mirrored, made slightly brighter or
    darker, and placed at random on a background with the noise of that field. One in ten cells
    without micronuclei has an irregular nucleus.

    Such a plate shows how the steps from fields to a decision fit together, and whether they
    recover the known rates. It does not measure the performance of a detector: there are only 25
    different cells with micronuclei and 15 single cells or pairs without, and the shipped detector
    was trained on them.

    Parameters
    ----------
    folder : str or Path
        The output folder. Images are written to ``fields``; well, condition, dose and replicate to
        ``layout.csv``; and the rates of the wells, label images and the nucleus of each
        micronucleus to ``truth``. Existing files of the same names are replaced.
    rates : mapping of float to float, optional
        The mean number of micronucleated cells per 1000 at each dose, for up to six doses; dose 0
        is the control, DMSO. By default 10, 12, 30 and 80 per 1000 at the doses 0, 1, 2 and 4.
    wells : int, default=4
        Number of wells per dose, 1 to 10.
    fields : int, default=2
        Number of fields per well.
    cells : int, default=290
        Number of cells per field, at least 20.
    variation : float, default=0.2
        Coefficient of variation of the true rates between the wells of a dose.
    random_state : int or None, default=0
        Seed; None draws a random one.

    Returns
    -------
    AnnotatedFields
        The fields, with wells, conditions, doses, replicates and labels. The metadata are ``well``
        (str), ``cells`` and ``micronucleated`` (int).

    Raises
    ------
    InvalidParameterError
        A parameter is out of range.
    DatasetError
        ``fields`` in `folder` holds other files.
    NucrecError
        The folder cannot be written.

    Notes
    -----
    The number of micronucleated cells per well has a beta-binomial distribution.

    Examples
    --------
    >>> import tempfile
    >>> from nucrec.fields import make_plate
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plate = make_plate(folder, rates={0: 50, 10: 300}, wells=3, fields=1, cells=20)
    ...     micronuclei = plate.micronuclei(5)
    >>> plate.fields
    FieldSet(6 fields, 6 wells)
    >>> plate.fields[5].well, plate.fields[5].condition, plate.fields[5].dose
    ('C04', 'compound', 10.0)
    >>> print(len(set(plate.parents(5).values())) == plate.metadata["micronucleated"][5])
    True
    >>> print(len(plate.parents(5)) == micronuclei.max())
    True
    """
    path = checked_path("folder", folder)
    doses = _checked_rates(_RATES if rates is None else rates)
    check_int("wells", wells, low=1, high=_MOST_WELLS)
    check_int("fields", fields, low=1, high=99)
    check_int("cells", cells, low=20, high=5000)
    check_real("variation", variation, low=0, high=1)
    design, pixels = map(
        np.random.default_rng,
        np.random.SeedSequence(check_seed("random_state", random_state)).spawn(2),
    )
    plan = list(_plan(doses, wells, (cells,) * fields, variation, design))
    _check_folder(path / "fields", {f"{name}.tif" for well in plan for name in well.fields})
    parents = _write(path, plan, pixels)
    return _read(path, plan, parents)


def _checked_rates(rates: object) -> dict[float, float]:
    if not isinstance(rates, Mapping) or not 1 <= len(rates) <= len(_ROWS):
        raise invalid("rates", f"rates per 1000 for 1 to {len(_ROWS)} doses", rates)
    for dose, rate in rates.items():
        check_real("rates: dose", dose, low=0, high=1e12)
        check_real(f"rates[{dose!r}]", rate, low=0, high=1000)
    return {float(dose): float(rates[dose]) for dose in sorted(rates)}


def _plan(
    rates: Mapping[float, float],
    wells: int,
    cells: tuple[int, ...],
    variation: float,
    rng: np.random.Generator,
) -> Iterator[_Well]:
    """Yield the wells, with one row of the plate per dose."""
    for row, (dose, rate) in zip(_ROWS, rates.items(), strict=False):
        for number in range(1, wells + 1):
            positive = rng.binomial(sum(cells), _rate_of_well(rate / 1000, variation, rng))
            yield _Well(
                f"{row}{number + 1:02d}",
                "compound" if dose else "DMSO",
                dose,
                number,
                cells,
                tuple(rng.multivariate_hypergeometric(cells, positive).tolist()),
            )


def _rate_of_well(mean: float, variation: float, rng: np.random.Generator) -> float:
    """Return a rate drawn from the beta distribution with this mean and coefficient of variation."""
    if variation == 0 or mean in (0, 1):
        return mean
    precision = (1 - mean) / (mean * variation**2) - 1
    if precision <= 0:
        raise invalid(
            "variation", f"less variation at a rate of {1000 * mean:g} per 1000", variation
        )
    return float(rng.beta(mean * precision, (1 - mean) * precision))


def _check_folder(folder: Path, names: set[str]) -> None:
    """Raise if existing files in a folder would be taken for fields of this plate."""
    others = sorted({file.name for file in folder.glob("*")} - names) if folder.is_dir() else []
    if others:
        raise DatasetError(
            f"{folder}: contains other files, such as {others[0]}: choose another folder for "
            "the plate"
        )


def _write(folder: Path, plan: list[_Well], rng: np.random.Generator) -> dict[str, dict[int, int]]:
    """Write everything, and return the nucleus of each micronucleus by field."""
    for name in ("fields", *(f"truth/{kind}" for kind in _KINDS)):
        make_folder(folder / name)
    material = cut_outs(sample_fields(), 0)
    parents = {
        name: _write_field(folder, name, found).parents
        for well in plan
        for name, found in _composed(well, material, rng)
    }
    links = [(name, *link) for name, found in parents.items() for link in found.items()]
    described = [(well.name, well.condition, well.dose, well.replicate) for well in plan]
    counts = [(sum(well.cells), sum(well.micronucleated)) for well in plan]
    header = ("well", "condition", "dose", "replicate")
    both = [(*left, *right) for left, right in zip(described, counts, strict=True)]
    write_text(folder / "layout.csv", csv_text(header, described))
    write_text(folder / "truth/wells.csv", csv_text((*header, "cells", "micronucleated"), both))
    write_text(
        folder / "truth/micronuclei.csv", csv_text(("field", "micronucleus", "nucleus"), links)
    )
    return parents


def _composed(
    well: _Well, material: CutOuts, rng: np.random.Generator
) -> Iterator[tuple[str, Composed]]:
    for name, cells, positive in zip(well.fields, well.cells, well.micronucleated, strict=True):
        side = round((_AREA * cells) ** 0.5)
        yield name, compose(material, cells, positive, side, rng)


def _write_field(folder: Path, name: str, found: Composed) -> Composed:
    write_labels(folder / f"fields/{name}.tif", found.image)  # any whole numbers
    for kind in _KINDS:
        write_labels(folder / f"truth/{kind}/{name}.tif", getattr(found, kind))
    return found


def _read(folder: Path, plan: list[_Well], parents: dict[str, dict[int, int]]) -> AnnotatedFields:
    fields = load_fields(folder / "fields", layout=folder / "layout.csv")
    nuclei, micronuclei = (
        [_Truth(folder / f"truth/{kind}/{name}.tif") for name in parents] for kind in _KINDS
    )
    by_well = {
        "well": [well.name for well in plan for _ in well.cells],
        "cells": [n for well in plan for n in well.cells],
        "micronucleated": [n for well in plan for n in well.micronucleated],
    }
    metadata = {name: np.array(values) for name, values in by_well.items()}
    named = {field.name: field for field in fields}
    ordered = FieldSet([named[name] for name in parents], fields.quarantined, fields.remarks)
    return AnnotatedFields(ordered, nuclei, micronuclei, list(parents.values()), metadata)
