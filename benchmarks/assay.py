"""How often the intervals of an assay hold the truth, and how often its tests err: a simulation.

``python -m benchmarks.assay -o assay.csv`` goes on where it was stopped; ``--table`` prints what the
file holds as Markdown, the tables of docs/concepts/cells-and-wells.md.
"""

import argparse
import csv
import itertools
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

from benchmarks.timing import markdown_table
from nucrec.assay import Assay, summarize
from nucrec.evaluate import proportion_interval

Array = npt.NDArray[Any]

WELLS, RATES, VARIATIONS = (3, 4, 6), (5, 50), (0.0, 0.3, 0.6)
CELLS, DOSES = 2000, 4
UNEQUAL = (
    (3, 1000),
    (3, 500),
    (3, 100),
    (4, 100),
    (6, 100),
)  # wells, and the cells of the last one
ALPHA = 0.05
FURTHER = 0.5  # micronuclei of a micronucleated cell beside its first, on average


class Plate(NamedTuple):
    """One kind of plate.

    Attributes
    ----------
    wells : int
        For each condition.
    rate : int
        Micronucleated cells per 1000, in all conditions.
    variation : float
        The standard deviation of the true rates of wells, over their mean.
    cells_at_top : int
        Scored cells in each well of the highest dose, or in the last well; 2000 in all others.
    """

    wells: int
    rate: int
    variation: float
    cells_at_top: int = CELLS


class Row(NamedTuple):
    """What was found for one kind of plate, in percent: by units, and by pooled cells."""

    what: str
    wells: int
    rate: int
    variation: float
    cells_at_top: int
    replicates: int
    by_unit: float
    pooled: float


def plates() -> Iterator[Plate]:
    """Yield all kinds of plates; those whose highest dose kills cells last."""
    for kind in itertools.product(WELLS, RATES, VARIATIONS):
        yield Plate(*kind)
    for rate, variation in itertools.product(RATES, (0.0, 0.3)):
        yield Plate(4, rate, variation, CELLS // 5)


def unequal() -> Iterator[Plate]:
    """Yield conditions whose last well has fewer cells than the others."""
    for (wells, cells), rate, variation in itertools.product(UNEQUAL, RATES, VARIATIONS):
        yield Plate(wells, rate, variation, cells)


def draw(plate: Plate, scored: Array, rng: np.random.Generator) -> Array:
    """Return the micronucleated cells of wells, whose true rates have a beta distribution."""
    share = plate.rate / 1000
    shares = np.full(scored.shape, share)
    if plate.variation:
        strength = (1 - share) / (share * plate.variation**2) - 1
        shares = rng.beta(share * strength, (1 - share) * strength, scored.shape)
    return rng.binomial(scored, shares)


def coverage(plate: Plate, replicates: int, what: str = "coverage") -> Row:
    """Return how often 95 % intervals hold the true rate; the last well may have fewer cells."""
    rng = np.random.default_rng(zlib.crc32(repr(plate).encode()))
    conditions = np.repeat(np.arange(replicates), plate.wells).astype(str)
    scored = np.tile([CELLS] * (plate.wells - 1) + [plate.cells_at_top], replicates)
    found = draw(plate, scored, rng)
    wells = np.arange(len(conditions)).astype(str)
    assay = summarize(
        {"well": wells, "condition": conditions, "scored": scored, "micronucleated": found}
    )
    held = [each.rate.low <= plate.rate <= each.rate.high for each in assay.conditions]
    pooled = [
        proportion_interval(each.n_micronucleated, each.n_scored) for each in assay.conditions
    ]
    held_pooled = [1000 * low <= plate.rate <= 1000 * high for low, high in pooled]
    return Row(what, *plate, replicates, _percent(held), _percent(held_pooled))


def coverage_of_micronuclei(plate: Plate, replicates: int) -> Row:
    """Return how often 95 % intervals hold the true number of micronuclei per 1000 cells.

    A micronucleated cell has 1.5 on average, one and a Poisson number. Pooled micronuclei have the
    interval of as many independent events.
    """
    rng = np.random.default_rng(zlib.crc32(repr(plate).encode()) + 2)
    conditions = np.repeat(np.arange(replicates), plate.wells).astype(str)
    scored = np.full(len(conditions), CELLS)
    cells = draw(plate, scored, rng)
    micronuclei = cells + rng.poisson(FURTHER * cells)
    wells = np.arange(len(conditions)).astype(str)
    columns = {"well": wells, "condition": conditions, "scored": scored, "micronucleated": cells}
    rates = [
        c.micronuclei_rate for c in summarize(columns | {"micronuclei": micronuclei}).conditions
    ]
    truth = plate.rate * (1 + FURTHER)
    held = [each.low <= truth <= each.high for each in rates]
    counts = micronuclei.reshape(replicates, -1).sum(axis=1)
    low, high = chi2.ppf(0.025, 2 * counts) / 2, chi2.ppf(0.975, 2 * counts + 2) / 2
    expected = truth / 1000 * CELLS * plate.wells
    held_pooled = (np.nan_to_num(low) <= expected) & (expected <= high)
    return Row("micronuclei", *plate, replicates, _percent(held), _percent(held_pooled.tolist()))


def rejections(plate: Plate, replicates: int) -> list[Row]:
    """Return how often tests find an increase where there is none."""
    rng = np.random.default_rng(zlib.crc32(repr(plate).encode()) + 1)
    doses = np.repeat(np.arange(DOSES), plate.wells)
    scored = np.where(doses == DOSES - 1, plate.cells_at_top, CELLS)
    found = [_rejected(_assay(doses, scored, draw(plate, scored, rng))) for _ in range(replicates)]
    by_test = zip(*found, strict=True)
    trend_units, trend_pooled, dose_units, dose_pooled = map(_percent, by_test)
    return [
        Row("trend", *plate, replicates, trend_units, trend_pooled),
        Row("any dose", *plate, replicates, dose_units, dose_pooled),
    ]


def _assay(doses: Array, scored: Array, found: Array) -> Assay:
    wells = np.arange(len(doses)).astype(str)
    return summarize({"well": wells, "dose": doses, "scored": scored, "micronucleated": found})


def _rejected(assay: Assay) -> tuple[bool, bool, bool, bool]:
    trend, contrasts = assay.trend(), assay.versus_control()
    return (
        trend.by_unit.p < ALPHA,
        trend.pooled.p < ALPHA,
        min(each.by_unit.p for each in contrasts) < ALPHA,
        min(each.pooled.p for each in contrasts) < ALPHA,
    )


def _percent(yes: Sequence[bool]) -> float:
    return round(100 * float(np.mean(yes)), 1)


def read(path: Path) -> list[Row]:
    """Return the rows of a file; none if there is no file."""
    if not path.exists():
        return []
    kinds = list(Row.__annotations__.values())
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))[1:]
    return [Row(*(kind(cell) for kind, cell in zip(kinds, line, strict=True))) for line in lines]


