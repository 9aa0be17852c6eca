"""A score that looks like science, from labels that were drawn at random."""

import warnings

import matplotlib.pyplot as plt
import numpy as np

from nucrec.audit import leakage
from nucrec.augment import Flip, Pipeline, Rotate, Zoom
from nucrec.datasets import ImageDataset, load_mnfinder_crops, split
from nucrec.errors import LeakageWarning
from nucrec.models import ZooDisplay, classical_zoo, run_zoo

if __name__ == "__main__":
    crops = load_mnfinder_crops()
    coins = np.random.default_rng(0).integers(0, 2, len(crops))  # nothing to be learned
    images = ImageDataset(list(crops.images), coins, ids=crops.ids, groups=crops.groups)
    pipeline = Pipeline([Flip(), Rotate((-10, 10)), Zoom((0.95, 1.05))], random_state=0)
    zoo = {"ET": classical_zoo(random_state=0)["ET"]}
    figure, (above, below) = plt.subplots(2, figsize=(6.5, 3), sharex=True, layout="constrained")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LeakageWarning)  # this is what it warns of
        train, test = split(pipeline.expand(images, copies=9), by="image", random_state=0)
        leaked = run_zoo(zoo, train, test)
    print("Augmented, then split by image:", leakage(train, test, min_overlap=1), sep="\n\n")
    print(f"\naccuracy {leaked.metric('ET', 'ACC')}\n")
    ZooDisplay.from_result(leaked, "ACC").plot(ax=above)
    above.set(title="Augmented, then split by image", xlabel="")

    train, test = split(images, random_state=0)
    honest = run_zoo(zoo, pipeline.expand(train, copies=9), test)
    print("Split by field of view, then the training part augmented:")
    print(f"\naccuracy {honest.metric('ET', 'ACC')}; chance is 0.5")
    ZooDisplay.from_result(honest, "ACC").plot(ax=below)
    below.set_title("Split by field of view, then the training part augmented")
    for ax in (above, below):
        ax.axvline(0.5, color="black", linestyle=":")  # chance
    figure.savefig("leakage.png")
