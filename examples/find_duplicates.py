"""Find images that show the same, and keep them on one side of a split."""

from nucrec.audit import clusters, duplicates, leakage, save_contact_sheet
from nucrec.datasets import ImageDataset, load_mnfinder_crops, split

crops = load_mnfinder_crops("all")[1000:1400]
unknown = ImageDataset(list(crops.images), crops.labels)  # as if the fields were not known

pairs = duplicates(unknown)
print(pairs)
print(f"written to {save_contact_sheet(pairs, 'pairs.png', unknown, limit=8)}")

print("\nsplit at random:", leakage(*split(unknown, random_state=0)))
grouped = unknown.with_groups(clusters(unknown))
print("\nsplit by clusters:", leakage(*split(grouped, random_state=0)))
