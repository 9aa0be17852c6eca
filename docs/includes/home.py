"""Draw the pictures of the home page: a network's predictions, and accuracies with intervals.

Usage: python docs/includes/home.py results
"""

import csv
import sys
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nucrec.datasets import ImageDataset, load_mnfinder_crops, split
from nucrec.models import transfer

HERE = Path(__file__).parent
BLUE, ORANGE, GREY = "#2f7ebc", "#b35806", "#777777"
ROWS = {
    "Random Forest": (2, "RF", "ACC"),
    "CNN": (4, "20-100", "VAL-ACC"),
    "pre-trained network": (6, "20-100", "VAL-ACC"),
}
PROTOCOLS = {
    "paper": ("copies in training and test set", BLUE),
    "honest": ("unseen fields of view", ORANGE),
}


def predicted() -> tuple[ImageDataset, list[float]]:
    """Return the first four crops of each class in the test part, and the network's probabilities."""
    train, test = split(load_mnfinder_crops(), random_state=0)
    shown = test[[*(test.labels == 0).nonzero()[0][:4], *(test.labels == 1).nonzero()[0][:4]]]
    model = transfer(random_state=0).fit(train)
    return shown, model.predict_proba(shown)[:, 1].tolist()


def draw_crops(figure: Figure) -> None:
    """Draw crops of unseen fields, each with the network's prediction."""
    crops, scores = predicted()
    figure.suptitle("Crops of unseen fields, with the network's prediction", fontsize=10)
    axes = figure.subplots(2, 4)
    for axis, image, label, score in zip(
        axes.flat, crops.images, crops.labels, scores, strict=True
    ):
        axis.imshow(image, cmap="gray")
        axis.set(xticks=[], yticks=[])
        answer, confidence = ("micronucleus", score) if score > 0.5 else ("nucleus", 1 - score)
        right = (score > 0.5) == (label == 1)
        axis.set_xlabel(f"{answer} {confidence:.2f}" + ("" if right else "\nwrong"), fontsize=8)
    for axis, name in zip(axes[:, 0], crops.class_names, strict=True):
        axis.set_ylabel(name, fontsize=9)


def draw_accuracies(axis: Axes, results: Path) -> None:
    """Draw what was published, and what is obtained, with its intervals."""
    for place, (table, line, metric) in enumerate(ROWS.values()):
        with (results / f"table-{table}.csv").open(encoding="utf-8", newline="") as file:
            found = next(row for row in csv.DictReader(file) if line in row.values())
        axis.plot(float(found[f"{metric}_published"]), place - 0.25, "D", color=GREY)
        for shift, (protocol, (_, colour)) in enumerate(PROTOCOLS.items()):
            ends = [float(found[f"{metric}_{protocol}{end}"]) for end in ("", "_low", "_high")]
            axis.plot(ends[1:], [place + 0.25 * shift] * 2, color=colour, linewidth=2)
            axis.plot(ends[0], place + 0.25 * shift, "os"[shift], color=colour)
    axis.plot([], [], "D", color=GREY, label="published")
    for marker, (name, colour) in zip("os", PROTOCOLS.values(), strict=True):
        axis.plot([], [], marker=marker, color=colour, linewidth=2, label=f"obtained, {name}")
    axis.axvline(0.5, color=GREY, linestyle=":", linewidth=1)
    axis.set_title("Accuracy, augmented images", fontsize=10)
    axis.set(xlim=(0.4, 1), ylim=(2.6, -0.6), yticks=range(3), yticklabels=ROWS)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(loc="upper center", bbox_to_anchor=(0.35, -0.1), fontsize=8, frameon=False)


def main() -> None:
    """Write docs/images/home-crops.png and home-accuracies.png."""
    crops, accuracies = (plt.figure(figsize=(5.2, 3.3), layout="constrained") for _ in range(2))
    draw_crops(crops)
    draw_accuracies(accuracies.subplots(), Path(sys.argv[1]))
    for name, figure in (("crops", crops), ("accuracies", accuracies)):
        figure.savefig(HERE.parent / "images" / f"home-{name}.png", dpi=200)


if __name__ == "__main__":
    main()
