"""Augment a few crops and lay originals and copies out in one picture, augmented.png."""

from nucrec.augment import AugmentationDisplay, Brightness, Flip, Noise, Pipeline, Rotate, Zoom
from nucrec.datasets import load_mnfinder_crops

crops = load_mnfinder_crops()
pipeline = Pipeline(
    [Flip(), Rotate((-180, 180)), Zoom((0.8, 1.2)), Brightness((0.7, 1.4)), Noise((0, 0.03))],
    random_state=0,
)
print(pipeline.expand(crops, copies=5))
AugmentationDisplay.from_dataset(crops, pipeline).plot().figure_.savefig("augmented.png")
