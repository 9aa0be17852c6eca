"""Show what a network looks at: pictures, and a page of the images that it is in doubt about."""

from pathlib import Path

from PIL import Image

from nucrec.datasets import load_mnfinder_crops, split
from nucrec.models import predict_folder, transfer

train, test = split(load_mnfinder_crops(), random_state=0)
# larger images and mode="finetune", the defaults, are better and take longer
model = transfer(mode="features", image_size=64, random_state=0).fit(train)

found = model.explain(test[:5], "micronucleus")
print(*(path.name for path in found.save("heat")), sep="\n")

for i, image in enumerate(test.images):
    path = Path("new plate", f"cell {i}.png")
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(image).save(path)

print(predict_folder(model, "new plate", "cells.csv", html="cells.html", html_images=12))
