"""Find images that show the same, and keep them on one side of a split."""

from nucrec.audit import DuplicatePairsDisplay, clusters, duplicates, leakage
from nucrec.datasets import ImageDataset, load_mnfinder_crops, split

crops = load_mnfinder_crops("all")[1000:1400]
unknown = ImageDataset(list(crops.images), crops.labels)  # as if the fields were not known

pairs = duplicates(unknown)
print(pairs)
DuplicatePairsDisplay.from_pairs(pairs, unknown, limit=6).plot().figure_.savefig("pairs.png")

print("\nsplit at random:", leakage(*split(unknown, random_state=0)))
grouped = unknown.with_groups(clusters(unknown))
print("\nsplit by clusters:", leakage(*split(grouped, random_state=0)))
