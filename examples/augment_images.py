"""Augment a few crops and lay originals and copies out in one picture, augmented.png."""

import numpy as np
from PIL import Image

from nucrec.augment import Brightness, Flip, Noise, Pipeline, Rotate, Zoom
from nucrec.datasets import load_mnfinder_crops

SIZE, COPIES = 96, 5

crops = load_mnfinder_crops()[[2, 60, 110, 170, 230, 290]]
pipeline = Pipeline(
    [Flip(), Rotate((-180, 180)), Zoom((0.8, 1.2)), Brightness((0.7, 1.4)), Noise((0, 0.03))],
    random_state=0,
)
larger = pipeline.expand(crops, copies=COPIES)
tiles = larger.to_array(SIZE)[..., 0].reshape(COPIES + 1, len(crops), SIZE, SIZE)

# one row for each crop: the original, then its copies
rows = np.pad(tiles.transpose(1, 0, 2, 3), [(0, 0), (0, 0), (2, 2), (2, 2)], constant_values=255)
side = SIZE + 4
sheet = rows.transpose(0, 2, 1, 3).reshape(len(crops) * side, (COPIES + 1) * side)
Image.fromarray(sheet).save("augmented.png")
print(f"{larger}\nwritten to augmented.png")
