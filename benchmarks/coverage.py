"""How often the intervals of a report hold the truth: a simulation.

``python -m benchmarks.coverage -o coverage.csv`` goes on where it was stopped; ``--table`` prints
what the file holds as Markdown, the table of docs/concepts/intervals.md.
"""

import argparse
import csv
import itertools
import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.timing import markdown_table
from nucrec.evaluate import Report, report

Array = npt.NDArray[Any]

METRICS = ("ACC", "PRE", "REC", "F1", "MC", "KS", "AUC")
SIZES, PREVALENCES, ACCURACIES = (30, 92, 300), (0.5, 0.1), (0.7, 0.9, 0.97)
GROUPS, CORRELATIONS = (5, 8, 12, 33), (0.1, 0.2)
DRAWS = 400
"""Draws of each report: enough for an average over many of them."""


class Cell(NamedTuple):
    """One kind of test set.

    Attributes
    ----------
    n : int
        Number of images.
    prevalence : float
        Share of the positive class.
    accuracy : float
        Share of either class that is classified rightly.
    n_groups : int
        Number of groups, of as equal a size as can be; 0 for independent images.
    correlation : float
        Of being classified rightly, of two images of a group.
    """

    n: int
    prevalence: float
    accuracy: float
    n_groups: int = 0
    correlation: float = 0.0


@dataclass(frozen=True)
class Row:
    """What was found for one metric of a cell: shares of replicates, in percent, and mean width."""

    n: int
    prevalence: float
    accuracy: float
    n_groups: int
    correlation: float
    metric: str
    replicates: int
    held: float
    without_width: float
    narrower_with_groups: float
    width: float


def cells() -> Iterator[Cell]:
    """Yield all cells, those without groups first."""
    for kind in itertools.product(SIZES, PREVALENCES, ACCURACIES):
        yield Cell(*kind)
    for correlation, n_groups in itertools.product(CORRELATIONS, GROUPS):
        for kind in itertools.product(SIZES, PREVALENCES, ACCURACIES):
            if kind[0] >= 2 * n_groups:
                yield Cell(*kind, n_groups, correlation)


def truth(cell: Cell) -> dict[str, float]:
    """Return the metrics of all images of a kind: by scikit-learn, and from the scores' model."""
    from scipy.stats import norm
    from sklearn import metrics

    right, share = cell.accuracy, cell.prevalence
    weights = [(1 - share) * right, (1 - share) * (1 - right), share * (1 - right), share * right]
    true, predicted = [0, 0, 1, 1], [0, 1, 0, 1]
    weighted = {"y_true": true, "y_pred": predicted, "sample_weight": weights}
    macro = {**weighted, "average": "macro"}
    # of a positive image of one group and a negative one of another, whose scores are normal
    quantiles = norm.ppf(_shares(cell, np.random.default_rng(0), (2, 1_000_000)))
    return {
        "ACC": metrics.accuracy_score(**weighted),
        "PRE": metrics.precision_score(**macro),
        "REC": metrics.recall_score(**macro),
        "F1": metrics.f1_score(**macro),
        "MC": metrics.matthews_corrcoef(**weighted),
        "KS": metrics.cohen_kappa_score(true, predicted, sample_weight=weights),
        "AUC": float(norm.cdf(quantiles.sum(axis=0) / math.sqrt(2)).mean()),
    }


