"""Draw the picture that docs/explain.md shows: crops, their micronuclei, and what a network looks at.

Usage: python docs/includes/make_explain.py
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from nucrec.datasets import load_mnfinder_crops, split
from nucrec.models import transfer

HERE = Path(__file__).parent
SHOWN = 6


def main() -> None:
    """Write explain.png beside the other images."""
    train, _ = split(load_mnfinder_crops(), random_state=0)
    model = transfer(mode="features", image_size=96, random_state=0).fit(train)
    crops = load_mnfinder_crops("all")
    new = crops[(crops.labels == 1) & ~np.isin(crops.groups, train.groups)]
    found = model.explain(new[:: len(new) // SHOWN][:SHOWN], "micronucleus")
    places = new.metadata["micronuclei_xy"][:: len(new) // SHOWN]
    figure = Figure(figsize=(1.6 * SHOWN, 3.4), layout="constrained")
    for k, (above, below) in enumerate(figure.subplots(2, SHOWN).T):
        above.imshow(found.images[k], cmap="gray")
        for x, y in places[k]:
            above.plot(x, y, "o", markersize=14, fillstyle="none", color="#56B4E9")
        below.imshow(found.overlay(k))
        below.set_xlabel(f"probability {found.probabilities[k, 1]:.2f}")
        for axes in (above, below):
            axes.set(xticks=[], yticks=[])
    figure.savefig(HERE.parent / "images" / "explain.png", dpi=200)


if __name__ == "__main__":
    main()
