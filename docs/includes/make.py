"""Write the tables that the documentation shows, from a run of ``nucrec reproduce``.

Usage: python docs/includes/make.py results
"""

import csv
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
TITLES = {1: "Table I, plain images", 2: "Table II, augmented images"}


DEEP = {
    3: "Table III: CNN, plain images",
    4: "Table IV: CNN, augmented images",
    5: "Table V: pre-trained, plain images",
    6: "Table VI: pre-trained, augmented images",
}


def cell(row: dict[str, str], protocol: str, column: str = "ACC") -> str:
    """Return a value with its interval."""
    value, low, high = (float(row[f"{column}_{protocol}{end}"]) for end in ("", "_low", "_high"))
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


def headline_table(results: Path) -> str:
    """Return the mean validation accuracies of the networks as Markdown."""
    columns = "published | paper's protocol | honest protocol"
    lines = [f"| mean of the logged epochs from 20 on | {columns} |", "|:--|--:|--:|--:|"]
    for number, title in DEEP.items():
        with (results / f"table-{number}.csv").open(encoding="utf-8", newline="") as file:
            *_, row = csv.DictReader(file)
        cells = [title, f"{float(row['VAL-ACC_published']):.2f}"]
        cells += [cell(row, protocol, "VAL-ACC") for protocol in ("paper", "honest")]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Write accuracy.md and networks.md beside this file, and copy the figure."""
    results = Path(sys.argv[1])
    tables = [accuracy_table(n, results / f"table-{n}.csv") for n in TITLES]
    (HERE / "accuracy.md").write_text("\n\n".join(tables) + "\n", encoding="utf-8")
    (HERE / "networks.md").write_text(headline_table(results) + "\n", encoding="utf-8")
    shutil.copy(results / "figure-4.png", HERE.parent / "images" / "figure-4.png")


if __name__ == "__main__":
    main()
