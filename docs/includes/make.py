"""Write the tables that the documentation shows, from a run of ``nucrec reproduce``.

Usage: python docs/includes/make.py results
"""

import csv
import sys
from pathlib import Path

HERE = Path(__file__).parent
TITLES = {1: "Table I, plain images", 2: "Table II, augmented images"}


def cell(row: dict[str, str], protocol: str) -> str:
    """Return a value with its interval."""
    value, low, high = (float(row[f"ACC_{protocol}{end}"]) for end in ("", "_low", "_high"))
    return f"{value:.2f} ({low:.2f} to {high:.2f})"


def accuracy_table(number: int, path: Path) -> str:
    """Return the accuracies of one table as Markdown."""
    lines = [f"| {TITLES[number]} | published | paper's protocol | honest protocol |"]
    lines.append("|:--|--:|--:|--:|")
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            cells = [row["ALGO"], f"{float(row['ACC_published']):.2f}"]
            cells += [cell(row, "paper"), cell(row, "honest")]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Write accuracy.md beside this file."""
    results = Path(sys.argv[1])
    tables = [accuracy_table(n, results / f"table-{n}.csv") for n in TITLES]
    (HERE / "accuracy.md").write_text("\n\n".join(tables) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
