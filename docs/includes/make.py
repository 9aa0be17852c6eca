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
SIDES = {"published": "publ.", "paper": "paper", "honest": "honest"}


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


def side_by_side(number: int, path: Path) -> str:
    """Return a whole table as HTML: for each metric what was published and what is obtained."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    first, *columns = rows[0]
    metrics = [name.removesuffix("_published") for name in columns if name.endswith("_published")]
    # these repeat the accuracy, see reading-the-paper.md
    metrics = [name for name in metrics if not (number in DEEP and name[-3:] in ("PRE", "REC"))]
    heads = "".join(f'<th colspan="{len(SIDES)}">{name}</th>' for name in metrics)
    lines = ["<table>", "<thead>", f'<tr><th rowspan="2">{first}</th>{heads}</tr>']
    lines += [
        f"<tr>{''.join(f'<th>{side}</th>' for side in SIDES.values()) * len(metrics)}</tr>",
        "</thead>",
    ]
    for row in rows:
        cells = (value(row[f"{name}_{side}"]) for name in metrics for side in SIDES)
        lines.append(
            f"<tr><th>{row[first]}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
        )
    return "\n".join([*lines, "</table>"])


def value(text: str) -> str:
    """Return a number with two decimals, or a dash for an epoch that was not reached."""
    return f"{float(text):.2f}" if text not in ("", "nan") else "-"


def main() -> None:
    """Write the tables beside this file, copy the figure, and the files that can be downloaded."""
    results = Path(sys.argv[1])
    for number in range(1, 7):
        source = results / f"table-{number}.csv"
        table = side_by_side(number, source)
        (HERE / f"table-{number}.html").write_text(table + "\n", encoding="utf-8")
        shutil.copy(source, HERE.parent / "tables" / source.name)
    tables = [accuracy_table(n, results / f"table-{n}.csv") for n in TITLES]
    (HERE / "accuracy.md").write_text("\n\n".join(tables) + "\n", encoding="utf-8")
    (HERE / "networks.md").write_text(headline_table(results) + "\n", encoding="utf-8")
    shutil.copy(results / "figure-4.png", HERE.parent / "images" / "figure-4.png")


if __name__ == "__main__":
    main()