def run(path: Path, replicates: int) -> None:
    """Simulate the plates that the file does not hold yet, and add them to it."""
    done = {row[1:5] for row in read(path)}
    if not done:
        path.write_text(",".join(Row._fields) + "\n", encoding="utf-8")
    for plate in unequal():
        if tuple(plate) not in done:
            with path.open("a", encoding="utf-8", newline="") as file:
                row = coverage(plate, 2 * replicates, "unequal wells")
                csv.writer(file, lineterminator="\n").writerow(row)
    for plate in plates():
        if tuple(plate) in done:
            continue
        rows = rejections(plate, replicates)
        if plate.cells_at_top == CELLS:
            rows = [
                coverage(plate, 2 * replicates),
                coverage_of_micronuclei(plate, 2 * replicates),
                *rows,
            ]
        with path.open("a", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)
        print(*rows, sep="\n", flush=True)


def table(rows: Sequence[Row], what: Sequence[str]) -> str:
    """Return what was found: for each kind of plate by units, and by pooled cells."""
    header = ["wells", "per 1000", "variation between wells", "cells at the top"]
    for each in what:
        header += [f"{each}, by wells", f"{each}, pooled cells"]
    kinds = dict.fromkeys(row[1:5] for row in rows if row.what in what)
    lines = []
    for kind in kinds:
        line = [str(kind[0]), str(kind[1]), f"{kind[2]:.0%}", str(kind[3])]
        for each in what:
            found = next(row for row in rows if row.what == each and row[1:5] == kind)
            line += [f"{found.by_unit:.1f}", f"{found.pooled:.1f}"]
        lines.append(line)
    return markdown_table(header, lines)


def main() -> None:
    """Simulate, or print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.assay", description=__doc__)
    parser.add_argument("-o", "--out", type=Path, default=Path("assay.csv"), metavar="FILE")
    parser.add_argument("--replicates", type=int, default=1000, metavar="N")
    parser.add_argument("--table", action="store_true", help="print the tables of the file")
    arguments = parser.parse_args()
    if not arguments.table:
        run(arguments.out, arguments.replicates)
    rows = read(arguments.out)
    for what in (["coverage"], ["unequal wells"], ["micronuclei"], ["trend", "any dose"]):
        print(table(rows, what), end="\n\n")


if __name__ == "__main__":
    main()
