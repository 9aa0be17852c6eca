"""How often intervals that come from reviewed cells hold the truth: a simulation.

``python -m benchmarks.review --replicates 150`` prints the table of docs/how-to/review.md.
"""

import argparse
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.timing import markdown_table
from nucrec.assay import summarize

Array = npt.NDArray[Any]

WELLS, CELLS, VARIATION = 4, 2000, 0.3


class Plate(NamedTuple):
    """One kind of plate, and of review.

    Attributes
    ----------
    rates : tuple of int
        Micronucleated cells per 1000 in each condition.
    sensitivity, specificity : float
        Of the detector.
    positive, negative : int
        Cells that are reviewed; as many in each condition.
    """

    rates: tuple[int, ...]
    sensitivity: float
    specificity: float
    positive: int = 130
    negative: int = 270


PLATES = (
    Plate((5,), 0.8, 0.99),
    Plate((5, 5, 5, 5), 0.8, 0.99),
    Plate((5, 10, 20, 40), 0.8, 0.99),
    Plate((5, 10, 20, 40), 0.9, 0.997),
    Plate((5, 10, 20, 40), 0.8, 0.98, 130, 1000),
    Plate((5, 10, 20, 40), 0.95, 0.95),
    Plate((50, 60, 100, 200), 0.8, 0.97),
)


def draw(plate: Plate, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Return for each well its micronucleated cells, and those called right and wrong."""
    share = np.repeat(plate.rates, WELLS) / 1000
    strength = (1 - share) / (share * VARIATION**2) - 1
    true = rng.binomial(CELLS, rng.beta(share * strength, (1 - share) * strength))
    right = rng.binomial(true, plate.sensitivity)
    return true, right, rng.binomial(CELLS - true, 1 - plate.specificity)


def reviewed(
    plate: Plate, true: Array, right: Array, wrong: Array, rng: np.random.Generator
) -> dict[str, list[Any]]:
    """Return a review of as many cells in each condition, by a person who is never wrong."""
    table: dict[str, list[Any]] = {
        name: [] for name in ("called", "reviewed", "stratum", "stratum_cells")
    }
    for c in range(len(plate.rates)):
        found, hits, false = (
            int(each[WELLS * c : WELLS * (c + 1)].sum()) for each in (true, right, wrong)
        )
        positive, n = hits + false, WELLS * CELLS
        for called, size, yes, wanted in (
            (1, positive, hits, plate.positive),
            (0, n - positive, found - hits, plate.negative),
        ):
            k = min(size, wanted // len(plate.rates))
            seen = int(rng.hypergeometric(yes, size - yes, k))
            table["called"] += [called] * k
            table["reviewed"] += [1] * seen + [0] * (k - seen)
            table["stratum"] += [str(c)] * k
            table["stratum_cells"] += [size] * k
    return table


def held(plate: Plate, rng: np.random.Generator) -> tuple[list[bool], list[bool]]:
    """Say of each corrected rate, and of precision, recall and specificity, if it holds the truth."""
    true, right, wrong = draw(plate, rng)
    wells = np.arange(len(true))
    assay = summarize(
        {
            "well": wells.astype(str),
            "condition": (wells // WELLS).astype(str),
            "scored": np.full(len(wells), CELLS),
            "micronucleated": right + wrong,
        }
    )
    found = assay.corrected(reviewed=reviewed(plate, true, right, wrong, rng))
    if found.review is None:
        raise AssertionError("there was a review")
    n, hits, false = len(wells) * CELLS, int(right.sum()), int(wrong.sum())
    n_true = int(true.sum())
    truth = (hits / (hits + false), hits / n_true, 1 - false / (n - n_true))
    review = (found.review.precision, found.review.recall, found.review.specificity)
    return (
        [
            each.corrected.low <= rate <= each.corrected.high
            for each, rate in zip(found.rates, plate.rates, strict=True)
        ],
        [each.low <= value <= each.high for each, value in zip(review, truth, strict=True)],
    )


def row(plate: Plate, replicates: int) -> list[str]:
    """Return how often intervals hold the truth for one kind of plate, in percent."""
    rng = np.random.default_rng(0)
    found = [held(plate, rng) for _ in range(replicates)]
    rates, review = (100 * np.mean([each[k] for each in found], axis=0) for k in (0, 1))
    return [
        ", ".join(map(str, plate.rates)),
        f"{plate.sensitivity:g}, {plate.specificity:g}",
        f"{plate.positive}, {plate.negative}",
        ", ".join(f"{value:.0f}" for value in rates),
        *(f"{value:.0f}" for value in review),
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--replicates", type=int, default=150, metavar="N")
    replicates = parser.parse_args().replicates
    header = [
        *("per 1000", "sensitivity, specificity", "reviewed: positive, negative"),
        *("corrected rates", "precision", "recall", "specificity"),
    ]
    print(markdown_table(header, [row(plate, replicates) for plate in PLATES]))


if __name__ == "__main__":
    main()