def draw(cell: Cell, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Return true classes, scores that are above 0 for the positive, and groups.

    Groups differ in how easy their images are: the share that is classified rightly has a beta
    distribution. Both classes occur.
    """
    from scipy.stats import norm

    groups = np.sort(np.arange(cell.n) % (cell.n_groups or cell.n))
    true = np.zeros(cell.n, int)
    while not 0 < true.sum() < cell.n:
        true = (rng.random(cell.n) < cell.prevalence).astype(int)
    distance = norm.ppf(_shares(cell, rng, (groups[-1] + 1,)))[groups]
    return true, np.where(true == 1, distance, -distance) + rng.normal(size=cell.n), groups


def _shares(cell: Cell, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Return the share that is right in each group."""
    if not cell.correlation:
        return np.full(shape, cell.accuracy)
    strength = 1 / cell.correlation - 1
    shares = rng.beta(cell.accuracy * strength, (1 - cell.accuracy) * strength, shape)
    return np.clip(shares, 1e-9, 1 - 1e-9)


def simulate(cell: Cell, replicates: int) -> list[Row]:
    """Return a row for each metric of many test sets of a kind."""
    rng = np.random.default_rng(zlib.crc32(repr(cell).encode()))
    expected = truth(cell)
    found = [_reports(cell, rng) for _ in range(replicates)]
    return [Row(*cell, key, replicates, *_shares_of(found, key, expected[key])) for key in METRICS]


def _reports(cell: Cell, rng: np.random.Generator) -> tuple[Report, Report]:
    """Return the report of a test set with its groups, and that without."""
    true, scores, groups = draw(cell, rng)
    arguments = (true, (scores > 0).astype(int), scores)
    seed = int(rng.integers(2**31))
    alone = report(*arguments, n_resamples=DRAWS, random_state=seed)
    if not cell.n_groups:
        return alone, alone
    return report(*arguments, groups=groups, n_resamples=DRAWS, random_state=seed), alone


def _shares_of(
    found: Sequence[tuple[Report, Report]], key: str, true: float
) -> tuple[float, float, float, float]:
    pairs = [(reported.metrics[key], alone.metrics[key]) for reported, alone in found]
    held = [metric.low <= true <= metric.high for metric, _ in pairs]
    widths = np.array([metric.high - metric.low for metric, _ in pairs])
    narrower = widths < [alone.high - alone.low for _, alone in pairs]
    share, empty, less = (
        round(100 * float(np.mean(each)), 2) for each in (held, widths <= 0, narrower)
    )
    return share, empty, less, round(float(widths.mean()), 4)


def read(path: Path) -> list[Row]:
    """Return the rows of a file; none if there is no file."""
    if not path.exists():
        return []
    kinds = [field.type for field in fields(Row)]
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))[1:]
    return [
        Row(*(kind(cell) for kind, cell in zip(kinds, line, strict=True)))  # type: ignore[operator]
        for line in lines
    ]


def run(path: Path, replicates: int) -> None:
    """Simulate the cells that the file does not hold yet, and add them to it."""
    done = {astuple(row)[:5] for row in read(path)}
    if not done:
        path.write_text(",".join(field.name for field in fields(Row)) + "\n", encoding="utf-8")
    for cell in cells():
        if tuple(cell) in done:
            continue
        rows = simulate(cell, replicates)
        with path.open("a", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(astuple(row) for row in rows)
        print(cell, *(f"{row.metric} {row.held:.1f}" for row in rows), flush=True)


def table(rows: Sequence[Row]) -> str:
    """Return how often the truth was held, the least and the most of the cells of each kind."""
    header = ["groups", "correlation", "accuracy", *METRICS]
    kinds = sorted({(row.n_groups, row.correlation, row.accuracy) for row in rows})
    lines = []
    for n_groups, correlation, accuracy in kinds:
        line = [str(n_groups or "none"), f"{correlation:g}" if n_groups else "", f"{accuracy:g}"]
        for key in METRICS:
            held = [
                row.held
                for row in rows
                if (row.n_groups, row.correlation, row.accuracy, row.metric)
                == (n_groups, correlation, accuracy, key)
            ]
            line.append(f"{min(held):.0f} to {max(held):.0f}")
        lines.append(line)
    return markdown_table(header, lines)


def main() -> None:
    """Simulate, or print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description=__doc__)
    parser.add_argument("-o", "--out", type=Path, default=Path("coverage.csv"), metavar="FILE")
    parser.add_argument("--replicates", type=int, default=400, metavar="N")
    parser.add_argument("--table", action="store_true", help="print the table of the file")
    arguments = parser.parse_args()
    if not arguments.table:
        run(arguments.out, arguments.replicates)
    print(table(read(arguments.out)))


if __name__ == "__main__":
    main()
